"""Segments by K-Means on recency, frequency, basket value and category shares; named from what sets each apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from personalization.artifacts import Artifacts
from personalization.memo import PurchaseMemo
from personalization.profiling.history import category_shares, rfm, vector
from personalization.types import MemberId, Money, Product, ProductId, Profile, Purchase, Segment

_BEHAVIOUR_WEIGHT = 0.6  # three behaviour columns against some thirty of categories


@dataclass(frozen=True, slots=True)
class _Features:
    """A history's features as of an hour."""

    hour: datetime
    last: datetime | None
    orders: int
    spent: int
    shares: dict[str, float]


class KMeansProfiler:
    """The profiler: features at request time, and the nearest trained centre."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._model = artifacts.segments
        self._items = artifacts.items
        self._centres = np.asarray(self._model["centres"])
        self._mean, self._scale = np.asarray(self._model["mean"]), np.asarray(self._model["scale"])
        self._memo: PurchaseMemo[_Features] = PurchaseMemo()
        self.version = f"kmeans-{artifacts.version}"

    def profile(
        self, member_id: MemberId, purchases: Sequence[Purchase], products: Mapping[ProductId, Product], *, at: datetime
    ) -> Profile:
        """Return the member's profile at `at`; no segment for a member without purchases."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        known = self._memo.get(purchases, lambda: self._features(purchases, hour))
        if known.hour != hour:  # the window moves on by the hour
            known = self._features(purchases, hour)
        recency = None if known.last is None else (at - known.last).total_seconds() / 86_400
        orders, spent, shares = known.orders, known.spent, known.shares
        currency = purchases[0].amount.currency if purchases else ""
        segment = None
        if recency is not None and orders:
            segment = self.assign(vector(recency, orders, spent, shares, self._model["categories"]))
        return Profile(member_id, at, recency, orders, Money(spent, currency) if purchases else None, shares, segment)

    def _features(self, purchases: Sequence[Purchase], hour: datetime) -> _Features:
        _, orders, spent = rfm(purchases, hour)
        last = max((purchase.at for purchase in purchases), default=None)
        return _Features(hour, last, orders, spent, category_shares(purchases, self._category, hour))

    def assign(self, features: NDArray[np.float64]) -> Segment:
        """Return the segment whose centre is nearest."""
        scaled = (features - self._mean) / self._scale * _weights(len(features))
        nearest = int(((self._centres - scaled) ** 2).sum(axis=1).argmin())
        return Segment(**self._model["segments"][nearest])

    def _category(self, product_id: str) -> str | None:
        position = self._items.index.get(product_id)
        return None if position is None else str(self._items.categories[self._items.category[position]])


def fit(features: NDArray[np.float64], categories: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Cluster members' vectors (m, 3 + c); the number of segments in 4..9 is the one with the best mean silhouette."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale < 1e-9] = 1.0
    scaled = (features - mean) / scale * _weights(features.shape[1])
    sample = np.random.default_rng(seed).permutation(len(scaled))[:1500]
    fits = {}
    for k in range(4, min(10, len(scaled))):
        model = KMeans(k, n_init=4, random_state=seed).fit(scaled)
        found = len(set(model.labels_[sample]))
        fits[k] = (float(silhouette_score(scaled[sample], model.labels_[sample])) if found > 1 else -1.0, model)
    best = max(fits, key=lambda k: fits[k][0])
    silhouette, model = fits[best]
    sizes = np.bincount(model.labels_, minlength=best)
    centres = model.cluster_centers_
    return {
        "categories": list(categories),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "centres": centres.tolist(),
        "silhouette": round(silhouette, 4),
        "sizes": sizes.tolist(),
        "segments": _named(centres / _weights(features.shape[1]), categories),
    }


def _weights(width: int) -> NDArray[np.float64]:
    return np.concatenate([np.full(3, 1.0), np.full(width - 3, _BEHAVIOUR_WEIGHT / np.sqrt(max(width - 3, 1)) * 3)])


def _named(centres: NDArray[np.float64], categories: Sequence[str]) -> list[dict[str, str]]:
    """Name each centre, in standard deviations from the average member, by its shopping rhythm and two categories."""
    named, taken = [], set()
    for number, centre in enumerate(centres):
        recency, frequency, basket = centre[:3]
        rhythm = "Frequent" if frequency > 0.4 else "Occasional" if frequency < -0.4 else "Regular"
        if recency > 1.0:
            rhythm = "Lapsing"
        size = "big baskets" if basket > 0.4 else "small baskets" if basket < -0.4 else "middling baskets"
        top = [str(categories[i]) for i in np.argsort(-centre[3:])[:3]]
        name = f"{rhythm}, {size}, {top[0].lower()} first"
        if name in taken:
            name = f"{rhythm}, {size}, {top[0].lower()} and {top[1].lower()}"
        taken.add(name)
        about = f"{rhythm} shoppers with {size}; they spend more of their money than others on {_listed(top)}."
        named.append({"segment_id": f"s{number + 1}", "name": name, "description": about})
    return named


def _listed(names: Sequence[str]) -> str:
    lowered = [name.lower() for name in names]
    return ", ".join(lowered[:-1]) + " and " + lowered[-1]
