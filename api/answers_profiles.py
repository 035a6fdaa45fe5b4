"""What answers about profiles hold."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.answers import CategoryShare, Shape


class LabelOut(Shape):
    """A fact about a member, with where it comes from and until when it may be used."""

    name: str = Field(examples=["promotion_seeker"])
    value: str | float | bool
    confidence: float = Field(description="From 0 to 1.")
    sentence: str = Field(examples=["64% of the money of the last 26 weeks went into goods on promotion."])
    evidence: dict[str, Any] = Field(description="The figures that the sentence is made from.")
    source: str = Field(description="`rule`, or the model's name.")
    purpose: str = Field(description="The consent that it needs.")
    created_at: str
    expires_at: str


class Vetoed(Shape):
    """A label that somebody said is not true."""

    name: str
    by: str = Field(description="`member` or `staff`.")
    at: str
    reason: str | None = Field(description="Why, where staff said so.")


class LabelsOut(Shape):
    """A member's labels."""

    member_id: str
    as_of: str
    labels: list[LabelOut]
    vetoed: list[Vetoed]


class LivingProfile(LabelsOut):
    """A member's features and labels."""

    complete_until: str | None = Field(description="Events before this time are in; later ones may still arrive.")
    consented: bool
    features: dict[str, float]
    top_categories: list[CategoryShare]
    basket_embedding: list[float] = Field(
        description="Where the member's spending lies among categories; empty before training."
    )
    readings: dict[str, str] = Field(description="The last value of each CRM attribute and sensor.")


class VetoOut(Shape):
    """Whether a label is vetoed now."""

    member_id: str
    name: str
    vetoed: bool


class AlertOut(Shape):
    """Something that staff or a CRM may want to act on."""

    position: int
    event_id: str
    at: str
    member_id: str | None
    kind: str = Field(examples=["lapse_risk"])
    value: Any
    before: Any
    sentence: str


class AlertsPage(Shape):
    """Alerts in order; `next` is where to go on."""

    alerts: list[AlertOut]
    next: int
