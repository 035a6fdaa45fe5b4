"""The ranker: candidates of all sources on one scale, then a slate without near-duplicates, each item with its true reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from personalization.ports import Responses
from personalization.ranking.reasons import reason_for
from personalization.types import Candidate, Context, Product, ProductId, Profile, SlateItem

WEIGHTS = {"repeat": 1.0, "taste": 0.10, "popular": 0.10, "search": 2.0}
"""A source's share in an item's score, chosen by bench/fusion_weights.py on weeks before the ones that `aisle train` reports on."""

LOW_MOOD = -0.25  # valence; below it a shopper wants an answer, not a catalogue
MOST_FOUND, MOST_ALIKE = 3, 2  # items of one category in a search, and in any other slate
RESPONSE_WEIGHT = 0.10
PRIOR_SHOWN, PRIOR_ENGAGED = 50.0, 2.0  # an item that was never shown counts as an average one


def merge(groups: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Return one candidate per item, with every source's score and facts kept."""
    scores: dict[ProductId, dict[str, float]] = {}
    facts: dict[ProductId, dict[str, Mapping[str, str | int | float | bool | None]]] = {}
    for group in groups:
        for candidate in group:
            scores.setdefault(candidate.product_id, {}).update(candidate.scores)
            facts.setdefault(candidate.product_id, {}).update(candidate.facts)
    return [Candidate(product_id, scores[product_id], facts[product_id]) for product_id in scores]


class WeightedRanker:
    """A weighted sum of the sources' scores and of how shoppers respond, and one item per category in a short slate.

    One place of a slate of four or more is kept for something that the member has not bought, so that people discover;
    someone in a low mood gets what is familiar instead.
    """

    version = "weighted-1"

    def __init__(self, responses: Responses) -> None:
        self._responses = responses

    def rank(
        self,
        context: Context,
        profile: Profile | None,
        candidates: Sequence[Candidate],
        products: Mapping[ProductId, Product],
    ) -> Sequence[SlateItem]:
        """Return the slate, best first."""
        usable = [c for c in candidates if c.product_id in products and c.product_id not in context.exclude]
        found = [c for c in usable if "search" in c.scores] if context.query else []
        usable, familiar_first = found or usable, in_low_mood(context) and not found
        counts = self._responses.counts([c.product_id for c in usable])
        scored = [(self._score(c, counts.get(c.product_id)), c) for c in usable]
        scored.sort(key=lambda pair: (familiar_first and "repeat" not in pair[1].scores, -pair[0]))
        size = context.slate_size
        chosen = _diverse(scored, products, size, per_category=MOST_FOUND if found else 1 if size <= 6 else MOST_ALIKE)
        if size >= 4 and not found and not familiar_first:
            chosen = _with_discovery(chosen, scored, products, size)
        return [
            SlateItem(products[c.product_id], rank, round(score, 6), reason_for(c, WEIGHTS), tuple(sorted(c.scores)))
            for rank, (score, c) in enumerate(chosen, start=1)
        ]

    @staticmethod
    def _score(candidate: Candidate, counts: tuple[int, int] | None) -> float:
        shown, engaged = counts or (0, 0)
        response = (engaged + PRIOR_ENGAGED) / (shown + PRIOR_SHOWN)
        return sum(WEIGHTS[name] * score for name, score in candidate.scores.items()) + RESPONSE_WEIGHT * min(
            response, 1.0
        )


Scored = tuple[float, Candidate]


def in_low_mood(context: Context) -> bool:
    """Whether the shopper seems annoyed or unhappy."""
    return context.affect is not None and context.affect.valence < LOW_MOOD


def _diverse(
    scored: Sequence[Scored], products: Mapping[ProductId, Product], size: int, *, per_category: int
) -> list[Scored]:
    chosen: list[Scored] = []
    seen: dict[str, int] = {}
    names: set[str] = set()
    for pair in scored:
        product = products[pair[1].product_id]
        alike = product.category or product.product_id  # products without a category are not all alike
        if seen.get(alike, 0) < per_category and product.name not in names:
            names.add(product.name)
            seen[alike] = seen.get(alike, 0) + 1
            chosen.append(pair)
        if len(chosen) == size:
            break
    return chosen


def _with_discovery(
    chosen: list[Scored], scored: Sequence[Scored], products: Mapping[ProductId, Product], size: int
) -> list[Scored]:
    if len(chosen) < size or any("repeat" not in candidate.scores for _, candidate in chosen):
        return chosen
    kept = [products[candidate.product_id] for _, candidate in chosen[:-1]]
    used = {product.category for product in kept if product.category} | {product.name for product in kept}
    for pair in scored:
        product = products[pair[1].product_id]
        if "repeat" not in pair[1].scores and not used & {product.category, product.name}:
            return [*chosen[:-1], pair]
    return chosen
