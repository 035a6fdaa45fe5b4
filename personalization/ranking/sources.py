"""Candidate sources: what the shopper buys again, what fits it, what is of its kind, sells well, is new, or answers a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from personalization.ranking.features import CATALOGUE
from personalization.ranking.history import Ints
from personalization.ranking.items import Items
from personalization.ranking.sentences.texts import Sentences
from personalization.ranking.shopper import Shopper, Shoppers
from personalization.ranking.text import terms, wanted, words
from personalization.types import Candidate, Context, ProductId, Profile, Purchase

HALF_LIFE = "decay120"
LEAST_MATCH = 0.3  # cosine; what shares only a few letters with the query lies below
SURE_MATCH = 0.4  # cosine, from which on words or a slip of the pen decide, and not what else means the same
LEAST_SIMILAR, LEAST_SIMILAR_UNKNOWN = 0.42, 0.55  # cosine; docs/models/similar.md tells what lies above and below
SIMILAR_TO_BEST = 0.8  # of the best text's cosine
TEXTS_ASKED, ITEMS_OF_TEXT = 40, 5
NEW_DAYS, KINDS_ASKED = 42.0, 30
Proposed = tuple[Ints, NDArray[np.float64]]
"""Positions of items and their scores in [0, 1], best first."""

_NONE: Proposed = (np.zeros(0, np.int64), np.zeros(0))


class ShopperSource(ABC):
    """A source that needs the shopper alone. `propose` works on arrays, so that training can ask it for every member."""

    name: str

    def __init__(self, items: Items, shoppers: Shoppers | None) -> None:
        self._items, self._shoppers = items, shoppers

    @abstractmethod
    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return up to `limit` items."""

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` candidates, best first."""
        if self._shoppers is None:
            raise ValueError("a source without shoppers can only propose")
        found, scores = self.propose(self._shoppers.of(context, purchases), limit)
        ids = self._items.product_ids[found].tolist()
        return [
            Candidate(ProductId(i), {self.name: score}) for i, score in zip(ids, scores.round(6).tolist(), strict=True)
        ]


class RepeatPurchaseSource(ShopperSource):
    """Items that the member buys again: order counts that halve every 120 days, lowered while the pack still lasts."""

    name = "repeat"

    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return what was bought, most expected first."""
        if not len(shopper.owned):
            return _NONE
        own = shopper.own(HALF_LIFE, "due", "n")
        weights, due = own[HALF_LIFE], own["due"]  # due is nan where it was bought once
        weights = np.where(due < 0.5, weights * (0.3 + 1.4 * due), weights)  # just bought: the pack still lasts
        best = np.argsort(-weights, kind="stable")[:limit]
        return shopper.owned[best], weights[best] / weights[best[0]]


class TasteSource(ShopperSource):
    """What fits the purchases by EASE's item-to-item weights (Steck 2019), never bought so far.

    Nothing of a member is in the artifact, and a purchase counts at once.
    """

    name = "taste"

    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return what fits best."""
        scores = shopper.taste.copy()
        scores[shopper.owned] = 0.0
        return _best(scores, limit)


class KindSource(ShopperSource):
    """The best-selling items, not bought so far, of the kinds that the member buys most."""

    name = "kind"

    def __init__(self, items: Items, shoppers: Shoppers | None) -> None:
        super().__init__(items, shoppers)
        order = np.lexsort((-items.popularity, items.kind))
        order = order[items.popularity[order] > 0]
        self._of_kind = order
        self._starts = np.searchsorted(items.kind[order], np.arange(items.kinds + 1))

    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return up to a few items of each kind, by the share of the kind in the member's orders and by popularity."""
        if not len(shopper.owned):
            return _NONE
        decay = shopper.own(HALF_LIFE)[HALF_LIFE]
        weight = np.bincount(self._items.kind[shopper.owned], weights=decay)
        kinds = np.argsort(-weight, kind="stable")[:KINDS_ASKED]
        each = max(2 * limit // KINDS_ASKED, 2) + 4
        found = [
            self._of_kind[self._starts[k] : min(self._starts[k] + each, self._starts[k + 1])]
            for k in kinds
            if weight[k] > 0
        ]
        items = np.concatenate(found)
        items = items[~np.isin(items, shopper.owned)]
        if not len(items):
            return _NONE
        score = weight[self._items.kind[items]] * self._items.popularity[items]
        best = np.argsort(-score, kind="stable")[:limit]
        return items[best], score[best] / score[best[0]]


class PopularitySource(ShopperSource):
    """What most households buy lately, in this store where it is known."""

    name = "popular"

    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return the most popular items."""
        popularity = self._items.popularity
        return _best(0.5 * popularity + 0.5 * shopper.here if shopper.here.any() else popularity, limit)


class NewSource(ShopperSource):
    """Exploration: items that came lately and that few know yet, those of the member's own categories first."""

    name = "new"

    def __init__(self, items: Items, shoppers: Shoppers | None) -> None:
        super().__init__(items, shoppers)
        age, sold = items.facts[:, CATALOGUE.index("age")], items.facts[:, CATALOGUE.index("buyers")]
        history_days = float(age.max()) if len(age) else 0.0
        # when the history itself is short, everything in it looks new
        fresh = (age > 0) & (age < min(NEW_DAYS, history_days / 4)) & (sold > 0)
        self._fresh = np.flatnonzero(fresh)

    def propose(self, shopper: Shopper, limit: int) -> Proposed:
        """Return new items."""
        if not len(self._fresh):
            return _NONE
        known = np.bincount(self._items.category[shopper.owned], minlength=len(self._items.categories))
        score = (1.0 + known[self._items.category[self._fresh]]) * (0.1 + self._items.popularity[self._fresh])
        best = np.argsort(-score, kind="stable")[:limit]
        return self._fresh[best], score[best] / score[best[0]]


class SearchSource:
    """Items whose words match the query: TF-IDF over words and letter trigrams, cosine similarity.

    The fact `exact` says that an item has all words of the query, or is as close as only its words or a misspelling make it.
    """

    name = "search"

    def __init__(self, product_ids: NDArray[np.str_], search_terms: dict[str, int], matrix: csc_matrix) -> None:
        self._product_ids = product_ids
        self._terms = search_terms
        self._matrix = matrix

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items that match `context.query`, best match first; none without a query."""
        query = wanted(context.query or "")
        counts = Counter(self._terms[term] for term in terms(query) if term in self._terms)
        if not counts:
            return []
        columns = sorted(counts)
        weights = np.array([1.0 + np.log(counts[column]) for column in columns])
        scores = np.asarray(self._matrix[:, columns] @ weights).ravel()
        scores = scores / max(float(np.linalg.norm(weights)), 1e-9)
        best = np.argpartition(-scores, min(limit, len(scores) - 1))[:limit]
        best = best[np.argsort(-scores[best])]
        top = float(scores[best[0]])
        best = best[(scores[best] > 0.45 * top) & (scores[best] > LEAST_MATCH)]
        exact = self._has_all(words(query), best) | (scores[best] >= SURE_MATCH)
        return [
            Candidate(
                ProductId(str(self._product_ids[position])),
                {self.name: float(scores[position] / top)},
                {self.name: {"query": query, "match": round(float(scores[position]), 3), "exact": bool(sure)}},
            )
            for position, sure in zip(best, exact, strict=True)
        ]

    def _has_all(self, asked: Sequence[str], rows: Ints) -> NDArray[np.bool_]:
        """Return, per row, whether the item has every one of the words."""
        columns = [self._terms.get(word) for word in dict.fromkeys(asked)]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return np.zeros(len(rows), bool)
        found: NDArray[np.int64] = self._matrix[:, known][rows].getnnz(axis=1)
        return found == len(known)


class SimilarSource:
    """Items whose text means what the query means, whatever its words: cosine of sentence embeddings.

    A query of no word that the model knows is spelled from pieces, so it needs a closer match; gibberish has none.
    """

    name = "similar"

    def __init__(self, items: Items, sentences: Sentences) -> None:
        self._items, self._sentences = items, sentences
        text = sentences.text
        self._of_text = np.lexsort((-items.popularity, text))
        self._starts = np.searchsorted(text[self._of_text], np.arange(int(text.max(initial=-1)) + 2))

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]:
        """Return up to `limit` items near `context.query`, the best-selling ones of each text; none without a query."""
        query = wanted(context.query or "")
        asked = words(query)
        if not asked:
            return []
        encoder = self._sentences.encoder
        texts, cosine = self._sentences.index.find(encoder.query(query), TEXTS_ASKED)
        least = LEAST_SIMILAR if any(encoder.knows(word) for word in asked) else LEAST_SIMILAR_UNKNOWN
        if not len(cosine) or cosine[0] < least:
            return []
        least = max(least, SIMILAR_TO_BEST * float(cosine[0]))
        near = cosine >= least
        score = 0.5 + 0.5 * (cosine - least + 1e-9) / (float(cosine[0]) - least + 1e-9)  # the last one counts half
        found = [
            candidate
            for text, match, counts in zip(
                texts[near].tolist(), cosine[near].tolist(), score[near].tolist(), strict=True
            )
            for candidate in self._of(text, query, match, counts)
        ]
        return sorted(found, key=lambda candidate: -candidate.scores[self.name])[:limit]

    def _of(self, text: int, query: str, match: float, score: float) -> list[Candidate]:
        """Return the best-selling items of one text."""
        first, last = int(self._starts[text]), int(self._starts[text + 1])
        return [
            Candidate(
                ProductId(str(self._items.product_ids[position])),
                # what nobody buys should not come before what many buy at the same match
                {self.name: round(score * (0.9 + 0.1 * float(self._items.popularity[position])), 6)},
                {self.name: {"query": query, "match": round(match, 3)}},
            )
            for position in self._of_text[first : min(first + ITEMS_OF_TEXT, last)]
        ]


def shopper_sources(items: Items, shoppers: Shoppers | None) -> list[ShopperSource]:
    """Return the sources that training and serving both ask, in the order of their trust."""
    kinds = (RepeatPurchaseSource, TasteSource, KindSource, PopularitySource, NewSource)
    return [kind(items, shoppers) for kind in kinds]


LIMITS = {"repeat": 400, "taste": 150, "kind": 80, "popular": 40, "new": 10, "promoted": 30, "together": 20}
"""How many candidates each source may propose."""

SEARCHED = frozenset({"search", "similar"})
"""The sources that answer a query; both propose nothing without one."""


def propose_all(sources: Sequence[ShopperSource], shopper: Shopper) -> Ints:
    """Return the positions of all proposed items, rising, each once."""
    return np.unique(np.concatenate([source.propose(shopper, LIMITS[source.name])[0] for source in sources]))


def _best(scores: NDArray[np.float32], limit: int) -> Proposed:
    some = np.flatnonzero(scores > 0)  # a selection among a large catalogue's many zeros is slow
    if not len(some):
        return _NONE
    found = scores[some]
    best = np.argpartition(-found, min(limit, len(found) - 1))[:limit]
    best = best[np.argsort(-found[best], kind="stable")]
    return some[best], (found[best] / found[best[0]]).astype(np.float64)
