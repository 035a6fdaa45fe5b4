"""The one gate that every read of personal data passes: consent is checked before, not after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from personalization.decisions import Decision
from personalization.ports import Consents
from personalization.types import FACE, Channel, Context, Purpose, Reason, Subject

_PROFILED = frozenset({"purchase history", "labels"})  # inputs that profiling allows
WITHHELD = Reason("withheld", "Why is not told any more: there is no consent to profiling now.")


@dataclass(frozen=True, slots=True)
class Access:
    """What may be used for one decision: the granted purposes, and what had to be left aside."""

    granted: frozenset[Purpose]
    withheld: tuple[str, ...]

    def allows(self, purpose: Purpose) -> bool:
        """Whether data for `purpose` may be read."""
        return purpose in self.granted


class ConsentGate:
    """Asks the consent ledger once per decision and trims the context to what was agreed to."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    def open(self, subject: Subject, context: Context, *, at: datetime) -> tuple[Access, Context]:
        """Return what may be used, and `context` without what may not.

        A kiosk's own store is a property of the device and stays. A face's expression needs consent; of someone who
        is not recognised it is only passed on where a notice at the entrance tells of it, which the caller vouches for.
        """
        return trimmed(subject, context, self._consents.granted(subject, at=at))

    def allows(self, subject: Subject, purpose: Purpose, *, at: datetime) -> bool:
        """Whether data for `purpose` may be read to answer `subject`; a visitor has none that needs to be asked for."""
        return subject.member_id is not None and purpose in self._consents.granted(subject, at=at)

    def shut(self, subject: Subject, context: Context) -> tuple[Access, Context]:
        """Return what may be used when the consents cannot be read: nothing personal."""
        return trimmed(subject, context, frozenset())


def trimmed(subject: Subject, context: Context, granted: frozenset[Purpose]) -> tuple[Access, Context]:
    """Return what may be used with these purposes granted, and `context` without what may not."""
    withheld = []
    if subject.member_id is not None:
        for purpose, what in ((Purpose.PROFILING, "purchase history"), (Purpose.MARKETING, "personal offers")):
            if purpose not in granted:
                withheld.append(f"{what} (no consent to {purpose})")
        from_face = context.affect is not None and context.affect.source == FACE
        if from_face and Purpose.EXPRESSION not in granted:
            context = replace(context, affect=None)
            withheld.append(f"facial expression (no consent to {Purpose.EXPRESSION})")
        elsewhere = context.store_id is not None and context.channel is not Channel.KIOSK
        if elsewhere and Purpose.LOCATION not in granted:
            context = replace(context, store_id=None)
            withheld.append(f"store (no consent to {Purpose.LOCATION})")
    return Access(granted, tuple(withheld)), context


def readable(decision: Decision, granted: frozenset[Purpose]) -> Decision:
    """Return a logged decision as far as it may be read with these purposes granted now.

    Without profiling what was concluded about a member goes: the segment, why something was chosen, and what was weighed. What was
    shown stays. A decision that used nothing of theirs is whole.
    """
    used = _PROFILED.intersection(decision.inputs_used)
    concluded = bool(used) or decision.segment is not None
    if decision.subject.member_id is None or Purpose.PROFILING in granted or not concluded:
        return decision
    gone = [f"{what} (no consent to {Purpose.PROFILING} now)" for what in sorted(used) or ["purchase history"]]
    return replace(
        decision, segment=None, allotment=None, candidates=None, explanation=WITHHELD.sentence,
        slate=tuple(replace(item, score=0.0, reason=WITHHELD, sources=(), parts={}) for item in decision.slate),
        coupon=None if decision.coupon is None else replace(decision.coupon, reason=None),
        inputs_used=tuple(one for one in decision.inputs_used if one not in _PROFILED),
        inputs_withheld=(*decision.inputs_withheld, *gone),
    )  # fmt: skip
