"""A plain reward model for off-policy evaluation: an audience's rate times how a variant compares, both shrunk to the average.

It need not be right: the doubly robust estimate stays unbiased with logged propensities, and gains what the model explains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STRENGTH = 5.0  # rewards that the average counts for


@dataclass(frozen=True, slots=True)
class RewardModel:
    """rate (a, v): the expected reward of each variant for each audience."""

    rate: Floats


def fit(audience: Ints, variant: Ints, reward: Floats, *, audiences: int, variants: int) -> RewardModel:
    """Return the model of impressions (n,), whose audiences and variants are numbered from 0."""
    n = len(reward)
    average = (float(reward.sum()) + 0.5) / (n + 1.0)
    told, seen = (np.bincount(audience, w, audiences) for w in (reward, np.ones(n)))
    level = (told + STRENGTH) / (seen + STRENGTH / average)
    told, expected = (np.bincount(variant, w, variants) for w in (reward, level[audience]))
    ratio = (told + STRENGTH) / (expected + STRENGTH)
    return RewardModel(level[:, None] * ratio)
