"""What answers about experiments hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.answers import Shape, Told


class ArmOut(Shape):
    """One way of treating people."""

    name: str
    share: float
    personalize: bool
    coupons: bool
    creative: bool
    without: str = Field(description="The campaign whose coupons the arm does not get; empty: none.")
    tuning: int | None = Field(
        description="The version of the tuning by which it is decided; null: the one that counts."
    )


class ExperimentOut(Shape):
    """An experiment with its dates."""

    experiment_id: str
    hypothesis: str
    arms: list[ArmOut]
    metric: str
    guardrails: dict[str, float]
    traffic: float
    window_days: int
    design: str = Field(description="`sequential` or `fixed`, chosen up front.")
    planned_units: int
    status: str = Field(description="`draft`, `running` or `ended`.")
    created_at: str
    started_at: str | None
    ended_at: str | None
    etag: str = Field(description="What `If-Match` names to start or end it.", examples=['"experiment-5f0c1d2e"'])


class ExperimentsPage(Shape):
    """Experiments, newest first."""

    experiments: list[ExperimentOut]
    next_cursor: str | None


class AssignmentOut(Shape):
    """A member's arm."""

    experiment_id: str
    member_id: str
    arm: str | None


Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]
"""The lower and the upper one; a list, since generators of clients know no tuples (`prefixItems`)."""


class EffectOut(Shape):
    """One metric of an arm against the control; intervals are 95 % of the absolute difference."""

    metric: str
    control: float
    treatment: float
    difference: float
    relative: float | None
    ci: Bounds = Field(description="Fixed horizon, CUPED-adjusted: for one look at the planned size.")
    p: float
    plain_p: float = Field(description="Without CUPED.")
    saved: float = Field(description="Part of the variance that CUPED removed.")
    always: Bounds | None = Field(description="Confidence sequence: may be watched all the time.")


class ArmResultOut(Shape):
    """An arm against the control."""

    arm: str
    units: int
    effects: list[EffectOut]
    broken: list[str] = Field(description="Guardrails that are surely broken.")
    verdict: str


class ExposuresOfDay(Shape):
    """Units that were first exposed on a day."""

    day: str
    arm: str
    units: int


class ExperimentResults(ExperimentOut):
    """What came of an experiment so far."""

    exposed: dict[str, int] = Field(description="Units by arm, whose windows may still be open.")
    units: dict[str, int] = Field(description="Units by arm whose window has passed: those that are judged.")
    srm_p: float | None = Field(
        description="Below 0.001 the arms' sizes contradict their shares: results are not to be trusted."
    )
    results: list[ArmResultOut]
    daily: list[ExposuresOfDay]
    srm_exposed_p: float | None = Field(
        description="The same check over everybody who was exposed, windows open or not."
    )
    alarm: str | None = Field(description="A sentence where the sizes contradict the shares; null while they do not.")
    conclusion: list[str] = Field(description="What can be said now, the weightiest first.")
    conclusion_told: list[Told] = Field(description="The same, line by line, as codes and facts.")


class PowerOut(Shape):
    """How large an experiment has to be, and what it can find."""

    metric: str
    basis_units: int = Field(description="Members of the past that this was worked out from.")
    mean: float
    deviation: float
    saved: float = Field(description="Part of the variance that CUPED would remove, as the past had it.")
    units: int = Field(description="People in all.")
    per_arm: list[int] = Field(description="The control arm, and the other.", examples=[[400, 400]])
    detectable: float
    relative: float | None
    days: int | None = Field(
        description="Until so many were exposed and their windows have passed; null: the traffic never gets there."
    )
    exposed_days: int | None
    reached: list[int] = Field(description="Different members met by the end of each of the last 28 days.")
    sentence: str
    told: Told


class PartOut(Shape):
    """A segment's effect; `adjusted` is the p-value for all looks together."""

    segment: str
    name: str
    arm: str
    control_units: int
    units: int
    effect: EffectOut
    adjusted: float
    found: bool


class BreakdownOut(Shape):
    """An experiment by segment."""

    by: str
    correction: str
    parts: list[PartOut]
    too_small: int
    sentence: str
    told: Told
