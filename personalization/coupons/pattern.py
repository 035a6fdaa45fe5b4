"""What history says of the hours: the spend curve of each part of the day, so that the evening is foreseen in the morning."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.hull import SpendCurve
from personalization.coupons.traffic import TrafficShape

Array = NDArray[np.floating]
DAY_S = 86_400.0
PARTS = 12
SHRINK = 500.0  # rows of the whole day's curve that are added to each part's


class Pattern:
    """Spend curves of the parts of a day, from a sample of history.

    Against a stream's own curve it gives a factor on the price: what the arrivals to come paid for money in history over what those
    did that the stream has seen. Without differences between the hours that factor is 1, whatever today is like.
    """

    def __init__(self) -> None:
        self.whole = SpendCurve()
        self.parts = [SpendCurve() for _ in range(PARTS)]

    @classmethod
    def learn(cls, at: NDArray[np.float64], value: Array, cost: Array) -> Self:
        """Return the pattern of history's arrivals: times (n,) in POSIX seconds, value and cost (n, k)."""
        made, part = cls(), _part(at)
        for index, curve in enumerate(made.parts):
            of_part = part == index
            curve.add(value[of_part], cost[of_part])
            made.whole.mix(curve, curve.rows)
        for curve in made.parts:
            curve.mix(made.whole, SHRINK)
        return made

    def now(self, at: float) -> SpendCurve:
        """Return the curve of the part of the day that `at` falls into."""
        return self.parts[int(_part(np.array([at]))[0])]

    def ahead(self, shape: TrafficShape, at: float, end: float) -> SpendCurve:
        """Return the curve of an average arrival between `at` and `end`."""
        weights = np.zeros(PARTS)
        width = DAY_S / PARTS
        edges = np.append(np.arange(at, min(end, at + 7 * DAY_S), width / 2), min(end, at + 7 * DAY_S))
        for start, stop in pairwise(edges.tolist()):
            weights[int(_part(np.array([(start + stop) / 2]))[0])] += shape.between(start, stop)
        mixed = SpendCurve()
        for weight, curve in zip(weights, self.parts, strict=True):
            mixed.mix(curve, float(weight))
        return mixed

    def state(self) -> dict[str, Any]:
        """Return the pattern as JSON types."""
        return {"whole": self.whole.state(), "parts": [curve.state() for curve in self.parts]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the pattern that `state` tells of."""
        made = cls()
        made.whole = SpendCurve.from_state(state["whole"])
        made.parts = [SpendCurve.from_state(part) for part in state["parts"]]
        return made


def _part(at: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(at % DAY_S / DAY_S * PARTS).astype(np.int64)
