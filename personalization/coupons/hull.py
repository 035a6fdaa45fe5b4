"""Efficient rungs and what they cost: a ladder's upper concave hull, and the spend of many ladders by price.

At a price of money a row takes the rung where its hull's slope (value per money) falls to that price, so the cost of
any number of rows, as a function of the price, is a sum of steps: the increments of their hulls (Sinha and Zoltners 1979).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_TINY = 1e-300
OCTAVE, LOWEST, OCTAVES = 16, -40, 64  # bins per doubling of the price; the prices run from 2^-40 to 2^24
BINS = OCTAVE * OCTAVES


def increments(value: ArrayLike, cost: ArrayLike) -> tuple[Ints, Floats, Floats, Floats]:
    """Return (row, slope, cost, value) of every step up the rows' hulls; a row's slopes fall.

    value, cost : (n, k), cost at least 0 and rung 0 where a row starts. Rungs below the hull have no step: no price takes them.
    """
    v, c = (np.asarray(x, dtype=float) for x in (value, cost))
    v, c = v - v[:, :1], c - c[:, :1]
    gains, dear = np.diff(v), np.diff(c)
    slopes = gains / np.maximum(dear, _TINY)
    concave = (gains > 0).all(axis=1) & (dear >= 0).all(axis=1) & (np.diff(slopes) <= 0).all(axis=1)
    rest = np.flatnonzero(~concave)
    ready = np.flatnonzero(concave)
    row, slope, step, gain = _climb(v[rest], c[rest])
    return (
        np.concatenate([np.repeat(ready, v.shape[1] - 1), rest[row]]),
        np.concatenate([slopes[ready].ravel(), slope]),
        np.concatenate([dear[ready].ravel(), step]),
        np.concatenate([gains[ready].ravel(), gain]),
    )


def _climb(v: Floats, c: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """Walk every hull from its start, each time to the rung that the steepest line reaches."""
    rows = np.arange(len(v))
    at_v, at_c, last = (np.zeros(len(v)), np.zeros(len(v)), np.full(len(v), np.inf))
    found: list[tuple[Ints, Floats, Floats, Floats]] = []
    while rows.size:
        more, dear = v - at_v[:, None], c - at_c[:, None]
        # A rung that costs no more and gives more is a step of no cost, of any slope.
        slopes = np.where(more > 0, more / np.maximum(dear, _TINY), 0.0)
        rung = slopes.argmax(axis=1)
        here = np.arange(len(rows))
        slope = slopes[here, rung]
        going = np.flatnonzero(slope > 0)
        rows, v, c, rung = rows[going], v[going], c[going], rung[going]
        here = here[: len(going)]
        to_v, to_c = v[here, rung], c[here, rung]
        slope = np.minimum(slope[going], last[going])  # rounding must not make a hull bulge
        found.append((rows, slope, np.maximum(to_c - at_c[going], 0.0), to_v - at_v[going]))
        at_v, at_c, last = to_v, to_c, slope
    if not found:
        empty = np.empty(0)
        return np.empty(0, dtype=np.int64), empty, empty, empty
    row, slope, step, gain = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return row, slope, step, gain


class SpendCurve:
    """Cost of the rows seen, by price, as a histogram of their hulls' increments over logarithmic bins of price.

    With forgetting it is the exponentially weighted mean over a stream, without it the exact sum of a batch. Memory: BINS numbers.
    """

    def __init__(self) -> None:
        self.steps: Floats = np.zeros(BINS)  # (BINS,) cost of increments by slope, times the weight of their rows
        self.rows = 0.0  # the rows' weight

    def add(self, value: ArrayLike, cost: ArrayLike, *, weight: float = 1.0) -> float:
        """Add rows (n, k), each of `weight`; return what they cost at no price."""
        _, slope, step, _ = increments(value, cost)
        if slope.size:
            self.steps += weight * np.bincount(bin_of(slope), step, BINS)
        self.rows += weight * len(np.asarray(value))
        return float(step.sum())

    def mix(self, other: SpendCurve, rows: float) -> None:
        """Add `rows` rows as `other` has them on average."""
        if other.rows > 0:
            self.steps += other.steps * (rows / other.rows)
            self.rows += rows

    def fade(self, keep: float) -> None:
        """Multiply what was seen by `keep`."""
        self.steps *= keep
        self.rows *= keep

    @property
    def most(self) -> float:
        """What a row costs on average at no price."""
        return float(self.steps.sum()) / self.rows if self.rows > 0 else 0.0

    def price(self, cost_per_row: float) -> float:
        """Return the price at which a row costs `cost_per_row` on average; 0 where it cannot cost as much."""
        wanted = cost_per_row * self.rows
        above = np.cumsum(self.steps[::-1])  # above[i]: cost at the lower edge of the i-th bin from the top
        if self.rows <= 0 or above[-1] <= wanted:
            return 0.0
        at = int(np.searchsorted(above, wanted, side="right"))
        before = above[at - 1] if at else 0.0
        inside = (wanted - before) / max(above[at] - before, _TINY)
        return float(2.0 ** (LOWEST + (BINS - at - inside) / OCTAVE))

    def state(self) -> dict[str, Any]:
        """Return the curve as JSON types; bins outside of what was seen are left out."""
        seen = np.flatnonzero(self.steps)
        first, last = (int(seen[0]), int(seen[-1]) + 1) if seen.size else (0, 0)
        return {"rows": self.rows, "first": first, "steps": self.steps[first:last].tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the curve that `state` tells of."""
        curve = cls()
        steps = np.asarray(state["steps"], dtype=float)
        curve.steps[state["first"] : state["first"] + len(steps)] = steps
        curve.rows = float(state["rows"])
        return curve


def bin_of(slope: Floats) -> Ints:
    """Return the bin of each positive slope."""
    place: Ints = np.clip(np.floor((np.log2(slope) - LOWEST) * OCTAVE), 0, BINS - 1).astype(np.int64)
    return place
