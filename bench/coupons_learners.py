"""What shoppers gain who learn to exploit the allocator, with and without its defences.

Gain, defined before anything was measured: U(learned) / U(honest) - 1, U the mean of v - price + discount per shopper and tick, of the greedy
policy as learned by then, against honest shoppers with the same wishes in the same shop, which meets both as new shoppers; 300
ticks after the first 50. A population is PER shoppers who tell each other all that they learn; its visits are counted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.coupons_shopping import (
    BUY,
    KINDS,
    LADDER,
    LEAVE,
    PRICE,
    REDEEM,
    Floats,
    Honest,
    Ints,
    Shoppers,
    Till,
    World,
    shop_for,
)
from bench.coupons_shops import Shop
from bench.coupons_teaching import opened

PER, VISITS = 50, 50_000
EDGES = PRICE * np.array([-0.3, -0.15, 0.0, 0.1, 0.2, 0.35])  # bins of v - price
NEVER = -1e12


@dataclass(frozen=True, slots=True)
class Learning:
    """How a population learns.

    tries : share of acts tried out at first, halved after 10,000 visits, and so on as 1 / (1 + visits / 10,000); patience : worth of a
    tick later; decay : steps are visits of the state to this power, negative; rich : it also knows its share of purchases with a coupon and
    whether the last was one, as the shop does.
    """

    tries: float = 0.2
    patience: float = 0.95
    decay: float = 0.7
    rich: bool = False


class Learners:
    """Populations that share what they learn among shoppers of a kind: Q-learning over afterstates (Sutton & Barto 2018, 6.8).

    Q(s, a) = reward(s, a) + patience x A(s after a). The reward is known; A is learned, off policy, from max Q of the next tick.
    State: kind, wish (EDGES), coupon seen last, coupons refused and visits of this spell; acts: LEAVE, BUY, REDEEM. They begin as
    honest shoppers who know what honesty brings. honest : (kinds,) that, per tick.
    """

    def __init__(self, populations: int, per: int, honest: Floats, how: Learning, seed: int) -> None:
        self.how, self._rng = how, np.random.default_rng([seed, 3])
        self.population = np.repeat(np.arange(populations), per)
        self._states = (len(EDGES) + 2) * 3 * 4 * 4 * (6 if how.rich else 1)
        start = how.patience / (1.0 - how.patience) * honest
        self.after = np.tile(np.repeat(start, self._states), populations)
        self._count = np.zeros(len(self.after))
        self._last: Ints | None = None
        self.tries = 0.0
        self.learning = False

    def act(self, shoppers: Shoppers, shop: Till, rung: Ints) -> Ints:
        """Return the acts of `Policy.act`, and learn while `learning`."""
        reward, state = self._reward(shoppers, rung), self._states_after(shoppers, shop, rung)
        q = reward + self.how.patience * self.after[state]
        best = q.argmax(axis=1)
        if not self.learning:
            return best
        if self._last is not None:
            self._update(self._last, q.max(axis=1))
        n = len(rung)
        tried = shoppers.wants & (self._rng.random(n) < self.tries)
        act = np.where(tried, np.where(self._rng.random(n) < 0.5, LEAVE, np.where(rung > 0, REDEEM, BUY)), best)
        self._last = state[np.arange(n), act]
        return act

    @staticmethod
    def _reward(shoppers: Shoppers, rung: Ints) -> Floats:
        buy = np.where(shoppers.wants, shoppers.surplus, NEVER)
        return np.stack([np.zeros(len(rung)), buy, np.where(rung > 0, buy + LADDER[rung], NEVER)], axis=1)

    def _states_after(self, shoppers: Shoppers, shop: Till, rung: Ints) -> Ints:
        wish = np.where(shoppers.wants, 1 + np.searchsorted(EDGES, shoppers.surplus, side="right"), 0)
        seen = np.searchsorted([100.0, 400.0], LADDER[rung], side="right")
        refused, visits = np.minimum(shop.refused + (rung > 0), 3), np.minimum(shop.visits, 3)
        wait = ((wish * 3 + seen) * 4 + refused) * 4 + visits
        after = np.stack(
            [wait, np.zeros_like(wait), np.full_like(wait, 16)], axis=1
        )  # after a purchase: without or with coupon
        if self.how.rich:
            share = np.searchsorted([0.2, 0.45], shop.coupon_share, side="right")
            last = np.stack([shop.last_with, np.zeros(len(rung)), np.ones(len(rung))], axis=1).astype(np.int64)
            after = after * 6 + share[:, None] * 2 + last
        return (self.population * len(KINDS) + shoppers.kind)[:, None] * self._states + after

    def _update(self, state: Ints, target: Floats) -> None:
        cells, inverse, counts = np.unique(state, return_inverse=True, return_counts=True)
        mean = np.bincount(inverse, target) / counts
        self._count[cells] += counts
        step = 1.0 - (1.0 - (1.0 + self._count[cells]) ** -self.how.decay) ** counts
        self.after[cells] += step * (mean - self.after[cells])


@dataclass(frozen=True, slots=True)
class Found:
    """After each number of visits, by population, (c, p), with several seeds (s, c, p).

    The gain; what honest shoppers and learners have, and what the shop earns of each, per shopper and tick in minor units.
    """

    gain: Floats
    honest: Floats
    learned: Floats
    profit_honest: Floats
    profit_learned: Floats

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """Return several seeds together, as a first axis of each array."""
        names = ("gain", "honest", "learned", "profit_honest", "profit_learned")
        return cls(*(np.stack([getattr(part, name) for part in parts]) for name in names))


def exploit(
    kind: type[Shop],
    seed: int,
    *,
    world: World,
    how: Learning,
    populations: int,
    curve: Sequence[int] = (VISITS,),
    size: int = 2_000,
) -> Found:
    """Return what populations gain in a shop of `kind` after each number of visits in `curve`. size : honest shoppers who taught it."""
    shop = opened(kind, world, seed, n=size)
    before = Shoppers(500, world, seed + 20)
    honesty = shop_for(before, shop.to(before, seed + 20), Honest(), 200, burn=50).utility
    by_kind = np.array([honesty[before.kind == kind_].mean() for kind_ in range(len(KINDS))])
    learners = Learners(populations, PER, by_kind, how, seed)
    shoppers = Shoppers(populations * PER, world, seed + 30)
    till, visits, rows = shop.to(shoppers, seed + 30), 0.0, []

    def shopped(policy: Honest | Learners) -> tuple[Floats, Floats]:
        some = Shoppers(populations * PER, world, seed + 40)
        totals = shop_for(some, shop.to(some, seed + 40), policy, 350, burn=50)
        return totals.utility.reshape(populations, PER).mean(axis=1), totals.profit.reshape(populations, PER).mean(
            axis=1
        )

    honest, profit_honest = shopped(Honest())
    for aim in curve:
        learners.learning = True
        while visits < aim:
            learners.tries = how.tries / (1.0 + visits / 10_000)
            visits += shop_for(shoppers, till, learners, 10).visits.sum() / populations
        learners.learning = False
        learned, profit_learned = shopped(learners)
        rows.append((learned / honest - 1.0, honest, learned, profit_honest, profit_learned))
    return Found(*np.array(rows).swapaxes(0, 1))
