"""A benchmark's page: what was measured beside its bar, with plots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.plot import ecdf_svg
from bench.report import ROOT, Metric


@dataclass(frozen=True, slots=True)
class Bar:
    """What an issue asks for: `value` at most, or at least where `least`; None asks only to be stated.

    `baseline`: it asks for what stands under this name in the metric's own baselines.
    """

    value: float | None
    least: bool = False
    baseline: str = ""

    def told(self) -> str:
        """Return the bar in words."""
        asked = f"the {self.baseline}'s" if self.baseline else "" if self.value is None else f"{self.value:g}"
        return f"{'≥' if self.least else '≤'} {asked}" if asked else "stated"

    def met(self, metric: Metric) -> str:
        """Return yes, no, or nothing where there is nothing to compare."""
        asked = (metric.baseline or {}).get(self.baseline) if self.baseline else self.value
        if not isinstance(asked, int | float) or metric.value is None:
            return ""
        return "yes" if (metric.value >= asked if self.least else metric.value <= asked) else "**no**"


def write_page(
    name: str, title: str, bars: Mapping[str, Bar], found: Sequence[Metric], *, seed: int, titles: Mapping[str, str],
    after: Sequence[str] = (), folder: Path = ROOT / "docs" / "benchmarks",
) -> None:  # fmt: skip
    """Write docs/benchmarks/NAME.md, with a plot for each metric that has samples and a title; `after` follows the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, plots = [], []
    for m in found:
        bar = bars.get(m.metric, Bar(None))
        interval = f"{m.ci[0]:g} to {m.ci[1]:g}" if m.ci else ""
        baseline = "; ".join(f"{key} {value}" for key, value in (m.baseline or {}).items())
        value = "–" if m.value is None else f"{m.value:g}"
        rows.append(
            f"| `{m.metric}` | {value} | {bar.told()} | {bar.met(m)} | {m.unit} | {interval} | {m.n:,} | {m.reason or m.data} | {baseline} |"
        )
        if m.samples and m.metric in titles:
            file = f"{m.metric.replace('.', '-')}.svg"
            (folder / file).write_text(ecdf_svg(titles[m.metric], m.samples, m.unit, bar=bar.value or 0.0))
            plots += [f"![{titles[m.metric]}]({file})", ""]
    intro = f"`aisle bench {name}`, {found[-1].at}, commit {found[-1].commit}, {os.cpu_count()} cores, seed {seed}. Intervals are 95 % intervals."
    head = [
        "| metric | value | bar | met | unit | interval | n | data | baseline |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    (folder / f"{name}.md").write_text(
        "\n".join([f"# {title}", "", intro, "", *head, *rows, "", *plots, *after]).rstrip() + "\n"
    )
