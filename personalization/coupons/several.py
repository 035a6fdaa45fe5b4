"""Several budgets over one stream: a campaign's, a store's and a channel's money each have their price.

Each budget's pacer sees an arrival's value net of what the other budgets' prices take, and only arrivals that could draw on it, so
the vector of prices is found coordinate by coordinate while the stream runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.pacing import Pacer
from personalization.coupons.pattern import Pattern

Array = NDArray[np.floating]


class Pacers:
    """One pacer per budget, in the order of the last axis of cost (n, k, b)."""

    def __init__(self, pacers: Sequence[Pacer]) -> None:
        self.pacers = list(pacers)
        self._last = np.zeros(len(self.pacers))

    def prices(self, at: float) -> NDArray[np.float64]:
        """Return the budgets' prices (b,) at `at`, in value per minor unit."""
        self._last = np.array([pacer.price(at) for pacer in self.pacers])
        return self._last

    def observe(self, value: Array, cost: Array, rung: NDArray[np.int64], at: float) -> None:
        """Learn from arrivals (n, k), (n, k, b) and their rungs (n,), which the last `prices` decided."""
        for budget, pacer in enumerate(self.pacers):
            drawing = np.flatnonzero(cost[:, :, budget].any(axis=1))
            pacer.observe(
                net_of_others(value[drawing], cost[drawing], self._last, budget), cost[drawing, :, budget], rung[drawing], at
            )  # fmt: skip


def net_of_others(value: Array, cost: Array, prices: Array, budget: int) -> Array:
    """Return value (n, k) less what every budget but `budget` takes at `prices` (b,)."""
    others = prices.copy()
    others[budget] = 0.0
    return np.asarray(value - cost @ others)


def patterns(at: NDArray[np.float64], value: Array, cost: Array, prices: Array) -> list[Pattern]:
    """Return a pattern per budget from history (n,), (n, k), (n, k, b) at the `prices` (b,) that solve it."""
    found = []
    for budget in range(len(prices)):
        drawing = np.flatnonzero(cost[:, :, budget].any(axis=1))
        net = net_of_others(value[drawing], cost[drawing], prices, budget)
        found.append(Pattern.learn(at[drawing], net, cost[drawing, :, budget]))
    return found
