"""Which items a decision shows: ranked, found for a question, named by the caller, or popular."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from personalization.deciding.dependencies import CoreDependencies
from personalization.deciding.working import NOTHING, Working
from personalization.ranking.ranker import feels_below, merge
from personalization.ranking.rules import allowed
from personalization.ranking.selection import Selection, as_found, limit_of
from personalization.ranking.sources import SEARCHED
from personalization.types import Candidate, Product, ProductId, Profile, Purchase, Ranking, Reason, SlateItem

MOST_ALIKE = 2  # popular items of one category, while there are others
COUPON_REACH = 24
PUSHED = frozenset({"promoted", "together"})  # sources that speak for the shop: promotions, and more of what goes along
NEVER_WORN_OUT = {"repeat", *SEARCHED}  # sources: what the shopper buys, and what they ask for


class Slates:
    """Makes slates of what the sources propose. Every step has a fallback; the last are popular items."""

    def __init__(self, dependencies: CoreDependencies) -> None:
        self._deps = dependencies

    def ranked(self, work: Working, profile: Profile | None, purchases: Sequence[Purchase]) -> Sequence[SlateItem]:
        """Return the best of what the sources propose, or popular items where nothing can be ranked."""
        ranker = self._deps.ranker
        self._widen(work)
        candidates = self._fresh(work, self._unpushed(work, self._candidates(work, profile, purchases)))
        if ranker is None or not candidates:
            work.fall_back("ranker", "popular items", "no trained artifacts" if ranker is None else "no candidates")
            return self._popular_slate(work, profile)
        products: Mapping[ProductId, Product] = work.attempt(
            "catalogue",
            "popular items",
            lambda: self._deps.catalogue.products([c.product_id for c in candidates]),
            {},
        )
        reach = COUPON_REACH if work.context.wants_coupon else 0
        ranking: Ranking = work.attempt(
            "ranker", "popular items",
            lambda: ranker.rank(work.context, profile, purchases, candidates, products, reach=reach), NOTHING,
        )  # fmt: skip
        if (cause := ranking.cause or self._deps.broken.get("ranking")) is not None:
            work.fall_back("ranking", ranking.stage, cause)
        if not ranking.slate:
            return self._popular_slate(work, profile)
        work.ranking = ranking
        return ranking.slate

    def found(
        self, work: Working, profile: Profile | None, purchases: Sequence[Purchase], selection: Selection
    ) -> Sequence[SlateItem]:
        """Return the slate that the caller makes of what answers the question; it may be short or empty."""
        found = [c for c in self._candidates(work, profile, purchases, selection.depth) if c.scores.keys() & SEARCHED]
        none: Mapping[ProductId, Product] = {}
        ids = [candidate.product_id for candidate in found]
        products = work.attempt("catalogue", "an empty slate", lambda: self._deps.catalogue.products(ids), none)
        usable = [
            candidate for candidate in found
            if candidate.product_id in products and selection.fits(products[candidate.product_id])
            and allowed(products[candidate.product_id], work.context, profile)
        ]  # fmt: skip
        wide = replace(work.context, slate_size=selection.reach)
        ranker, ranking = self._deps.ranker, NOTHING
        if ranker is not None and usable:
            ranking = work.attempt(
                "ranker", "the order of the search",
                lambda: ranker.rank(wide, profile, purchases, usable, products), NOTHING,
            )  # fmt: skip
        work.ranking = replace(ranking, missed=())
        slate = selection.arrange(ranking.slate or as_found(usable, products))[: work.context.slate_size]
        return [replace(item, rank=rank) for rank, item in enumerate(slate, 1)]

    def asked(self, work: Working, profile: Profile | None, about: Sequence[ProductId]) -> Sequence[SlateItem]:
        """Return the products that the caller names, in their order."""
        known: Mapping[ProductId, Product] = work.attempt(
            "catalogue", "an empty slate", lambda: self._deps.catalogue.products(about), {}
        )
        shown = [known[i] for i in about if i in known and allowed(known[i], work.context, profile)]
        reason = Reason("asked", "You are looking at this.", {"source": "asked"})
        return [SlateItem(product, rank, 0.0, reason, ("asked",)) for rank, product in enumerate(shown, 1)]

    def _candidates(
        self, work: Working, profile: Profile | None, purchases: Sequence[Purchase], depth: int = 0
    ) -> list[Candidate]:
        groups: list[Sequence[Candidate]] = []
        for source in self._deps.sources:
            group: Sequence[Candidate] = work.attempt(
                f"source {source.name}", "the other sources",
                lambda source=source: source.candidates(work.context, profile, purchases, limit_of(source.name, depth)),  # type: ignore[misc]
                (),
            )  # fmt: skip
            groups.append(group)
        if work.context.query and "similar" in self._deps.broken:
            work.fall_back("source similar", "the other sources", self._deps.broken["similar"])
        return merge(groups)

    def _fresh(self, work: Working, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates without what the shopper has been shown often and never touched.

        All of them when too few would be left: a full slate is worth more than a cap.
        """
        exposures, subject = self._deps.exposures, work.subject
        if exposures is None or not candidates or not work.is_one_person():
            return candidates
        worn_out: frozenset[ProductId] = work.attempt(
            "exposures", "no frequency cap", lambda: exposures.worn_out(subject, at=work.context.at), frozenset()
        )
        if worn_out:
            work.inputs.append("what was shown lately")
        fresh = [c for c in candidates if c.product_id not in worn_out or not NEVER_WORN_OUT.isdisjoint(c.scores)]
        return fresh if len(fresh) >= work.context.slate_size else candidates

    def _widen(self, work: Working) -> None:
        """Ask for a more varied slate where what the member was shown lately has become narrow."""
        pressure, subject = self._deps.pressure, work.subject
        if pressure is None or subject.member_id is None or not work.personal:
            return
        at = work.context.at
        if work.attempt("variety", "the usual variety", lambda: pressure.widened(subject, at=at), False):
            work.context = replace(work.context, widened=True)
            work.inputs.append("how varied last week was")

    def _unpushed(self, work: Working, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates without what only an interest of the shop proposes, where the shopper is in a low mood."""
        moods = work.context.tuning.moods
        if moods.push or not feels_below(work.context, moods.sell):
            return candidates
        kept = [c for c in candidates if not PUSHED.issuperset(c.scores)]
        if len(kept) < len(candidates):
            work.inputs.append("a low mood: nothing is pushed")
        return kept

    def _popular_slate(self, work: Working, profile: Profile | None) -> Sequence[SlateItem]:
        products: Sequence[Product] = work.attempt("popular items", "an empty slate", self._deps.popular, ())
        alike: Counter[str] = Counter()
        first: list[Product] = []
        more_of_a_kind: list[Product] = []
        for product in products:
            if allowed(product, work.context, profile):
                kind = product.category or product.product_id
                alike[kind] += 1
                (first if alike[kind] <= MOST_ALIKE else more_of_a_kind).append(product)
        shown = [*first, *more_of_a_kind]
        reason = Reason("popular", "Many shoppers buy this.", {"source": "popular"})
        return [
            SlateItem(product, rank, 0.0, reason, ("popular",))
            for rank, product in enumerate(shown[: work.context.slate_size], 1)
        ]
