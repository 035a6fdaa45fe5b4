"""Shoppers with wishes that wait, visit by visit.

A tick is half a week. A wish of private worth v comes, is dropped again, or gives way to a better one; whoever has a wish visits, sees an
offer, and buys or leaves. Without coupons nothing is gained by waiting, so all that is gained over an honest shopper, who buys as
soon as v - price + discount >= 0, is from coupons. Kinds differ in v / price, which is log-normal, so that demand at full price has an
elasticity of 2.6 (Bijmolt, van Heerde & Pieters 2005). Nothing else here is fitted to data: no public data tells of
declined offers. Money in minor units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
PRICE, TICK_DAYS = 2_000.0, 3.5
LADDER = np.array([0.0, 100.0, 200.0, 300.0, 400.0, 600.0])
KINDS = ((0.3, 0.25, 0.25), (0.4, 0.0, 0.25), (0.3, -0.2, 0.2))  # share, mean and deviation of log(v / price)
LEAVE, BUY, REDEEM = 0, 1, 2


@dataclass(frozen=True, slots=True)
class World:
    """What the shops and the shoppers live in.

    comes, dropped : chances per tick that a wish comes and that one is dropped; price_noise : deviation of the log price of money
    between visits; explored : the randomised share; known : chance that a profile's segment is the shopper's kind, random otherwise;
    margin : share of the price; budget : minor units of coupons per shopper and tick.
    """

    comes: float = 0.2
    dropped: float = 0.05
    price_noise: float = 0.2
    explored: float = 0.02
    known: float = 0.5
    margin: float = 0.6
    budget: float = 20.0


class Shoppers:
    """Their wishes, tick by tick. Draws do not depend on what anybody does, so that policies are compared on the same ones."""

    def __init__(self, n: int, world: World, seed: int) -> None:
        self.n, self.world = n, world
        self._rng = np.random.default_rng([seed, 1])
        self.kind: Ints = self._rng.choice(len(KINDS), n, p=[share for share, _, _ in KINDS])
        told = self._rng.random(n) < world.known
        self.segment = np.where(told, self.kind, self._rng.integers(0, len(KINDS), n))
        self._mean, self._deviation = np.array(KINDS)[self.kind, 1:].T
        self.wants: Mask = np.zeros(n, dtype=bool)
        self.surplus: Floats = np.zeros(n)  # v - price

    def tick(self) -> None:
        """Let time pass."""
        drops, comes = self._rng.random((2, self.n))
        fresh = PRICE * (np.exp(self._mean + self._deviation * self._rng.standard_normal(self.n)) - 1.0)
        kept = np.where(self.wants & (drops >= self.world.dropped), self.surplus, -np.inf)
        self.surplus = np.maximum(kept, np.where(comes < self.world.comes, fresh, -np.inf))
        self.wants = np.isfinite(self.surplus)

    def bought(self, done: Mask) -> None:
        """Take the wishes of those who are `done`."""
        self.wants = self.wants & ~done


class Till(Protocol):
    """What shoppers see of a shop: what it knows of them (n,), its offers, and that it remembers what came of them."""

    visits: Ints
    refused: Ints
    last_with: Mask

    @property
    def coupon_share(self) -> Floats:
        """Share of purchases with a coupon, lately."""
        ...

    def offer(self, visits: Mask) -> Ints:
        """Return rungs, 0 for who does not visit."""
        ...

    def learn(self, visits: Mask, rung: Ints, bought: Mask, used: Mask) -> None:
        """Remember what came of a tick's offers."""
        ...


class Policy(Protocol):
    """How shoppers act on an offer."""

    def act(self, shoppers: Shoppers, shop: Till, rung: Ints) -> Ints:
        """Return LEAVE, BUY (at full price) or REDEEM (n,); nothing is bought without a wish."""
        ...


class Honest:
    """Buys as soon as it is worth it, by the coupon if there is one."""

    def act(self, shoppers: Shoppers, shop: Till, rung: Ints) -> Ints:
        """Return the acts of `Policy.act`."""
        del shop
        buys = shoppers.wants & (shoppers.surplus + LADDER[rung] >= 0)
        return np.where(buys, np.where(rung > 0, REDEEM, BUY), LEAVE)


@dataclass(frozen=True, slots=True)
class Totals:
    """Per shopper and tick, (n,) each, minor units; `visits` (n,) in all."""

    utility: Floats
    profit: Floats
    discount: Floats
    visits: Floats


Watch = Callable[[Ints, Mask, Mask], None]  # (rungs, who visits, who bought)


def shop_for(
    shoppers: Shoppers, shop: Till, policy: Policy, ticks: int, *, burn: int = 0, watch: Watch | None = None
) -> Totals:
    """Return what `ticks` bring after the first `burn`."""
    sums = np.zeros((4, shoppers.n))
    for tick in range(ticks):
        shoppers.tick()
        visits = shoppers.wants
        rung = shop.offer(visits)
        act = policy.act(shoppers, shop, rung)
        bought, used = act != LEAVE, (act == REDEEM) & (rung > 0)
        saved = np.where(used, LADDER[rung], 0.0)
        if watch is not None:
            watch(rung, visits, bought)
        if tick >= burn:
            sums += (
                np.where(bought, shoppers.surplus + saved, 0.0),
                np.where(bought, shoppers.world.margin * PRICE - saved, 0.0),
                saved,
                visits,
            )
        shop.learn(visits, rung, bought, used)
        shoppers.bought(bought)
    sums[:3] /= ticks - burn
    return Totals(*sums)
