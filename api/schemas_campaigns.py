"""What requests about campaigns and the tuning may hold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas import Body, Id, Key, Name, Real, Time, Whole
from personalization.coupons.campaign_plan import HOLDOUT, MOST_POSTERS, AudienceKind, AudienceSpec, CampaignPlan, Step
from personalization.coupons.objective import Objective
from personalization.types import Channel, Money

MOST_LISTED = 100_000
Minor = Annotated[Whole, Field(ge=0, le=10**12)]


class AudienceIn(Body):
    """Whom a campaign is for."""

    kind: AudienceKind = AudienceKind.EVERYBODY
    of: str = Field("", max_length=64, pattern=r"^[^\x00-\x1f]*$", description="The cluster or the segment.")
    labels: dict[Key, Name] = Field(
        default_factory=dict, max_length=5, description="Labels and the value that each must have."
    )
    members: list[Key] | None = Field(
        None,
        max_length=MOST_LISTED,
        description="Of a list: members' ids, or your own keys. Null keeps the list there is.",
    )

    def spec(self) -> AudienceSpec:
        """Return it without its list, which is kept apart."""
        return AudienceSpec(self.kind, self.of, self.labels)


class StepIn(Body):
    """A discount: an amount, or with `percent` a part of the price, at most the amount."""

    discount_minor: Minor = Field(examples=[100])
    percent: Real | None = Field(None, gt=0, lt=100, allow_inf_nan=False)


class CampaignIn(Body):
    """A campaign on paper."""

    campaign_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")] | None = Field(
        None, description="Yours; without it one is made.", examples=["autumn-coffee"]
    )
    name: Name = Field(examples=["Autumn coffee"])
    objective: Objective = Objective.ORDERS
    audience: AudienceIn = AudienceIn()
    budget_minor: Minor = Field(examples=[20_000], description="The most that it may cost, in minor units.")
    starts_at: Time
    ends_at: Time
    ladder: list[StepIn] = Field(
        min_length=1, max_length=8, examples=[[{"discount_minor": 50}, {"discount_minor": 100}]]
    )
    product_ids: list[Key] = Field(
        default_factory=list, max_length=2_000, description="What coupons are for; empty: anything."
    )
    categories: list[Name] = Field(
        default_factory=list, max_length=40, description="Categories that coupons are for; empty: any."
    )
    minimum_basket_minor: Minor = 0
    per_member: Whole | None = Field(1, ge=1, le=1_000, description="Coupons for one shopper; null: no limit.")
    per_household: Whole | None = Field(None, ge=1, le=1_000)
    caps: dict[Channel, Minor] = Field(
        default_factory=dict, description="The most that a channel may take of the budget."
    )
    creative_campaign_ids: list[Key] = Field(
        default_factory=list,
        max_length=MOST_POSTERS,
        description="Campaigns of posters that start, pause and end with it, with its dates and for its audience.",
    )
    posters_for: list[Key] = Field(
        default_factory=list,
        max_length=MOST_POSTERS,
        description="Products that it is to have posters of its own for; a campaign of posters is made for each.",
    )
    holdout: Real = Field(
        HOLDOUT,
        ge=0,
        le=0.5,
        allow_inf_nan=False,
        description="The share of people who get no coupon of it, to measure by.",
    )

    def plan(self, campaign_id: str, currency: str) -> CampaignPlan:
        """Return the plan."""
        steps = tuple(
            Step(one.discount_minor, 0 if one.percent is None else round(one.percent * 100)) for one in self.ladder
        )
        return CampaignPlan(
            campaign_id, self.name, self.objective, self.audience.spec(), Money(self.budget_minor, currency), self.starts_at, self.ends_at,
            tuple(sorted(steps, key=lambda step: (step.discount_minor, step.percent_bp))), tuple(self.product_ids), tuple(self.categories),
            self.minimum_basket_minor, self.per_member, self.per_household, {channel.value: most for channel, most in self.caps.items()},
            tuple(dict.fromkeys(self.creative_campaign_ids)), self.holdout,
        )  # fmt: skip


class SimulationIn(Body):
    """How to simulate."""

    seed: Whole = Field(7, ge=0, lt=2**31, description="The same seed gives the same answer.")


class TuningIn(Body):
    """Where the dials are to stand; what is left out is as it ships."""

    values: dict[str, Any] = Field(examples=[{"variety": {"widget": 0.5}, "discounts": {"thrift": 1.5}}])
    note: Annotated[
        str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["More variety in the widget"])
    ]


class TuningPreviewIn(Body):
    """Dials to try out on members, without anybody noticing."""

    values: dict[str, Any]
    member_ids: list[Id] = Field(
        default_factory=list, max_length=8, description="Whose slates to show; empty: a sample."
    )
