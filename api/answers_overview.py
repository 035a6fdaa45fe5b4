"""What answers about how the shop does hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import MoneyOut, Shape, Told


class Definition(Shape):
    """What a figure is."""

    name: str = Field(examples=["conversion_rate"])
    title: str = Field(examples=["Conversion rate"])
    unit: str = Field(examples=["share"])
    sentence: str
    formula: str = Field(examples=["sessions with `bought` / sessions"])
    sources: list[str] = Field(description="The tables that it is computed from.")
    split: Literal["channel", "part", ""] = Field(description="What its series are split by; empty: they are not.")
    better: Literal["up", "down", ""] = Field(description="Which way is good; empty: neither.")
    csv: str | None = Field(
        description="Where its days are to be had as CSV; null: it is shown as it stands, and no days are kept."
    )


class Definitions(Shape):
    """Every figure's definition."""

    definitions: list[Definition]


class SeriesOut(Shape):
    """One line of a chart: a value for each of the figure's days, null where there is none."""

    key: str = Field(description="The channel or part.", examples=["widget"])
    values: list[float | None]


class FigureOut(Shape):
    """One figure over the period, against the same length before, and day by day."""

    name: str
    title: str
    unit: str
    value: float | None = Field(
        description="Money is in minor units; null: there is nothing to compute it from, or it is withheld."
    )
    before: float | None
    change: float | None = Field(description="Relative to `before`; null where that says nothing.")
    better: Literal["up", "down", ""]
    split: Literal["channel", "part", ""]
    series: list[SeriesOut]
    parts: dict[str, float] = Field(description="The value by channel or part.")


class BudgetPace(Shape):
    """A running campaign's money."""

    campaign_id: str
    name: str
    starts_at: str
    ends_at: str
    total: MoneyOut
    spent: MoneyOut
    reserved: MoneyOut
    spent_share: float
    promised_share: float = Field(description="Spent, or promised in open coupons.")
    elapsed_share: float
    pace: Literal["early", "ahead", "on pace", "behind"]
    price: float | None = Field(description="λ, the budget's price of money; null before its loop began.")
    link: str


class ValueBin(Shape):
    """How many members are expected to spend between two amounts."""

    least_minor: int
    most_minor: int | None
    members: int


class ValueOut(Shape):
    """What members are expected to spend."""

    as_of: str | None
    members: int
    mean: MoneyOut | None
    before: MoneyOut | None
    bins: list[ValueBin]
    bins_before: list[ValueBin]
    daily: list[float | None] = Field(
        description="The mean of each day of the period, in minor units; null: it was not counted."
    )


class ChurnOut(Shape):
    """How many members are at risk of lapsing."""

    as_of: str | None
    high: int
    medium: int
    low: int
    high_before: int | None
    series: list[SeriesOut] = Field(description="How many members stood at which risk, day by day.")
    link: str


class ModelHealth(Shape):
    """A trained artifact, how old it is, and how far members have moved since."""

    name: str
    version: str
    trained_at: str | None
    age_days: int | None
    drift: float | None = Field(description="The largest population stability index; null: not measured yet.")
    verdict: Literal["steady", "shifted", "changed", "unknown", "broken"]
    sentence: str
    told: Told
    link: str


class FallbackOut(Shape):
    """A component that did not answer itself lately."""

    component: str
    used: str
    count: int
    sentence: str
    link: str


class AlertCause(Shape):
    """Something that somebody should look at, with its cause."""

    kind: Literal["budget", "pace", "drift", "fallback", "sample_ratio", "rating", "webhooks"]
    severity: Literal["warning", "serious"]
    sentence: str
    told: Told
    cause: str
    cause_told: Told
    link: str = Field(description="Where in the console the cause is.", examples=["/console/campaigns/spring"])


class OverviewOut(Shape):
    """The loop at a glance."""

    since: str
    until: str
    before_since: str
    as_of: str
    currency: str
    days: list[str]
    figures: list[FigureOut]
    budgets: list[BudgetPace]
    value: ValueOut
    churn: ChurnOut
    models: list[ModelHealth]
    fallbacks: list[FallbackOut]
    alerts: list[AlertCause]
