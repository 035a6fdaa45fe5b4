"""Offline evaluation on a time-ordered split: NDCG@10 and recall@10 per member, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

K = 10


def ndcg(ranked: Sequence[str], relevant: set[str], k: int = K) -> float:
    """Return NDCG@k with binary gains (Järvelin and Kekäläinen 2002)."""
    gains = sum(1 / np.log2(rank + 2) for rank, product_id in enumerate(ranked[:k]) if product_id in relevant)
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(k, len(relevant))))
    return float(gains / ideal) if ideal else 0.0


def recall(ranked: Sequence[str], relevant: set[str], k: int = K) -> float:
    """Return the share of `relevant` that is in the first k, of at most k."""
    return len(set(ranked[:k]) & relevant) / min(k, len(relevant)) if relevant else 0.0


def summary(values: Mapping[str, Sequence[float]], *, seed: int) -> dict[str, dict[str, float | list[float]]]:
    """Return each method's mean with its 95 % bootstrap interval over members."""
    rng = np.random.default_rng(seed)
    return {name: _with_interval(np.asarray(found), rng) for name, found in values.items()}


def _with_interval(values: NDArray[np.float64], rng: np.random.Generator) -> dict[str, float | list[float]]:
    means = values[rng.integers(0, len(values), (1000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "mean": round(float(values.mean()), 4),
        "ci": [round(float(low), 4), round(float(high), 4)],
        "n": len(values),
    }
