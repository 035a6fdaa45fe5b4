"""From scores to a slate: relevant, varied, true to the member's own spread of tastes, and with something to discover.

Greedy maximisation of

    Σ relevance + knob-weighted [ log det K_S (a determinantal point process) + novelty + surprise + exposure ] - calibration KL

one item at a time (Chen et al. 2018 for the determinant; Steck 2018 for calibration). One knob from 0, safe, to 1,
surprising, sets all weights; a low mood turns it to 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.items import Items
from personalization.tuning import SHIPPED, TuningPolicy
from personalization.types import Affect, Channel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KNOBS: Mapping[Channel, float] = {Channel.WIDGET: 0.3, Channel.KIOSK: 0.4, Channel.API: 0.3}
"""From 0 (safe) to 1 (surprising), per channel: who stands at a kiosk is strolling, who writes wants something."""

ALIKE = (0.45, 0.30, 0.15)  # similarity from one kind, one category, one department; they add up
SMOOTHING = 0.01  # of Steck's calibration: q~ = (1 - a) q + a p
UNTOUCHED = 0.6  # of a slate: what comes first there is relevant before all else
UNKNOWN = (
    10.0  # times as much variety for who has no tastes that are known: popularity alone would show five kinds of milk
)
REACH = 60  # candidates that the slate is chosen from, at least


@dataclass(frozen=True, slots=True)
class Weights:
    """What a knob means. `relevance` is in units of the scores' spread within the request."""

    diversity: float
    novelty: float
    surprise: float
    calibration: float
    exposure: float

    @classmethod
    def of(cls, knob: float, shelf: float = 1.0) -> Weights:
        """Return the weights at a knob in [0, 1], with `shelf` times as much for what was hardly ever shown. Their proportions were chosen on September and October (docs/models/ranking.md)."""
        return cls(
            diversity=0.2 * knob,
            novelty=0.3 * knob,
            surprise=0.2 * knob,
            calibration=4.0 * knob,
            exposure=13.0 * knob * shelf,
        )


def knob_of(
    channel: Channel, affect: Affect | None, *, knobs: Mapping[Channel, float] = KNOBS, tuning: TuningPolicy = SHIPPED
) -> float:
    """Return the knob for a request: the channel's, turned to safe by a low mood and up a little by a good one."""
    tuned: float | None = getattr(tuning.variety, channel.value)
    knob = knobs.get(channel, 0.3) if tuned is None else tuned
    if affect is None:
        return knob
    if affect.valence < tuning.moods.low:
        return 0.0
    return float(np.clip(knob * (1.0 + tuning.moods.lift * max(affect.valence, 0.0)), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Pool:
    """What a slate is chosen from. item : positions; score : larger is better; owned : bought before; all (n,).

    shown : how often each item was shown to anybody lately; taste : the member's share of orders per category, or None
    where nothing is known; reserved : positions within the pool, one of which takes the last place of a longer slate.
    """

    item: Ints
    score: Floats
    owned: NDArray[np.bool_]
    shown: Floats
    taste: Floats | None = None
    reserved: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


def similarity(items: Items, item: Ints) -> Floats:
    """Return (n, n) in [0, 1], positive semi-definite: a weighted sum of "the same kind, category, department"."""
    found = np.zeros((len(item), len(item)))
    groups: tuple[NDArray[Any], ...] = (items.kind[item], items.category[item], items.department[item])
    for weight, own in zip(ALIKE, groups, strict=True):
        found += weight * (own[:, None] == own[None, :])
    found[np.diag_indices_from(found)] = 1.0
    return found


def novelty(items: Items, item: Ints) -> Floats:
    """Return the self-information -log2 of the share of members who bought the item lately, scaled to [0, 1]."""
    most = max(float(items.buyers.max(initial=1)), 1.0)
    share = (items.buyers[item] + 0.5) / (most + 0.5)
    top = np.log2((most + 0.5) / 0.5)
    return np.clip(-np.log2(share) / max(top, 1e-9), 0.0, 1.0)


def choose(pool: Pool, items: Items, size: int, weights: Weights) -> Ints:
    """Return up to `size` positions within the pool, the slate in order."""
    n = len(pool.item)
    if not n or size <= 0:
        return np.zeros(0, np.int64)
    reach = min(n, max(REACH, 4 * size))
    front = np.argsort(-pool.score, kind="stable")[:reach]
    front = np.union1d(front, pool.reserved)
    front = front[np.argsort(-pool.score[front], kind="stable")]
    score = pool.score[front]
    relevance = (score - score.mean()) / max(float(score.std()), 1e-9)
    fixed = relevance + weights.novelty * novelty(items, pool.item[front])
    fixed = fixed + weights.surprise * (~pool.owned[front])
    picked = _greedy(fixed, pool, items, front, size, weights)
    if len(pool.reserved) and len(picked) == size and size >= 4 and not np.isin(front[picked], pool.reserved).any():
        best = np.flatnonzero(np.isin(front, pool.reserved))
        picked[-1] = int(best[np.argmax(fixed[best])])
    return front[picked]


def _greedy(fixed: Floats, pool: Pool, items: Items, front: Ints, size: int, weights: Weights) -> list[int]:
    alike = similarity(items, pool.item[front])
    group = items.category[pool.item[front]]
    remaining = np.ones(len(front), bool)
    # an exposure floor: what was hardly ever shown gains, less with every showing; the slate's first part is not touched
    chance = weights.exposure / (1.0 + pool.shown[front])
    diversity = weights.diversity * (UNKNOWN if pool.taste is None else 1.0)
    variance = np.ones(len(front))  # d_i², what is left of an item beyond those chosen
    basis = np.zeros((0, len(front)))
    shown = np.zeros(len(items.categories))
    picked: list[int] = []
    while len(picked) < min(size, len(front)):
        gain = (
            fixed + diversity * np.log(np.maximum(variance, 1e-6)) + chance * max(len(picked) / size - UNTOUCHED, 0.0)
        )
        if pool.taste is not None and weights.calibration:
            gain = gain - weights.calibration * _drift(pool.taste, shown, len(picked), group)
        best = int(np.argmax(np.where(remaining, gain, -np.inf)))
        picked.append(best)
        remaining[best] = False
        shown[group[best]] += 1
        row = (alike[best] - basis[:, best] @ basis) / np.sqrt(max(variance[best], 1e-6))
        basis = np.vstack([basis, row])
        variance = variance - row**2
    return picked


def _drift(taste: Floats, shown: Floats, count: int, group: NDArray[np.int32]) -> Floats:
    """Return, for each candidate, KL(p ‖ q~) of the slate with it, where p is `taste` (Steck 2018), less that of the best one."""
    own = np.flatnonzero(taste)
    p = taste[own]
    q = shown[own] / (count + 1)
    base = float(np.sum(p * np.log(p / ((1 - SMOOTHING) * q + SMOOTHING * p))))
    with_one = (1 - SMOOTHING) * (shown[own] + 1) / (count + 1) + SMOOTHING * p
    change = np.zeros(len(taste))
    change[own] = -p * (np.log(with_one) - np.log((1 - SMOOTHING) * q + SMOOTHING * p))
    found = base + change[group]
    return found - found.min()
