"""How long the predictor takes: ten thousand variants for an audience, one outcome, and the exact posterior again."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bench.creative_market import STATIONARY, Size, draw
from bench.creative_policies import design
from personalization.creative.predictor import Predictor
from personalization.creative.priors import belief

REPEATS = 15
COUNT = 10_000


def speeds(seed: int = 1) -> dict[str, float]:
    """Return medians in milliseconds, on one thread where the environment says so."""
    market = draw(STATIONARY, seed, Size(campaigns=1, products=1, impressions=1, pool=COUNT, periods=1, lasts=1))
    variants, audience = market.variants(0), market.audiences(0)[0]
    columns = design()
    model = Predictor(columns, belief(columns))
    z = columns.encode(variants)
    rows = model.rests.of([variant.variant_id for variant in variants])
    shares, happened = np.full(16, 1 / 16), np.eye(16)[3]
    return {
        "10,000 variants scored": _median(lambda: model.score(audience, z, rows)),
        "one outcome learned": _median(lambda: model.learn(audience, z[:16], rows[:16], shares, happened)),
        "posterior solved again": _median(model.refresh, 5),
    }


def _median(call: Callable[[], object], repeats: int = REPEATS) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(1_000 * (time.perf_counter() - start))
    return round(float(np.median(taken)), 2)
