"""What training learns of every item: its kind, how it sells, its prices, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from personalization.ranking.features import CATALOGUE
from personalization.ranking.history import History, Ints, group
from personalization.ranking.items import Items

Floats32 = NDArray[np.float32]
EASE_PENALTY = 200.0
MOST_NEIGHBOURS = 100
MOST_SOURCES = 25_000  # items that the closed form is solved over
MOST_MEMBERS = 5_000  # members whose orders it is solved from, a random sample of more
LEAST_BUYERS = 10
BLOCK = 1_000


POPULAR_DAYS = 56.0
LEAST_LOCAL = 3  # buyers, below which nothing is said of an item in a store


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What does not change with time: ids and groups of the products, sorted by id, and the stores."""

    product_ids: pl.Series
    categories: NDArray[np.str_]
    category: NDArray[np.int32]
    kind: Ints
    department: Ints
    stores: pl.Series

    @classmethod
    def of(cls, products: pl.DataFrame, lines: pl.DataFrame) -> Catalogue:
        """Return the products and the stores of the order lines, numbered (columns: see `TrainingSource`)."""
        products = products.sort("product_id")
        categories = products["category"].unique().sort()
        numbers = np.arange(len(categories))
        return cls(
            products["product_id"],
            categories.to_numpy().astype(str),
            products["category"].replace_strict(categories, numbers, return_dtype=pl.Int32).to_numpy(),
            kinds(products)[0],
            products["department"].rank("dense").cast(pl.Int64).to_numpy() - 1,
            lines["store_id"].drop_nulls().unique().sort(),
        )


def items_at(
    catalogue: Catalogue, history: History, members: int, day: float, *, seed: int, near: csr_matrix | None = None
) -> Items:
    """Return the items as they were known at `day`, from what was bought before it.

    near : neighbours of a day before, where they need not be found anew: they take nearly all the time.
    """
    past, size = history.before(day), len(catalogue.product_ids)
    recent = past.where(past.at > day - POPULAR_DAYS)
    buyers = np.bincount(np.unique(recent.member * size + recent.item) % size, minlength=size).astype(np.int32)
    kinds_ = int(catalogue.kind.max()) + 1
    return Items(
        product_ids=catalogue.product_ids.to_numpy().astype(str), categories=catalogue.categories, category=catalogue.category,
        kind=catalogue.kind, department=catalogue.department,
        popularity=(np.log1p(buyers) / np.log1p(max(int(buyers.max()), 1))).astype(np.float32), buyers=buyers,
        facts=item_facts(past, catalogue.kind, kinds_, size, day),
        neighbours=neighbours(past, members, size, day, seed=seed) if near is None else near,
        stores=catalogue.stores.to_numpy().astype(str), store_popularity=_store_popularity(recent, len(catalogue.stores), size),
    )  # fmt: skip


def _store_popularity(recent: History, stores: int, items: int) -> csc_matrix:
    known = recent.where(recent.store >= 0)
    bought = np.unique((known.store * items + known.item) * (known.member.max(initial=0) + 1) + known.member)
    pair, buyers = np.unique(bought // (known.member.max(initial=0) + 1), return_counts=True)
    pair, buyers = pair[buyers >= LEAST_LOCAL], buyers[buyers >= LEAST_LOCAL]
    store, item = pair // items, pair % items
    most = np.ones(max(stores, 1))
    np.maximum.at(most, store, buyers)
    return csc_matrix(((buyers / most[store]).astype(np.float32), (store, item)), shape=(max(stores, 1), items))


def kinds(products: pl.DataFrame) -> tuple[Ints, int]:
    """Return each product's kind, and how many there are: the same category and the same name up to its package size."""
    named = products.select(pl.concat_str("category", pl.lit("|"), pl.col("name").str.split(",").list.first()))
    codes = named.to_series().rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes, int(codes.max()) + 1 if len(codes) else 0


def item_facts(history: History, kind: Ints, kinds_: int, items: int, day: float) -> Floats32:
    """Return (items, len(CATALOGUE)) of what was bought before `day`.

    buyers7 … buyers : members who bought it within so many days and ever; repeat_share : of its buyers, who bought it
    again; gap : mean days between their orders; age : days since its first sale; price : mean paid per piece, minor
    units; trend : buyers of 28 days against those of 91; kind_share : its part in the buyers of its kind.
    """
    past = history.before(day)

    def buyers(days: float) -> NDArray[np.float64]:
        recent = past.where(past.at >= day - days)
        return np.bincount(np.unique(recent.member * items + recent.item) % items, minlength=items).astype(np.float64)

    pairs = group(past, None, items)
    item = pairs.keys % items
    ever = np.bincount(item, minlength=items).astype(np.float64)
    again = np.bincount(item, weights=pairs.counts > 1, minlength=items)
    gaps = np.bincount(item, weights=np.nan_to_num(pairs.gap), minlength=items)
    first = np.full(items, np.inf)
    np.minimum.at(first, past.item, past.at)
    b28, b91 = buyers(28), buyers(91)
    pieces = np.bincount(past.item, weights=past.quantity, minlength=items)
    columns = {
        "buyers7": buyers(7), "buyers28": b28, "buyers91": b91, "buyers": ever,
        "repeat_share": again / np.maximum(ever, 1.0),
        "orders_per_buyer": np.bincount(item, weights=pairs.counts, minlength=items) / np.maximum(ever, 1.0),
        "gap": gaps / np.maximum(again, 1.0),
        "age": np.where(np.isfinite(first), day - first, 0.0),
        "price": np.bincount(past.item, weights=past.spend, minlength=items) / np.maximum(pieces, 1.0),
        "trend": (b28 + 1.0) / (b91 / 3.25 + 1.0),
        "kind_share": b91 / np.maximum(np.bincount(kind, weights=b91, minlength=kinds_)[kind], 1.0),
    }  # fmt: skip
    return np.stack([columns[name] for name in CATALOGUE], axis=1).astype(np.float32)


def neighbours(history: History, members: int, items: int, day: float, *, seed: int) -> csr_matrix:
    """Return EASE's item-to-item weights B (items, items), the MOST_NEIGHBOURS strongest per column (Steck 2019).

    B = I - P diag(P)^-1 with P = (XᵀX + λI)^-1 and X = log(1 + orders). P is solved for over members where they are fewer
    than items: P = (I - Xᵀ(XXᵀ + λI)^-1 X) / λ. Items with fewer than LEAST_BUYERS buyers have no neighbours.
    """
    pairs = group(history.before(day), None, items)
    owner, item, weight = pairs.keys // items, pairs.keys % items, np.log1p(pairs.counts).astype(np.float32)
    common = np.flatnonzero(np.bincount(item, minlength=items) >= LEAST_BUYERS)
    if len(common) > MOST_SOURCES:
        popular = np.argsort(-np.bincount(item, minlength=items)[common], kind="stable")[:MOST_SOURCES]
        common = np.sort(common[popular])
    if len(common) < 2:
        return csr_matrix((items, items), dtype=np.float32)
    sampled = np.unique(owner)
    if len(sampled) > MOST_MEMBERS:
        sampled = np.sort(np.random.default_rng(seed).permutation(sampled)[:MOST_MEMBERS])
    column, row = np.full(items, -1), np.full(members, -1)
    column[common], row[sampled] = np.arange(len(common)), np.arange(len(sampled))
    kept = (column[item] >= 0) & (row[owner] >= 0)
    x = csr_matrix((weight[kept], (row[owner[kept]], column[item[kept]])), shape=(len(sampled), len(common)))
    gram = np.asarray((x @ x.T).todense(), np.float32)
    gram[np.diag_indices_from(gram)] += EASE_PENALTY
    solved = np.linalg.inv(gram) @ np.asarray(x.todense(), np.float32)  # (XXᵀ + λI)^-1 X, (members, items)
    diagonal = 1.0 - np.asarray(x.multiply(solved).sum(axis=0)).ravel()  # λ diag(P)
    most = min(MOST_NEIGHBOURS, len(common) - 1)
    rows, columns, values = [], [], []
    for start in range(0, len(common), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(common)))
        weights = np.asarray(x.T @ solved[:, block]).T / np.maximum(diagonal[block], 1e-6)[:, None]
        weights = np.ascontiguousarray(weights, np.float32)  # one row per column of B
        weights[np.arange(len(block)), block] = 0.0
        best = np.argpartition(np.abs(weights), len(common) - most, axis=1)[:, -most:]
        rows.append(best.ravel())
        columns.append(np.repeat(block, most))
        values.append(np.take_along_axis(weights, best, axis=1).ravel())
    place = (common[np.concatenate(rows)], common[np.concatenate(columns)])
    return csr_matrix((np.concatenate(values).astype(np.float32), place), shape=(items, items))
