"""What one decision gathers on its way, and how it goes on where a component fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from personalization.decisions import Fallback
from personalization.offers import Allotment
from personalization.trust.gate import Access
from personalization.types import Channel, Context, Purpose, Ranking, Subject

NOTHING = Ranking(())
T = TypeVar("T")


@dataclass(slots=True)
class Working:
    """What one decision gathers on its way."""

    subject: Subject
    context: Context
    access: Access
    on_fallback: Callable[[Fallback], None]
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

    def is_one_person(self) -> bool:
        """Whether what was shown before may be looked up, and was shown to this person: at a kiosk a visitor id is whoever passes by."""
        if self.subject.member_id is not None:
            return self.personal
        return self.context.channel is not Channel.KIOSK

    def attempt(self, component: str, fallback: str, call: Callable[[], T], instead: T) -> T:
        """Return what `call` does, or `instead` where it fails: whatever a component does wrong, the shopper gets an answer."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - see above
            self.fall_back(component, fallback, cause_of(error))
            return instead

    def fall_back(self, component: str, used: str, cause: str) -> None:
        """Note that `used` answered in place of `component`, and tell it."""
        fallback = Fallback(component, used, cause)
        self.fallbacks.append(fallback)
        self.on_fallback(fallback)


def cause_of(error: Exception) -> str:
    """Return what a log says of `error`."""
    return f"{type(error).__name__}: {error}"[:200]
