"""Metrics of ranked lists: how right they are, and how varied, new, surprising, complete and fair to items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.items import Items
from personalization.ranking.slate import SMOOTHING, similarity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
K = 10


def discounts(k: int = K) -> Floats:
    """Return 1 / log2(rank + 1) for ranks 1 to k."""
    return 1.0 / np.log2(np.arange(2, k + 2))


def ndcg(hits: Flags, relevant: Ints) -> Floats:
    """Return NDCG@k with binary gains (Järvelin and Kekäläinen 2002), nan without anything relevant.

    hits : (lists, k) whether each place is relevant; relevant : (lists,) how many relevant items there are at all.
    """
    weight = discounts(hits.shape[1])
    best = np.concatenate([[0.0], np.cumsum(weight)])[np.minimum(relevant, hits.shape[1])]
    return np.divide(hits @ weight, best, out=np.full(len(hits), np.nan), where=best > 0)


def recall(hits: Flags, relevant: Ints) -> Floats:
    """Return the share of the relevant items that is in the list, (lists,)."""
    return np.divide(hits.sum(axis=1), relevant, out=np.full(len(hits), np.nan), where=relevant > 0)


def reciprocal_rank(hits: Flags) -> Floats:
    """Return 1 / rank of the first hit, 0 without one, (lists,); its mean is MRR."""
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1.0), 0.0)


def group_auc(score: Floats, target: Floats, starts: Ints) -> Floats:
    """Return per request the share of pairs with different targets that the scores order alike, ties half; nan without pairs.

    With 0/1 targets this is the request's AUC; with interactions per unit time it is the per-unit-time AUC.
    """
    found = np.full(len(starts) - 1, np.nan)
    for number, (a, b) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        s, t = score[a:b], target[a:b]
        lifted = np.flatnonzero(t > t.min()) if b > a else np.zeros(0, np.int64)
        if not len(lifted):
            continue
        # pairs of two that are both at the minimum do not count, so one side is always lifted
        more = t[lifted][:, None] > t[None, :]
        right = (s[lifted][:, None] > s[None, :]) + 0.5 * (s[lifted][:, None] == s[None, :])
        found[number] = (right * more).sum() / more.sum()
    return found


def intra_list_diversity(items: Items, lists: Ints) -> Floats:
    """Return 1 minus the mean share of pairs in a list that are of one category, (lists,) (Smyth and McClave 2001)."""
    category = items.category[lists]
    same = (category[:, :, None] == category[:, None, :]).sum(axis=(1, 2)) - lists.shape[1]
    return 1.0 - same / (lists.shape[1] * (lists.shape[1] - 1))


def mean_distance(items: Items, lists: Ints) -> Floats:
    """Return the mean of 1 - similarity over pairs of a list, by kind, category and department, (lists,)."""
    found = np.empty(len(lists))
    for number, row in enumerate(lists):
        alike = similarity(items, row)
        found[number] = 1.0 - (alike.sum() - len(row)) / (len(row) * (len(row) - 1))
    return found


def self_information(buyers: Floats, members: int, lists: Ints) -> Floats:
    """Return the mean -log2 of the share of members who bought an item, in bits, (lists,) (Vargas and Castells 2011)."""
    return -np.log2(np.maximum(buyers[lists], 1.0) / members).mean(axis=1)


def serendipity(hits: Flags, obvious: Flags) -> Floats:
    """Return the share of a list that is useful and not obvious, (lists,) (Ge et al. 2010).

    obvious : (lists, k), what a primitive method would have shown: here the popular items and the member's own.
    """
    return (hits & ~obvious).mean(axis=1)


def coverage(lists: Ints, items: int) -> float:
    """Return the share of the catalogue that is in at least one list."""
    return len(np.unique(lists)) / items


def gini(lists: Ints, items: int) -> float:
    """Return the Gini coefficient of the items' exposure: 0 when all are shown alike, 1 when one is shown alone."""
    counts = np.sort(np.bincount(lists.ravel(), minlength=items)).astype(np.float64)
    if not counts.sum():
        return 0.0
    return float((2 * np.arange(1, items + 1) - items - 1) @ counts / (items * counts.sum()))


def miscalibration(items: Items, lists: Ints, tastes: Floats) -> Floats:
    """Return KL(p ‖ q~) of each list's categories q to the member's own spread p, (lists,) (Steck 2018).

    tastes : (lists, categories), rows that add up to 1, or to 0 where nothing is known (nan then).
    """
    found = np.full(len(lists), np.nan)
    for number, (row, p) in enumerate(zip(lists, tastes, strict=True)):
        own = np.flatnonzero(p)
        if len(own):
            q = np.bincount(items.category[row], minlength=len(p))[own] / len(row)
            found[number] = np.sum(p[own] * np.log(p[own] / ((1 - SMOOTHING) * q + SMOOTHING * p[own])))
    return found


def interval(values: Floats, *, seed: int, draws: int = 2000) -> tuple[float, float, float]:
    """Return the mean over what is not nan, and its 95 % bootstrap interval (percentile method)."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = np.array([known[rng.integers(0, len(known), len(known))].mean() for _ in range(draws)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(known.mean()), float(low), float(high)


def paired(ours: Floats, theirs: Floats, *, seed: int, draws: int = 2000) -> tuple[float, float, float]:
    """Return the mean difference of two methods on the same members, and its 95 % bootstrap interval."""
    return interval(ours - theirs, seed=seed, draws=draws)


def told(values: Mapping[str, Floats], *, seed: int) -> dict[str, dict[str, float | list[float] | int]]:
    """Return each method's mean with its interval, ready for a manifest."""
    found: dict[str, dict[str, float | list[float] | int]] = {}
    for name, each in values.items():
        mean, low, high = interval(each, seed=seed, draws=1000)
        found[name] = {"mean": round(mean, 4), "ci": [round(low, 4), round(high, 4)], "n": int((~np.isnan(each)).sum())}
    return found
