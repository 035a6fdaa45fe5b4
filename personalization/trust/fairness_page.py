"""The audit as one page: verdicts, a forest plot for each finding, and what fairness costs. Self-contained: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

from personalization.trust.fairness import Figure, Finding

WIDTH, ROW, LEFT, RIGHT = 720, 26, 190, 150
_COLOURS = {"within": "#1a7f4b", "unclear": "#8a6d00", "beyond": "#b3261e", "too few": "#5f6368"}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
svg{max-width:100%;height:auto}section{margin:2.5rem 0}
.verdict{font-weight:600}footer{color:#5f6368;font-size:.875rem}
"""


def page(findings: Sequence[Finding], *, at: datetime, about: str, price: str) -> str:
    """Return the page's HTML. about : what was audited; price : what keeping to the limits costs, in a sentence."""
    rows = "".join(
        f'<tr><td>{_words(one.measure)}</td><td>{escape(one.attribute)}</td><td class="verdict" style="color:{_COLOURS[one.verdict]}">{one.verdict}</td>'
        f"<td>{escape(one.sentence)}</td></tr>"
        for one in findings
    )
    plots = "".join(_section(one) for one in findings if one.figures)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Fairness audit</title><style>{_STYLE}</style></head><body><h1>Fairness audit</h1><p>{escape(about)}</p>"
        f"<p>{escape(overall(findings))} {escape(price)}</p>"
        f"<table><thead><tr><th>Measure</th><th>By</th><th>Verdict</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>{plots}"
        f"<footer>Made at {at:%Y-%m-%d %H:%M} UTC. Intervals are 95 % bootstrap intervals over members. A limit counts as broken where a "
        f"group's whole interval lies beyond it. Groups are declared, never inferred.</footer></body></html>"
    )


def overall(findings: Sequence[Finding]) -> str:
    """Return the verdict in a sentence."""
    count = {name: sum(one.verdict == name for one in findings) for name in _COLOURS}
    if not findings:
        return "Nothing could be audited: no member has declared a group, or nothing was logged."
    said = [
        f"{count['beyond']} of {len(findings)} comparisons are beyond their limit",
        f"{count['within']} are within it",
        f"{count['unclear']} cannot be told apart from it yet",
    ]
    turned = sum(bool(one.reversed_in_segments) for one in findings)
    more = f" {turned} turn round within segments (Simpson's paradox): look at those before acting." if turned else ""
    return ", ".join(said) + "." + more


def _section(one: Finding) -> str:
    return (
        f"<section><h2>{_words(one.measure)} by {escape(one.attribute)}</h2><p>{escape(one.sentence)}</p>{_forest(one)}"
        f"<p>Everybody: {one.overall:.4g} {escape(one.unit)}. Largest distance of a judged group: {one.gap:.3f} "
        f"({one.low:.3f} to {one.high:.3f}); largest difference between two plain means: {one.difference:.4g}.</p></section>"
    )


def _forest(one: Finding) -> str:
    """Return a forest plot: each group's distance from everybody with its interval, the limit as a band."""
    bound = one.limit.within if one.limit else 0.0
    reach = (
        max([bound * 1.5, *(min(max(abs(f.low), abs(f.high)), 4 * max(bound, abs(f.off), 1e-9)) for f in one.figures)])
        or 1.0
    )
    height = ROW * (len(one.figures) + 1) + 16

    def across(value: float) -> float:
        return LEFT + (min(max(value / reach, -1), 1) + 1) / 2 * (WIDTH - LEFT - RIGHT)

    band = f'<rect x="{across(-bound):.1f}" y="4" width="{across(bound) - across(-bound):.1f}" height="{height - 24}" fill="#e6f4ea"/>'
    middle = f'<line x1="{across(0):.1f}" x2="{across(0):.1f}" y1="4" y2="{height - 20}" stroke="#5f6368"/>'
    rows = "".join(_row(figure, ROW * (place + 0.5) + 8, across, one) for place, figure in enumerate(one.figures))
    axis = "".join(
        f'<text x="{across(value):.1f}" y="{height - 4}" font-size="12" text-anchor="middle" fill="#5f6368">{_told(value, one)}</text>'
        for value in (-reach, 0.0, reach)
    )
    told = escape(f"{_words(one.measure)} by {one.attribute}: distance of each group from everybody")
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{told}" font-family="system-ui,sans-serif">{band}{middle}{rows}{axis}</svg>'


def _row(figure: Figure, y: float, across: Callable[[float], float], one: Finding) -> str:
    colour = "#1b1b1f" if figure.judged else "#9aa0a6"
    few = "" if figure.judged else " (few)"
    return (
        f'<text x="{LEFT - 10}" y="{y + 4:.1f}" font-size="13" text-anchor="end" fill="{colour}">{escape(figure.group)}{few}</text>'
        f'<line x1="{across(figure.low):.1f}" x2="{across(figure.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{across(figure.off):.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        f'<text x="{WIDTH - RIGHT + 10}" y="{y + 4:.1f}" font-size="13" fill="{colour}">{_told(figure.off, one)} · {figure.members:,} members</text>'
    )


def _told(value: float, one: Finding) -> str:
    return f"{value * 100:+.1f} %" if one.limit is None or one.limit.how == "relative" else f"{value:+.3g}"


def _words(name: str) -> str:
    return escape(name.replace("_", " ").capitalize())
