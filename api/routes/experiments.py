"""Experiments: drafted, started, ended, and read while they run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from api import views
from api.answers import answers
from api.answers_experiments import (
    AssignmentOut,
    BreakdownOut,
    ExperimentOut,
    ExperimentResults,
    ExperimentsPage,
    PowerOut,
)
from api.auth import api_key
from api.cursors import Cursor, read_cursor, write_cursor
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas import ExperimentIn, ExposureIn, PowerIn
from api.services.sizing import worked_out
from api.tags import IfMatch, tag
from personalization.experiments.spec import ExperimentError
from personalization.types import Channel, Money, Purpose, Subject
from stores.experiments import Stored

ALARM = (
    "The groups' sizes contradict the planned shares (p = {:.2g}): somebody is lost on the way to one of them. Stop, find out who is "
    "missing, and start anew; no result of this experiment is to be used."
)
router = APIRouter(tags=["Experiments"], dependencies=[Depends(api_key("experiments"))])


def _tag(one: Stored) -> str:
    return tag("experiment", one.status)  # nothing else of it ever changes


def _told(one: Stored) -> dict[str, Any]:
    return views.experiment(one) | {"etag": _tag(one)}


def _answer(one: Stored, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = _tag(one)
    return _told(one)


@router.post("/experiments", summary="Draft an experiment", **answers(ExperimentOut, 201, but=[409]))
def create(body: ExperimentIn, services: ServicesDep) -> dict[str, Any]:
    """Store a draft. It cannot be changed later: arms that change half way make results that nobody can read."""
    try:
        experiment = body.experiment()
    except ExperimentError as error:
        raise ProblemError(422, "invalid", f"{error}.") from None
    return _told(services.experiments.create(experiment, at=datetime.now(UTC)))


@router.get("/experiments", summary="List experiments", **answers(ExperimentsPage))
def list_experiments(
    services: ServicesDep, limit: Annotated[int, Query(ge=1, le=100)] = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """Return experiments, newest first; those that measure a campaign by its holdout are among them."""
    found = services.experiments.page(limit=limit + 1, before=read_cursor(cursor))
    more = found[limit - 1] if len(found) > limit else None
    return {
        "experiments": [_told(one) for one in found[:limit]],
        "next_cursor": write_cursor(more.created_at, more.experiment.experiment_id) if more else None,
    }


@router.get("/experiments/{experiment_id}", summary="Read an experiment", **answers(ExperimentOut))
def read(experiment_id: str, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return an experiment without its results."""
    return _answer(services.experiments.get(experiment_id), response)


@router.post("/experiments/{experiment_id}/start", summary="Start a draft", **answers(ExperimentOut, but=[409, 412]))
def start(experiment_id: str, services: ServicesDep, response: Response, if_match: IfMatch) -> dict[str, Any]:
    """Let it run: from now on decisions follow the arms, and first exposures are logged."""
    check = if_match.against(_tag, "the experiment")
    return _answer(services.experiments.start(experiment_id, at=datetime.now(UTC), check=check), response)


@router.post(
    "/experiments/{experiment_id}/end", summary="End a running experiment", **answers(ExperimentOut, but=[409, 412])
)
def end(experiment_id: str, services: ServicesDep, response: Response, if_match: IfMatch) -> dict[str, Any]:
    """Treat everybody alike again. Windows that are open go on being measured."""
    check = if_match.against(_tag, "the experiment")
    return _answer(services.experiments.end(experiment_id, at=datetime.now(UTC), check=check), response)


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
def results(experiment_id: str, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return sizes, the sample-ratio check, effects with intervals, guardrails and a verdict, over units whose window has passed.

    `always` may be watched while the experiment runs; `ci` and `p` are to be read once, at the planned size.
    """
    from personalization.experiments.analysis import SRM_ALPHA, analyse, sample_ratio  # noqa: PLC0415  serving starts without it
    from personalization.experiments.conclusion import conclude  # noqa: PLC0415

    stored = services.experiments.get(experiment_id)
    response.headers["ETag"] = _tag(stored)
    found = analyse(stored.experiment, services.measured.outcomes(experiment_id, at=datetime.now(UTC)))
    exposed, running = services.experiments.counts(experiment_id), stored.status == "running"
    ratio = sample_ratio(stored.experiment, {arm.name: exposed.get(arm.name, 0) for arm in stored.experiment.arms})
    broken = ratio is not None and ratio < SRM_ALPHA
    said = conclude(
        stored.experiment,
        found,
        running=running,
        money=lambda minor: str(Money(round(minor), services.settings.currency)),
    )
    return {
        **_told(stored), "exposed": exposed, **views.result(found), "daily": services.experiment_traffic.daily(experiment_id),
        "srm_exposed_p": ratio, "alarm": ALARM.format(ratio) if broken else None,
        "conclusion": [one.sentence for one in said], "conclusion_told": [one.told() for one in said],
    }  # fmt: skip


@router.get("/experiments/{experiment_id}/segments", summary="Read an experiment by segment", **answers(BreakdownOut))
def segments(
    experiment_id: str, services: ServicesDep,
    by: Annotated[str, Query(max_length=64, description="`cluster`, `channel`, or a declared attribute.")] = "cluster",
    correction: Annotated[Literal["holm", "bh"], Query(description="Holm, or Benjamini and Hochberg.")] = "holm",
) -> dict[str, Any]:  # fmt: skip
    """Return the experiment's metric by segment, corrected for looking at many: clusters are those that members were in at their first exposure."""
    from personalization.experiments.breakdown import by_segment  # noqa: PLC0415  serving starts without it

    stored = services.experiments.get(experiment_id)
    units = services.measured.outcomes(experiment_id, at=datetime.now(UTC))
    units = units.join(services.experiment_traffic.segments(experiment_id, by), on="unit_id", how="left")
    found, named = (
        by_segment(stored.experiment, units, correction, services.experiments.counts(experiment_id)),
        services.cluster_names(),
    )
    return {
        "by": by, "correction": correction, "too_small": found.too_small, "sentence": found.said.sentence, "told": found.said.told(),
        "parts": [asdict(part) | {"name": named.get(part.segment, (part.segment,))[0]} for part in found.parts],
    }  # fmt: skip


@router.post("/experiments/power", summary="Work out an experiment's size", **answers(PowerOut))
def power(body: PowerIn, services: ServicesDep) -> dict[str, Any]:
    """Return the size that finds a change, or the change that a size or a time finds, from this shop's own members and traffic."""
    return worked_out(body, services, now=datetime.now(UTC))
