"""What answers about campaigns hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import MoneyOut, Shape, Told
from api.answers_experiments import ArmResultOut


class StepOut(Shape):
    """A rung of the ladder."""

    discount_minor: int
    percent: float | None


class AudienceOut(Shape):
    """Whom a campaign is for; `listed` counts a list's members."""

    kind: str
    of: str
    labels: dict[str, str]
    listed: int


class HistoryLine(Shape):
    """What was done to a campaign, by whom."""

    what: str
    by: str
    at: str


class CampaignPlanOut(Shape):
    """A campaign on paper and where it stands."""

    campaign_id: str = Field(examples=["autumn-coffee"])
    name: str
    objective: str
    audience: AudienceOut
    budget: MoneyOut
    starts_at: str
    ends_at: str
    ladder: list[StepOut]
    product_ids: list[str]
    categories: list[str]
    minimum_basket_minor: int
    per_member: int | None
    per_household: int | None
    caps: dict[str, int]
    creative_campaign_ids: list[str]
    holdout: float
    state: Literal["draft", "approved", "running", "paused", "ended"]
    version: int
    author: str
    approved_by: str | None
    wants_second_person: bool = Field(description="Whether its budget wants somebody who did not write it.")
    may_approve: bool = Field(description="Whether who asks may approve it as it stands.")
    moves: list[str] = Field(description="What can be done to it now.")
    spent: MoneyOut | None = Field(description="Null before it is launched.")
    reserved: MoneyOut | None
    created_at: str
    changed_at: str
    history: list[HistoryLine]


class CampaignCreative(Shape):
    """A campaign of posters of one product that a campaign has: how many variants stand where, and what came of them."""

    creative_campaign_id: str
    product_id: str
    product: str | None = Field(description="Its name; null where the catalogue has it no more.")
    approval: str = Field(description="What a person has to approve: `each`, `family`, or nothing (`automatic`).")
    state: Literal["own", "held", "ready", "running", "ended"] = Field(
        description="`own`: by its own dates, until the launch; `held`: not launched yet, or paused; `ready`: from the start on."
    )
    missing: Literal["drawing", "approval", "taken"] | None = Field(
        description="Why nothing of it would be shown: no variants, none approved, or it runs with another campaign."
    )
    taken_by: str | None
    starts_at: str
    ends_at: str
    proposed: int = Field(description="Variants that wait for a person.")
    approved: int
    shown: int
    clicked: int
    converted: int
    rate: float | None = Field(description="Clicks per view.")
    rate_low: float | None = Field(description="Wilson's interval of 95 %.")
    rate_high: float | None


class CampaignCreatives(Shape):
    """A campaign's posters."""

    creatives: list[CampaignCreative]
    approved: int
    proposed: int


class CampaignProduct(Shape):
    """A product that posters can be drawn for."""

    product_id: str
    name: str
    category: str
    price: MoneyOut


class CampaignProducts(Shape):
    """Products that were found."""

    products: list[CampaignProduct]


class CampaignPlansPage(Shape):
    """Campaigns, newest first."""

    campaigns: list[CampaignPlanOut]
    next_cursor: str | None


class ReachOut(Shape):
    """How many an audience has."""

    members: int
    reachable: int = Field(description="Those who agree to marketing, and so can get a coupon.")
    unknown: list[str] = Field(description="Entries of a list that are no members, the first twenty.")


class ClusterChoice(Shape):
    """A cluster that can be an audience."""

    cluster_id: str
    name: str
    description: str
    members: int


class SegmentChoice(Shape):
    """An own segment that can be an audience."""

    segment_id: str
    name: str
    description: str


class LabelValue(Shape):
    """A value of a label, and how many members have it."""

    value: str
    members: int


class LabelChoice(Shape):
    """A label that an audience can be told by."""

    name: str
    values: list[LabelValue]


class CategoryChoice(Shape):
    """A category of products, with what they cost."""

    category: str
    products: int
    cheapest_minor: int
    dearest_minor: int


class CampaignChoices(Shape):
    """What a campaign can be made of."""

    currency: str
    members: int
    reachable: int
    clusters: list[ClusterChoice]
    labels: list[LabelChoice]
    segments: list[SegmentChoice]
    categories: list[CategoryChoice]
    second_person_above_minor: int
    holdout: float


class FigureOut(Shape):
    """An expectation with its 95 % interval."""

    expected: float
    low: float
    high: float


class DayOut(Shape):
    """The end of a day of a simulation."""

    day: int
    spent: float
    price: float


class GroupOut(Shape):
    """What a declared group would get."""

    attribute: str
    group: str
    people: int
    visits: int
    with_coupon: float
    discount_minor: float
    added_conversion: float


class FairnessOut(Shape):
    """What the fairness limit costs."""

    apart: float
    within: float
    kept: float
    lost: float
    sentence: str


class SimulationResult(Shape):
    """What a campaign is expected to do."""

    seed: int
    priors: bool = Field(description="Whether nothing was learned from this shop's own coupons yet.")
    people: int
    arrivals: int
    coupons: int
    currency: str
    budget_minor: int
    objective: str
    spend: FigureOut
    conversions: FigureOut
    conversions_without: float
    gained: FigureOut = Field(description="In the objective's unit: conversions, or minor units.")
    lift: FigureOut
    path: list[DayOut]
    groups: list[GroupOut]
    fairness: FairnessOut | None
    notes: list[str]
    notes_told: list[Told] = Field(
        default=[], description="The notes as codes and facts; none of a simulation from before there were any."
    )
    sentence: str
    told: Told | None = None


class SimulationOut(Shape):
    """A simulation, done or on its way."""

    simulation_id: str
    campaign_id: str
    version: int = Field(description="Of the campaign; one that was changed since is to be simulated again.")
    state: Literal["queued", "running", "done", "failed"]
    progress: float
    reason: str
    created_at: str
    result: SimulationResult | None


class PacingPoint(Shape):
    """Five minutes of a campaign. `planned` is what would be spent by then if the money followed the visits."""

    at: str
    price: float = Field(description="λ: what a minor unit of the budget's money is worth.")
    spent: int
    reserved: int
    planned: float


class PacingOut(Shape):
    """How a campaign's money goes."""

    campaign_id: str
    name: str
    drafted: bool = Field(description="Whether it was drafted here; one that was imported has no plan to change.")
    state: str
    currency: str
    total: int
    spent: int
    reserved: int
    price: float | None
    starts_at: str
    ends_at: str
    coupons: dict[str, int] = Field(description="Coupons by what became of them.")
    points: list[PacingPoint]
    sentence: str
    told: Told


class RungResult(Shape):
    """What came of a discount."""

    discount_minor: int
    given: int
    redeemed: int


class CampaignResults(Shape):
    """What came of a campaign: its money, its coupons, and by its holdout what it added."""

    campaign_id: str
    state: str
    spent: MoneyOut
    budget: MoneyOut
    coupons: dict[str, int]
    rungs: list[RungResult]
    experiment_id: str | None
    exposed: dict[str, int]
    units: dict[str, int]
    srm_p: float | None
    lift: ArmResultOut | None
    conclusion: list[str]
    conclusion_told: list[Told] = Field(description="The same, line by line, as codes and facts.")
