"""Coupon logs whose truth is known: shoppers, an allocator that gives most to those who want most, and a small randomised share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.calibration import sigmoid
from personalization.coupons.features import FEATURES
from personalization.coupons.log import CouponLog

LADDER = np.array([0.0, 50.0, 100.0, 150.0, 200.0, 300.0])
EXPLORED = 0.02
SEGMENTS = np.array(["s0", "s1", "s2"])
COUNTS = {"recency_days": 12.0, "orders_84d": 14.0, "spent_84d": 30_000.0, "basket_value": 2_500.0, "bought_lines": 3.0, "category_lines": 12.0,
          "offered": 4.0, "days_since_bought": 60.0, "days_since_category": 25.0}  # fmt: skip
SHARES = ("promo_share", "discount_rate", "coupon_rate", "coupon_orders_share", "redeemed_share", "bought_share")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shoppers:
    """features (n, f) with NaN for what the simulation does not know; wish (n,), which no feature tells; segment (n,)."""

    features: Floats
    wish: Floats
    segment: NDArray[np.str_]

    def truth(self, discount: Floats) -> Floats:
        """Return true P(convert) at each discount: (k,) or (n, k) -> (n, k). It never falls, and moves a third of shoppers hardly at all."""
        at = {name: self.features[:, FEATURES.index(name)] for name in (*COUNTS, *SHARES, "price_minor")}
        base = (
            -3.4 + 0.5 * np.log1p(at["bought_lines"]) + 0.25 * np.log1p(at["category_lines"]) - 0.15 * np.log1p(at["recency_days"])
            + 0.6 * (at["days_since_category"] > 14) * (at["category_lines"] > 6) + 0.8 * self.wish
        )  # fmt: skip
        moved = 0.4 + 4.0 * at["promo_share"] + 6.0 * at["coupon_rate"] * (at["promo_share"] > 0.3)
        moved = np.where(self.segment == "s2", 0.3 * moved, moved)
        depth = np.clip(discount / at["price_minor"][:, None], 0.0, 1.0)
        return sigmoid(base[:, None] + moved[:, None] * np.sqrt(depth))


def shoppers(n: int, rng: np.random.Generator) -> Shoppers:
    """Return `n` shoppers, each before one product."""
    features = np.full((n, len(FEATURES)), np.nan)
    for name, mean in COUNTS.items():
        drawn = rng.gamma(0.8, mean / 0.8, n)
        features[:, FEATURES.index(name)] = np.floor(drawn) if mean < 20 else drawn
    for name in SHARES:
        features[:, FEATURES.index(name)] = rng.beta(1.2, 4.0, n)
    features[:, FEATURES.index("price_minor")] = np.round(np.exp(rng.normal(6.4, 0.5, n)))
    features[:, FEATURES.index("hour")] = rng.integers(8, 22, n)
    return Shoppers(features, rng.normal(0, 1, n), rng.choice(SEGMENTS, n))


def logged(who: Shoppers, rng: np.random.Generator, *, explored: float = EXPLORED) -> CouponLog:
    """Return what an allocator logs that reads the shopper's wish: the more they want a thing, the larger the discount.

    A share `explored` gets a rung at random; propensities are exact.
    """
    n, k = len(who.wish), len(LADDER)
    favourite = np.clip(np.floor((who.wish + 1.5) / 3.0 * k), 0, k - 1).astype(int)
    rung = np.where(rng.random(n) < explored, rng.integers(0, k, n), favourite)
    propensity = explored / k + (1 - explored) * (rung == favourite)
    converted = (rng.random(n) < who.truth(LADDER)[np.arange(n), rung]).astype(float)
    discount = LADDER[rung]
    return CouponLog(np.arange(n), who.features, discount, propensity, converted, discount * converted, who.segment)
