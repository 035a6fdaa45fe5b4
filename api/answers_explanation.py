"""The shapes of an explanation."""

from __future__ import annotations

from pydantic import Field

from api.answers import Shape


class PartOut(Shape):
    """One kind of evidence, and what the score loses without it."""

    evidence: str = Field(examples=["repeat"])
    words: str = Field(examples=["earlier purchases of it"])
    part: float = Field(examples=[1.42])


class CounterfactualOut(Shape):
    """Where the item would stand without the shopper's own evidence that weighs most, by score alone."""

    without: str = Field(examples=["repeat"])
    score: float
    score_without: float
    place: int
    place_without: int
    compared: int
    leaves_slate: bool
    sentence: str = Field(examples=["Had you not bought Milk before, it would stand in about place 9 of 120."])


class ExplainedItem(Shape):
    """Why one item was shown."""

    product_id: str
    name: str
    rank: int
    reason: str
    reason_code: str
    sources: list[str]
    score: float | None = Field(description="Null where nothing was compared.")
    parts: list[PartOut]
    adds_up: bool = Field(description="Whether the parts are a sum; what a model scores is none.")
    rest: float | None = Field(description="What the parts leave of the score, where they add up.")
    counterfactual: CounterfactualOut | None


class WeighedRung(Shape):
    """One step of the ladder of discounts; the first, without an offer, is no coupon."""

    offer_id: str | None
    discount_minor: int
    drawn: float
    conversion: float
    value: float
    cost: float
    score: float
    probability: float


class PriceChange(Shape):
    """A price of money below or above which another discount would have been taken."""

    price: float
    below: bool
    discount_minor: int


class ExplainedCoupon(Shape):
    """How the coupon, or none, came about."""

    campaign_id: str
    product_id: str
    objective: str
    price_of_money: float = Field(description="λ: the value that one minor unit of the budget has to bring.")
    total: int | None = Field(description="The budget when it was decided, in minor units.")
    reserved: int | None
    spent: int | None
    currency: str | None
    explored: bool
    chosen: int = Field(description="The rung that was taken, from 0.")
    rungs: list[WeighedRung]
    changes: list[PriceChange]


class ExplainedFacts(Shape):
    """The facts that sentence and panel are made of."""

    inputs_used: list[str]
    inputs_withheld: list[str] = Field(description="What was not read, and which consent is missing.")
    candidates: dict[str, int] = Field(description="How many of the shown items each source proposed.")
    compared: int
    stage: str = Field(description="What scored: emer, predictors or sources; empty where nothing was ranked.")
    items: list[ExplainedItem]
    coupon: ExplainedCoupon | None = Field(description="Null for shoppers' own tokens.")
    held_coupon: bool = Field(description="Whether the coupon was an open one that the shopper had already.")
    coupon_reason: str | None = Field(
        description="What the coupon was given with; null without one.",
        examples=["$1.00 off Milk. You buy this about every 12 days, last 3 weeks ago."],
    )
    asked_coupon: bool = Field(description="Whether a coupon was asked for, by the shopper or a display.")
    allowed_changes: list[str] = Field(description="What counterfactuals may change.")
    fallbacks: list[str]
    model_versions: dict[str, str]


class PanelRow(Shape):
    """A label and its value."""

    label: str
    value: str


class PanelSection(Shape):
    """One part of the staff's panel."""

    title: str
    rows: list[PanelRow]


class ExplanationOut(Shape):
    """Why a decision came out as it did: one set of facts, told three ways."""

    decision_id: str
    at: str
    sentence: str = Field(description="For the shopper.")
    panel: list[PanelSection] = Field(description="For the staff; empty for shoppers' own tokens.")
    facts: ExplainedFacts
