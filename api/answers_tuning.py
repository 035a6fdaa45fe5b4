"""What answers about the tuning hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.answers import Item, MoneyOut, Shape


class DialOut(Shape):
    """A dial: what it may be, and what it does."""

    name: str = Field(examples=["variety.widget"])
    least: float
    most: float
    step: float
    told: str
    shipped: float = Field(description="Where it stands while nobody has turned it.")


class TuningVersionOut(Shape):
    """A setting of all dials."""

    version: int
    base: int
    values: dict[str, dict[str, Any]] = Field(description="By group; null: as it ships.")
    note: str
    state: Literal["proposed", "applied", "refused"]
    author: str
    at: str | None
    decided_by: str | None
    decided_at: str | None
    restored: int | None
    change: dict[str, float] = Field(
        description="Turned dials, as shares of their ranges, against the version it was made from."
    )
    wants_second_person: bool
    may_apply: bool = Field(description="Whether who asks may apply it.")


class TuningNow(Shape):
    """The dials as they stand."""

    current: TuningVersionOut
    dials: list[DialOut]
    second_person_above: float


class TuningVersions(Shape):
    """Versions, newest first."""

    versions: list[TuningVersionOut]
    next_cursor: str | None


class PreviewCoupon(Shape):
    """A coupon that would be given."""

    discount: MoneyOut
    product_ids: list[str]


class PreviewSlate(Shape):
    """What a member would be shown."""

    items: list[Item]
    coupon: PreviewCoupon | None


class PreviewMember(Shape):
    """A sample member, unnamed."""

    who: str
    segment: str | None
    before: PreviewSlate
    after: PreviewSlate
    changed: bool


class PreviewMetric(Shape):
    """A figure over last week's log, as it is and as it would be."""

    name: str
    before: float | None
    after: float | None
    count: int


class TuningPreview(Shape):
    """What dials would do."""

    members: list[PreviewMember]
    metrics: list[PreviewMetric]
    coupons: list[PreviewMetric]
    moods: list[PreviewMetric] = Field(
        description="Of last week's `count`: conversations that the mood has offered a person, slates on which nothing was sold, and shorter ones."
    )
    change: dict[str, float]
    wants_second_person: bool
    took_ms: float
    sentence: str
