"""Candidates that go with a basket, by association rules between categories (`personalization.profiling.rules`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from personalization.ranking.items import Items
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import LIMITS
from personalization.types import Candidate, Context, ProductId, Profile, Purchase

ITEMS_OF_CATEGORY = 4


@dataclass(frozen=True, slots=True)
class _Pairing:
    """A rule between categories, as positions: who buys `given` often buys `then`."""

    given: frozenset[int]
    then: int
    confidence: float


class TogetherSource:
    """Best sellers of the categories that go with the basket, or with the member's last order, and are not in it.

    The score is the rule's confidence: how often baskets with the one hold the other. Rules about behaviours, such as "at
    the weekend", propose nothing.
    """

    name = "together"

    def __init__(self, items: Items, shoppers: Shoppers, rules: Sequence[Mapping[str, Any]]) -> None:
        self._items, self._shoppers = items, shoppers
        self._pairings = _pairings(items, rules)
        order = np.lexsort((-items.popularity, items.category))
        self._of_category = order[items.popularity[order] > 0]
        starts = np.arange(len(items.categories) + 1)
        self._starts = np.searchsorted(items.category[self._of_category], starts)

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items, best first; none without a basket or an order."""
        basket = self._categories(context.exclude) or self._categories(_last_order(purchases))
        best: dict[int, _Pairing] = {}
        for pairing in self._pairings:  # the surest first
            if pairing.given <= basket and pairing.then not in basket:
                best.setdefault(pairing.then, pairing)
        if not best:
            return []
        owned = self._shoppers.of(context, purchases).owned
        bought = frozenset(np.unique(self._items.category[owned]).tolist())
        found = [candidate for pairing in best.values() for candidate in self._of(pairing, pairing.given <= bought)]
        found.sort(key=lambda candidate: -candidate.scores[self.name])
        return found[: min(limit, LIMITS[self.name])]

    def _categories(self, product_ids: frozenset[ProductId]) -> frozenset[int]:
        index, category = self._items.index, self._items.category
        return frozenset(int(category[index[product_id]]) for product_id in product_ids if product_id in index)

    def _of(self, pairing: _Pairing, bought: bool) -> list[Candidate]:
        """Return the best sellers of the rule's consequence."""
        first, last = int(self._starts[pairing.then]), int(self._starts[pairing.then + 1])
        names = sorted(str(self._items.categories[position]) for position in pairing.given)
        facts = {"with": names[0], "with_2": names[1] if len(names) > 1 else None, "bought": bought}
        return [
            Candidate(
                ProductId(str(self._items.product_ids[position])),
                # at the same confidence what sells better comes first
                {self.name: round(pairing.confidence * (0.9 + 0.1 * float(self._items.popularity[position])), 6)},
                {self.name: facts},
            )
            for position in self._of_category[first : min(first + ITEMS_OF_CATEGORY, last)]
        ]


def _pairings(items: Items, rules: Sequence[Mapping[str, Any]]) -> list[_Pairing]:
    """Return the rules between known categories that raise the chance, the surest first."""
    index = {str(name): position for position, name in enumerate(items.categories) if name}
    found = [
        _Pairing(frozenset(index[name] for name in rule["given"]), index[rule["then"]], float(rule["confidence"]))
        for rule in rules
        if rule["lift"] > 1 and rule["then"] in index and all(name in index for name in rule["given"])
    ]
    return sorted(found, key=lambda pairing: (-pairing.confidence, pairing.then, sorted(pairing.given)))


def _last_order(purchases: Sequence[Purchase]) -> frozenset[ProductId]:
    """Return the products of the last of the purchases' orders; they are in the order of time."""
    if not purchases:
        return frozenset()
    last = purchases[-1].order_id
    return frozenset(purchase.product_id for purchase in purchases if purchase.order_id == last)
