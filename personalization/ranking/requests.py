"""Requests to learn from: at past days, what each member's candidates were, and what then happened to them.

One request is one member on one day with all candidates, as serving would have seen them; nothing after the day is in
its features. Requests are made and stored in parts, so that training never holds all of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.features import MemberHistory, taste_scores
from personalization.ranking.history import History, Ints
from personalization.ranking.items import Items
from personalization.ranking.shopper import Shopper
from personalization.ranking.sources import propose_all, shopper_sources

Floats32 = NDArray[np.float32]
REPEAT_DAYS = 30.0
CHUNK = 200  # members whose taste scores are in memory together


@dataclass(frozen=True, slots=True)
class Requests:
    """Candidates of several requests, request by request. All arrays have one length but `starts`.

    starts : (requests + 1,) where each request begins; member, item : positions; features : (rows, FEATURES);
    orders : orders of the item within the horizon; repeats : orders within REPEAT_DAYS; spend : minor units;
    redeemed : whether a coupon was; wait : days until the first order, the horizon where there was none.
    """

    starts: Ints
    member: Ints
    item: Ints
    features: Floats32
    orders: Floats32
    repeats: Floats32
    spend: Floats32
    redeemed: Floats32
    wait: Floats32

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.starts) - 1

    @property
    def satisfaction(self) -> NDArray[np.int64]:
        """How many positive feedbacks each candidate got: bought, bought again, bought with a coupon."""
        return (self.orders > 0).astype(np.int64) + (self.repeats > 1) + (self.redeemed > 0)

    @classmethod
    def joined(cls, parts: Sequence[Requests]) -> Requests:
        """Return all requests of `parts` as one."""
        ends = np.cumsum([0, *(len(part.item) for part in parts)])
        starts = np.concatenate([*(part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)), ends[-1:]])
        rest = [f.name for f in fields(cls) if f.name != "starts"]
        return cls(starts, *(np.concatenate([getattr(part, name) for part in parts]) for name in rest))


def requests_at(history: History, items: Items, members: Ints, day: float, horizon: float) -> Iterator[Requests]:
    """Yield the requests of `members` (rows of the history's member table, rising) on `day`, a part at a time.

    `items` are as of `day`. Members without candidates are left out.
    """
    past, future = history.before(day), history.between(day, day + horizon)
    sources = shopper_sources(items, None)
    nowhere = np.zeros(len(items.product_ids), np.float32)
    for start in range(0, len(members), CHUNK):
        chunk = members[start : start + CHUNK]
        known = _only(past, chunk)
        stores = _main_stores(known, len(chunk))
        whole = MemberHistory.of(known, items, len(chunk))
        taste = taste_scores(whole, items)
        members_, items_, features = [], [], []
        for row, who in enumerate(chunk.tolist()):
            one = MemberHistory.of(numbered(known, row, row + 1), items)
            here = nowhere if stores[row] < 0 else np.asarray(items.store_popularity[[stores[row]]].todense()).ravel()
            shopper = Shopper(items, one, taste[row], here, day)
            found = propose_all(sources, shopper)
            members_.append(np.full(len(found), who))
            items_.append(found)
            features.append(shopper.features(found))
        lengths = np.array([len(found) for found in items_])
        kept = np.flatnonzero(lengths)
        if not len(kept):
            continue
        member, item = np.concatenate(members_), np.concatenate(items_)
        yield Requests(
            np.concatenate([[0], np.cumsum(lengths[kept])]), member, item, np.concatenate(features),
            *_feedback(future, len(items.product_ids), member, item, day, horizon),
        )  # fmt: skip


def _only(history: History, members: Ints) -> History:
    """Return the rows of `members` (rising), numbered by their place there: memory grows with those asked for alone."""
    begin, end = np.searchsorted(history.member, members), np.searchsorted(history.member, members, side="right")
    rows = np.concatenate([np.arange(a, b) for a, b in zip(begin.tolist(), end.tolist(), strict=True)])
    part = (getattr(history, name)[rows] for name in History.__slots__[1:])
    return History(np.repeat(np.arange(len(members)), end - begin), *part)


def numbered(history: History, first: int, last: int) -> History:
    """Return the rows of members first to last - 1, numbered from 0; a history is sorted by member."""
    a, b = np.searchsorted(history.member, [first, last])
    part = History(*(getattr(history, name)[a:b] for name in History.__slots__))
    return History(part.member - first, *(getattr(part, name) for name in History.__slots__[1:]))


def _main_stores(history: History, members: int) -> Ints:
    """Return each member's most visited store, -1 where none is known."""
    seen = history.where(history.store >= 0)
    found = np.full(members, -1)
    if len(seen):
        size = int(seen.store.max()) + 1
        pair, visits = np.unique(seen.member * size + seen.store, return_counts=True)
        by = np.argsort(visits, kind="stable")
        found[pair[by] // size] = pair[by] % size
    return found


def _feedback(
    future: History, size: int, member: Ints, item: Ints, day: float, horizon: float
) -> tuple[Floats32, Floats32, Floats32, Floats32, Floats32]:
    key, wanted = future.member * size + future.item, member * size + item
    known, inverse = np.unique(key, return_inverse=True)
    if not len(known):
        none = np.zeros(len(wanted), np.float32)
        return none, none, none, none, np.full(len(wanted), horizon, np.float32)
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    hit = known[position] == wanted

    def told(weights: NDArray[np.float64]) -> Floats32:
        return np.where(hit, np.bincount(inverse, weights=weights)[position], 0.0).astype(np.float32)

    first = np.full(len(known), horizon)
    np.minimum.at(first, inverse, future.at - day)
    soon = (future.at < day + REPEAT_DAYS).astype(np.float64)
    return (
        told(np.ones(len(key))), told(soon), told(future.spend), told(future.coupon),
        np.where(hit, first[position], horizon).astype(np.float32),
    )  # fmt: skip
