"""The one question: given a subject and a context, which items, which coupon, which creative, and why.

Every component sits behind its protocol. One that is missing, or raises, is replaced by its named fallback; the
decision says so and a hook counts it. Nothing personal is read before the consent gate was asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from uuid_utils import uuid7

from personalization.deciding.arms import Arms
from personalization.deciding.dependencies import CoreDependencies
from personalization.deciding.promising import Promises
from personalization.deciding.sentence import explain
from personalization.deciding.slates import Slates
from personalization.deciding.working import Working, cause_of
from personalization.decisions import Creative, Decision
from personalization.offers import Coupon
from personalization.ports import (
    CreativeMaker,
    Showing,
)
from personalization.ranking.rules import avoided
from personalization.ranking.selection import Selection
from personalization.trust.gate import ConsentGate
from personalization.types import (
    Context,
    DecisionId,
    MemberId,
    ProductId,
    Profile,
    Purchase,
    SlateItem,
    Subject,
)


class Core:
    """Decides, logs what it decided, and explains it later from the log."""

    def __init__(self, dependencies: CoreDependencies) -> None:
        self._deps = dependencies
        self._gate = ConsentGate(dependencies.consents)
        self._arms = Arms(dependencies)
        self._slates = Slates(dependencies)
        self._promises = Promises(dependencies, self._arms)

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
        self._arms.note(work)
        purchases = self._purchases(work)
        profile = self._profile(work)
        if about:
            slate = self._slates.asked(work, profile, about)
        else:
            slate = (
                self._slates.ranked(work, profile, purchases)
                if selection is None
                else self._slates.found(work, profile, purchases, selection)
            )
        decision_id = DecisionId(str(uuid7()))
        coupon = (
            self._promises.coupon(work, profile, purchases, slate, decision_id)
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
            model_versions=self._versions(context),
            latency_ms=round((time.perf_counter() - started) * 1000, 2),
            arms=dict(work.arms),
            candidates=work.ranking.candidates,
            allotment=work.allotment,
        )
        if shows:
            if early is not None:
                told = decision
                work.attempt("early answer", "one answer, with its poster", lambda: early(told), None)
            creative = self._creative(work, slate, coupon, profile, decision_id)
            took = round((time.perf_counter() - started) * 1000, 2)
            decision = replace(decision, creative=creative, fallbacks=tuple(work.fallbacks), latency_ms=took)
        work.attempt(
            "decision log", "an answer that is not logged", lambda: self._deps.decisions.append(decision), None
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

    def _admit(self, subject: Subject, context: Context) -> Working:
        """Ask the gate; when it cannot tell, nothing personal is used. A low mood asks for a short slate."""
        failure: str | None = None
        try:
            access, allowed = self._gate.open(subject, context, at=context.at)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, it may not open the gate
            failure = cause_of(error)
            access, allowed = self._gate.shut(subject, context)
        work = Working(subject, allowed, access, self._deps.on_fallback)
        if failure is not None:
            work.fall_back("consents", "nothing personal", failure)
        return work

    def _purchases(self, work: Working) -> Sequence[Purchase]:
        member_id = work.subject.member_id
        if member_id is None or not work.personal:
            return ()
        until = work.context.at
        found: Sequence[Purchase] = work.attempt(
            "purchases", "no history", lambda: self._deps.purchases.of_member(member_id, until=until), ()
        )
        if found:
            work.inputs.append("purchase history")
        return found

    def _profile(self, work: Working) -> Profile | None:
        member_id, profiler = work.subject.member_id, self._deps.profiler
        if member_id is None or not work.personal:
            return None
        if profiler is None:
            work.fall_back("profiler", "no profile", "no trained artifacts")
            return None
        found = work.attempt("profiler", "no profile", lambda: profiler.profile(member_id, at=work.context.at), None)
        if found is not None and found.labels:
            work.inputs.append("labels")
        return found

    def _creative(
        self, work: Working, slate: Sequence[SlateItem], coupon: Coupon | None, profile: Profile | None, decision_id: DecisionId
    ) -> Creative | None:  # fmt: skip
        maker = self._deps.creative
        if maker is None:
            work.fall_back("creative", "no poster", "no maker")
            return None
        covered = [item for item in slate if coupon is not None and item.product.product_id in coupon.product_ids]
        item, shown = (covered[0], coupon) if covered else (slate[0], None)
        segment = profile.segment.segment_id if profile and profile.segment else ""
        showing = Showing(work.subject, decision_id, segment)
        return work.attempt("creative", "no poster", lambda: maker.make(work.context, item, shown, showing), None)

    def _note_inputs(self, work: Working) -> None:
        context = work.context
        given = (
            ("the question", context.query), ("the mood of the conversation", context.affect), ("the store", context.store_id),
        )  # fmt: skip
        work.inputs += [name for name, value in given if value is not None]

    def _versions(self, context: Context) -> Mapping[str, str]:
        parts = {"profiler": self._deps.profiler, "ranker": self._deps.ranker, "coupons": self._deps.allocator,
                 "creative": self._deps.creative}  # fmt: skip
        tuned = {"tuning": str(context.tuning.version)} if context.tuning.version else {}
        return {name: part.version for name, part in parts.items() if part is not None} | tuned
