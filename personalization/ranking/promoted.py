"""Candidates that the store promotes right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from personalization.ports import Promotions
from personalization.ranking.history import Ints
from personalization.ranking.items import Items
from personalization.ranking.shopper import Shopper, Shoppers
from personalization.ranking.sources import LIMITS
from personalization.types import Candidate, Context, ProductId, Profile, Purchase, StoreId

MOST_KEPT = 256  # stores


class PromotionSource:
    """What is on display or in the mailer of this store now, the member's own kinds first, then what sells best.

    Training does not know it: past promotions are not kept.
    """

    name = "promoted"

    def __init__(self, items: Items, shoppers: Shoppers, promotions: Promotions) -> None:
        self._items, self._shoppers, self._promotions = items, shoppers, promotions
        self._kept: dict[StoreId | None, tuple[Mapping[ProductId, str], Ints]] = {}

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` promoted items, best first; the score is above one half for the member's own kinds."""
        running = self._promotions.running(context.store_id, at=context.at)
        found = self._positions(context.store_id, running)
        if not len(found):
            return []
        own = self._own(self._shoppers.of(context, purchases), found)
        popularity = self._items.popularity[found].astype(np.float64)
        score = np.where(own, 0.5, 0.0) + 0.5 * np.clip(popularity, 0.0, 1.0)
        best = np.lexsort((-popularity, ~own))[: min(limit, LIMITS[self.name])]
        ids = self._items.product_ids[found[best]].tolist()
        return [
            Candidate(ProductId(i), {self.name: round(value, 6)}, {self.name: {"placement": running[ProductId(i)]}})
            for i, value in zip(ids, score[best].tolist(), strict=True)
        ]

    def _own(self, shopper: Shopper, found: Ints) -> NDArray[np.bool_]:
        """Return which of the items are of a kind that the shopper has bought."""
        return shopper.known.by_kind.find(self._items.kind[found])[1]

    def _positions(self, store_id: StoreId | None, running: Mapping[ProductId, str]) -> Ints:
        """Return the positions of the promoted items that training knew; kept while the promotions are the same object."""
        kept = self._kept.get(store_id)
        if kept is not None and kept[0] is running:
            return kept[1]
        index = self._items.index
        found = np.array(sorted(index[product_id] for product_id in running if product_id in index), np.int64)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[store_id] = running, found
        return found
