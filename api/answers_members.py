"""What answers about members in the console hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.answers import MoneyOut, Shape
from api.answers_profiles import LabelOut, Vetoed


class FoundMember(Shape):
    """A member in a list; what follows from the profile is null without consent to profiling."""

    member_id: str
    external_id: str | None
    display_name: str
    created_at: str
    consented: bool
    segment: str | None
    risk: Literal["low", "medium", "high"] | None
    expected_spend: MoneyOut | None
    orders: int | None = Field(description="In the last 26 weeks.")
    recency_days: float | None


class FoundMembers(Shape):
    """Members that were looked for, the newest first."""

    members: list[FoundMember]
    next_cursor: str | None


class MomentOut(Shape):
    """Something that happened to a member; `facts` depend on the kind."""

    kind: Literal["event", "decision", "coupon", "conversation", "consent"]
    at: str
    id: str
    facts: dict[str, Any]


class Timeline(Shape):
    """What happened to a member, the newest first."""

    moments: list[MomentOut]
    next_cursor: str | None


class RiskPoint(Shape):
    """What the churn model says of the orders that were known on a day."""

    day: str
    probability: float


class RiskOut(Shape):
    """How likely a member is to stay away, why, and how that has changed."""

    value: Literal["low", "medium", "high"] | None
    probability: float | None
    sentence: str | None
    trend: list[RiskPoint] = Field(
        description="By week, the oldest first, from today's model and the orders up to each day."
    )
    why_not: str | None = Field(description="Why there is none, where there is none.")


class WorthOut(Shape):
    """What a member spent, and is expected to."""

    orders: int
    spent: MoneyOut
    first_order_at: str | None
    expected: MoneyOut | None
    low: MoneyOut | None
    high: MoneyOut | None
    sentence: str | None


class ConsentState(Shape):
    """What a member agrees to now."""

    purpose: str
    granted: bool
    since: str | None
    channel: str | None
    expires_at: str | None


class AffectPoint(Shape):
    """How somebody sounded or looked."""

    at: str
    valence: float


class AffectOfChannel(Shape):
    """How a member sounded or looked on a channel in the last 90 days."""

    channel: str
    mean: float
    points: list[AffectPoint]


class InBasket(Shape):
    """A line of the basket."""

    product_id: str
    name: str
    quantity: int


class InSegment(Shape):
    """A segment that the member is in."""

    segment_id: str
    name: str
    kind: Literal["trained", "own"]


class EditedLabel(Shape):
    """A label that staff set."""

    name: str
    value: str | float | bool
    reason: str
    by: str
    at: str
    expires_at: str


class VarietyOfWeek(Shape):
    """How varied was what a member was shown in a week."""

    week: str = Field(description="Its Monday.", examples=["2026-11-23"])
    slates: int
    diversity: float = Field(description="Share of pairs within a slate that are of two categories.")
    novelty: float = Field(description="Share of items that they were not shown in the weeks before.")
    widened: bool = Field(description="Whether it was so narrow that the week after is made more varied.")


class MemberOverview(Shape):
    """A member as the profile page shows them."""

    member_id: str
    external_id: str | None
    display_name: str
    email: str | None
    created_at: str
    consented: bool = Field(description="To profiling; without it nothing is concluded.")
    labels_etag: str = Field(
        description="What `If-Match` names to set, veto or take back a label.", examples=['"labels-5f0c1d2e"']
    )
    consents: list[ConsentState]
    segments: list[InSegment]
    labels: list[LabelOut]
    vetoed: list[Vetoed]
    edited: list[EditedLabel]
    worth: WorthOut | None = Field(description="Null without consent to profiling.")
    affect: list[AffectOfChannel]
    affect_withheld: list[str] = Field(description="What may not be shown, and why.")
    variety: list[VarietyOfWeek] = Field(description="The last weeks, oldest first; none without consent to profiling.")
    basket: list[InBasket]
