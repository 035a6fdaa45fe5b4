"""What answers about segments hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.answers import Shape


class SegmentOut(Shape):
    """A group of members: found by training, or made by staff."""

    segment_id: str = Field(examples=["s1"])
    kind: Literal["trained", "own"]
    name: str = Field(examples=["Frequent, small baskets"])
    description: str = Field(
        description="Of a trained one the rule of a decision tree that describes it; of an own one what its author says."
    )
    sentence: str = Field(description="Its rule in words.")
    rule: dict[str, Any] | None = Field(description="Conditions of an own one; null for a trained one.")
    bounds: dict[str, list[float | None]] | None = Field(
        default=None,
        description="Of a trained one: least and most of each feature, in its own unit; null where its rule is not known.",
    )
    liked: list[str] = Field(
        default=[], description="Of a trained one: categories that its members spend more on than others."
    )
    members: int
    share: float = Field(description="Of all members with features.")
    author: str | None
    updated_at: str | None
    etag: str | None = Field(description="What `If-Match` names to change an own one.", examples=['"segment-5f0c1d2e"'])


class SegmentsOut(Shape):
    """All segments: trained ones in the model's order, then own ones, newest first."""

    members: int = Field(description="Members with features: those who agreed to profiling and have a profile.")
    segments: list[SegmentOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")
    stability: float | None = Field(description="Mean Jaccard of the trained clusters over bootstraps, from 0 to 1.")
    rules_accuracy: float | None = Field(
        description="How many held-out members the rules in words put into their segment."
    )


class SegmentCount(Shape):
    """How many members a rule chooses."""

    members: int
    of: int
    sentence: str = Field(examples=["Orders in 26 weeks at least 10 and labelled promotion seeker."])


class FeatureWord(Shape):
    """A feature that a rule may be about, with the smallest, mean and largest value of a sample."""

    name: str = Field(examples=["promo_share"])
    title: str = Field(examples=["spent on promotions"])
    unit: str = Field(examples=["share"])
    least: float
    mean: float
    most: float


class LabelWord(Shape):
    """A label that a rule may be about, with the values that members have."""

    name: str
    values: list[str]


class Vocabulary(Shape):
    """What rules may be about."""

    features: list[FeatureWord]
    labels: list[LabelWord]
    segments: list[LabelWord] = Field(description="Trained segments: the id as `name`, its name as the one value.")
    most_conditions: int


class MapPoint(Shape):
    """A member on the map."""

    x: float
    y: float
    segment_id: str


class MapOut(Shape):
    """A sample of members in the plane in which segments lie furthest apart: near means alike. Nobody is named."""

    sampled: int
    members: int
    points: list[MapPoint]


class SizesOut(Shape):
    """Members of each segment by day, null on days without a count."""

    days: list[str]
    sizes: dict[str, list[int | None]]


class Estimate(Shape):
    """A mean or share with its 95 % interval."""

    n: int
    value: float
    low: float
    high: float


class FeatureCompared(Shape):
    """A feature in both segments; `effect` is the difference in standard deviations (Cohen's d)."""

    name: str
    title: str
    unit: str
    a: Estimate
    b: Estimate
    difference: float
    low: float
    high: float
    effect: float


class LabelCompared(Shape):
    """How many have a label with a value, in both segments."""

    name: str
    value: str
    a: Estimate
    b: Estimate


class Compared(Shape):
    """Two segments side by side, what sets them apart most first. Intervals are of each line alone: of twenty, one misses by chance."""

    a: SegmentOut
    b: SegmentOut
    both: int = Field(description="Members who are in both.")
    features: list[FeatureCompared]
    labels: list[LabelCompared]


class Deleted(Shape):
    """That it is gone."""

    deleted: bool
