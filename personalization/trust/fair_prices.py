"""Coupons within a fairness limit: a price of a group's discount beside the price of the budget's money.

maximise Σ value subject to Σ cost <= budget and, for every group g, (1 - ε) D <= D_g <= (1 + ε) D, where D_g is the mean discount of
g at everybody's mix of strata and D everybody's. The Lagrangian of the group constraints takes μ_g from every minor unit of discount
for a member of g (it may be negative, and those of several attributes add up), so arrivals still choose alone and the allocator needs
one number more. μ is found by subgradient steps, λ within each by bisection; the steps' best feasible point is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.dual import choose
from personalization.trust.fairness import standardised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS, HALVINGS = 300, 30
GAIN, FREE = 10.0, 0.25
"""Of `steered`, chosen on seeds 1 and 2 of the benchmark's stream: less gain missed the limit, more cost more."""
SEED = 7
SLACK = 0.9
"""Of the limit, that the steps aim at: choices are steps, and land beside what they aim at."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Logged arrivals, (n, k) rungs; discount in minor units; stratum (n,); label : by attribute, (n,) groups' names, "" unknown."""

    value: Floats
    cost: Floats
    discount: Floats
    allowed: NDArray[np.bool_]
    stratum: Ints
    label: Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True, slots=True)
class Enforced:
    """price : λ; prices : μ by attribute and group, in value per minor unit; gap : the furthest group's; worth : expected value."""

    price: float
    prices: Mapping[str, Mapping[str, float]]
    gap: float
    worth: float
    rung: Ints


def gaps(found: Arrived, rung: Ints, judged: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Return how far each judged group's mean discount is from everybody's, as a share of it, at equal strata."""
    given = found.discount[np.arange(len(rung)), rung]
    told: dict[str, dict[str, float]] = {}
    for attribute, label in found.label.items():
        names, group = np.unique(label, return_inverse=True)
        fair, _ = standardised(given, group, found.stratum, len(names))
        known = label != ""
        overall = float(given[known].mean()) if known.any() else 0.0
        told[attribute] = {
            str(name): float(fair[g] / overall - 1) if overall else 0.0
            for g, name in enumerate(names)
            if str(name) in judged.get(attribute, ())
        }
    return told


def worst(found: Mapping[str, Mapping[str, float]]) -> float:
    """Return the largest distance of all groups."""
    return max((abs(off) for each in found.values() for off in each.values()), default=0.0)


def enforce(
    found: Arrived, budget: float, within: float, judged: Mapping[str, Sequence[str]], *, steps: int = STEPS
) -> Enforced:
    """Return the prices that keep every judged group `within`, at the least loss of value that the steps found.

    Where no step kept them all, what came closest. The budget is kept in either case.
    """
    prices = {attribute: dict.fromkeys(judged.get(attribute, ()), 0.0) for attribute in found.label}
    unit = unit_of(found)
    price, rung = within_budget(found, prices, budget)
    best = Enforced(price, {}, worst(gaps(found, rung, judged)), _worth(found, rung), rung)
    for step in range(steps):
        price, rung = within_budget(found, prices, budget)
        off = gaps(found, rung, judged)
        now = Enforced(
            price, {name: dict(each) for name, each in prices.items()}, worst(off), _worth(found, rung), rung
        )
        if _better(now, best, within):
            best = now
        size = unit * 2.0 / (1.0 + step) ** 0.5
        for attribute, each in off.items():
            for name, distance in each.items():
                beyond = np.sign(distance) * max(abs(distance) - SLACK * within, 0.0)
                prices[attribute][name] += size * float(beyond)
    return best


def _better(one: Enforced, other: Enforced, within: float) -> bool:
    kept, was = one.gap <= within, other.gap <= within
    if kept != was:
        return kept
    return one.worth > other.worth if kept else one.gap < other.gap


def steered(off: Mapping[str, Mapping[str, float]], unit: float, within: float) -> dict[str, dict[str, float]]:
    """Return the prices that follow from how far groups are apart so far: proportional control of what was given in all.

    off : as `gaps` returns it; unit : the value of a minor unit of discount. A group that was given more than others pays for it, so
    its share of all that is given falls until it is FREE of the limit from even; nothing has to be known of arrivals to come.
    """
    return {
        name: {
            group: GAIN * unit * float(np.sign(far)) * max(abs(far) - FREE * within, 0.0) for group, far in each.items()
        }
        for name, each in off.items()
    }


def unit_of(found: Arrived) -> float:
    """Return the median value of a minor unit of discount."""
    there = found.allowed & (found.discount > 0)
    return float(np.median(found.value[there] / found.discount[there])) if there.any() else 0.0


def charged(found: Arrived, prices: Mapping[str, Mapping[str, float]]) -> Floats:
    """Return the value of each rung less what its member's groups are charged for its discount, (n, k)."""
    own = np.zeros(len(found.value))
    for attribute, label in found.label.items():
        each = prices.get(attribute, {})
        own += np.array([each.get(str(name), 0.0) for name in label])
    return found.value - own[:, None] * found.discount


def within_budget(found: Arrived, prices: Mapping[str, Mapping[str, float]], budget: float) -> tuple[float, Ints]:
    """Return the λ at which the budget lasts, and the rungs taken."""
    value, rows = charged(found, prices), np.arange(len(found.value))
    priced = found.cost > 0
    low, high = 0.0, float((value[priced] / found.cost[priced]).max(initial=0.0)) + 1e-12
    rung = choose(value, found.cost, low, allowed=found.allowed)
    if found.cost[rows, rung].sum() <= budget:
        return low, rung
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        spent = float(found.cost[rows, choose(value, found.cost, middle, allowed=found.allowed)].sum())
        low, high = (low, middle) if spent <= budget else (middle, high)
    rung, dear = (choose(value, found.cost, price, allowed=found.allowed) for price in (high, low))
    left = budget - float(found.cost[rows, rung].sum())
    differ = np.flatnonzero(rung != dear)  # at λ itself: who is alike in all is told apart by lot
    for row in np.random.default_rng(SEED).permutation(differ):
        more = float(found.cost[row, dear[row]] - found.cost[row, rung[row]])
        if more <= left:
            rung[row], left = dear[row], left - more
    return high, rung


def _worth(found: Arrived, rung: Ints) -> float:
    return float(found.value[np.arange(len(rung)), rung].sum())
