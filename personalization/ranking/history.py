"""What members bought, as arrays: the same code reads one shopper's history while serving and everybody's while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.types import Purchase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY_S = 86_400.0
HALF_LIVES = (14.0, 45.0, 120.0)  # days
WINDOWS = (7.0, 28.0, 91.0)  # days


@dataclass(frozen=True, slots=True)
class History:
    """One row per order and item, in the order of member, item and time.

    member : rows of a member table, item : positions in `Items`, order : a number per order; at : days since 1970;
    quantity : pieces; spend : minor units; coupon : whether a coupon was redeemed on it. All arrays have one length.
    """

    member: Ints
    item: Ints
    order: Ints
    at: Floats
    quantity: Floats
    spend: Floats
    coupon: Floats
    store: Ints

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.item)

    def where(self, kept: NDArray[np.bool_] | Ints) -> History:
        """Return the rows that `kept` marks or numbers, in that order."""
        return History(*(getattr(self, name)[kept] for name in self.__slots__))

    def before(self, day: float) -> History:
        """Return what was bought before `day`."""
        return self.where(self.at < day)

    def between(self, start: float, end: float) -> History:
        """Return what was bought from `start` on and before `end`."""
        return self.where((self.at >= start) & (self.at < end))


def as_day(at: datetime) -> float:
    """Return a time as days since 1970."""
    return at.timestamp() / DAY_S


def _sorted(
    member: Ints, item: Ints, order: Ints, at: Floats, quantity: Floats, spend: Floats, coupon: Floats, store: Ints
) -> History:
    """Sort, and add the lines of one item in one order together."""
    by = np.lexsort((order, at, item, member))
    found = History(member, item, order, at, quantity, spend, coupon, store).where(by)
    if not len(by):
        return found
    key = np.stack([found.member, found.item, found.order])
    starts = np.flatnonzero(np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)]))
    first = found.where(starts)
    quantity, spend, coupon = (np.add.reduceat(part, starts) for part in (found.quantity, found.spend, found.coupon))
    return History(first.member, first.item, first.order, first.at, quantity, spend, coupon, first.store)


def of_purchases(purchases: Sequence[Purchase], index: Mapping[str, int], stores: Mapping[str, int]) -> History:
    """Return one member's history (row 0); items that training did not know are left out."""
    known = [(index[p.product_id], p) for p in purchases if p.product_id in index]
    orders: dict[str, int] = {}
    return _sorted(
        np.zeros(len(known), np.int64),
        np.array([item for item, _ in known], np.int64),
        np.array([orders.setdefault(p.order_id, len(orders)) for _, p in known], np.int64),
        np.array([as_day(p.at) for _, p in known], np.float64),
        np.array([p.quantity for _, p in known], np.float64),
        np.array([p.amount.minor_units for _, p in known], np.float64),
        np.zeros(len(known)),
        np.array([stores.get(p.store_id or "", -1) for _, p in known], np.int64),
    )


def of_lines(lines: pl.DataFrame, members: pl.Series, items: pl.Series, stores: pl.Series) -> History:
    """Return everybody's history; `members`, `items` and `stores` are the sorted ids that rows and positions refer to.

    `lines` : see `TrainingSource.order_lines`. Lines of other members or items are left out.
    """
    found = lines.join(_positions(members, "member_id", "__member"), on="member_id")
    found = found.join(_positions(items, "product_id", "__item"), on="product_id")
    found = found.join(_positions(stores, "store_id", "__store"), on="store_id", how="left")
    return _sorted(
        found["__member"].cast(pl.Int64).to_numpy(),
        found["__item"].cast(pl.Int64).to_numpy(),
        found["order_id"].rank("dense").cast(pl.Int64).to_numpy(),
        found["at"].dt.timestamp("us").to_numpy() / (DAY_S * 1e6),
        found["quantity"].cast(pl.Float64).to_numpy(),
        found["amount_minor"].cast(pl.Float64).to_numpy(),
        (found["coupon_minor"] > 0).cast(pl.Float64).to_numpy(),
        found["__store"].cast(pl.Int64).fill_null(-1).to_numpy(),
    )


def _positions(ids: pl.Series, name: str, position: str) -> pl.DataFrame:
    return pl.DataFrame({name: ids}).with_row_index(position)


@dataclass(frozen=True, slots=True)
class Grouped:
    """A history by key: one entry per member and key, `keys` = member * size + key in rising order.

    Rows of one order count once. starts, counts : where a group's rows lie; at, quantity, spend run group by group.
    """

    keys: Ints
    starts: Ints
    counts: Ints
    at: Floats
    quantity: Floats
    spend: Floats
    gap: Floats
    gap_spread: Floats
    last_gap: Floats

    def find(self, keys: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Return each key's group, and whether there is one (else the position means nothing)."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
        position = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return position, self.keys[position] == keys


def group(history: History, of_item: Ints | None, size: int) -> Grouped:
    """Group by member and `of_item[item]` (by item itself when None); `size` bounds the key."""
    key = history.member * size + (history.item if of_item is None else of_item[history.item])
    order, at, quantity, spend = history.order, history.at, history.quantity, history.spend
    if of_item is not None and len(key):
        by = np.lexsort((order, at, key))
        key, order, at, quantity, spend = key[by], order[by], at[by], quantity[by], spend[by]
        rows = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]) | (order[1:] != order[:-1])]))
        quantity, spend = np.add.reduceat(quantity, rows), np.add.reduceat(spend, rows)
        key, at = key[rows], at[rows]
    keys, starts, counts = _runs(key)
    if not len(keys):
        none = np.zeros(0)
        return Grouped(keys, starts, counts, at, quantity, spend, none, none, none)
    last = starts + counts - 1
    steps = np.diff(at, prepend=at[:1])
    steps[starts] = 0.0
    between = np.maximum(counts - 1, 1)
    gap = np.where(counts > 1, (at[last] - at[starts]) / between, np.nan)
    square = np.add.reduceat(steps * steps, starts) / between
    spread = np.where(counts > 2, np.sqrt(np.maximum(square - np.nan_to_num(gap) ** 2, 0.0)), np.nan)
    return Grouped(keys, starts, counts, at, quantity, spend, gap, spread, np.where(counts > 1, steps[last], np.nan))


def _runs(sorted_keys: Ints) -> tuple[Ints, Ints, Ints]:
    if not len(sorted_keys):
        return sorted_keys, np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], sorted_keys[1:] != sorted_keys[:-1]]))
    return sorted_keys[starts], starts, np.diff(np.append(starts, len(sorted_keys)))


def statistics(grouped: Grouped, day: float, names: Sequence[str]) -> dict[str, Floats]:
    """Return the named statistics of every group as of `day`, each (groups,).

    n : orders; decay14, decay45, decay120 : orders that halve every so many days; in7, in28, in91 : orders within so many
    days; since, first : days since the last and the first; gap, gap_spread, last_gap : mean, spread and last of the days
    between orders (nan below two, three and two orders); due : since / gap; quantity, spend : per order.
    """
    make: dict[str, Any] = {}
    ages = np.maximum(day - grouped.at, 0.0)
    starts, counts = grouped.starts, grouped.counts
    for life in HALF_LIVES:
        make[f"decay{life:g}"] = lambda life=life: np.add.reduceat(np.exp2(ages / -life), starts)
    for window in WINDOWS:
        make[f"in{window:g}"] = lambda window=window: np.add.reduceat((ages <= window).astype(np.float64), starts)
    make |= {
        "n": lambda: counts.astype(np.float64),
        "since": lambda: ages[starts + counts - 1],
        "first": lambda: ages[starts],
        "gap": lambda: grouped.gap,
        "gap_spread": lambda: grouped.gap_spread,
        "last_gap": lambda: grouped.last_gap,
        "due": lambda: ages[starts + counts - 1] / np.maximum(grouped.gap, 0.5),
        "quantity": lambda: np.add.reduceat(grouped.quantity, starts) / counts,
        "spend": lambda: np.add.reduceat(grouped.spend, starts) / counts,
    }
    return {name: make[name]() if len(starts) else np.zeros(0) for name in names}
