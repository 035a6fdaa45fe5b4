"""What the brain answers: a decision with all that is needed to trace it, and how ranking reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from personalization.offers import Allotment, Coupon
from personalization.types import (
    CandidateSet,
    Context,
    CreativeId,
    DecisionId,
    EventType,
    MemberId,
    ProductId,
    Segment,
    SlateItem,
    Subject,
)


@dataclass(frozen=True, slots=True)
class Creative:
    """A poster: its spec, and its pixels (`content`, of `media_type`), empty until they are asked for."""

    creative_id: CreativeId
    media_type: str
    width: int
    height: int
    alt: str
    spec: Mapping[str, str]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fallback:
    """A component that was missing, slow or failing, and what answered instead."""

    component: str
    used: str
    cause: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer of the brain, with everything that is needed to trace it to its inputs.

    `arms` maps an experiment to its arm; `candidates` is what was compared, None when nothing was ranked, or when the
    decision was read from the log, which keeps it apart; `allotment` is how the coupon, or none, was chosen.
    """

    decision_id: DecisionId
    at: datetime
    subject: Subject
    context: Context
    slate: tuple[SlateItem, ...]
    coupon: Coupon | None
    creative: Creative | None
    segment: Segment | None
    explanation: str
    inputs_used: tuple[str, ...]
    inputs_withheld: tuple[str, ...]
    fallbacks: tuple[Fallback, ...]
    model_versions: Mapping[str, str]
    latency_ms: float
    arms: Mapping[str, str] = field(default_factory=dict)
    candidates: CandidateSet | None = None
    allotment: Allotment | None = None

    @property
    def tuning_version(self) -> int:
        """The version of the tuning that it was made by; 0 is how the dials ship."""
        return int(self.model_versions.get("tuning", 0))


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A past decision for a member, as ranking learns from it: what was compared, what was shown, and what came of it.

    shown : the slate, best first; outcomes : per product, seconds from the decision to the first event of each type that
    names the decision; tuning : the version of the tuning that it was decided by. `context` holds only what the member agrees to now.
    """

    decision_id: DecisionId
    member_id: MemberId
    context: Context
    candidates: CandidateSet
    shown: tuple[ProductId, ...]
    outcomes: Mapping[ProductId, Mapping[EventType, float]]
    tuning: int = 0
