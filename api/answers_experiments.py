"""What answers about experiments hold."""

from __future__ import annotations

from pydantic import Field

from api.answers import Shape


class ArmOut(Shape):
    """One way of treating people."""

    name: str
    share: float
    personalize: bool
    coupons: bool
    creative: bool


class ExperimentOut(Shape):
    """An experiment with its dates."""

    experiment_id: str
    hypothesis: str
    arms: list[ArmOut]
    metric: str
    guardrails: dict[str, float]
    traffic: float
    window_days: int
    status: str = Field(description="`draft`, `running` or `ended`.")
    created_at: str
    started_at: str | None
    ended_at: str | None


class ExperimentsPage(Shape):
    """All experiments."""

    experiments: list[ExperimentOut]


class AssignmentOut(Shape):
    """A member's arm."""

    experiment_id: str
    member_id: str
    arm: str | None


class EffectOut(Shape):
    """One metric of an arm against the control; intervals are 95 % of the absolute difference."""

    metric: str
    control: float
    treatment: float
    difference: float
    relative: float | None
    ci: tuple[float, float] = Field(description="Fixed horizon, CUPED-adjusted: for one look at the planned size.")
    p: float
    plain_p: float = Field(description="Without CUPED.")
    saved: float = Field(description="Part of the variance that CUPED removed.")
    always: tuple[float, float] | None = Field(description="Confidence sequence: may be watched all the time.")


class ArmResultOut(Shape):
    """An arm against the control."""

    arm: str
    units: int
    effects: list[EffectOut]
    broken: list[str] = Field(description="Guardrails that are surely broken.")
    verdict: str


class ExperimentResults(ExperimentOut):
    """What came of an experiment so far."""

    exposed: dict[str, int] = Field(description="Units by arm, whose windows may still be open.")
    units: dict[str, int] = Field(description="Units by arm whose window has passed: those that are judged.")
    srm_p: float | None = Field(
        description="Below 0.001 the arms' sizes contradict their shares: results are not to be trusted."
    )
    results: list[ArmResultOut]
