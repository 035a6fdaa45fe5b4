"""Fitting segments: K-Means whose number of clusters and of category dimensions is the most stable under the bootstrap.

Stability is Hennig's (2007) clusterwise Jaccard: refit on resampled members, match each cluster with the most similar one,
average. Among what is as stable as the best, within TIE, the best silhouette wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture

from personalization.profiling.segment_rules import describe
from personalization.profiling.segments import CATEGORY_WEIGHT, CLUSTERED, Floats, behaviour

CLUSTERS, DIMENSIONS = (4, 5, 6, 7, 8), (0, 1, 2, 3)
BOOTSTRAPS, TIE = 12, 0.03
_SILHOUETTE_SAMPLE = 1500
Labels = NDArray[np.intp]
Progress = Callable[[int, int], None]


class Clusterer(Protocol):
    """What a clustering of points (n, d) gives: labels of any points, -1 for noise."""

    def predict(self, points: Floats) -> Labels: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Stability:
    """Mean Jaccard of each cluster over bootstraps, and their mean with a 95 % interval over bootstraps."""

    clusters: list[float]
    mean: float
    ci: tuple[float, float]


def fit(
    columns: Mapping[str, Floats], shares: Floats, categories: Sequence[str], *, seed: int, bootstraps: int = BOOTSTRAPS,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:  # fmt: skip
    """Return the model for members' features `columns` (each (n,), all of FEATURES) and category `shares` (n, c)."""
    roots = np.sqrt(shares)
    tried, best = [], None
    grid = [(d, k) for d in DIMENSIONS for k in CLUSTERS if k < len(shares) and d <= min(shares.shape)]
    for number, (dimensions, clusters) in enumerate(grid):
        space = _space(columns, roots, dimensions, seed)
        model = _k_means(clusters, space["points"], seed)
        stable = stability(space["points"], partial(_k_means, clusters), seed=seed, bootstraps=bootstraps)
        row = {
            "dimensions": dimensions, "clusters": clusters, "jaccard": round(stable.mean, 4), "ci": [round(c, 4) for c in stable.ci],
            "silhouette": round(silhouette(space["points"], model.labels_, seed), 4),
        }  # fmt: skip
        tried.append(row)
        if best is None or _better(row, best[0]):
            best = (row, space, model)
        progress(number + 1, len(grid))
    if best is None:
        raise ValueError("there are too few members for segments")
    row, space, model = best
    names, accuracy = describe(columns, shares, categories, model.labels_, seed=seed)
    return {
        "categories": list(categories), "mean": space["mean"].tolist(), "scale": space["scale"].tolist(),
        "category_mean": space["category_mean"].tolist(), "components": space["components"].tolist(),
        "centres": model.cluster_centers_.tolist(), "segments": names, "sizes": np.bincount(model.labels_).tolist(),
        "chosen": row, "tried": tried, "silhouette": row["silhouette"], "jaccard": row["jaccard"], "rule_accuracy": accuracy,
    }  # fmt: skip


def stability(
    points: Floats, make: Callable[[Floats, int], Clusterer], *, seed: int, bootstraps: int = BOOTSTRAPS
) -> Stability:
    """Return how far the clusters of `make(points, seed)` come back when members are drawn again with replacement."""
    base = make(points, seed).predict(points)
    clusters = [c for c in np.unique(base) if c >= 0]
    if not clusters:
        return Stability([], 0.0, (0.0, 0.0))
    rng, found = np.random.default_rng(seed), []
    for number in range(bootstraps):
        drawn = rng.integers(0, len(points), len(points))
        again = make(points[drawn], seed + number + 1).predict(points)
        seen = np.unique(drawn)  # compared on who was drawn, as Hennig does
        found.append([_jaccard(base[seen] == cluster, again[seen]) for cluster in clusters])
    each = np.asarray(found).reshape(bootstraps, -1)
    over = each.mean(axis=1)
    half = 1.96 * over.std(ddof=1) / np.sqrt(bootstraps) if bootstraps > 1 else 0.0
    return Stability(
        each.mean(axis=0).tolist(), float(over.mean()), (float(over.mean() - half), float(over.mean() + half))
    )


def silhouette(points: Floats, labels: Labels, seed: int) -> float:
    """Return the mean silhouette of a sample, without noise; -1 with fewer than two clusters."""
    kept = np.flatnonzero(labels >= 0)
    sample = np.random.default_rng(seed).permutation(kept)[:_SILHOUETTE_SAMPLE]
    if len(np.unique(labels[sample])) < 2:
        return -1.0
    return float(silhouette_score(points[sample], labels[sample]))


def alternatives(points: Floats, clusters: int, *, seed: int, bootstraps: int = BOOTSTRAPS) -> list[dict[str, Any]]:
    """Return K-Means beside a Gaussian mixture and HDBSCAN on the same points: stability, silhouette, share of noise."""
    makers: dict[str, Callable[[Floats, int], Clusterer]] = {
        "k-means": partial(_k_means, clusters),
        "gaussian mixture": lambda p, s: GaussianMixture(clusters, n_init=2, random_state=s).fit(p),
        "hdbscan": lambda p, _: _Density(p),
    }
    found = []
    for name, make in makers.items():
        labels = make(points, seed).predict(points)
        stable = stability(points, make, seed=seed, bootstraps=bootstraps)
        found.append(
            {
                "method": name, "clusters": len(set(labels[labels >= 0].tolist())), "jaccard": round(stable.mean, 4),
                "silhouette": round(silhouette(points, labels, seed), 4), "noise": round(float((labels < 0).mean()), 4),
            }
        )  # fmt: skip
    return found


def _k_means(clusters: int, points: Floats, seed: int) -> KMeans:
    return KMeans(clusters, n_init=5, random_state=seed).fit(points)


class _Density:
    """HDBSCAN, which has no predict: a point gets the label of its nearest clustered neighbour's core, or noise."""

    def __init__(self, points: Floats) -> None:
        self._points = points
        self._labels = HDBSCAN(min_cluster_size=max(len(points) // 40, 5), copy=True).fit(points).labels_

    def predict(self, points: Floats) -> Labels:
        """Return the label of the nearest fitted point."""
        from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415

        nearest = NearestNeighbors(n_neighbors=1).fit(self._points).kneighbors(points, return_distance=False)[:, 0]
        found: Labels = self._labels[nearest]
        return found


def _space(columns: Mapping[str, Floats], roots: Floats, dimensions: int, seed: int) -> dict[str, Floats]:
    """Return the points of `dimensions` category components beside the behaviour, and what makes them of new members."""
    mean = roots.mean(axis=0)
    components = np.zeros((0, roots.shape[1]))
    if dimensions:
        components = PCA(dimensions, random_state=seed).fit(roots).components_
    raw = np.concatenate([behaviour(columns), (roots - mean) @ components.T], axis=1)
    scale = raw.std(axis=0)
    scale[scale < 1e-9] = 1.0
    weights = np.where(np.arange(raw.shape[1]) < len(CLUSTERED), 1.0, CATEGORY_WEIGHT)
    points = (raw - raw.mean(axis=0)) / scale * weights
    return {"points": points, "mean": raw.mean(axis=0), "scale": scale, "category_mean": mean, "components": components}


def _better(row: Mapping[str, Any], best: Mapping[str, Any]) -> bool:
    if row["jaccard"] > best["jaccard"] + TIE:
        return True
    return bool(row["jaccard"] > best["jaccard"] - TIE and row["silhouette"] > best["silhouette"])


def _jaccard(cluster: NDArray[np.bool_], labels: Labels) -> float:
    both = [(cluster & (labels == other), cluster | (labels == other)) for other in np.unique(labels) if other >= 0]
    return max((float(inside.sum() / either.sum()) for inside, either in both), default=0.0)
