"""What is known of one shopper at the moment of a request, prepared once for all sources and for the ranker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personalization.memo import PurchaseMemo
from personalization.ranking.features import MemberHistory, pair_features, taste_scores
from personalization.ranking.history import Floats, Ints, as_day, of_purchases, statistics
from personalization.ranking.items import Items
from personalization.types import Context, Purchase

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shopper:
    """A request's view of its shopper. taste, here : (items,), see `features.FEATURES`; day : days since 1970."""

    items: Items
    known: MemberHistory
    taste: Floats32
    here: Floats32
    day: float

    @property
    def owned(self) -> Ints:
        """Positions of the items that the shopper has bought, rising."""
        return self.known.by_item.keys

    def own(self, *names: str) -> dict[str, Floats]:
        """Return statistics of the owned items, in the order of `owned` (see `history.statistics`)."""
        return statistics(self.known.by_item, self.day, names)

    def features(self, item: Ints) -> Floats32:
        """Return (len(item), FEATURES) of the items at these positions."""
        return pair_features(
            self.known, self.items, np.zeros(len(item), np.int64), item, self.day,
            taste=self.taste[item], here=self.here[item],
        )  # fmt: skip

    def because(self, item: int) -> list[int]:
        """Return the owned items that speak for `item`, the strongest first (exact: taste is a sum over them)."""
        column = self.items.neighbours_by_column[:, [item]]
        held = np.intersect1d(column.indices, self.owned, assume_unique=True)
        weight = np.log1p(self.known.by_item.counts[np.searchsorted(self.owned, held)])
        share = weight * np.asarray(column[held].todense()).ravel()
        return [int(position) for position in held[np.argsort(-share, kind="stable")] if share.max() > 0]


class Shoppers:
    """Makes shoppers; what follows from the purchases alone is kept while they are the same object."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._memo: PurchaseMemo[tuple[MemberHistory, Floats32]] = PurchaseMemo()
        self._here: dict[int | None, Floats32] = {}

    def of(self, context: Context, purchases: Sequence[Purchase]) -> Shopper:
        """Return the shopper with these purchases in this context."""
        known, taste = self._memo.get(purchases, lambda: self._prepare(purchases)) if purchases else self._stranger
        return Shopper(self._items, known, taste, self.here(context.store_id), as_day(context.at))

    @cached_property
    def _stranger(self) -> tuple[MemberHistory, Floats32]:
        return self._prepare(())

    def here(self, store_id: str | None) -> Floats32:
        """Return every item's popularity in a store, zeros where the store is unknown."""
        row = self._items.store_index.get(store_id or "")
        if row not in self._here:
            size = len(self._items.product_ids)
            self._here[row] = (
                np.zeros(size, np.float32)
                if row is None
                else np.asarray(self._items.store_popularity[[row]].todense(), np.float32).ravel()
            )
        return self._here[row]

    def _prepare(self, purchases: Sequence[Purchase]) -> tuple[MemberHistory, Floats32]:
        history = of_purchases(purchases, self._items.index, self._items.store_index)
        known = MemberHistory.of(history, self._items)
        return known, taste_scores(known, self._items)[0]
