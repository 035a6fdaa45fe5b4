"""The nearest of many vectors: exactly, or approximately by HNSW (Malkov and Yashunin 2018) where there are many."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
MOST_EXACT = 20_000  # vectors; 1 ms on one core
LINKS, BUILD_REACH, SEARCH_REACH = 32, 80, 128  # of HNSW: per vector, and how many candidates are kept while it walks


class Nearest(Protocol):
    """Finds vectors by their inner product with another."""

    def find(self, vector: Floats32, limit: int) -> tuple[Ints, Floats32]:
        """Return the positions of up to `limit` nearest vectors, nearest first, and their products."""
        ...


class Exact:
    """Compares with every vector."""

    def __init__(self, vectors: Floats32) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)

    def find(self, vector: Floats32, limit: int) -> tuple[Ints, Floats32]:
        """Return the nearest."""
        limit = min(limit, len(self._vectors))
        if limit <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        products = self._vectors @ vector
        best = np.argpartition(-products, limit - 1)[:limit]
        best = best[np.argsort(-products[best], kind="stable")]
        return best, products[best]


class Approximate:
    """Walks a graph of neighbours, in time that grows with the logarithm of the vectors."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._index.hnsw.efSearch = SEARCH_REACH

    @classmethod
    def of(cls, vectors: Floats32) -> Approximate:
        """Build the graph of `vectors` (n, d), on one thread: 6 s for 25,000, 40 s for 100,000."""
        import faiss  # noqa: PLC0415 - small catalogues do without

        faiss.omp_set_num_threads(1)
        index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD_REACH
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    @classmethod
    def load(cls, dumped: NDArray[np.uint8]) -> Approximate:
        """Return the graph that `dump` made."""
        import faiss  # noqa: PLC0415 - small catalogues do without

        return cls(faiss.deserialize_index(dumped))

    def dump(self) -> NDArray[np.uint8]:
        """Return the graph as bytes."""
        import faiss  # noqa: PLC0415 - small catalogues do without

        found: NDArray[np.uint8] = faiss.serialize_index(self._index)
        return found

    def find(self, vector: Floats32, limit: int) -> tuple[Ints, Floats32]:
        """Return the nearest that the walk meets."""
        products, found = self._index.search(np.ascontiguousarray(vector, np.float32)[None], limit)
        kept = found[0] >= 0
        return found[0][kept], products[0][kept]
