"""How near any policy could come that does not know who comes next: dynamic programming over a sample of shoppers.

The hindsight optimum knows every arrival. The best online policy for iid arrivals of known kinds, whose value and cost are known, is a
recursion over arrivals left and money left: V(t, b) = E max over rungs of value + V(t - 1, b - cost). It gives the share that a
day of n arrivals allows at all; what a real allocator must learn on the way comes on top.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.coupons_market import IID, history
from personalization.coupons.dual import dual_value, solve

KINDS, CELLS, DAYS = 200, 1_440, 200


@cache
def best_online_share(n: int, budget_share: float, seed: int) -> float:
    """Return the best online policy's expected value over the mean of the hindsight bound, for `n` iid arrivals of KINDS kinds."""
    rng = np.random.default_rng(seed)
    past = history(IID, 4 * KINDS, seed, true=True)
    kinds = rng.choice(len(past.at), KINDS, replace=False)
    value, cost = (past.table(f"true {name}")[kinds] for name in ("value", "cost"))
    budget = budget_share * n * float(cost[:, -1].mean())
    width = budget / CELLS
    whole = np.floor(cost / width).astype(np.int64)
    part = (cost / width - whole)[:, :, None]
    money = np.arange(CELLS + 1)
    left = money - whole[:, :, None]
    near, far = np.maximum(left, 0), np.maximum(left - 1, 0)
    too_dear = money * width < cost[:, :, None]
    worth = np.zeros(CELLS + 1)
    for _ in range(n):
        after = value[:, :, None] + (1 - part) * worth[near] + part * worth[far]
        after[too_dear] = -1.0
        worth = after.max(axis=1).mean(axis=0)
    price = solve(value, cost, [budget / n * KINDS])
    fluid = n / KINDS * dual_value(value, cost, [budget / n * KINDS], price)
    above = []  # what a day's own price takes off the bound at the price of all days: of little variance
    for _ in range(DAYS):
        day = rng.integers(0, KINDS, n)
        v, c = value[day], cost[day]
        above.append(dual_value(v, c, [budget], price) - dual_value(v, c, [budget], solve(v, c, [budget])))
    return float(worth[-1]) / (fluid - float(np.mean(above)))
