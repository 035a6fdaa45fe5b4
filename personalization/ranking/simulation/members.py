"""Simulated members: they get used to what they see, discover, change, come more or less often, and leave.

Every mechanism is an assumption, told with its source in `Dynamics`; none refers to a policy, and each can be switched off.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.simulation.policies import Observed, Policy, top, uniform

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BASKET = 4  # items at most that a member picks without the slate in one visit


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How members behave. Sizes are assumptions in log-odds unless told otherwise, set before any policy was run.

    Satiation: an item that was shown or bought is liked less and recovers exponentially (Kapoor et al., WSDM 2015: boredom
    and its recovery in activity streams; Pike-Burke and Grünewälder, NeurIPS 2019: recovering bandits); per item, not per
    category. Tastes drift as an Ornstein-Uhlenbeck process (assumption). A liked first purchase raises the taste for its
    category (mere exposure, Zajonc 1968; its size is an assumption) and satisfaction; a disliked one lowers satisfaction
    by as much. Satisfaction follows how appealing the places that were looked at were (assumption); visits depend on it,
    and a member who stays below a personal level leaves, with a hazard (defection after dissatisfaction; its form is an
    assumption), besides a few who leave for reasons of their own. Needs are met without the slate too (`organic`).
    """

    categories: int = 20
    taste: float = 0.8  # spread over categories
    affinity: float = 0.8  # spread over items beyond their category
    quality: float = 0.5  # spread that all members agree on
    drift: float = 0.05  # per square root of a day
    pull: float = 0.01  # per day, back to where a taste began
    boredom: float = 1.5  # per unit of fatigue
    fatigue_shown: float = 0.15  # units, of an item that was looked at
    fatigue_bought: float = 1.0  # units
    recovery: float = 8.0  # days, median over items, until fatigue is down to 37 %
    recovery_spread: float = 0.5  # of its log
    discovery: float = 0.10  # of taste, for the category of a liked first purchase
    joy: float = 0.04  # of satisfaction, per liked first purchase
    regret: float = 0.04  # of satisfaction, per disliked one
    purchase: float = -3.0  # of an item of no special appeal that was looked at
    appeal: float = -0.5  # how pleasant it is to see such an item
    seen: float = 0.93  # factor from one place to the next: who looks at the first place may not look at the tenth
    organic: float = 1.0  # items per visit, mean, that members pick by themselves
    visit: float = 0.2  # probability per day of the median member at a satisfaction of one half
    visit_spread: float = 0.6
    visit_gain: float = 2.0  # from a satisfaction of 0 to one of 1
    learning: float = 0.2  # share of a visit in running satisfaction
    level: float = 0.4  # satisfaction below which the mean member may leave
    level_spread: float = 0.1
    leave: float = 0.1  # hazard per day at a satisfaction of 0
    away: float = 0.0005  # hazard per day for reasons of their own
    error: float = 0.8  # of the predictor, per member and item; falls with the root of the purchases; tastes it follows
    insight: float = 0.5  # share of an item's fatigue that the predictor knows


@dataclass(frozen=True, slots=True)
class World:
    """What does not change: m members, n items, c categories.

    taste : (m, c) where tastes begin; affinity, error : (m, n) log-odds, error the predictor's; visit : (m,) log-odds per
    day; level : (m,) satisfaction; category : (n,); quality : (n,) log-odds; recovery : (n,) days.
    """

    dynamics: Dynamics
    taste: Floats
    affinity: Floats32
    error: Floats32
    visit: Floats
    level: Floats
    category: Ints
    quality: Floats32
    recovery: Floats32

    @classmethod
    def made(cls, members: int, items: int, seed: int, dynamics: Dynamics | None = None) -> World:
        """Draw a world."""
        d, rng = dynamics or Dynamics(), np.random.default_rng(seed)
        shape = (members, items)
        return cls(
            d, d.taste * rng.standard_normal((members, d.categories)),
            d.affinity * rng.standard_normal(shape, np.float32), d.error * rng.standard_normal(shape, np.float32),
            np.log(d.visit / (1 - d.visit)) + d.visit_spread * rng.standard_normal(members),
            np.clip(rng.normal(d.level, d.level_spread, members), 0.05, 0.95),
            rng.integers(0, d.categories, items), d.quality * rng.standard_normal(items, np.float32),
            (d.recovery * np.exp(d.recovery_spread * rng.standard_normal(items))).astype(np.float32),
        )  # fmt: skip


@dataclass(slots=True)
class State:
    """What changes. taste : (m, c); fatigue, counts (purchases), last (day of the last one) : (m, n).

    satisfaction : (m,) in [0, 1]; active : (m,); left : (m,) day, -1 for who has not.
    """

    day: int
    taste: Floats
    fatigue: Floats32
    counts: Floats32
    last: Floats32
    satisfaction: Floats
    active: Flags
    left: Ints


@dataclass(frozen=True, slots=True)
class Visits:
    """One day: visitors, (v,); slates and what was bought of them, (v, k); everything bought, (v, n)."""

    members: Ints
    slates: Ints
    taken: Flags
    basket: Flags


@dataclass(frozen=True, slots=True)
class Log:
    """A history, and what each member who came again bought at the next visit. members : (v,); baskets : (v, n)."""

    state: State
    members: Ints
    baskets: Flags


def begin(world: World) -> State:
    """Return the first morning: nobody is bored, nobody has bought, everybody is half satisfied."""
    m, n = world.affinity.shape
    return State(
        0, world.taste.copy(), np.zeros((m, n), np.float32), np.zeros((m, n), np.float32), np.full((m, n), -np.inf, np.float32),
        np.full(m, 0.5), np.ones(m, bool), np.full(m, -1, np.int64),
    )  # fmt: skip


def history(
    world: World, rng: np.random.Generator, *, days: int = 14, size: int = 10, ahead: int = 28, logging: Policy = uniform
) -> Log:  # fmt: skip
    """Return the log of `days` days, and each member's next visit within `ahead` days after, both under `logging`.

    What was shown is bought more often, so a log favours policies that are like the one that made it; the default shows
    anything, and so favours none.
    """
    state = begin(world)
    for _ in range(days):
        step(world, state, logging, rng, size)
    found, later = {}, deepcopy(state)
    for _ in range(ahead):
        visits = step(world, later, logging, rng, size)
        found.update({m: b for m, b in zip(visits.members.tolist(), visits.basket, strict=True) if m not in found})
    members = np.array(sorted(found), np.int64)
    baskets = [found[member] for member in members.tolist()]
    return Log(state, members, np.array(baskets, bool).reshape(len(members), len(world.category)))


def observe(world: World, state: State, members: Ints, size: int) -> Observed:
    """Return what a shop knows when these members come."""
    d, counts = world.dynamics, state.counts[members]
    known = _utility(world, state, members, d.insight) + world.error[members] / np.sqrt(1.0 + counts)
    return Observed(
        counts, state.day - state.last[members], _sigmoid(d.purchase + known), world.category,
        state.counts.sum(axis=0, dtype=np.float64), (state.counts > 0).sum(axis=0).astype(np.float64), size,
    )  # fmt: skip


def step(world: World, state: State, policy: Policy, rng: np.random.Generator, size: int) -> Visits:
    """Let a day pass; `state` changes. Raises ValueError where a policy does not return one slate per visitor."""
    d = world.dynamics
    state.day += 1
    state.fatigue *= np.exp(-1.0 / world.recovery)
    state.taste += d.pull * (world.taste - state.taste) + d.drift * rng.standard_normal(state.taste.shape)
    comes = _sigmoid(world.visit + d.visit_gain * (state.satisfaction - 0.5))
    members = np.flatnonzero(state.active & (rng.random(len(comes)) < comes))
    slates = policy(observe(world, state, members, size), rng)
    if slates.shape != (len(members), size):
        raise ValueError(f"a policy must return slates of the shape {(len(members), size)}, not {slates.shape}")
    utility = _utility(world, state, members, 1.0)
    shown, rows = np.take_along_axis(utility, slates, axis=1), np.arange(len(members))[:, None]
    looked = d.seen ** np.arange(size)
    taken = rng.random(slates.shape) < looked * _sigmoid(d.purchase + shown)
    basket = _organic(utility, d.organic, rng)
    basket[rows, slates] |= taken
    new = taken & (state.counts[members[:, None], slates] == 0)
    liked = rng.random(slates.shape) < _sigmoid(d.appeal + shown)
    pleasure = (looked * _sigmoid(d.appeal + shown)).sum(axis=1) / looked.sum()
    change = d.learning * (pleasure - state.satisfaction[members])
    change += d.joy * (new & liked).sum(axis=1) - d.regret * (new & ~liked).sum(axis=1)
    state.satisfaction[members] = np.clip(state.satisfaction[members] + change, 0.0, 1.0)
    np.add.at(state.taste, (members[:, None], world.category[slates]), d.discovery * (new & liked))
    state.fatigue[members[:, None], slates] += (d.fatigue_shown * looked).astype(np.float32)
    state.fatigue[members] += np.float32(d.fatigue_bought) * basket
    state.counts[members] += basket
    state.last[members] = np.where(basket, np.float32(state.day), state.last[members])
    _leave(world, state, rng)
    return Visits(members, slates, taken, basket)


def _utility(world: World, state: State, members: Ints, insight: float) -> Floats32:
    """Return what items are worth to members today, (v, n), in log-odds; `insight` is the share of fatigue that counts."""
    taste = state.taste[members].astype(np.float32)[:, world.category]
    tired = np.float32(insight * world.dynamics.boredom) * state.fatigue[members]
    return taste + world.affinity[members] + world.quality - tired


def _organic(utility: Floats32, mean: float, rng: np.random.Generator) -> Flags:
    """Return what members pick by themselves, (v, n): a few different items, drawn from a softmax of their worth."""
    keys = utility - np.log(np.maximum(rng.standard_exponential(utility.shape, np.float32), np.float32(1e-30)))
    best = top(keys, min(BASKET, utility.shape[1]))
    many = np.arange(best.shape[1]) < rng.poisson(mean, len(best))[:, None]
    found = np.zeros(utility.shape, bool)
    np.put_along_axis(found, best, many, axis=1)
    return found


def _leave(world: World, state: State, rng: np.random.Generator) -> None:
    d = world.dynamics
    hazard = d.away + d.leave * np.maximum(world.level - state.satisfaction, 0.0) / world.level
    gone = state.active & (rng.random(len(hazard)) < hazard)
    state.active &= ~gone
    state.left[gone] = state.day


def _sigmoid(x: NDArray[np.floating]) -> NDArray[np.floating]:
    return 1.0 / (1.0 + np.exp(-x))
