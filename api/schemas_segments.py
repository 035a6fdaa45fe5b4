"""What requests about segments and labels may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas import Body, Name, Real, Truth, Whole
from personalization.profiling.own_segments import MOST_CONDITIONS

Why = Annotated[
    str,
    Field(
        min_length=3,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*[^\x00-\x1f\s][^\x00-\x1f]*$",
        examples=["Said so at the till."],
    ),
]


class ConditionIn(Body):
    """One condition. A feature is compared with a number; a label or a trained segment is there, or is not."""

    kind: Literal["feature", "label", "segment"]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_:.-]*$")] = "segment"
    how: Literal["at_least", "at_most", "above", "below", "is", "is_not"]
    value: Real | Truth | Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$")] | None = None


class RuleIn(Body):
    """Who is in a segment."""

    match: Literal["all", "any"] = "all"
    conditions: list[ConditionIn] = Field(
        min_length=1,
        max_length=MOST_CONDITIONS,
        examples=[[{"kind": "feature", "name": "promo_share", "how": "at_least", "value": 0.6}]],
    )


class CountIn(Body):
    """A rule that is being built."""

    rule: RuleIn


class SegmentIn(Body):
    """A segment."""

    name: Name
    description: Annotated[str, Field(max_length=400, pattern=r"^[^\x00]*$")] = ""
    rule: RuleIn


class VetoIn(Body):
    """Why a label is not true."""

    reason: Why | None = None


class LabelIn(Body):
    """What a label is to say, and why."""

    value: Truth | Real | Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]
    reason: Why
    days: Annotated[Whole, Field(ge=1, le=365)] = 90
