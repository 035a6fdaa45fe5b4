"""Candidate sources: what the member buys again, what goes with it, what is popular, what matches a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from personalization.artifacts import Items
from personalization.memo import PurchaseMemo
from personalization.ranking.text import terms
from personalization.types import Candidate, Context, ProductId, Profile, Purchase

HALF_LIFE_DAYS = 120.0
MOST_TASTES = 200
LEAST_MATCH = 0.3  # cosine; what shares only a few letters with the query lies below


@dataclass(frozen=True, slots=True)
class _Bought:
    """A history by product: `times` (all orders, in s since 1970) run product by product from `starts` on; gaps in days."""

    product_ids: list[ProductId]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    times: NDArray[np.float64]
    gaps: NDArray[np.float64]


class RepeatPurchaseSource:
    """Items that the member buys again: order counts that halve every 120 days, lowered while the pack still lasts."""

    name = "repeat"

    def __init__(self, items: Items) -> None:
        self._items = items
        self._memo: PurchaseMemo[_Bought | None] = PurchaseMemo()

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items, most expected first."""
        bought = self._memo.get(purchases, lambda: self._by_product(purchases))
        if bought is None:
            return []
        ages = np.maximum(context.at.timestamp() - bought.times, 0.0) / 86_400
        weights = np.add.reduceat(np.exp2(-ages / HALF_LIFE_DAYS), bought.starts)
        since = ages[bought.starts + bought.counts - 1]
        due = since / bought.gaps  # nan where it was bought once
        weights = np.where(due < 0.5, weights * (0.3 + 1.4 * due), weights)  # just bought: the pack still lasts
        best = np.argsort(-weights, kind="stable")[:limit]
        most = float(weights[best[0]])
        return [
            Candidate(
                bought.product_ids[i], {self.name: float(weights[i]) / most}, {self.name: _facts(bought, i, since[i])}
            )
            for i in best
            if bought.counts[i] > 1 or weights[i] > 0.05 * most
        ]

    def _by_product(self, purchases: Sequence[Purchase]) -> _Bought | None:
        orders: dict[ProductId, dict[str, float]] = {}
        for purchase in purchases:
            if purchase.product_id in self._items.index:
                orders.setdefault(purchase.product_id, {})[purchase.order_id] = purchase.at.timestamp()
        if not orders:
            return None
        times = [sorted(found.values()) for found in orders.values()]
        counts = np.array([len(found) for found in times])
        gaps = [median(b - a for a, b in pairwise(found)) / 86_400 if len(found) > 1 else np.nan for found in times]
        return _Bought(
            list(orders), np.concatenate([[0], np.cumsum(counts)[:-1]]), counts, np.concatenate(times),
            np.maximum(np.array(gaps), 1 / 24),
        )  # fmt: skip


def _facts(bought: _Bought, position: int, since: float) -> dict[str, str | int | float | bool | None]:
    gap = float(bought.gaps[position])
    return {
        "times": int(bought.counts[position]),
        "gap_days": None if np.isnan(gap) else round(gap, 1),
        "days_since": round(float(since), 1),
    }


class AlsSource:
    """Implicit-feedback matrix factorisation (Hu, Koren, Volinsky 2008).

    Only item factors Y are stored; the member's factor is solved for at request time from the purchases,
    x = (YᵀY + Yᵀ(C − I)Y + λI)⁻¹ YᵀC p with C = 1 + α·log(1 + orders). Nothing of a member is in the artifact, and a
    purchase counts at once. An item's facts name the two purchases that contribute most to its score.
    """

    name = "taste"

    def __init__(self, items: Items) -> None:
        self._items = items
        self._memo: PurchaseMemo[list[Candidate]] = PurchaseMemo()

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items that the member has not bought, best first."""
        return self._memo.get(purchases, lambda: self._solve(purchases))[:limit] if purchases else []

    def _solve(self, purchases: Sequence[Purchase]) -> list[Candidate]:
        items, limit = self._items, MOST_TASTES
        orders = {(p.product_id, p.order_id) for p in purchases if p.product_id in items.index}
        counts = Counter(items.index[product_id] for product_id, _ in orders)
        if not counts:
            return []
        owned = np.fromiter(counts, dtype=np.int64)
        excess = items.alpha * np.log1p(np.fromiter(counts.values(), dtype=np.float64))
        y = items.factors[owned].astype(np.float64)
        system = items.gram + (y.T * excess) @ y + items.regularization * np.eye(y.shape[1])
        member = np.linalg.solve(system, y.T @ (1.0 + excess))
        scores = items.factors @ member.astype(np.float32)
        scores[owned] = -np.inf
        best = np.argpartition(-scores, min(limit, len(scores) - 1))[:limit]
        best = best[np.argsort(-scores[best])]
        best = best[scores[best] > 0.01]
        if not len(best):
            return []
        # an item's score is a sum over what was bought: y_i (...)⁻¹ y_j c_j
        shares = (items.factors[best].astype(np.float64) @ np.linalg.solve(system, y.T)) * (1.0 + excess)
        reasons = [self._because(owned, row) for row in shares]
        return [
            Candidate(
                as_product_id(items.product_ids[position]),
                {self.name: float(scores[position] / scores[best[0]])},
                {self.name: because},
            )
            for position, because in zip(best, reasons, strict=True)
            if because["because_1"]  # what cannot be explained truly is not proposed
        ]

    def _because(
        self, owned: NDArray[np.int64], shares: NDArray[np.float64]
    ) -> dict[str, str | int | float | bool | None]:
        categories: list[str] = []
        order = np.argsort(-shares)
        for position in owned[order[shares[order] > 0]]:  # a purchase that speaks against the item is no reason for it
            category = str(self._items.categories[self._items.category[position]])
            if category and category not in categories:
                categories.append(category)
            if len(categories) == 2:
                break
        first, second = [*categories, None, None][:2]
        return {"because_1": first, "because_2": second}


class PopularitySource:
    """What most households buy lately, in this store where it is known."""

    name = "popular"

    def __init__(self, items: Items) -> None:
        self._items = items
        self._ranked: dict[int | None, list[Candidate]] = {}

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items, most popular first."""
        row = self._items.store_index.get(context.store_id or "")
        if row not in self._ranked:
            self._ranked[row] = self._rank(row)
        return self._ranked[row][:limit]

    def _rank(self, row: int | None) -> list[Candidate]:
        items = self._items
        local = None if row is None else np.asarray(items.store_popularity[[row]].todense()).ravel()
        scores = items.popularity if local is None else 0.5 * items.popularity + 0.5 * local
        best = np.argsort(-scores, kind="stable")[:MOST_TASTES]
        return [
            Candidate(
                as_product_id(items.product_ids[position]),
                {self.name: float(scores[position] / scores[best[0]])},
                {
                    self.name: {
                        "buyers": int(items.buyers[position]),
                        "here": bool(local is not None and local[position] > 0),
                    }
                },
            )
            for position in best
            if scores[position] > 0
        ]


class SearchSource:
    """Items whose words match the query: TF-IDF over words and letter trigrams, cosine similarity."""

    name = "search"

    def __init__(self, items: Items, search_terms: dict[str, int], matrix: csc_matrix) -> None:
        self._items = items
        self._terms = search_terms
        self._matrix = matrix

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items that match `context.query`, best match first; none without a query."""
        counts = Counter(self._terms[term] for term in terms(context.query or "") if term in self._terms)
        if not counts:
            return []
        columns = sorted(counts)
        weights = np.array([1.0 + np.log(counts[column]) for column in columns])
        scores = np.asarray(self._matrix[:, columns] @ weights).ravel()
        scores = scores / max(float(np.linalg.norm(weights)), 1e-9)
        best = np.argpartition(-scores, min(limit, len(scores) - 1))[:limit]
        top = float(scores[best].max())
        return [
            Candidate(
                as_product_id(self._items.product_ids[position]),
                {self.name: float(scores[position] / top)},
                {self.name: {"query": context.query, "match": round(float(scores[position]), 3)}},
            )
            for position in best[np.argsort(-scores[best])]
            if scores[position] > 0.45 * top and scores[position] > LEAST_MATCH
        ]


def as_product_id(value: object) -> ProductId:
    """Return an artifact's string as a product id."""
    return ProductId(str(value))
