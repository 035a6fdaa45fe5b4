"""The one gate that every read of personal data passes: consent is checked before, not after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from personalization.ports import Consents
from personalization.types import Channel, Context, Purpose, Subject


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
        from_face = context.affect is not None and context.affect.source == "face"
        if from_face and Purpose.EXPRESSION not in granted:
            context = replace(context, affect=None)
            withheld.append(f"facial expression (no consent to {Purpose.EXPRESSION})")
        elsewhere = context.store_id is not None and context.channel is not Channel.KIOSK
        if elsewhere and Purpose.LOCATION not in granted:
            context = replace(context, store_id=None)
            withheld.append(f"store (no consent to {Purpose.LOCATION})")
    return Access(granted, tuple(withheld)), context
