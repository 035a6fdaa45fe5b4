"""Two shops that learn who buys at which discount: the allocator with and without what makes waiting unprofitable.

Both fit a table of responses to the randomised share of honest shoppers' visits, price their budget's money, and choose by `dual.choose`.
The undefended one decides each visit anew from all it knows. Nobody told it to reward hesitation: in its data those who came without buying, or
refused a coupon, do not buy for less, so that a larger coupon adds more for them than for others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from bench.coupons_shopping import LADDER, PRICE, TICK_DAYS, Floats, Ints, Mask, World
from personalization.coupons import dependence as habit
from personalization.coupons.commitment import Rules, newcomers
from personalization.coupons.dual import choose
from personalization.coupons.objective import Objective, worth

SHARES = np.array([0.15, 0.35, 0.6])  # bins of the share of purchases with a coupon
SEGMENTS = 3
SEEN = SEGMENTS * (len(SHARES) + 1)
VISITS, REFUSALS = 4, 3  # what is told apart of a spell: 0, 1, 2, 3+ visits before; 0, 1, 2+ coupons refused
AHEAD = 10.0  # full-price purchases that a member is expected to make, as the label "expected_spend" says


class Shop(ABC):
    """What both shops know of each shopper: an offer is made to those who visit, and what comes of it is remembered."""

    rows: int  # of the table of responses

    def __init__(self, segment: Ints, table: Floats, price: float, world: World, seed: int) -> None:
        self.segment, self.table, self.price, self.world = segment, table, price, world
        n = self.n = len(segment)
        self.rng = np.random.default_rng([seed, 2])
        self.day = 0.0
        self.evidence = np.zeros((n, habit.COLUMNS))
        self.visits: Ints = np.zeros(n, dtype=np.int64)  # of this spell
        self.refused: Ints = np.zeros(n, dtype=np.int64)
        self.bought_at = np.full(n, np.nan)
        self._gap = np.full(n, np.nan)
        self.last_with = np.zeros(n, dtype=bool)
        self.chance = np.zeros(n, dtype=bool)  # whether chance alone made the last offer
        self.drawn = self.chance

    @abstractmethod
    def cells(self) -> Ints:
        """Return the row of the table of responses for each shopper."""

    def seen(self) -> Ints:
        """Return the cell of segment and coupon share, which waiting does not move."""
        return self.segment * (len(SHARES) + 1) + np.searchsorted(SHARES, self.coupon_share, side="right")

    @abstractmethod
    def offer(self, visits: Mask) -> Ints:
        """Return rungs (n,), 0 for who does not visit."""

    @property
    def coupon_share(self) -> Floats:
        """Share of purchases with a coupon, lately."""
        return self.evidence[:, habit.DISCOUNTED] / np.maximum(self.evidence[:, :2].sum(axis=1), 1.0)

    def learn(self, visits: Mask, rung: Ints, bought: Mask, used: Mask) -> None:
        """Remember what came of a tick's offers."""
        tried = np.flatnonzero(visits & self.chance & (self.visits == 0))
        self.evidence[tried, habit.GIVEN :] *= habit.FADE
        column = np.where(rung[tried] > 0, habit.GIVEN, habit.WITHHELD)
        self.evidence[tried, column] += 1.0
        self.evidence[tried, column + 1] += bought[tried]
        self._remember(np.flatnonzero(bought), used)
        self.refused = np.where(bought, 0, self.refused + (visits & (rung > 0)))
        self.visits = np.where(bought, 0, self.visits + visits)
        self.day += TICK_DAYS

    def _remember(self, who: Ints, used: Mask) -> None:
        self.evidence[who, :2] *= habit.FADE
        self.evidence[who, np.where(used[who], habit.DISCOUNTED, habit.FULL)] += 1.0
        gap = np.log(np.maximum(self.day - self.bought_at[who], habit.LEAST_GAP_DAYS))
        dip = gap - self._gap[who]
        known = np.flatnonzero(np.isfinite(dip))
        where = who[known]
        self.evidence[where, habit.FULL_DIPS : habit.GIVEN] *= habit.FADE
        column = np.where(self.last_with[where], habit.DIPS, habit.FULL_DIPS)
        self.evidence[where, column] += 1.0
        self.evidence[where, column + 1] += dip[known]
        self._gap[who], self.bought_at[who], self.last_with[who] = gap, self.day, used[who]

    def _worth(self, conversion: Floats, objective: Objective) -> Floats:
        price, share = np.full(self.n, PRICE), np.full(self.n, self.world.margin)
        return worth(
            conversion, price, share, LADDER, habit.dependence(self.evidence), objective, ahead_minor=AHEAD * price
        )

    def _decide(self, value: Floats, conversion: Floats, allowed: Mask | None) -> Ints:
        """Return the allocator's rungs, or random ones for the randomised share; `drawn` says which."""
        noise = np.exp(self.world.price_noise * self.rng.standard_normal(self.n))
        rung = choose(value, conversion * LADDER * noise[:, None], [self.price], allowed=allowed)
        chance, any_rung = self.rng.random(self.n) < self.world.explored, self.rng.integers(0, len(LADDER), self.n)
        most = len(LADDER) - 1 if allowed is None else allowed.sum(axis=1) - 1
        self.drawn = chance
        return np.where(chance, np.minimum(any_rung, most), rung)


class Undefended(Shop):
    """Decides every visit anew by what it has learned: those who came without buying or refused a coupon need a larger one."""

    rows = VISITS * REFUSALS * SEEN
    penalised = False

    def cells(self) -> Ints:
        """Return `Shop.cells`."""
        visits, refused = np.minimum(self.visits, VISITS - 1), np.minimum(self.refused, REFUSALS - 1)
        return (visits * REFUSALS + refused) * SEEN + self.seen()

    def offer(self, visits: Mask) -> Ints:
        """Return `Shop.offer`."""
        conversion = self.table[self.cells()]
        value = self._worth(conversion, Objective.LIFETIME if self.penalised else Objective.MARGIN)
        rung = self._decide(value, conversion, None)
        self.chance = self.drawn
        return np.where(visits, rung, 0)


class Defended(Shop):
    """Decides once a spell, by nothing that waiting moves, within promise and credit, for margin and lifetime value."""

    rows = SEEN
    rules = Rules()

    def __init__(self, segment: Ints, table: Floats, price: float, world: World, seed: int) -> None:
        super().__init__(segment, table, price, world, seed)
        self.standing = newcomers(np.zeros(self.n), self.rules)

    def cells(self) -> Ints:
        """Return `Shop.cells`."""
        return self.seen()

    def offer(self, visits: Mask) -> Ints:
        """Return `Shop.offer`."""
        now = self.standing.arrived(np.full(self.n, self.day), self.rules)
        first, conversion = np.isinf(now.ceiling), self.table[self.cells()]
        value = self._worth(conversion, Objective.LIFETIME)
        fresh = self._decide(value, conversion, now.allows(LADDER))
        held = np.searchsorted(LADDER, np.where(first, 0.0, now.ceiling))
        rung = np.where(first, fresh, held)
        self.chance = np.where(visits & first, self.drawn, self.chance)
        self.standing = now.offered(LADDER[rung]).where(visits, self.standing)
        return np.where(visits, rung, 0)

    def learn(self, visits: Mask, rung: Ints, bought: Mask, used: Mask) -> None:
        """Remember, the standing as well."""
        saved = np.where(used, LADDER[rung], 0.0)
        after = self.standing.bought(PRICE - saved, saved, np.full(self.n, self.day), self.rules)
        self.standing = after.where(bought, self.standing)
        super().learn(visits, rung, bought, used)


class NoCoupons(Undefended):
    """A shop that gives nothing: a check of the learners, who have nothing to gain there."""

    def offer(self, visits: Mask) -> Ints:
        """Return `Shop.offer`."""
        return np.zeros(len(visits), dtype=np.int64)


class OnlyPenalised(Undefended):
    """The undefended shop with the dependence term in its objective, and nothing else."""

    penalised = True


class OnlyPromise(Defended):
    """The defended shop whose credit is always full: without cooldown and cap."""

    rules = Rules(share=0.99, welcome=LADDER[-1], most=LADDER[-1])
