"""Policies for simulated members: each sees observables only and returns one slate per visitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.slate import ALIKE, REACH, SMOOTHING, UNKNOWN, Weights

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

SAME_CATEGORY = ALIKE[1] + ALIKE[2]  # a simulated category is a department of its own, and every item a kind of its own
HALF_LIFE = 120.0  # days; of the member's own purchases in `repeat`


@dataclass(frozen=True, slots=True)
class Observed:
    """What a shop knows of its v visitors and n items today.

    counts : (v, n) own purchases so far; since : (v, n) days since the last one, inf without; predicted : (v, n)
    probability of a purchase, as a predictor says; category : (n,); popularity : (n,) purchases of all members so far;
    buyers : (n,) members who bought it; size : places in a slate.
    """

    counts: Floats32
    since: Floats32
    predicted: Floats32
    category: Ints
    popularity: Floats
    buyers: Floats
    size: int


Policy = Callable[[Observed, np.random.Generator], Ints]
"""From observables to slates, (v, size) different items each."""


def top(score: NDArray[np.floating], size: int) -> Ints:
    """Return the positions of each row's largest, the largest first; (rows, size)."""
    some = np.argpartition(-score, size - 1, axis=1)[:, :size]
    order = np.argsort(-np.take_along_axis(score, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def popular(observed: Observed, _rng: np.random.Generator) -> Ints:
    """Show everybody the most bought items."""
    return np.tile(top(observed.popularity[None], observed.size), (len(observed.counts), 1))


def repeat(observed: Observed, _rng: np.random.Generator) -> Ints:
    """Show what the member bought most, where newer purchases count more; then the popular."""
    own = observed.counts * np.exp2(-np.minimum(observed.since, 1e6) / HALF_LIFE)
    return top(own + 1e-3 * observed.popularity / max(float(observed.popularity.max()), 1.0), observed.size)


def accurate(observed: Observed, _rng: np.random.Generator) -> Ints:
    """Show the likeliest purchases."""
    return top(observed.predicted, observed.size)


def uniform(observed: Observed, rng: np.random.Generator) -> Ints:
    """Show anything."""
    return top(rng.random(observed.predicted.shape, np.float32), observed.size)


def epsilon(observed: Observed, rng: np.random.Generator, *, share: float, base: Policy = accurate) -> Ints:
    """Show `base`, but give each place, with a chance of `share`, to a random item that base does not show.

    Takes 2 size items at least.
    """
    best = base(observed, rng)
    keys = rng.random(observed.predicted.shape, np.float32)
    np.put_along_axis(keys, best, -1.0, axis=1)
    return np.where(rng.random(best.shape) < share, top(keys, observed.size), best)


def varied(observed: Observed, _rng: np.random.Generator, *, knob: float) -> Ints:
    """Return what `personalization.ranking.slate.choose` would, for all visitors at once: greedy, likeliest items first.

    Relevance, novelty, surprise, a determinantal point process over categories and calibration to the member's own
    spread (Chen et al. 2018; Steck 2018), weighted by the knob from 0, which is `accurate`, to 1 and beyond. The
    product's exposure floor, for items that were hardly ever shown, is left out: every item here was shown often.
    """
    weights, rows = Weights.of(knob), np.arange(len(observed.counts))
    front = top(observed.predicted, min(max(REACH, 4 * observed.size), observed.predicted.shape[1]))
    group = observed.category[front]
    gain = _fixed(observed, front, weights)
    shares = _shares(observed)
    diversity = weights.diversity * np.where(shares.any(axis=1), 1.0, UNKNOWN)[:, None]
    log_left = np.log(np.maximum(_left(observed.size), 1e-6))
    chosen = np.zeros(shares.shape, np.int64)
    slate = np.empty((len(rows), observed.size), np.int64)
    for place in range(observed.size):
        extra = diversity * log_left[chosen] - weights.calibration * _change(shares, chosen, place)
        best = np.argmax(gain + np.take_along_axis(extra, group, axis=1), axis=1)
        slate[:, place] = front[rows, best]
        gain[rows, best] = -np.inf
        chosen[rows, group[rows, best]] += 1
    return slate


POLICIES: Mapping[str, Policy] = {
    "popular": popular, "repeat": repeat, "accurate": accurate, "random": uniform,
    **{f"varied {knob}": partial(varied, knob=knob) for knob in (0.25, 0.5, 0.75, 1.0, 4.0)},
    "epsilon 0.2": partial(epsilon, share=0.2),
}  # fmt: skip
"""Those that `study` compares.

`varied` with a knob of 0 is `accurate` and not counted twice; a knob of 4 is far beyond what the product allows, so that the
comparison spans more than small differences.
"""


def _fixed(observed: Observed, front: Ints, weights: Weights) -> Floats:
    """Return what does not depend on the rest of the slate: relevance, novelty and surprise, (v, front)."""
    p = np.clip(np.take_along_axis(observed.predicted, front, axis=1).astype(np.float64), 1e-9, 1 - 1e-9)
    score = np.log(p / (1 - p))
    spread = np.maximum(score.std(axis=1, keepdims=True), 1e-9)
    most = max(float(observed.buyers.max()), 1.0)
    rarity = -np.log2((observed.buyers + 0.5) / (most + 0.5)) / np.log2((most + 0.5) / 0.5)
    new = np.take_along_axis(observed.counts, front, axis=1) == 0
    relevance = (score - score.mean(axis=1, keepdims=True)) / spread
    return relevance + weights.novelty * np.clip(rarity, 0.0, 1.0)[front] + weights.surprise * new


def _shares(observed: Observed) -> Floats:
    """Return each category's share of the member's purchases, (v, categories); zeros without any."""
    categories = int(observed.category.max()) + 1
    bought = observed.counts @ np.eye(categories, dtype=np.float32)[observed.category]
    return bought / np.maximum(bought.sum(axis=1, keepdims=True), 1.0).astype(np.float64)


def _left(size: int) -> Floats:
    """Return an item's variance that is left after 0, 1, ... size others of its category: the determinant's factor."""
    others = np.arange(size + 1)
    return 1.0 - others * SAME_CATEGORY**2 / (1.0 + np.maximum(others - 1, 0) * SAME_CATEGORY)


def _change(shares: Floats, chosen: Ints, place: int) -> Floats:
    """Return by how much one more item of each category changes KL(own spread ‖ slate's), (v, categories)."""
    floor = np.where(shares > 0, SMOOTHING * shares, 1.0)
    before, after = (1 - SMOOTHING) * chosen / (place + 1), (1 - SMOOTHING) * (chosen + 1) / (place + 1)
    return -shares * (np.log(after + floor) - np.log(before + floor))
