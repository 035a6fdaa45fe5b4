"""A request's time budget, and what its stages lately took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PASSED_OVER = 0.5  # of what it was expected to take, next time: so a stage that was passed over is soon tried again
FRESH = 0.2  # weight of the latest time in the mean


class Deadline:
    """Says whether a stage still fits into the budget, from an exponential mean of what it took before."""

    def __init__(self, budget_ms: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._budget_s, self._clock = budget_ms / 1000.0, clock
        self._took: dict[str, float] = {}

    def start(self) -> float:
        """Return the time at which a request began."""
        return self._clock()

    def allows(self, stage: str, started: float) -> bool:
        """Whether `stage` of the request that began at `started` would end in time."""
        expected = self._took.get(stage, 0.0)
        fits = self._clock() - started + expected <= self._budget_s
        if not fits:
            self._took[stage] = expected * PASSED_OVER
        return fits

    def timed(self, stage: str, call: Callable[[], T]) -> T:
        """Return what `call` returns, and remember how long it took."""
        began = self._clock()
        found = call()
        took = self._clock() - began
        most = 2.0 * self._budget_s  # one hiccup must not shut a stage out for long
        self._took[stage] = (1.0 - FRESH) * self._took.get(stage, 0.0) + FRESH * min(took, most)
        return found
