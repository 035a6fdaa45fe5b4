"""A search whose slate the caller arranges: which products count, and which of all that was found are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from personalization.ranking.sources import LIMITS, SEARCHED
from personalization.types import Candidate, Product, ProductId, Reason, SlateItem

CANDIDATES_PER_SOURCE = 60  # of a source that ranking.sources does not limit
DEEPER = 5  # times as many candidates of a search as are wanted: filters leave few of them
_TOLD = {"search": "This matches what you asked for.", "similar": "This comes close to what you asked for."}


@dataclass(frozen=True, slots=True)
class Selection:
    """What the caller makes of the products that answer a question.

    fits : which products count at all; arrange : makes the slate of everything that was found, best first.
    """

    fits: Callable[[Product], bool]
    arrange: Callable[[Sequence[SlateItem]], Sequence[SlateItem]]
    reach: int = 60

    @property
    def depth(self) -> int:
        """How many candidates a search source proposes."""
        return self.reach * DEEPER


def limit_of(source: str, depth: int) -> int:
    """Return how many candidates a source may propose; a search goes as deep as `depth` asks."""
    limit = LIMITS.get(source, CANDIDATES_PER_SOURCE)
    return max(limit, depth) if source in SEARCHED else limit


def as_found(candidates: Sequence[Candidate], products: Mapping[ProductId, Product]) -> list[SlateItem]:
    """Return what a search found in its own order, where nothing ranks it."""

    def match(candidate: Candidate) -> tuple[bool, float]:
        return bool(candidate.facts.get("search", {}).get("exact")), max(
            candidate.scores.get(name, 0.0) for name in SEARCHED
        )

    shown = []
    for rank, candidate in enumerate(sorted(candidates, key=match, reverse=True), 1):
        source = "search" if "search" in candidate.scores else "similar"
        facts = {**candidate.facts.get(source, {}), "source": source}
        reason = Reason("matches_query", _TOLD[source], facts)
        score = max(candidate.scores.get(name, 0.0) for name in SEARCHED)
        shown.append(SlateItem(products[candidate.product_id], rank, score, reason, tuple(sorted(candidate.scores))))
    return shown
