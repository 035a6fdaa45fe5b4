"""The closest non-decreasing curve to each row: what pooling adjacent violators finds, for many rows at once.

Barlow, Bartholomew, Bremner & Brunk (1972): the fit at j is max over s <= j of min over t >= j of the weighted mean of
s..t. The formula needs no loop over rows, and running minima and maxima never fall, so that not one rounded bit violates.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CELLS = 1 << 17  # of one block: it stays in the cache


def isotonic(curves: Floats, weights: Floats | None = None) -> Floats:
    """Return the weighted least-squares non-decreasing fit along axis 1: curves (n, k), weights (k,) or (n, k) > 0 -> (n, k)."""
    curves = np.asarray(curves, float)
    falls = np.flatnonzero((curves[:, 1:] < curves[:, :-1]).any(axis=1))
    found = curves.copy()
    if not len(falls):
        return found
    k = curves.shape[1]
    weighed = None if weights is None else np.broadcast_to(np.asarray(weights, float), curves.shape)
    for start in range(0, len(falls), step := max(_CELLS // (k * k), 1)):
        rows = falls[start : start + step]
        found[rows] = _fit(curves[rows], None if weighed is None else weighed[rows])
    return found


def _fit(curves: Floats, weights: Floats | None) -> Floats:
    n, k = curves.shape
    middle = curves.mean(axis=1)  # sums of what is near zero lose fewer digits
    values = (curves - middle[:, None]).T
    area = np.zeros((k + 1, n))
    np.cumsum(values if weights is None else values * weights.T, axis=0, out=area[1:])
    counts, backwards = _shape(k)
    if weights is not None:
        mass = np.zeros((k + 1, n))
        np.cumsum(weights.T, axis=0, out=mass[1:])
        counts = np.where(backwards[:, :, None], 1.0, mass[None, 1:] - mass[:k, None])
    means = (area[None, 1:] - area[:k, None]) / counts
    means[backwards] = np.inf
    lowest = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
    lowest[backwards] = -np.inf
    fit: Floats = (lowest.max(axis=0) + middle).T
    return fit


@lru_cache(maxsize=64)
def _shape(k: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how many there are from s to t, (k, k, 1), and where t < s, (k, k); rows are s."""
    first, last = np.arange(k)[:, None], np.arange(k)[None, :]
    backwards = last < first
    return np.where(backwards, 1.0, last - first + 1.0)[:, :, None], backwards
