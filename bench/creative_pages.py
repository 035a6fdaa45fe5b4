"""The part of docs/benchmarks/creative.md that tells of screening, placement and off-policy estimates, with its plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.creative_market import DRIFTING, REPORTED, STATIONARY, UNSEEN, Size
from bench.creative_placing import LINEAR, MORE, OURS, TESTS, UNIFORM, Game, gain, interval, resampled
from bench.creative_plot import bands_svg
from bench.creative_value import IMPRESSIONS, KINDS, RUNS, Judged
from bench.report import ROOT
from personalization.creative.policy_value import Method

PAGE = ROOT / "docs" / "benchmarks"


def section(found: Sequence[Game], runs: Sequence[Judged]) -> Iterator[str]:
    """Yield the section's lines and write its plots, of the markets that were played and the off-policy estimates."""
    size, whole = Size(), found
    found = [one for one in whole if one.seed == REPORTED]
    yield from ("## Screening and placement", "")
    yield (
        f"{size.campaigns} campaigns of {size.lasts} days for {size.products} products, {size.impressions:,} impressions, pools of {size.pool} variants drawn evenly "
        "from 3.6 billion designs, 48 audiences, about 1.5 % clicks (`bench/creative_market.py`). Clicks are expected ones given what was placed; policies learn from drawn clicks, "
        "a third of which is told one or two days late. Every policy decides once a day and learns over night. "
        "“Pool” is all 300 variants; “screened set” is what screening takes before any outcome, which never changes for a baseline. The "
        "A/B test on the pool has 16 variants drawn from it. Settings of ours and of the baselines were chosen on seeds below 100 of the first two markets; "
        f"figures are of seed {REPORTED:,}. *unseen* has another functional form (audiences like what is near to a few prototypes), and was looked at once, for this page."
    )
    yield from (
        "",
        "| policy | " + " | ".join(f"{one.scenario}" for one in found) + " |",
        "|---" * (len(found) + 1) + "|",
    )
    for name in found[0].played:
        cells = [
            f"{one.played[name].total:,.0f} ({one.played[name].total / one.played[OURS].best.sum():.1%})"
            for one in found
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield (
        "| the best variant of the pool for every audience, known (oracle) | "
        + " | ".join(f"{one.played[OURS].best.sum():,.0f}" for one in found)
        + " |"
    )
    yield from ("", "What ours gains, with 95 % intervals by resampling campaigns:", "")
    yield from ("| over | " + " | ".join(f"{one.scenario}" for one in found) + " |", "|---" * (len(found) + 1) + "|")
    for name in (*UNIFORM, *TESTS, *LINEAR):
        yield f"| {name} | " + " | ".join(_gain([one], name) for one in found) + " |"
    more = [one for one in whole if one.seed in MORE]
    if more:
        kinds = dict.fromkeys(one.scenario for one in more)
        mine = {kind: [one for one in whole if one.scenario == kind] for kind in kinds}
        yield from (
            "",
            f"LinUCB on the whole pool comes nearest. Over {1 + len(MORE)} seeds together ours gains on it: "
            + "; ".join(f"{kind} {_gain(mine[kind], LINEAR[0])}" for kind in kinds)
            + ".",
        )
    told = "; ".join(f"{one.scenario} {one.spread:.2f} (pool {one.pool_spread:.2f})" for one in found)
    yield from ("", f"Share of design choices in which two variants of a screened set differ, at the end: {told}.", "")
    for kind in (STATIONARY, DRIFTING, UNSEEN):
        one = next(game for game in found if game.scenario == kind.name)
        file = f"creative-regret-{kind.name}.svg"
        (PAGE / file).write_text(_regret(one))
        yield from (f"![regret, {kind.name}]({file})", "")
    yield from _value(runs)


def _gain(found: Sequence[Game], name: str) -> str:
    low, high = interval(found, name)
    return f"{gain(found, name):+.1%} ({low:+.1%} to {high:+.1%})"


def _regret(one: Game) -> str:
    curves = {}
    for name in (OURS, UNIFORM[0], TESTS[0], LINEAR[0], LINEAR[2]):
        played = one.played[name]
        lost = (played.best - played.clicks).cumsum(1)
        drawn = np.stack([lost[some].sum(0) for some in resampled(len(lost))])
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
        at, middle, below, above = (
            np.concatenate([[0.0], line]) for line in (played.impressions.sum(0).cumsum() / 1e6, lost.sum(0), low, high)
        )
        curves[name] = (at, middle, below, above)
    return bands_svg(
        f"Regret, {one.scenario} market",
        curves,
        "million impressions",
        "clicks less than the best possible, bands 95 % over campaigns",
    )


def _value(runs: Sequence[Judged]) -> Iterator[str]:
    yield from ("## Off-policy estimates", "")
    yield (
        f"{RUNS} logs of {IMPRESSIONS:,} impressions of each kind: an old policy that stands still, and one that follows the clicks "
        "(Thompson sampling by counts with a floor of 30 %, in six batches). The new policy is much greedier. 95 % intervals; width and error in shares of the true value."
    )
    yield from (
        "",
        "| log | estimate | intervals that hold the truth | width, median | error, root mean square | impressions' worth, median |",
        "|---|---|---|---|---|---|",
    )
    for kind in KINDS:
        for method in Method:
            mine = [one for one in runs if (one.kind, one.method) == (kind, method)]
            error = float(np.sqrt(np.mean([one.error**2 for one in mine])))
            yield (
                f"| {kind} | {method} | {np.mean([one.covered for one in mine]):.1%} | {np.median([one.width for one in mine]):.2f} | {error:.3f} "
                f"| {np.median([one.effective for one in mine]):,.0f} |"
            )
    yield ""


def learning(milliseconds: Mapping[str, float]) -> Iterator[str]:
    """Yield how long the predictor takes, as medians in milliseconds."""
    yield from ("## How quickly it learns", "", "| what | milliseconds, median |", "|---|---|")
    yield from (f"| {name} | {value:g} |" for name, value in milliseconds.items())
