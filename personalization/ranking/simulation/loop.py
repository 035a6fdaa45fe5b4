"""A shop in a closed loop, and the question which offline metric tells what retains members.

A history under one logging policy comes first, the same for all. Every policy is then measured twice: offline, on that
history and the next visit after it, and in the loop, where it serves the members that the history left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from scipy.stats import spearmanr

from personalization.ranking import metrics
from personalization.ranking.items import Items
from personalization.ranking.simulation.members import Dynamics, Log, World, history, observe, step
from personalization.ranking.simulation.policies import POLICIES, Policy, top, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Interval = tuple[float, float, float]
"""A mean and its 95 % bootstrap interval."""

SIZE = 10  # places in a slate


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy brought, over the m members who were there when it began.

    retention : share of them who have not left after all days; purchases, taken : per member-day, all and from slates (who
    left buys nothing); satisfaction : mean, 0 to 1, of who stayed; visited : (days, m); left : (m,) day, `days` for who
    stayed; bought : (days,) purchases from slates; offline : metric to value, on the history before.
    """

    retention: float
    purchases: float
    taken: float
    satisfaction: float
    visited: Flags
    left: Ints
    bought: Ints
    offline: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Study:
    """Policies compared over seeds. correlation : metric to the mean rank correlation with retention over policies.

    retention, purchases : policy to mean (purchases per member-day); offline : policy to metric to mean; by_seed : policy to (seeds,) retention.
    """

    correlation: Mapping[str, Interval]
    retention: Mapping[str, Interval]
    purchases: Mapping[str, Interval]
    offline: Mapping[str, Mapping[str, float]]
    by_seed: Mapping[str, Floats]

    def gain(self, ours: str, theirs: str) -> Interval:
        """Return how much more of the members `ours` retains than `theirs`, paired by seed."""
        return metrics.paired(self.by_seed[ours], self.by_seed[theirs], seed=0)


def simulate(
    world: World, policy: Policy, days: int = 90, *, rng: np.random.Generator, log: Log | None = None, size: int = SIZE
) -> Outcome:
    """Let a policy serve the members for `days` days after `log`, which is made where none is given."""
    log = log or history(world, rng, size=size)
    measured = offline(world, policy, log, rng, size=size)
    state = deepcopy(log.state)
    there = np.flatnonzero(state.active)
    visited = np.zeros((days, len(world.visit)), bool)
    bought, everything = np.zeros(days, np.int64), 0
    for day in range(days):
        visits = step(world, state, policy, rng, size)
        visited[day, visits.members] = True
        bought[day] = visits.taken.sum()
        everything += int(visits.basket.sum())
    stays = state.active[there]
    left = np.where(stays, days, state.left[there] - log.state.day - 1)
    many = max(len(there), 1)
    satisfaction = float(state.satisfaction[there][stays].mean()) if stays.any() else float("nan")
    return Outcome(
        float(stays.sum()) / many, everything / (many * days), float(bought.sum()) / (many * days), satisfaction,
        visited[:, there], left, bought, measured,
    )  # fmt: skip


def offline(world: World, policy: Policy, log: Log, rng: np.random.Generator, *, size: int = SIZE) -> dict[str, float]:
    """Return what is usually measured before a release: how well, and how, a policy ranks each member's next visit.

    ndcg, hit_rate : at `size`; predicted : mean predicted probability; diversity; novelty : bits; serendipity; coverage;
    gini. All nan without anybody who came again.
    """
    observed = observe(world, log.state, log.members, size)
    slates = policy(observed, rng)
    if not len(slates):
        return dict.fromkeys(METRICS, float("nan"))
    hits = np.take_along_axis(log.baskets, slates, axis=1)
    relevant = log.baskets.sum(axis=1)
    some = relevant > 0
    obvious = np.isin(slates, top(observed.popularity[None], size)) | (
        np.take_along_axis(observed.counts, slates, axis=1) > 0
    )
    n, items = len(world.category), shelf(world.category, observed.buyers)
    found = (
        _mean(metrics.ndcg(hits, relevant)[some]), _mean(hits[some].any(axis=1).astype(np.float64)),
        float(np.take_along_axis(observed.predicted, slates, axis=1).mean()), _mean(metrics.intra_list_diversity(items, slates)),
        _mean(metrics.self_information(observed.buyers, len(world.visit), slates)), _mean(metrics.serendipity(hits, obvious)),
        metrics.coverage(slates, n), metrics.gini(slates, n),
    )  # fmt: skip
    return dict(zip(METRICS, found, strict=True))


METRICS = ("ndcg", "hit_rate", "predicted", "diversity", "novelty", "serendipity", "coverage", "gini")


def study(
    seeds: Sequence[int], members: int = 2000, items: int = 300, days: int = 90, *, dynamics: Dynamics | None = None,
    policies: Mapping[str, Policy] = POLICIES, logging: Policy = uniform, progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Study:  # fmt: skip
    """Run all policies on one world and one history per seed, and compare offline metrics with retention.

    `logging` served the history. Spearman's correlation is over policies, within a seed; intervals are over seeds. Raises ValueError without seeds.
    """
    if not seeds:
        raise ValueError("a study needs at least one seed")
    runs: list[list[Outcome]] = []
    for number, seed in enumerate(seeds):
        world = World.made(members, items, seed, dynamics)
        log = history(world, np.random.default_rng([seed, 1]), logging=logging)
        runs.append([])
        for policy in policies.values():
            runs[-1].append(simulate(world, policy, days, rng=np.random.default_rng([seed, 2]), log=log))
            progress(number * len(policies) + len(runs[-1]), len(seeds) * len(policies))
    retention = np.array([[outcome.retention for outcome in row] for row in runs])
    purchases = np.array([[outcome.purchases for outcome in row] for row in runs])
    measured = np.array([[[outcome.offline[name] for name in METRICS] for outcome in row] for row in runs])
    return Study(
        {name: _over_seeds(np.array([_rank_correlation(m[:, k], r) for m, r in zip(measured, retention, strict=True)]), seeds)
         for k, name in enumerate(METRICS)},
        {name: _over_seeds(retention[:, k], seeds) for k, name in enumerate(policies)},
        {name: _over_seeds(purchases[:, k], seeds) for k, name in enumerate(policies)},
        {name: dict(zip(METRICS, measured[:, k].mean(axis=0).tolist(), strict=True)) for k, name in enumerate(policies)},
        {name: retention[:, k] for k, name in enumerate(policies)},
    )  # fmt: skip


def shelf(category: Ints, buyers: Floats) -> Items:
    """Return simulated items as ranking reads them: each a kind of its own, each category a department."""
    n = len(category)
    return Items(
        np.array([f"item-{number}" for number in range(n)]), np.array([f"category-{c}" for c in range(int(category.max()) + 1)]),
        category.astype(np.int32), np.arange(n), category.astype(np.int64),
        (buyers / max(float(buyers.max()), 1.0)).astype(np.float32), buyers.astype(np.int32), np.zeros((n, 0), np.float32),
        csr_matrix((n, n), dtype=np.float32), np.zeros(0, np.str_), csc_matrix((0, n), dtype=np.float32),
    )  # fmt: skip


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _rank_correlation(metric: Floats, retention: Floats) -> float:
    """Return Spearman's rho, nan where either is the same for all policies."""
    if np.ptp(metric) > 0 and np.ptp(retention) > 0:
        return float(spearmanr(metric, retention).statistic)
    return float("nan")


def _over_seeds(values: Floats, seeds: Sequence[int]) -> Interval:
    return metrics.interval(values, seed=seeds[0])
