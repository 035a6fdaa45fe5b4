"""Screening and Thompson sampling against other ways to place, in markets with a known truth.

Every figure is of expected clicks given what was placed, so the luck of single clicks is no noise in it; policies learn from drawn
clicks, told late. Settings of ours and of the baselines were chosen on seeds below 100 of STATIONARY and DRIFTING.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.creative_market import DRIFTING, REPORTED, STATIONARY, UNSEEN, Market, Scenario, Size, draw
from bench.creative_policies import AbThenCommit, LinUcb, LinUcbPerVariant, Ours, Played, Policy, Uniform, play
from bench.creative_value import coverage, judged
from bench.report import Metric, progress
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules

QUICK = Size(campaigns=8, products=6, impressions=1_000_000, pool=80, periods=8, lasts=5)
RULES, LIMITS = Rules(), Limits()
OURS = "screening and Thompson"
UNIFORM = ("uniform over the pool", "uniform over the screened set")
TESTS = ("A/B then commit, drawn from the pool", "A/B then commit, screened set")
LINEAR = ("LinUCB, shared, whole pool", "LinUCB, shared, screened set", "LinUCB per variant, screened set")
TEST_SHARE = 0.2
ALPHA, RIDGE = 0.02, 20_000.0
ALPHA_EACH, RIDGE_EACH = 0.15, 100.0
DATA = "simulated market, bench/creative_market.py"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Game:
    """Every policy in one market."""

    scenario: str
    seed: int
    played: Mapping[str, Played]
    spread: float
    pool_spread: float

    def gain(self, over: str) -> float:
        """Return how many more clicks ours got, as a share of the other's."""
        return self.played[OURS].total / self.played[over].total - 1.0


def policies(market: Market, seed: int) -> dict[str, Callable[[], Policy]]:
    """Return what is compared, each made when it is played. Baselines have static sets: screened before any outcome, or drawn."""
    rng = np.random.default_rng([seed, 2])
    many = range(market.size.campaigns)
    first = Ours(market, RULES, LIMITS, np.random.default_rng([seed, 3]))
    screened = [first.first_sets(c) for c in many]
    rows = screened[0].shape[0]
    pool = [np.tile(np.arange(market.size.pool), (rows, 1)) for _ in many]
    drawn = [np.tile(rng.choice(market.size.pool, RULES.size, replace=False), (rows, 1)) for _ in many]
    everybody = [np.tile(sets[0], (rows, 1)) for sets in screened]  # one winner for all needs one set for all
    return {
        OURS: lambda: Ours(market, RULES, LIMITS, np.random.default_rng([seed, 3])),
        UNIFORM[0]: lambda: Uniform(pool), UNIFORM[1]: lambda: Uniform(screened),
        TESTS[0]: lambda: AbThenCommit(market, drawn, TEST_SHARE), TESTS[1]: lambda: AbThenCommit(market, everybody, TEST_SHARE),
        LINEAR[0]: lambda: LinUcb(market, pool, ALPHA, RIDGE), LINEAR[1]: lambda: LinUcb(market, screened, ALPHA, RIDGE),
        LINEAR[2]: lambda: LinUcbPerVariant(market, screened, ALPHA_EACH, RIDGE_EACH),
    }  # fmt: skip


@cache
def game(scenario: Scenario, seed: int, size: Size) -> Game:
    """Play every policy in one market."""
    market = draw(scenario, seed, size)
    played, ours = {}, None
    for name, made in policies(market, seed).items():
        progress(f"creative: {scenario.name}, seed {seed}, {name}")
        policy = made()
        played[name] = play(market, policy, seed)
        if isinstance(policy, Ours):
            ours = policy
    if ours is None:
        raise RuntimeError("ours was not played")
    apart = [1.0 - float((alike.sum() - len(alike)) / (len(alike) * (len(alike) - 1))) for alike in ours.alike]
    return Game(scenario.name, seed, played, ours.spread(), float(np.mean(apart)))


def games(*, quick: bool) -> list[Game]:
    """Return the games of the protocol: quick plays one small market of each kind that settings were chosen on."""
    if quick:
        return [game(scenario, REPORTED, QUICK) for scenario in (STATIONARY, DRIFTING)]
    return [game(scenario, REPORTED, Size()) for scenario in (STATIONARY, DRIFTING, UNSEEN)]


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield the gains over the best of each kind of baseline in the worst kind of market, and the coverage of off-policy intervals."""
    found = games(quick=quick)
    impressions = int(sum(one.played[OURS].impressions.sum() for one in found))
    for name, others in (("uniform", UNIFORM), ("ab", TESTS), ("linucb", LINEAR)):
        table = {
            f"{kind}: over {other}": float(np.mean([one.gain(other) for one in found if one.scenario == kind]))
            for kind in dict.fromkeys(one.scenario for one in found)
            for other in others
        }
        yield Metric(
            f"creative.gain_over_{name}", round(min(table.values()), 4),
            "share of clicks, worst mean of markets and of the baselines told", impressions, DATA,
            baseline={key: round(value, 4) for key, value in table.items()}, seed=REPORTED,
        )  # fmt: skip
    runs = judged(runs=20) if quick else judged()
    shares = coverage(runs)
    yield Metric(
        "creative.ope_interval_coverage", round(min(shares.values()), 4), "share of 95 % intervals that hold the truth, worst of these",
        len(runs) // len(shares), DATA, baseline={key: round(value, 4) for key, value in shares.items()}, seed=3 * REPORTED,
    )  # fmt: skip
