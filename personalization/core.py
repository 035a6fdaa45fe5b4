"""The one question: given a subject and a context, which items, which coupon, which creative, and why.

Every component sits behind its protocol. One that is missing, or raises, is replaced by its named fallback; the
decision says so and a hook counts it. Nothing personal is read before the consent gate was asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from uuid_utils import uuid7

from personalization.coupons.caps import caps_for
from personalization.experiments.spec import Experiment
from personalization.ports import (
    BudgetLedger,
    Campaigns,
    CandidateSource,
    Catalogue,
    Consents,
    CouponAllocator,
    CreativeMaker,
    DecisionLog,
    Experiments,
    Exposures,
    Pressure,
    Profiler,
    Purchases,
    Ranker,
    Showing,
)
from personalization.ranking.ranker import in_low_mood, merge
from personalization.ranking.rules import allowed, avoided
from personalization.ranking.selection import Selection, as_found, limit_of
from personalization.ranking.sources import SEARCHED
from personalization.trust.gate import Access, ConsentGate
from personalization.types import (
    Allotment,
    Candidate,
    Channel,
    Context,
    Coupon,
    Creative,
    Decision,
    DecisionId,
    Fallback,
    MemberId,
    Product,
    ProductId,
    Profile,
    Purchase,
    Purpose,
    Ranking,
    Reason,
    SlateItem,
    Subject,
)

MOST_ALIKE = 2  # popular items of one category, while there are others
COUPON_REACH = 24
SHORT_SLATE = 3  # for someone in a low mood
PUSHED = frozenset({"promoted", "together"})  # sources that speak for the shop: promotions, and more of what goes along
COUPON_WINDOW = timedelta(days=7)
NEVER_WORN_OUT = {"repeat", *SEARCHED}  # sources: what the shopper buys, and what they ask for
NOTHING = Ranking(())
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CoreDependencies:
    """What the core works with. A component that is None is missing: its fallback answers.

    `popular` are a few products that can be shown when nothing else can, best first. `broken` tells why models could not be
    read, by what goes on without them: "ranking", "similar" (the source). `coupons_a_week` is how many coupons one subject is given
    in seven days on all channels; 0: no limit.
    """

    catalogue: Catalogue
    purchases: Purchases
    consents: Consents
    campaigns: Campaigns
    ledger: BudgetLedger
    decisions: DecisionLog
    sources: Sequence[CandidateSource] = ()
    profiler: Profiler | None = None
    ranker: Ranker | None = None
    allocator: CouponAllocator | None = None
    creative: CreativeMaker | None = None
    experiments: Experiments | None = None
    exposures: Exposures | None = None
    pressure: Pressure | None = None
    coupons_a_week: int = 0
    popular: Callable[[], Sequence[Product]] = tuple
    on_fallback: Callable[[Fallback], None] = lambda _fallback: None
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Working:
    """What one decision gathers on its way."""

    subject: Subject
    context: Context
    access: Access
    inputs: list[str] = field(default_factory=list)
    fallbacks: list[Fallback] = field(default_factory=list)
    ranking: Ranking = NOTHING
    allotment: Allotment | None = None
    arms: dict[str, str] = field(default_factory=dict)
    off: set[str] = field(default_factory=set)  # switches that an experiment's arm turned off

    @property
    def personal(self) -> bool:
        """Whether what is known of a member may be used."""
        return self.access.allows(Purpose.PROFILING) and "personalize" not in self.off


class Core:
    """Decides, logs what it decided, and explains it later from the log."""

    def __init__(self, dependencies: CoreDependencies) -> None:
        self._deps = dependencies
        self._gate = ConsentGate(dependencies.consents)

    @property
    def creative(self) -> CreativeMaker | None:
        """The poster maker, for displays that show several posters at once."""
        return self._deps.creative

    def decide(
        self, subject: Subject, context: Context, *, about: Sequence[ProductId] = (), selection: Selection | None = None,
        early: Callable[[Decision], None] | None = None,
    ) -> Decision:  # fmt: skip
        """Return the stored decision for `subject` in `context`; it always answers, if need be with popular items.

        With `about` the slate is those products, as far as they may be shown, and nothing is ranked. With `selection` it is
        made of what was found for `context.query` and fits, and may be empty. `early` is told the decision when only its
        creative is still to be made: who stands before a screen need not wait for a design that is new.
        """
        started = time.perf_counter()
        work = self._admit(subject, context)
        access = work.access
        self._experiment(work)
        purchases = self._purchases(work)
        profile = self._profile(work)
        if about:
            slate = self._asked(work, profile, about)
        else:
            slate = (
                self._slate(work, profile, purchases)
                if selection is None
                else self._found(work, profile, purchases, selection)
            )
        decision_id = DecisionId(str(uuid7()))
        coupon = (
            self._coupon(work, profile, purchases, slate, decision_id)
            if work.context.wants_coupon and "coupons" not in work.off
            else None
        )
        shows = work.context.wants_creative and slate and "creative" not in work.off
        self._note_inputs(work)
        context = work.context
        decision = Decision(
            decision_id=decision_id,
            at=context.at,
            subject=subject,
            context=context,
            slate=tuple(slate),
            coupon=coupon,
            creative=None,
            segment=profile.segment if profile else None,
            explanation=explain(slate, access, work.fallbacks),
            inputs_used=tuple(work.inputs),
            inputs_withheld=access.withheld,
            fallbacks=tuple(work.fallbacks),
            model_versions=self._versions(),
            latency_ms=round((time.perf_counter() - started) * 1000, 2),
            arms=dict(work.arms),
            candidates=work.ranking.candidates,
            allotment=work.allotment,
        )
        if shows:
            if early is not None:
                told = decision
                self._try(work, "early answer", "one answer, with its poster", lambda: early(told), None)
            creative = self._creative(work, slate, coupon, profile, decision_id)
            took = round((time.perf_counter() - started) * 1000, 2)
            decision = replace(decision, creative=creative, fallbacks=tuple(work.fallbacks), latency_ms=took)
        self._try(
            work, "decision log", "an answer that is not logged", lambda: self._deps.decisions.append(decision), None
        )
        return replace(decision, fallbacks=tuple(work.fallbacks))

    def explain_item(self, decision_id: DecisionId, product_id: ProductId | None = None) -> str | None:
        """Return why one item of a stored decision was shown (its first without `product_id`); None when unknown."""
        decision = self._deps.decisions.get(decision_id)
        if decision is None or not decision.slate:
            return None
        items = [item for item in decision.slate if product_id is None or item.product.product_id == product_id]
        return f"{items[0].product.name}: {items[0].reason.sentence}" if items else None

    def for_all(self, members: Sequence[MemberId], context: Context) -> Context:
        """Return `context` for a screen that all of these look at: nothing that one of them avoids may be on it.

        Ask for such a screen as for a visitor: what one of them bought is not the other's to see.
        """
        profiles = [self._profile(self._admit(Subject(member_id), context)) for member_id in members]
        return replace(context, avoid=context.avoid.union(*map(avoided, profiles)))

    def _admit(self, subject: Subject, context: Context) -> _Working:
        """Ask the gate; when it cannot tell, nothing personal is used. A low mood asks for a short slate."""
        failure: str | None = None
        try:
            access, allowed = self._gate.open(subject, context, at=context.at)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, it may not open the gate
            failure = _cause(error)
            access, allowed = self._gate.shut(subject, context)
        if in_low_mood(allowed):
            allowed = replace(allowed, slate_size=min(allowed.slate_size, SHORT_SLATE))
        work = _Working(subject, allowed, access)
        if failure is not None:
            self._fall_back(work, "consents", "nothing personal", failure)
        return work

    def _experiment(self, work: _Working) -> None:
        """Note the subject's arms, of experiments that can make a difference to this very answer, and what they switch off."""
        experiments = self._deps.experiments
        if experiments is None:
            return
        subject, context = work.subject, work.context

        def exposed() -> None:
            concerned = [one for one in experiments.running() if _concerned(one, work)]
            for assignment in (
                experiments.expose(concerned, subject, at=context.at, channel=context.channel) if concerned else ()
            ):
                work.arms[assignment.experiment_id] = assignment.arm.name
                work.off |= assignment.arm.off()

        self._try(work, "experiments", "no experiment", exposed, None)

    def _purchases(self, work: _Working) -> Sequence[Purchase]:
        member_id = work.subject.member_id
        if member_id is None or not work.personal:
            return ()
        until = work.context.at
        found: Sequence[Purchase] = self._try(
            work, "purchases", "no history", lambda: self._deps.purchases.of_member(member_id, until=until), ()
        )
        if found:
            work.inputs.append("purchase history")
        return found

    def _profile(self, work: _Working) -> Profile | None:
        member_id, profiler = work.subject.member_id, self._deps.profiler
        if member_id is None or not work.personal:
            return None
        if profiler is None:
            self._fall_back(work, "profiler", "no profile", "no trained artifacts")
            return None
        found = self._try(work, "profiler", "no profile", lambda: profiler.profile(member_id, at=work.context.at), None)
        if found is not None and found.labels:
            work.inputs.append("labels")
        return found

    def _slate(self, work: _Working, profile: Profile | None, purchases: Sequence[Purchase]) -> Sequence[SlateItem]:
        ranker = self._deps.ranker
        self._widen(work)
        candidates = self._fresh(work, self._unpushed(work, self._candidates(work, profile, purchases)))
        if ranker is None or not candidates:
            self._fall_back(
                work, "ranker", "popular items", "no trained artifacts" if ranker is None else "no candidates"
            )
            return self._popular_slate(work, profile)
        products: Mapping[ProductId, Product] = self._try(
            work,
            "catalogue",
            "popular items",
            lambda: self._deps.catalogue.products([c.product_id for c in candidates]),
            {},
        )
        reach = COUPON_REACH if work.context.wants_coupon else 0
        ranking: Ranking = self._try(
            work, "ranker", "popular items",
            lambda: ranker.rank(work.context, profile, purchases, candidates, products, reach=reach), NOTHING,
        )  # fmt: skip
        if (cause := ranking.cause or self._deps.broken.get("ranking")) is not None:
            self._fall_back(work, "ranking", ranking.stage, cause)
        if not ranking.slate:
            return self._popular_slate(work, profile)
        work.ranking = ranking
        return ranking.slate

    def _found(
        self, work: _Working, profile: Profile | None, purchases: Sequence[Purchase], selection: Selection
    ) -> Sequence[SlateItem]:
        """Return the slate that the caller makes of what answers the question; it may be short or empty."""
        found = [c for c in self._candidates(work, profile, purchases, selection.depth) if c.scores.keys() & SEARCHED]
        none: Mapping[ProductId, Product] = {}
        ids = [candidate.product_id for candidate in found]
        products = self._try(work, "catalogue", "an empty slate", lambda: self._deps.catalogue.products(ids), none)
        usable = [
            candidate for candidate in found
            if candidate.product_id in products and selection.fits(products[candidate.product_id])
            and allowed(products[candidate.product_id], work.context, profile)
        ]  # fmt: skip
        wide = replace(work.context, slate_size=selection.reach)
        ranker, ranking = self._deps.ranker, NOTHING
        if ranker is not None and usable:
            ranking = self._try(
                work, "ranker", "the order of the search",
                lambda: ranker.rank(wide, profile, purchases, usable, products), NOTHING,
            )  # fmt: skip
        work.ranking = replace(ranking, missed=())
        slate = selection.arrange(ranking.slate or as_found(usable, products))[: work.context.slate_size]
        return [replace(item, rank=rank) for rank, item in enumerate(slate, 1)]

    def _asked(self, work: _Working, profile: Profile | None, about: Sequence[ProductId]) -> Sequence[SlateItem]:
        """Return the products that the caller names, in their order."""
        known: Mapping[ProductId, Product] = self._try(
            work, "catalogue", "an empty slate", lambda: self._deps.catalogue.products(about), {}
        )
        shown = [known[i] for i in about if i in known and allowed(known[i], work.context, profile)]
        reason = Reason("asked", "You are looking at this.", {"source": "asked"})
        return [SlateItem(product, rank, 0.0, reason, ("asked",)) for rank, product in enumerate(shown, 1)]

    def _candidates(
        self, work: _Working, profile: Profile | None, purchases: Sequence[Purchase], depth: int = 0
    ) -> list[Candidate]:
        groups: list[Sequence[Candidate]] = []
        for source in self._deps.sources:
            group: Sequence[Candidate] = self._try(
                work, f"source {source.name}", "the other sources",
                lambda source=source: source.candidates(work.context, profile, purchases, limit_of(source.name, depth)),  # type: ignore[misc]
                (),
            )  # fmt: skip
            groups.append(group)
        if work.context.query and "similar" in self._deps.broken:
            self._fall_back(work, "source similar", "the other sources", self._deps.broken["similar"])
        return merge(groups)

    def _fresh(self, work: _Working, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates without what the shopper has been shown often and never touched.

        All of them when too few would be left: a full slate is worth more than a cap.
        """
        exposures, subject = self._deps.exposures, work.subject
        if exposures is None or not candidates or not _is_one_person(work):
            return candidates
        worn_out: frozenset[ProductId] = self._try(
            work, "exposures", "no frequency cap", lambda: exposures.worn_out(subject, at=work.context.at), frozenset()
        )
        if worn_out:
            work.inputs.append("what was shown lately")
        fresh = [c for c in candidates if c.product_id not in worn_out or not NEVER_WORN_OUT.isdisjoint(c.scores)]
        return fresh if len(fresh) >= work.context.slate_size else candidates

    def _widen(self, work: _Working) -> None:
        """Ask for a more varied slate where what the member was shown lately has become narrow."""
        pressure, subject = self._deps.pressure, work.subject
        if pressure is None or subject.member_id is None or not work.personal:
            return
        at = work.context.at
        if self._try(work, "variety", "the usual variety", lambda: pressure.widened(subject, at=at), False):
            work.context = replace(work.context, widened=True)
            work.inputs.append("how varied last week was")

    def _unpushed(self, work: _Working, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates without what only an interest of the shop proposes, where the shopper is in a low mood."""
        if not in_low_mood(work.context):
            return candidates
        kept = [c for c in candidates if not PUSHED.issuperset(c.scores)]
        if len(kept) < len(candidates):
            work.inputs.append("a low mood: nothing is pushed")
        return kept

    def _popular_slate(self, work: _Working, profile: Profile | None) -> Sequence[SlateItem]:
        products: Sequence[Product] = self._try(work, "popular items", "an empty slate", self._deps.popular, ())
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

    def _coupon(
        self, work: _Working, profile: Profile | None, purchases: Sequence[Purchase], slate: Sequence[SlateItem], decision_id: DecisionId
    ) -> Coupon | None:  # fmt: skip
        if work.subject.member_id is not None and not work.access.allows(Purpose.MARKETING):
            return None
        return self._try(
            work, "coupons", "no coupon", lambda: self._allot(work, profile, purchases, slate, decision_id), None
        )

    def _allot(
        self, work: _Working, profile: Profile | None, purchases: Sequence[Purchase], slate: Sequence[SlateItem], decision_id: DecisionId
    ) -> Coupon | None:  # fmt: skip
        deps, at = self._deps, work.context.at
        if (held := deps.ledger.open_coupon(work.subject, at=at)) is not None:
            work.inputs.append("a coupon that is still open")
            return held
        if deps.allocator is None:
            self._fall_back(work, "coupons", "no coupon", "no allocator")
            return None
        if self._had_enough(work):
            work.inputs.append("how many coupons were given this week")
            return None
        slate = [*slate, *work.ranking.missed]  # an offer may be on what just missed it
        ids = [item.product.product_id for item in slate]
        offers = list(deps.campaigns.active_offers(work.subject, at=at, product_ids=ids))
        budgets = {campaign_id: state for campaign_id in {offer.campaign_id for offer in offers}
                   if (state := deps.ledger.state(campaign_id)) is not None}  # fmt: skip
        work.inputs.append("running campaigns and their budgets")
        while offers:
            found = deps.allocator.choose(work.subject, work.context, profile, purchases, slate, offers, budgets)
            if (
                found is None
                or found.coupon is None
                or deps.ledger.reserve(
                    found.coupon,
                    work.subject,
                    decision_id=decision_id,
                    caps=caps_for(work.context, found.segment),
                )
            ):
                work.allotment = None if found is None else replace(found, budget=budgets.get(found.campaign_id))
                return found.coupon if found else None
            offers = [offer for offer in offers if offer.campaign_id != found.campaign_id]  # its budget just ran out
        return None

    def _had_enough(self, work: _Working) -> bool:
        pressure, most = self._deps.pressure, self._deps.coupons_a_week
        if pressure is None or not most or not _is_one_person(work):
            return False
        return pressure.offered(work.subject, since=work.context.at - COUPON_WINDOW) >= most

    def _creative(
        self, work: _Working, slate: Sequence[SlateItem], coupon: Coupon | None, profile: Profile | None, decision_id: DecisionId
    ) -> Creative | None:  # fmt: skip
        maker = self._deps.creative
        if maker is None:
            self._fall_back(work, "creative", "no poster", "no maker")
            return None
        covered = [item for item in slate if coupon is not None and item.product.product_id in coupon.product_ids]
        item, shown = (covered[0], coupon) if covered else (slate[0], None)
        segment = profile.segment.segment_id if profile and profile.segment else ""
        showing = Showing(work.subject, decision_id, segment)
        return self._try(work, "creative", "no poster", lambda: maker.make(work.context, item, shown, showing), None)

    def _note_inputs(self, work: _Working) -> None:
        context = work.context
        given = (
            ("the question", context.query), ("the mood of the conversation", context.affect), ("the store", context.store_id),
        )  # fmt: skip
        work.inputs += [name for name, value in given if value is not None]

    def _versions(self) -> Mapping[str, str]:
        parts = {"profiler": self._deps.profiler, "ranker": self._deps.ranker, "coupons": self._deps.allocator,
                 "creative": self._deps.creative}  # fmt: skip
        return {name: part.version for name, part in parts.items() if part is not None}

    def _try(self, work: _Working, component: str, fallback: str, call: Callable[[], T], instead: T) -> T:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - whatever a component does wrong, the shopper gets an answer
            self._fall_back(work, component, fallback, _cause(error))
            return instead

    def _fall_back(self, work: _Working, component: str, used: str, cause: str) -> None:
        fallback = Fallback(component, used, cause)
        work.fallbacks.append(fallback)
        self._deps.on_fallback(fallback)


def _concerned(experiment: Experiment, work: _Working) -> bool:
    """Whether the answer can differ between the arms: who cannot be treated differently must not dilute the comparison.

    Members take part with consent to profiling only.
    """
    member = work.subject.member_id is not None
    if member and not work.access.allows(Purpose.PROFILING):
        return False
    asked = {"personalize": member, "coupons": work.context.wants_coupon, "creative": work.context.wants_creative}
    return not experiment.differs or any(asked[name] for name in experiment.differs)


def _is_one_person(work: _Working) -> bool:
    """Whether what was shown before may be looked up, and was shown to this person: at a kiosk a visitor id is whoever passes by."""
    if work.subject.member_id is not None:
        return work.personal
    return work.context.channel is not Channel.KIOSK


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def explain(slate: Sequence[SlateItem], access: Access, fallbacks: Sequence[Fallback]) -> str:
    """Return one sentence about the whole slate, from the reasons of its items and nothing else."""
    if not slate:
        return "There is nothing to show right now."
    kinds = Counter(str(item.reason.facts.get("source", "popular")) for item in slate)
    words = (
        ("repeat", "{} you have bought before", ""), ("kind", "{} of a kind that you buy", ""),
        ("taste", "{} that shoppers like you buy", ""), ("search", "{} that match your question", "{} that matches your question"),
        ("similar", "{} close to your question", ""),
        ("popular", "{} popular with many households", ""), ("here", "{} popular in this store", ""),
        ("asked", "{} that you are looking at", ""), ("together", "{} that go with other products", "{} that goes with other products"), ("promoted", "{} promoted right now", ""),
    )  # fmt: skip
    parts = [
        (one if one and kinds[kind] == 1 else many).format(kinds[kind]) for kind, many, one in words if kinds[kind]
    ]
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    sentence = f"{len(slate)} items for you: {listed}" if len(slate) > 1 else f"One item for you: {listed}"
    failed = {fallback.component for fallback in fallbacks}
    if "consents" in failed:
        return f"{sentence}; what you agreed to could not be looked up, so nothing personal was used."
    if any("purchase history" in withheld for withheld in access.withheld):
        return f"{sentence}; your purchase history was not used, because you did not agree to it."
    if "ranker" in failed:
        return f"{sentence}; the usual ranking was not available."
    return f"{sentence}."
