"""Basket embeddings: categories that are bought in each other's company lie close, members lie where their spending is.

Category vectors are the singular vectors of positive pointwise mutual information between categories in baskets, which is what
item2vec factorises (Levy and Goldberg 2014). A member's embedding is the spending-weighted mean of the vectors, so that tables and
events give the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

DIMENSIONS, LEAST_BASKETS = 8, 50
Floats = NDArray[np.float64]


class BasketEmbedding:
    """Vectors (c, DIMENSIONS) of `categories`."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self.categories: list[str] = list(model["categories"])
        self.vectors: Floats = np.asarray(model["vectors"], float).reshape(len(self.categories), -1)
        self._row = {name: row for row, name in enumerate(self.categories)}

    def of_shares(self, shares: Mapping[str, float]) -> Floats:
        """Return a member's embedding (DIMENSIONS,) from category shares of spending; unknown categories count for nothing."""
        found = np.zeros(self.vectors.shape[1])
        for name, share in shares.items():
            if (row := self._row.get(name)) is not None:
                found += share * self.vectors[row]
        return found

    def batch(self, lines: pl.DataFrame, at: datetime) -> pl.DataFrame:
        """Return member_id and basket_0 … for every member with an order up to `at`, from the lines that `features.batch` reads."""
        from personalization.profiling.features.tables import category_shares  # noqa: PLC0415  serving needs no Ibis

        shares = category_shares(lines, at, self.categories)
        table = shares.select(self.categories).to_numpy() @ self.vectors
        return shares.select("member_id").with_columns(
            pl.Series(f"basket_{i}", table[:, i]) for i in range(table.shape[1])
        )

    def alike(self, category: str, most: int = 5) -> list[tuple[str, float]]:
        """Return the categories nearest to one, with the cosine; none for an unknown one."""
        if category not in self._row:
            return []
        unit = self.vectors / np.maximum(np.linalg.norm(self.vectors, axis=1, keepdims=True), 1e-12)
        cosine = unit @ unit[self._row[category]]
        order = [i for i in np.argsort(-cosine, kind="stable") if i != self._row[category]][:most]
        return [(self.categories[i], float(cosine[i])) for i in order]


def fit(lines: pl.DataFrame) -> dict[str, Any]:
    """Return {"categories": [...], "vectors": [...]} for order lines (order_id, category)."""
    pairs = lines.filter(pl.col("category") != "").select("order_id", "category").unique().sort("order_id", "category")
    names = _common(pairs)
    if len(names) < 2:
        return {"categories": names, "vectors": [[0.0] * DIMENSIONS for _ in names]}
    vectors = _vectors(_together(pairs.filter(pl.col("category").is_in(names)), names))
    return {"categories": names, "vectors": np.round(vectors, 6).tolist()}


def _common(pairs: pl.DataFrame) -> list[str]:
    counted = pairs.group_by("category").len()
    return counted.filter(pl.col("len") >= LEAST_BASKETS)["category"].sort().to_list()


def _together(pairs: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Return how often each two categories are in one basket, (c, c).

    A basket of n kinds counts 1 / (n - 1) for each pair: in a large basket everything meets everything.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    row = pairs["order_id"].rank("dense").to_numpy().astype(np.int64) - 1
    column = pairs["category"].replace_strict(list(names), np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    table = csr_matrix((np.ones(len(row)), (row, column)), shape=(int(row.max()) + 1, len(names)))
    kinds = np.asarray(table.sum(axis=1)).ravel()
    weight = np.where(kinds > 1, 1.0 / np.maximum(kinds - 1, 1), 0.0)
    found: Floats = (table.T @ table.multiply(weight[:, None])).toarray()
    np.fill_diagonal(found, 0.0)
    return found


def _vectors(together: Floats) -> Floats:
    alone = together.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(together * alone.sum() / np.outer(alone, alone))
    information = np.maximum(np.nan_to_num(information, nan=0.0, neginf=0.0), 0.0)
    values, vectors = np.linalg.eigh(information)
    best = np.argsort(-values)[:DIMENSIONS]
    found = vectors[:, best] * np.sqrt(np.maximum(values[best], 0.0))
    found *= np.where(
        found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])] < 0, -1.0, 1.0
    )  # one sign, run after run
    wide: Floats = np.zeros((len(found), DIMENSIONS))
    wide[:, : found.shape[1]] = found
    return wide
