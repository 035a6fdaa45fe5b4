"""A small market whose truth is known: few features matter, and a wish that none of them tells."""

import numpy as np

from personalization.calibration import sigmoid
from personalization.coupons.features import FEATURES, PRICE
from personalization.coupons.log import CouponLog

LADDER = np.array([0.0, 50.0, 100.0, 200.0])
LINES, PROMO = FEATURES.index("bought_lines"), FEATURES.index("promo_share")


def shoppers(n, rng):
    features = np.full((n, len(FEATURES)), np.nan)
    features[:, LINES], features[:, PROMO], features[:, PRICE] = rng.poisson(3, n), rng.beta(1, 3, n), 400.0
    return features, rng.normal(0, 1, n)


def truth(features, wish, ladder=LADDER):
    moved = 1.0 + 4.0 * features[:, PROMO, None]
    return sigmoid(-3 + 0.5 * np.log1p(features[:, LINES, None]) + wish[:, None] + moved * np.sqrt(ladder / 400.0))


def logged(features, wish, rng, explored):
    """Give the more, the more they want it; a share `explored` at random. Propensities are exact."""
    n, k = len(wish), len(LADDER)
    favourite = np.clip(np.floor((wish + 1.5) / 3 * k), 0, k - 1).astype(int)
    rung = np.where(rng.random(n) < explored, rng.integers(0, k, n), favourite)
    bought = (rng.random(n) < truth(features, wish)[np.arange(n), rung]).astype(float)
    propensity = explored / k + (1 - explored) * (rung == favourite)
    return CouponLog(np.arange(n), features, LADDER[rung], propensity, bought, LADDER[rung] * bought, np.full(n, "s1"))
