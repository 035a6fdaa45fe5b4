"""Fixed plans of shoppers who know the rules: a second look for gains, which owes nothing to how well anybody learns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.coupons_shopping import (
    BUY,
    KINDS,
    LADDER,
    LEAVE,
    REDEEM,
    Floats,
    Honest,
    Ints,
    Policy,
    Shoppers,
    Till,
    World,
    shop_for,
)
from bench.coupons_shops import Shop
from bench.coupons_teaching import opened


@dataclass(frozen=True, slots=True)
class Plan:
    """Buys where v - price + discount is at least `least`, with a coupon of at least `coupon`, or without it after `visits` of a spell.

    `least` below 0 pays to begin a new spell, above 0 saves coupons for better wishes. pays : at full price where the wish is worth it,
    however good the coupon, to look like somebody who needs none.
    """

    least: float = 0.0
    coupon: float = 0.0
    visits: int = 0
    pays: bool = False

    def act(self, shoppers: Shoppers, shop: Till, rung: Ints) -> Ints:
        """Return the acts of `Policy.act`."""
        discount = LADDER[rung]
        ready = (discount >= self.coupon) | (shop.visits >= self.visits)
        buys = shoppers.wants & ready & (shoppers.surplus + discount >= self.least)
        redeems = (rung > 0) & ~(self.pays & (shoppers.surplus >= 0))
        return np.where(buys, np.where(redeems, REDEEM, BUY), LEAVE)


PLANS = [
    *(Plan(least, coupon, visits) for least, coupon, visits in product((-200.0, -50.0, 0.0, 100.0, 200.0), (200.0, 400.0), (1, 2, 4))),
    *(Plan(least) for least in (-200.0, -50.0, 100.0, 200.0)),
    Plan(pays=True),
]  # fmt: skip


def best_plan(kind: type[Shop], seed: int, *, world: World, n: int = 800) -> float:
    """Return the gain over honest shoppers of the best plan for each kind of shopper, chosen on other shoppers of the same shop."""
    shop = opened(kind, world, seed, n=4_000)

    def by_kind(policy: Policy, draw: int) -> Floats:
        shoppers = Shoppers(n, world, seed + draw)
        utility = shop_for(shoppers, shop.to(shoppers, seed + draw), policy, 350, burn=50).utility
        return np.bincount(shoppers.kind, weights=utility, minlength=len(KINDS)).astype(float)

    tried: list[Policy] = [Honest(), *PLANS]
    chosen = np.array([by_kind(policy, 50) for policy in tried]).argmax(axis=0)
    honest = by_kind(Honest(), 60)
    planned = {index: by_kind(tried[index], 60) for index in set(chosen.tolist())}
    return float(sum(planned[index][k] for k, index in enumerate(chosen.tolist())) / honest.sum() - 1.0)
