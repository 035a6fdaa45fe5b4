"""What requests about campaigns of creatives may hold."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from api.schemas import Body, Id, Key, Name, Real, Slug, Time, Truth, Whole
from personalization.creative.approval import Mode, State
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant, mood_of
from personalization.types import MemberId, ProductId, Subject, VisitorId
from stores.creatives import CreativeCampaign


class LimitsIn(Body):
    """What placement keeps to."""

    exploration: Real = Field(
        0.5, gt=0, lt=1, description="The largest share of impressions for others than the best guess."
    )
    floor: Real = Field(0.02, gt=0, lt=1, description="The share that is kept for variants that were shown little.")
    least_shown: Whole = Field(200, ge=0, le=10**9, description="Impressions that every new variant gets first.")
    per_shopper: Whole = Field(3, ge=1, le=10**6, description="How often a shopper sees a variant within a week.")
    of_campaign: Whole = Field(
        12, ge=1, le=10**6, description="How often a shopper sees anything of the campaign within a week."
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        self.limits()
        return self

    def limits(self) -> Limits:
        """Return the limits. Raises ValueError where they do not go together."""
        return Limits(**self.model_dump())


class CreativeCampaignIn(Body):
    """A campaign of creatives for one product."""

    campaign_id: Slug
    product_id: Key
    objective: Literal["clicks", "conversions"] = "clicks"
    approval: Mode = Field(
        Mode.EACH, description="What a person has to approve: each variant, a family (a look), or nothing."
    )
    starts_at: Time
    ends_at: Time
    limits: LimitsIn = LimitsIn()
    screened: Whole = Field(16, ge=2, le=200, description="How many variants an audience is offered at a time.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("a campaign ends after it starts")
        return self

    def campaign(self) -> CreativeCampaign:
        """Return the campaign."""
        limits = self.limits.limits()
        rules = Rules(size=self.screened, least_shown=limits.least_shown)
        return CreativeCampaign(
            self.campaign_id,
            ProductId(self.product_id),
            self.objective,
            self.approval,
            limits,
            rules,
            self.starts_at,
            self.ends_at,
        )


class VariantIn(Body):
    """One variant, as the design space describes it."""

    variant_id: Key
    choices: dict[Key, Key] = Field(max_length=40, examples=[{"layout": "split", "scheme": "warm"}])
    measures: dict[Key, Real] = Field(default_factory=dict, max_length=40, examples=[{"contrast": 0.8}])

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not all(0.0 <= value <= 1.0 for value in self.measures.values()):
            raise ValueError("a measure lies between 0 and 1")
        return self


class VariantsIn(Body):
    """Variants to propose, and who does."""

    variants: list[VariantIn] = Field(min_length=1, max_length=1_000)
    by: Name

    def proposed(self) -> list[Variant]:
        """Return the variants."""
        return [Variant(one.variant_id, one.choices, one.measures) for one in self.variants]


class DesignsIn(Body):
    """How many designs of the campaign's product to draw and propose, and who asks for them."""

    count: Whole = Field(12, ge=1, le=60)
    seed: Whole = Field(0, ge=0, le=1_000_000, description="Another number, other designs.")
    by: Name


class ApprovalIn(Body):
    """What a person decides about a variant or a family."""

    subject: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", description="A variant's id, or a family's name."
    )
    of_family: Truth = False
    state: Literal[State.APPROVED, State.REJECTED, State.RETIRED]
    by: Name
    note: str = Field("", max_length=400, pattern=r"^[^\x00]*$")


Word = Field("", max_length=64, pattern=r"^[^\x00-\x1f]*$")


class PlacementIn(Body):
    """For whom a creative is wanted. `decision_id`: sent again, it gets the same one."""

    decision_id: Id
    member_id: Id | None = None
    visitor_id: Id | None = None
    segment: str = Word
    channel: str = Word
    affect: str = Word
    category: str = Word

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.member_id is None and self.visitor_id is None:
            raise ValueError("give a member_id or a visitor_id")
        return self

    def subject(self) -> Subject:
        """Return whom it is for."""
        return Subject(
            None if self.member_id is None else MemberId(self.member_id),
            None if self.visitor_id is None else VisitorId(self.visitor_id),
        )

    def audience(self) -> Audience:
        """Return the audience."""
        return Audience(self.segment, self.channel, mood_of(self.affect), self.category)
