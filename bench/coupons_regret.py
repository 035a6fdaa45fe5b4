"""How near the allocator comes to the hindsight optimum: policies by scenarios by budgets by numbers of arrivals.

The optimum is the linear relaxation over the arrivals that really came, with their true curves: at least what any policy can
expect. Values are true expectations given what was chosen, so that the luck of single conversions is no noise in them.
Settings were chosen on seeds below 100; what is reported comes from seeds from REPORTED on, UNSEEN families included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from bench.coupons_market import DRIFT, IID, LADDER, MISSPECIFIED, REDEEMED, UNSEEN, Day, Scenario, draw, history
from bench.coupons_policies import Fixed, Policy, Priced, Random, Run, greedy, pacer_of, run
from bench.report import Metric, progress
from personalization.coupons.dual import dual_value, exact, solve

REPORTED = 10_000
SHARES = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85)  # of what the last rung for everybody would cost
SUFFICES = 0.7  # budgets up to this share can be spent although demand differs from what was thought
UPDATES, PAST = 200, 30_000
FULL = {2_000: 20, 20_000: 6, 200_000: 2, 1_000_000: 1}  # arrivals: seeds
QUICK = {10_000: 1}
DAYS, DAY_ARRIVALS, QUICK_DAYS = 500, 10_000, 10
DATA = "simulated market, fitted to Complete Journey"


@dataclass(frozen=True, slots=True)
class Result:
    """One policy's day: its share of the optimum's value, utilisation and the money promised above the budget."""

    policy: str
    scenario: str
    n: int
    budget_share: float
    seed: int
    share: float
    value: float
    utilisation: float
    overspend: float


def results(scenario: Scenario, n: int, seed: int, shares: Sequence[float], *, baselines: bool) -> Iterator[Result]:
    """Play one day of `scenario` at budgets of `shares`; with `baselines` by every policy, else by the allocator alone."""
    day, past = draw(scenario, n, seed), history(scenario, PAST, seed)
    true_past = history(scenario, PAST, seed, true=True) if baselines else past
    value, cost = day.table("true value"), day.table("true cost")
    everything = float(cost[:, -1].sum())
    every = max(1, n // UPDATES)
    for share in shares:
        budget = float(int(everything * share))
        price = float(solve(value, cost, [budget])[0])
        bound = dual_value(value, cost, [budget], [price])

        def told(
            policy: str, played: Run, budget: float = budget, bound: float = bound, price: float = price, share: float = share
        ) -> Result:  # fmt: skip
            # Money paid less money expected has mean 0 given the choices; priced, it takes the luck of redemptions out.
            luck = price * (played.cost - played.paid) if scenario.validity_s > 0 else 0.0
            return Result(
                policy, scenario.name, n, share, seed, (played.value - luck) / bound, played.value - luck,
                played.paid / budget, max(played.promised - budget, 0.0),
            )  # fmt: skip

        yield told("allocator", run(day, budget, Priced(), pacer=pacer_of(day, budget, past), every=every))
        if not baselines:
            continue
        known = pacer_of(day, budget, true_past, true=True)
        yield told("allocator, true parameters", run(day, budget, Priced(), pacer=known, every=every, true=True))
        yield told(
            "allocator, price not moved", run(day, budget, Priced(_price_of_history(past, day, budget)), every=every)
        )
        fixed = [run(day, budget, Fixed(rung), every=n) for rung in range(1, len(LADDER))]
        yield told("best fixed value in hindsight", max(fixed, key=lambda played: played.value))
        simple: dict[str, Policy] = {
            "random": Random(np.random.default_rng(seed)),
            "greedy by conversion": greedy(len(LADDER)),
            "threshold on uplift": _threshold(past, day, budget),
        }
        for name, policy in simple.items():
            yield told(name, run(day, budget, policy, every=n))


def _price_of_history(past: Day, day: Day, budget: float) -> float:
    scale = len(past.at) / day.forecast
    return float(solve(past.table("value"), past.table("cost"), [budget * scale])[0])


def _threshold(past: Day, day: Day, budget: float) -> Fixed:
    """Return the rung and least uplift that would have gained most in history within the budget, both by the model."""
    value, cost = past.table("value"), past.table("cost")
    money, best, found = budget * len(past.at) / day.forecast, -1.0, Fixed(1)
    for rung in range(1, value.shape[1]):
        order = np.argsort(-value[:, rung], kind="stable")
        within = int(np.searchsorted(np.cumsum(cost[order, rung]), money, side="right"))
        gained = float(value[order[:within], rung].sum())
        if within and gained > best:
            best, found = gained, Fixed(rung, float(value[order[within - 1], rung]))
    return found


@cache
def regret(*, quick: bool) -> tuple[Result, ...]:
    """Return every result of the protocol; `quick` takes one seed, the smallest n and every third budget."""
    found: list[Result] = []
    for scenario in (IID, DRIFT, MISSPECIFIED):
        for n, seeds in (QUICK if quick else FULL).items():
            progress(f"coupons: {scenario.name}, {n:,} arrivals")
            for seed in range(REPORTED, REPORTED + seeds):
                shares = SHARES[1::3] if quick else SHARES
                found += results(scenario, n, seed, shares, baselines=not quick and n <= 20_000 and seed < REPORTED + 6)
    return tuple(found)


@cache
def unseen() -> tuple[Result, ...]:
    """Return the allocator's results on the families that no setting was chosen on."""
    found: list[Result] = []
    for scenario in UNSEEN:
        progress(f"coupons: unseen, {scenario.name}")
        for seed in range(2 * REPORTED, 2 * REPORTED + 5):
            found += results(scenario, 20_000, seed, SHARES[::2], baselines=False)
    return tuple(found)


@cache
def days(*, quick: bool) -> tuple[Result, ...]:
    """Return days on which coupons are redeemed by luck, late, with lost events, and traffic and conversion are forecast wrongly."""
    progress("coupons: days with redemption")
    found: list[Result] = []
    enough = [share for share in SHARES if share <= SUFFICES]
    for day in range(QUICK_DAYS if quick else DAYS):
        share = enough[day % len(enough)]
        found += results(REDEEMED, 5_000 if quick else DAY_ARRIVALS, 3 * REPORTED + day, [share], baselines=False)
    return tuple(found)


@cache
def delays() -> dict[float, tuple[Result, ...]]:
    """Return days by how long a coupon is valid, in seconds: money that is promised cannot be promised twice."""
    found = {}
    for validity in (60.0, 600.0, 1_800.0, 7_200.0):
        progress(f"coupons: valid for {validity:g} s")
        scenario = replace(REDEEMED, validity_s=validity)
        runs: list[Result] = []
        for seed in range(4 * REPORTED, 4 * REPORTED + 10):
            runs += results(scenario, DAY_ARRIVALS, seed, (0.1, 0.4), baselines=False)
        found[validity] = tuple(runs)
    return found


def worst_cell(found: Sequence[Result], scenario: str) -> tuple[float, dict[str, float | int | str]]:
    """Return the least mean share over (n, budget), and which cell it is, with the mean over all cells."""
    cells: dict[tuple[int, float], list[float]] = {}
    for r in found:
        if r.scenario == scenario and r.policy == "allocator":
            cells.setdefault((r.n, r.budget_share), []).append(r.share)
    means = {cell: float(np.mean(shares)) for cell, shares in cells.items()}
    worst = min(means, key=lambda cell: means[cell])
    return means[worst], {
        "worst n": worst[0],
        "worst budget share": worst[1],
        "mean of all": round(float(np.mean(list(means.values()))), 4),
    }


def gains_over_fixed(found: Sequence[Result]) -> dict[float, float]:
    """Return, by budget, conversions added per money by the allocator over the best fixed value's, less 1."""
    ours: dict[float, float] = {}
    theirs: dict[float, float] = {}
    paired = {(r.scenario, r.n, r.budget_share, r.seed): r for r in found if r.policy.startswith("best fixed")}
    for r in found:
        other = paired.get((r.scenario, r.n, r.budget_share, r.seed))
        if r.policy == "allocator" and other is not None:
            ours[r.budget_share] = ours.get(r.budget_share, 0.0) + r.value
            theirs[r.budget_share] = theirs.get(r.budget_share, 0.0) + other.value
    return {share: ours[share] / theirs[share] - 1 for share in ours}


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield shares of the optimum, utilisation, overspend and the gain over the best fixed value."""
    del data
    found = regret(quick=quick)
    for scenario in (IID, DRIFT, MISSPECIFIED):
        share, where = worst_cell(found, scenario.name)
        cells = [r.share for r in found if r.scenario == scenario.name and r.policy == "allocator"]
        yield Metric(
            f"coupons.optimum_share_{scenario.name}", round(share, 5), "share of the fluid optimum, worst cell of n and budget",
            len(cells), DATA, baseline=where, seed=REPORTED,
        )  # fmt: skip
    simulated = days(quick=quick)
    used = [r.utilisation for r in simulated]
    yield Metric(
        "coupons.utilisation_p05", round(float(np.percentile(used, 5)), 5), "share of the budget paid", len(used), DATA,
        baseline={"days at or above 0.995": round(float(np.mean(np.array(used) >= 0.995)), 4), "mean share of optimum": round(float(np.mean([r.share for r in simulated])), 4)},
        seed=3 * REPORTED,
    )  # fmt: skip
    every = [*found, *simulated, *(() if quick else (*unseen(), *(r for runs in delays().values() for r in runs)))]
    yield Metric(
        "coupons.overspend_minor_units",
        max(r.overspend for r in every),
        "minor units, most of all runs",
        len(every),
        DATA,
        seed=REPORTED,
    )
    gains = gains_over_fixed(found if not quick else fixed_quick())
    yield Metric(
        "coupons.gain_over_best_fixed", round(float(np.mean(list(gains.values()))), 4), "share of conversions per money, mean over budgets",
        len(gains), DATA, baseline={f"at {share:g} of all": round(gain, 4) for share, gain in gains.items()}, seed=REPORTED,
    )  # fmt: skip


def fixed_quick() -> tuple[Result, ...]:
    """Return one day against every baseline."""
    return tuple(results(IID, 5_000, REPORTED, SHARES[1::3], baselines=True))


def small_exact(seeds: int = 3) -> list[tuple[float, float, float]]:
    """Return, for days of 2,000 arrivals, the exact optimum over the bound, and the allocator over each."""
    found = []
    for seed in range(REPORTED, REPORTED + seeds):
        day = draw(IID, 2_000, seed)
        value, cost = day.table("true value"), day.table("true cost")
        budget = float(int(cost[:, -1].sum() * 0.2))
        best = float(value[np.arange(len(value)), exact(value, cost, [budget])].sum())
        bound = dual_value(value, cost, [budget], solve(value, cost, [budget]))
        ours = run(day, budget, Priced(), pacer=pacer_of(day, budget, history(IID, PAST, seed)), every=10).value
        found.append((best / bound, ours / bound, ours / best))
    return found
