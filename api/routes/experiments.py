"""Experiments: drafted, started, ended, and read while they run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends

from api import views
from api.answers import answers
from api.answers_experiments import AssignmentOut, ExperimentOut, ExperimentResults, ExperimentsPage
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas import ExperimentIn, ExposureIn
from personalization.experiments.spec import ExperimentError
from personalization.types import Channel, Purpose, Subject

router = APIRouter(tags=["Experiments"], dependencies=[Depends(api_key("experiments"))])


@router.post("/experiments", summary="Draft an experiment", **answers(ExperimentOut, 201, but=[409]))
def create(body: ExperimentIn, services: ServicesDep) -> dict[str, Any]:
    """Store a draft. It cannot be changed later: arms that change half way make results that nobody can read."""
    try:
        experiment = body.experiment()
    except ExperimentError as error:
        raise ProblemError(422, "invalid", f"{error}.") from None
    return views.experiment(services.experiments.create(experiment, at=datetime.now(UTC)))


@router.get("/experiments", summary="List experiments", **answers(ExperimentsPage))
def list_experiments(services: ServicesDep) -> dict[str, Any]:
    """Return every experiment, newest first."""
    return {"experiments": [views.experiment(one) for one in services.experiments.all()]}


@router.post("/experiments/{experiment_id}/start", summary="Start a draft", **answers(ExperimentOut, but=[409]))
def start(experiment_id: str, services: ServicesDep) -> dict[str, Any]:
    """Let it run: from now on decisions follow the arms, and first exposures are logged."""
    return views.experiment(services.experiments.start(experiment_id, at=datetime.now(UTC)))


@router.post(
    "/experiments/{experiment_id}/end", summary="End a running experiment", **answers(ExperimentOut, but=[409])
)
def end(experiment_id: str, services: ServicesDep) -> dict[str, Any]:
    """Treat everybody alike again. Windows that are open go on being measured."""
    return views.experiment(services.experiments.end(experiment_id, at=datetime.now(UTC)))


@router.post("/experiments/{experiment_id}/exposures", summary="Ask for a member's arm, and log the exposure",
             **answers(AssignmentOut, but=[409]))  # fmt: skip
def expose(experiment_id: str, body: ExposureIn, services: ServicesDep) -> dict[str, Any]:
    """Return the arm that chat and kiosk use too, for a channel that Aisle does not run; null for who does not take part."""
    stored = services.experiments.get(experiment_id)
    if stored.status != "running":
        raise ProblemError(409, "conflict", f"The experiment {experiment_id} is {stored.status}, not running.")
    found, now = get_member(services, body.member_id).member_id, datetime.now(UTC)
    subject = Subject(found)
    if Purpose.PROFILING not in services.consents.granted(subject, at=now):
        return {"experiment_id": experiment_id, "member_id": found, "arm": None}
    arms = services.experiments.expose([stored.experiment], subject, at=now, channel=Channel.API)
    return {"experiment_id": experiment_id, "member_id": found, "arm": arms[0].arm.name if arms else None}


@router.get(
    "/experiments/{experiment_id}/results", summary="Read an experiment's results", **answers(ExperimentResults)
)
def results(experiment_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return sizes, the sample-ratio check, effects with intervals, guardrails and a verdict, over units whose window has passed.

    `always` may be watched while the experiment runs; `ci` and `p` are to be read once, at the planned size.
    """
    from personalization.experiments.analysis import analyse  # noqa: PLC0415  serving starts without it

    stored = services.experiments.get(experiment_id)
    found = analyse(stored.experiment, services.experiments.outcomes(experiment_id, at=datetime.now(UTC)))
    return {**views.experiment(stored), "exposed": services.experiments.counts(experiment_id), **views.result(found)}
