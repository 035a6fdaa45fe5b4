"""A shop opens: honest shoppers teach it its responses, and the price of its budget's money is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bench.coupons_shopping import LADDER, Floats, Honest, Ints, Mask, Shoppers, World, shop_for
from bench.coupons_shops import Shop
from personalization.coupons.isotonic import isotonic

STRENGTH = 20.0  # rows that a rung's mean is worth in each cell


class Log:
    """What the randomised share says of each cell: offers and purchases, (rows, k)."""

    def __init__(self, rows: int) -> None:
        self.offers, self.purchases = np.zeros((2, rows, len(LADDER)))

    def add(self, shop: Shop, rung: Ints, visits: Mask, bought: Mask) -> None:
        """Count those of a tick's `visits` where chance decided, and who of them `bought`."""
        at = np.flatnonzero(visits & shop.chance)
        where = (shop.cells()[at], rung[at])
        np.add.at(self.offers, where, 1.0)
        np.add.at(self.purchases, where, bought[at])

    def table(self) -> Floats:
        """Return P(buy | cell, rung), drawn to the rung's mean by STRENGTH rows, never falling along the ladder."""
        mean = self.purchases.sum(axis=0) / np.maximum(self.offers.sum(axis=0), 1.0)
        return isotonic((self.purchases + STRENGTH * mean) / (self.offers + STRENGTH))


@dataclass(frozen=True, slots=True)
class Opened:
    """A kind of shop that has learned from honest shoppers and has found the price of its budget's money."""

    kind: type[Shop]
    table: Floats
    price: float
    world: World

    def to(self, shoppers: Shoppers, seed: int) -> Shop:
        """Return the shop as new `shoppers` find it."""
        return self.kind(shoppers.segment, self.table, self.price, self.world, seed)


def opened(kind: type[Shop], world: World, seed: int, *, n: int = 2_000, ticks: int = 150) -> Opened:
    """Return a shop that honest shoppers taught: from random offers, then twice from the randomised share beside its own."""
    found = Opened(kind, np.full((kind.rows, len(LADDER)), 0.5), 0.0, world)
    for round_, explored in enumerate((1.0, 0.3, 0.3)):
        logging = replace(found, world=replace(world, explored=explored))
        log = Log(kind.rows)
        shoppers = Shoppers(n, world, seed + round_)
        shop = logging.to(shoppers, seed + round_)
        shop_for(shoppers, shop, Honest(), ticks, watch=partial(log.add, shop))
        found = _priced(replace(found, table=log.table()), seed + 10 + round_)
    return found


def _priced(found: Opened, seed: int, *, n: int = 500, ticks: int = 120) -> Opened:
    """Return the shop with the least price of money at which honest shoppers' coupons stay within the budget."""
    low, high = 0.0, 8.0
    for _ in range(10):
        middle = (low + high) / 2
        tried = replace(found, price=middle)
        asked = Shoppers(n, found.world, seed)
        spent = shop_for(asked, tried.to(asked, seed), Honest(), ticks, burn=40).discount.mean()
        low, high = (middle, high) if spent > found.world.budget else (low, middle)
    return replace(found, price=high)
