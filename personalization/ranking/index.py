"""The search index of a catalogue: made by training, and at once for a catalogue that nothing was trained on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from personalization.ranking.sources import SearchSource
from personalization.ranking.text import terms
from personalization.types import Candidate, Context, Profile, Purchase

FRESH_S = 20.0


def build(products: pl.DataFrame, popularity: NDArray[np.float32] | None = None) -> tuple[dict[str, int], csc_matrix]:
    """Return a TF-IDF index of names, categories and brands: terms to columns, and (items, terms) of unit rows."""
    ordered = products.sort("product_id")
    rows, columns, values = [], [], []
    vocabulary: dict[str, int] = {}
    for row, (name, category, brand) in enumerate(ordered.select("name", "category", "brand").iter_rows()):
        weights: dict[str, float] = {}
        for text, weight in ((name, 1.0), (category, 0.5), (brand, 0.3)):
            for term in terms(text):
                weights[term] = weights.get(term, 0.0) + weight * (0.35 if term.startswith("#") else 1.0)
        for term, weighed in weights.items():
            rows.append(row)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
            values.append(weighed)
    n = products.height
    matrix = csr_matrix((np.array(values, np.float32), (rows, columns)), shape=(n, len(vocabulary)))
    frequency = np.bincount(matrix.indices, minlength=len(vocabulary))
    matrix.data *= np.log((1 + n) / (1 + frequency[matrix.indices])).astype(np.float32) + 1.0
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix = matrix.multiply(1.0 / np.maximum(norms, 1e-9)[:, None])
    known = np.zeros(n, np.float32) if popularity is None else popularity
    # what nobody buys should not come before what many buy at the same match
    return vocabulary, csc_matrix(matrix.multiply((0.9 + 0.1 * known)[:, None]).astype(np.float32))


class UntrainedSearch:
    """Search by words over the catalogue as it is now, for a shop where nothing was trained yet."""

    name = "search"

    def __init__(self, read: Callable[[], pl.DataFrame], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock, self._lock = read, clock, threading.Lock()
        self._made, self._hash = -FRESH_S, -1
        self._source: SearchSource | None = None

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items that match `context.query`; none without a query."""
        source = self._current() if context.query else None
        return source.candidates(context, profile, purchases, limit) if source else []

    def _current(self) -> SearchSource | None:
        """Return the index; it is made again when the catalogue has changed, which is looked up every FRESH_S."""
        with self._lock:
            if self._clock() - self._made >= FRESH_S:
                products = self._read().sort("product_id")
                fingerprint = hash(
                    tuple(products.select("product_id", "name", "category", "brand").hash_rows().to_list())
                )
                if fingerprint != self._hash:
                    ids = products["product_id"].to_numpy().astype(str)
                    self._source = SearchSource(ids, *build(products)) if len(ids) else None
                    self._hash = fingerprint
                self._made = self._clock()
            return self._source
