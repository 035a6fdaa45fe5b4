"""Features of (member, item) pairs as of a day: one code for training and for serving, so that the two cannot differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from personalization.ranking.history import Grouped, History, Ints, group, statistics
from personalization.ranking.items import Items

Floats32 = NDArray[np.float32]

_ITEM = ("decay14", "decay45", "decay120", "n", "in7", "in28", "in91", "since", "first", "gap", "gap_spread", "last_gap", "due", "quantity", "spend")  # fmt: skip
_LEVEL = ("decay45", "decay120", "n", "since", "gap", "due")
_MEMBER = ("n", "in7", "in28", "in91", "since", "first", "gap", "due", "quantity", "spend", "decay14", "decay45", "decay120")  # fmt: skip
_ZERO_WHEN_NEW = frozenset({"decay14", "decay45", "decay120", "n", "in7", "in28", "in91"})
CATALOGUE = ("buyers7", "buyers28", "buyers91", "buyers", "repeat_share", "orders_per_buyer", "gap", "age", "price", "trend", "kind_share")  # fmt: skip

FEATURES: tuple[str, ...] = (
    *(f"item_{name}" for name in _ITEM),
    *(f"kind_{name}" for name in _LEVEL), "kind_items",
    *(f"category_{name}" for name in _LEVEL),
    *(f"member_{name}" for name in _MEMBER), "member_items", "member_repeat_share",
    "rate14", "rate45", "rate120", "rate", "rate_of_kind45", "rate_of_kind", "since_kind", "due_as_others",
    *(f"catalogue_{name}" for name in CATALOGUE),
    "taste", "here",
)  # fmt: skip
"""What every ranking model reads, in this order. nan means that there is nothing to tell.

item_*, kind_*, category_* : the member's own orders of the item, of its kind and of its category (see `history.statistics`);
member_* : all orders; rate* : the item's orders per order of the member, and per order of its kind; since_kind : days
between the last order of the item and of its kind; due_as_others : since / the gap that others have;
catalogue_* : the item among all members; taste : see `taste_scores`; here : its popularity in the store, in [0, 1].
"""


@dataclass(frozen=True, slots=True)
class MemberHistory:
    """A history grouped as the features need it; what does not depend on the time of asking is done once."""

    history: History
    by_item: Grouped
    by_kind: Grouped
    by_category: Grouped
    by_member: Grouped
    members: int

    @classmethod
    def of(cls, history: History, items: Items, members: int = 1) -> MemberHistory:
        """Group `history`, whose member rows are below `members`."""
        return cls(
            history,
            group(history, None, len(items.product_ids)),
            group(history, items.kind, items.kinds),
            group(history, items.category.astype(np.int64), len(items.categories)),
            group(history, np.zeros(len(items.product_ids), np.int64), 1),
            members,
        )


def taste_scores(known: MemberHistory, items: Items) -> Floats32:
    """Return how well each item fits what each member bought, (members, items): x B with B of `items.neighbours` (EASE).

    x = log(1 + orders). An item's own orders do not count towards it, since B's diagonal is zero.
    """
    size = len(items.product_ids)
    x = csr_matrix(
        (np.log1p(known.by_item.counts).astype(np.float32), (known.by_item.keys // size, known.by_item.keys % size)),
        shape=(known.members, size),
    )
    return np.asarray((x @ items.neighbours).todense(), np.float32)


def pair_features(
    known: MemberHistory, items: Items, member: Ints, item: Ints, day: float, *, taste: Floats32, here: Floats32
) -> Floats32:
    """Return (pairs, len(FEATURES)) for the pairs `member[i]`, `item[i]` as of `day` (days since 1970).

    taste, here : (pairs,), see `FEATURES`. Nothing after `day` may be in `known`.
    """
    size = len(items.product_ids)
    kind, category = items.kind[item], items.category[item].astype(np.int64)
    columns: dict[str, NDArray[np.float64] | Floats32] = {}

    def join(prefix: str, grouped: Grouped, keys: Ints, names: tuple[str, ...]) -> None:
        position, found = grouped.find(keys)
        values = statistics(grouped, day, names)
        for name in names:
            missing = 0.0 if name in _ZERO_WHEN_NEW else np.nan
            columns[f"{prefix}_{name}"] = (
                np.where(found, values[name][position], missing) if len(grouped.keys) else np.full(len(keys), missing)
            )

    join("item", known.by_item, member * size + item, _ITEM)
    join("kind", known.by_kind, member * items.kinds + kind, _LEVEL)
    join("category", known.by_category, member * len(items.categories) + category, _LEVEL)
    join("member", known.by_member, member, _MEMBER)
    owner, owned = known.by_item.keys // size, known.by_item.keys % size
    columns["kind_items"] = _count(owner * items.kinds + items.kind[owned], member * items.kinds + kind)
    distinct = np.bincount(owner, minlength=known.members)
    again = np.bincount(owner, weights=known.by_item.counts > 1, minlength=known.members)
    columns["member_items"] = distinct[member].astype(np.float64)
    columns["member_repeat_share"] = (again / np.maximum(distinct, 1))[member]
    for life in (14, 45, 120):
        columns[f"rate{life}"] = columns[f"item_decay{life}"] / np.maximum(columns[f"member_decay{life}"], 0.01)
    columns["rate"] = columns["item_n"] / np.maximum(columns["member_n"], 1.0)
    columns["rate_of_kind45"] = columns["item_decay45"] / np.maximum(columns["kind_decay45"], 0.01)
    columns["rate_of_kind"] = columns["item_n"] / np.maximum(columns["kind_n"], 1.0)
    columns["since_kind"] = columns["item_since"] - columns["kind_since"]
    facts = items.facts[item]
    for position, name in enumerate(CATALOGUE):
        columns[f"catalogue_{name}"] = facts[:, position]
    columns["due_as_others"] = columns["item_since"] / np.maximum(columns["catalogue_gap"], 1.0)
    columns["taste"], columns["here"] = taste, here
    found = np.empty((len(member), len(FEATURES)), np.float32)
    for position, name in enumerate(FEATURES):
        found[:, position] = columns[name]
    return found


def _count(keys: Ints, wanted: Ints) -> NDArray[np.float64]:
    known, counts = np.unique(keys, return_counts=True)
    if not len(known):
        return np.zeros(len(wanted))
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[position] == wanted, counts[position], 0).astype(np.float64)
