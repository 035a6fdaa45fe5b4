"""Screening and Thompson sampling against other ways to place, in markets with a known truth.

Every figure is of expected clicks given what was placed, so the luck of single clicks is no noise in it; policies learn from drawn
clicks, told late. Settings of ours and of the baselines were chosen on seeds below 100 of STATIONARY and DRIFTING.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.creative_market import DRIFTING, REPORTED, STATIONARY, UNSEEN, Market, Scenario, Size, draw
from bench.creative_policies import AbThenCommit, LinUcb, LinUcbPerVariant, Ours, Played, Policy, Uniform, play
from bench.creative_value import Judged, coverage
from bench.report import Metric
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules

RULES, LIMITS = Rules(), Limits()
OURS = "screening and Thompson"
UNIFORM = ("uniform over the pool", "uniform over the screened set")
TESTS = ("A/B then commit, drawn from the pool", "A/B then commit, screened set")
LINEAR = ("LinUCB, shared, whole pool", "LinUCB, shared, screened set", "LinUCB per variant, screened set")
TEST_SHARE = 0.2
ALPHA, RIDGE = 0.02, 20_000.0
ALPHA_EACH, RIDGE_EACH = 0.15, 100.0
RESAMPLED = 1_000
MORE = (REPORTED + 1, REPORTED + 2)
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


def gain(found: Sequence[Game], over: str) -> float:
    """Return how many more clicks ours got in these markets together, as a share of the other's."""
    ours, theirs = (sum(one.played[each].total for one in found) for each in (OURS, over))
    return ours / theirs - 1.0


def interval(found: Sequence[Game], over: str) -> tuple[float, float]:
    """Return that gain's 95 % interval, by resampling campaigns."""
    ours, theirs = (np.concatenate([one.played[each].clicks.sum(1) for one in found]) for each in (OURS, over))
    some = resampled(len(ours))
    low, high = np.percentile(ours[some].sum(1) / theirs[some].sum(1) - 1.0, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def resampled(n: int) -> NDArray[np.int64]:
    """Return draws of `n` campaigns with replacement, always the same ones."""
    return np.random.default_rng(REPORTED).integers(0, n, (RESAMPLED, n))


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


@lru_cache(maxsize=1)
def _market(scenario: Scenario, seed: int, size: Size) -> tuple[Market, dict[str, Callable[[], Policy]]]:
    market = draw(scenario, seed, size)
    return market, policies(market, seed)


@dataclass(frozen=True, slots=True)
class Round:
    """One policy in one market; spreads are of ours alone."""

    scenario: str
    seed: int
    policy: str
    played: Played
    spread: float = 0.0
    pool_spread: float = 0.0


def play_round(scenario: Scenario, seed: int, size: Size, name: str) -> Round:
    """Play one policy in one market; which others are played makes no difference to it."""
    market, made = _market(scenario, seed, size)
    policy = made[name]()
    played = play(market, policy, seed)
    if not isinstance(policy, Ours):
        return Round(scenario.name, seed, name, played)
    apart = [1.0 - float((alike.sum() - len(alike)) / (len(alike) * (len(alike) - 1))) for alike in policy.alike]
    return Round(scenario.name, seed, name, played, policy.spread(), float(np.mean(apart)))


def rounds(*, quick: bool) -> list[tuple[Scenario, int, Size, str]]:
    """Return what is played: three markets of the full size, and two more of the kinds that settings were chosen on for what comes nearest to ours.

    Quick plays the first alone, of the full size too, without the slow baseline that is weaker.
    """
    names = [OURS, LINEAR[0], *UNIFORM, *TESTS, LINEAR[2]]
    if quick:
        return [(STATIONARY, REPORTED, Size(), name) for name in names]
    whole = [(kind, REPORTED, Size(), name) for kind in (STATIONARY, DRIFTING, UNSEEN) for name in (*names, LINEAR[1])]
    more = [
        (kind, seed, Size(), name) for kind in (STATIONARY, DRIFTING) for seed in MORE for name in (OURS, LINEAR[0])
    ]
    return [*whole, *more]


def games(played: Sequence[Round]) -> list[Game]:
    """Return the markets, in the order in which they were met, each with all that was played in it."""
    found = []
    for scenario, seed in dict.fromkeys((one.scenario, one.seed) for one in played):
        mine = {one.policy: one for one in played if (one.scenario, one.seed) == (scenario, seed)}
        named = {name: mine[name].played for name in (OURS, *UNIFORM, *TESTS, *LINEAR) if name in mine}
        found.append(Game(scenario, seed, named, mine[OURS].spread, mine[OURS].pool_spread))
    return found


def metrics(found: Sequence[Game], runs: Sequence[Judged]) -> Iterator[Metric]:
    """Yield the gains over the best of each kind of baseline in the worst kind of market, and the coverage of off-policy intervals."""
    impressions = int(sum(one.played[OURS].impressions.sum() for one in found))
    for name, others in (("uniform", UNIFORM), ("ab", TESTS), ("linucb", LINEAR)):
        played = {
            (kind, other): [one for one in found if one.scenario == kind and other in one.played]
            for kind in dict.fromkeys(one.scenario for one in found)
            for other in others
        }
        gains = {key: gain(mine, key[1]) for key, mine in played.items() if mine}
        worst = min(gains, key=gains.__getitem__)
        yield Metric(
            f"creative.gain_over_{name}", round(gains[worst], 4),
            "share of clicks, worst of the markets and baselines told", impressions, DATA, ci=interval(played[worst], worst[1]),
            baseline={f"{kind}: over {other}": round(value, 4) for (kind, other), value in gains.items()}, seed=REPORTED,
        )  # fmt: skip
    shares = coverage(runs)
    yield Metric(
        "creative.ope_interval_coverage", round(min(shares.values()), 4), "share of 95 % intervals that hold the truth, worst of these",
        len(runs) // len(shares), DATA, baseline={key: round(value, 4) for key, value in shares.items()}, seed=3 * REPORTED,
    )  # fmt: skip
