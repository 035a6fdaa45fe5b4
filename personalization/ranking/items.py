"""The items as ranking reads them: arrays over the catalogue, made by training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
ITEM_ARRAYS = ("product_ids", "categories", "category", "kind", "department", "popularity", "buyers", "facts", "stores")


@dataclass(frozen=True)
class Items:
    """The catalogue as training saw it. All arrays run over items in the same order.

    product_ids : (n,) str; category : (n,) int32 into `categories`; kind, department : (n,) int64, numbered from 0;
    popularity : (n,) float32 in [0, 1]; buyers : (n,) int32, households of the last eight weeks; facts : (n,
    features.CATALOGUE) float32; neighbours : (n, n) sparse float32, from what was bought (rows) to what fits it (columns);
    store_popularity : (s, n) sparse float32 in [0, 1] for the s `stores`.
    """

    product_ids: NDArray[np.str_]
    categories: NDArray[np.str_]
    category: Ints
    kind: NDArray[np.int64]
    department: NDArray[np.int64]
    popularity: Floats
    buyers: Ints
    facts: Floats
    neighbours: csr_matrix
    stores: NDArray[np.str_]
    store_popularity: csc_matrix

    @cached_property
    def index(self) -> dict[str, int]:
        """Product id to position."""
        return {str(product_id): position for position, product_id in enumerate(self.product_ids)}

    @cached_property
    def store_index(self) -> dict[str, int]:
        """Store id to row of `store_popularity`."""
        return {str(store_id): position for position, store_id in enumerate(self.stores)}

    @cached_property
    def kinds(self) -> int:
        """How many kinds there are."""
        return int(self.kind.max()) + 1 if len(self.kind) else 0

    @cached_property
    def neighbours_by_column(self) -> csc_matrix:
        """`neighbours`, quick to read by column."""
        return csc_matrix(self.neighbours)
