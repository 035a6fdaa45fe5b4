"""What answers hold: the shapes that `/docs` shows. `api.views` builds them; the tests hold each answer against its shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.errors import problems


class Shape(BaseModel):
    """An answer's shape; a field that is not named here is a bug."""

    model_config = ConfigDict(extra="forbid")


class Told(Shape):
    """What a sentence says, for a client that words it in another language: a stable code, and the facts that it is made of."""

    code: str = Field(examples=["alert.budget"])
    facts: dict[str, Any] = Field(
        description="Shares of one, amounts in minor units (`…_minor`), names and ids; more may come.",
        examples=[{"name": "Spring"}],
    )


class MoneyOut(Shape):
    """An amount for machines, and for people in `text`."""

    minor_units: int = Field(examples=[349])
    currency: str = Field(examples=["USD"])
    text: str = Field(examples=["$3.49"])


class Item(Shape):
    """A product as a card shows it, with the reason why it is there."""

    product_id: str = Field(examples=["1082185"])
    name: str = Field(examples=["Bananas"])
    category: str | None
    rank: int
    price: MoneyOut
    regular_price: MoneyOut | None = Field(description="Only where it is above the price.")
    picture_url: str
    reason: str = Field(examples=["You buy this about every 12 days, last 3 weeks ago."])
    reason_code: str
    matched: bool = Field(description="Whether a search found it.")


class DecidedItem(Item):
    """An item with what its place was made from."""

    sources: list[str]
    score: float
    facts: dict[str, Any]


class CouponOut(Shape):
    """A coupon as a card shows it."""

    code: str = Field(examples=["7KQ2M9XD4T0AW"])
    discount: MoneyOut
    text: str = Field(description="What it takes off and why, in one piece.")
    product_name: str | None = Field(None, description="The product that it is for, where it is for one.")
    reason: str | None = Field(None, description="Why this shopper has it, without what it takes off.")
    product_ids: list[str]
    campaign_id: str
    expires_at: str
    qr_url: str


class TermsOut(Shape):
    """When a coupon counts, and how."""

    percent: float | None = Field(
        description="Off what it is for, up to `discount`; null: the discount is a fixed amount."
    )
    minimum_basket_minor: int
    categories: list[str] = Field(description="What it is for; empty: any.")
    stacking: Literal["stack", "stop", "best"]


class RedemptionOut(Shape):
    """A redemption, standing or taken back."""

    redemption_id: str
    order_id: str | None
    redeemed: MoneyOut
    redeemed_at: str
    rolled_back_at: str | None


class IssuedCoupon(CouponOut):
    """A coupon with the decision that it comes from."""

    decision_id: str


class KnownCoupon(CouponOut):
    """A coupon and what became of it."""

    status: Literal["open", "redeemed", "expired"]
    member_id: str | None
    terms: TermsOut
    redemptions: list[RedemptionOut]


class RedeemedCoupon(CouponOut):
    """A coupon that was turned into spending; `repeated` when this request had done so before."""

    status: Literal["redeemed"]
    redeemed_at: str
    order_id: str | None
    repeated: bool
    redemption_id: str
    redeemed: MoneyOut = Field(description="What was taken of the value; the rest went back to the budget.")


class RolledBackCoupon(CouponOut, RedemptionOut):
    """A coupon of which a redemption was taken back; `repeated` when it had been before."""

    status: Literal["open", "redeemed", "expired"]
    repeated: bool


class PricedLine(Shape):
    """A line of the basket, in minor units."""

    product_id: str
    amount_minor: int
    discount_minor: int
    to_pay_minor: int


class RefusalOut(Shape):
    """Why a coupon takes nothing off."""

    code: str = Field(examples=["minimum_basket"])
    sentence: str


class PricedCoupon(Shape):
    """What one coupon takes off each line, in the basket's order."""

    code: str
    applies: bool
    discount_minor: int
    lines_minor: list[int]
    reason: RefusalOut | None


class PricedBasket(Shape):
    """What coupons take off a basket."""

    total: MoneyOut
    discount: MoneyOut
    to_pay: MoneyOut
    lines: list[PricedLine]
    coupons: list[PricedCoupon]


class Poster(Shape):
    """Where a poster is, and what it shows in words."""

    creative_id: str
    url: str
    alt: str
    width: int
    height: int


class Segment(Shape):
    """Which group of shoppers a member is like."""

    segment_id: str
    name: str
    description: str


class FallbackOut(Shape):
    """A component that did not answer, and what stood in for it."""

    component: str
    used: str
    cause: str


class RungOut(Shape):
    """One discount that was weighed; the first is no coupon."""

    offer_id: str | None
    discount_minor: int
    conversion_drawn: float = Field(
        description="Chance to buy as the model drew it, before the curve was made monotone."
    )
    conversion: float = Field(description="Chance to buy at this discount.")
    value: float = Field(description="What it adds to the campaign's objective: conversions or minor units.")
    expected_cost: float = Field(description="Minor units that it is expected to take from the budget.")
    score: float = Field(description="Value less priced cost; the best one is taken.")
    probability: float = Field(description="With which this rung was taken here.")
    taken: bool


class AllotmentOut(Shape):
    """How a coupon, or none, was chosen."""

    campaign_id: str
    product_id: str
    objective: str
    price_of_money: float = Field(description="The budget's λ: value that one minor unit has to bring.")
    explored: bool = Field(description="Whether chance chose, so that the effect of discounts can be learned.")
    rungs: list[RungOut]


class DecisionOut(Shape):
    """What was decided, and everything that it can be traced by."""

    decision_id: str
    at: str
    channel: str
    member_id: str | None
    visitor_id: str | None
    explanation: str
    items: list[DecidedItem]
    coupon: CouponOut | None
    creative: Poster | None
    segment: Segment | None = Field(description="Null for shoppers' own tokens.")
    inputs_used: list[str]
    inputs_withheld: list[str] = Field(description="What was not read, and which consent is missing.")
    fallbacks: list[FallbackOut]
    allotment: AllotmentOut | None = Field(description="What was weighed for a coupon. Null for shoppers' own tokens.")
    model_versions: dict[str, str]
    arms: dict[str, str] = Field(description="Experiments that this answer took part in, and the arm.")
    latency_ms: float


class Rejection(Shape):
    """An event that was not taken: its place in the batch, and why."""

    index: int
    reason: str


class EventsOut(Shape):
    """What became of a batch."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


class MemberOut(Shape):
    """A member's master data."""

    member_id: str
    external_id: str | None
    display_name: str
    name_is_synthetic: bool
    email: str | None
    created_at: str


OLDER_NAME: dict[str, Any] = {
    "description": "The older name of the following page, for `after`.",
    "json_schema_extra": {"deprecated": True},
}


class MembersPage(Shape):
    """One page of members."""

    members: list[MemberOut]
    next: str | None = Field(**OLDER_NAME)
    next_cursor: str | None


class CategoryShare(Shape):
    """How much of a member's spending goes to a category."""

    category: str
    share: float


class ProfileOut(Shape):
    """What is known from purchases, as of now."""

    as_of: str
    recency_days: float | None
    orders_in_26_weeks: int
    spent_in_26_weeks: MoneyOut | None
    top_categories: list[CategoryShare]
    segment: Segment | None


class MemberWithProfile(MemberOut):
    """A member with consents and, where profiling was agreed to, the profile."""

    consents: list[str]
    profile: ProfileOut | None


class Granted(Shape):
    """The purposes that stand agreed to."""

    member_id: str
    granted: list[str]


class ConsentLine(Shape):
    """One line of the consent ledger."""

    purpose: str
    granted: bool
    at: str
    channel: str
    text_version: str
    expires_at: str | None = Field(description="Until when a consent counts; null: it does not end by itself.")


class ConsentLedger(Granted):
    """What stands, and how it came about."""

    history: list[ConsentLine]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class LinkCode(Shape):
    """A code for one enrolment at a kiosk."""

    code: str = Field(examples=["482913"])
    expires_at: str


class Token(Shape):
    """A widget token."""

    token: str
    visitor_id: str
    session_id: str = Field(
        description="Ends this browser's session: `DELETE /v1/members/{member_id}/sessions/{session_id}`.",
        examples=["0197a3c2-5d3e-7c21-9a53-2f1f6f0f7a11"],
    )
    expires_at: str
    display_name: str | None


class Alive(Shape):
    """The process serves requests."""

    status: Literal["ok"]


class Parts(Shape):
    """Which parts work; the fallback of the others answers."""

    database: bool
    rasa: bool
    artifacts: bool
    vision_models: bool


class Ready(Shape):
    """Whether shoppers are answered."""

    ready: bool
    parts: Parts


class Export(Shape):
    """Everything that is stored about a member, table by table."""

    member_id: str
    format: Literal["aisle-export-1"]
    data: dict[str, list[dict[str, Any]]]


class Receipt(Shape):
    """What was deleted, in numbers; it holds no personal data."""

    receipt_id: str
    at: str
    scope: str
    deleted: dict[str, int]
    files_scrubbed: bool = Field(description="False while another reader keeps old pages; finished by the worker then.")


def answers(shape: type[BaseModel], status: int = 200, *, but: Sequence[int] = ()) -> dict[str, Any]:
    """Return what tells a route's documentation of its answer, without the cost of checking each one at run time.

    `but`: statuses of problems beyond those that every route may answer with.
    """
    good = {status: {"model": shape, "description": (shape.__doc__ or "").splitlines()[0]}}
    return {"response_model": None, "status_code": status, "responses": {**good, **problems(*but)}}


def content(*media_types: str, about: str, but: Sequence[int] = ()) -> dict[str, Any]:
    """Do the same for an answer that is no JSON, of one of these kinds."""
    kinds: dict[str, Any] = {one.partition(";")[0]: {} for one in media_types}
    return {"responses": {200: {"description": about, "content": kinds}, **problems(*but)}}
