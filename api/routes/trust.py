"""For auditors: fairness, the audit log, consents in numbers, what was deleted, and what models are for."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.answers import answers
from api.answers_trust import (
    ChainOut,
    ConsentsOut,
    FairnessOut,
    GivenUpPage,
    JobsPage,
    LogPage,
    ModelCards,
    RetentionOut,
    VarietyOut,
)
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas import FairnessIn
from api.services import fairness_job
from api.services.model_cards import cards
from api.wiring import Services
from personalization.trust import variety
from stores.audit import Entry
from stores.keys import Key
from stores.variety import WEEK, monday

router = APIRouter(prefix="/trust", tags=["Trust"], dependencies=[Depends(api_key("audit"))])
Auditor = Annotated[Key, Depends(api_key("audit"))]
Limit = Annotated[int, Query(ge=1, le=500)]
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
From = Annotated[
    date | None, Query(alias="from", ge=EARLIEST, le=LATEST, description="First day, UTC.", examples=["2026-11-01"])
]
To = Annotated[date | None, Query(ge=EARLIEST, le=LATEST, description="Last day, UTC.", examples=["2026-11-27"])]
CHECKED_FOR_S = 60.0
LONGEST_DAYS = 800


@router.get("/fairness", summary="Read the latest fairness audit", **answers(FairnessOut))
def read_fairness(services: ServicesDep) -> dict[str, Any]:
    """Return what the latest audit found, by declared group, and whether one is running."""
    return fairness_job.told(services)


@router.post("/fairness", summary="Run a fairness audit", **answers(FairnessOut, 202, but=[409]))
def run_fairness(body: FairnessIn, services: ServicesDep, auditor: Auditor) -> dict[str, Any]:
    """Audit the decisions of the last days, in the background; read the audit again until it is no longer running."""
    if not fairness_job.begin(services, days=body.days, author=auditor.name):
        raise ProblemError(409, "conflict", "An audit is running already; wait for it.")
    return fairness_job.told(services)


@router.get("/variety", summary="Read how varied members' slates were", **answers(VarietyOut))
def read_variety(services: ServicesDep) -> dict[str, Any]:
    """Return the share of members who were shown too little variety, week by week, and whether that is an alarm.

    The worker works a week out once it is over; who was shown too little gets more surprising slates in the week after.
    """
    done, last = services.variety.worked_out(), (monday(datetime.now(UTC)) - WEEK).date()
    weeks = [one for one in services.variety.shop() if done is not None and one.week <= done]
    known = bool(weeks) and weeks[-1].week == last  # an old week says nothing of now
    why = variety.shop_alarm(weeks) if known else ()
    return {
        "state": "unknown" if not known else "alarm" if why else "widened" if weeks[-1].narrow else "quiet", "why": list(why),
        "alarm_share": variety.MANY, "least_members": variety.LEAST_MEMBERS, "trend": variety.trend(weeks), "alarm_trend": -variety.FALL_BITS,
        "weeks": [
            {"week": one.week.isoformat(), "members": one.members, "narrow": one.narrow, "share": one.share, "diversity": one.diversity,
             "novelty": one.novelty, "entropy": one.entropy} for one in weeks
        ],
    }  # fmt: skip


@router.get("/audit-log", summary="Search the audit log", **answers(LogPage))
def search_log(
    services: ServicesDep,
    who: Annotated[str, Query(max_length=80, description="Part of who did it: a key's name, or the name of somebody of the staff.")] = "",
    what: Annotated[str, Query(max_length=80, description="Part of what was done, or of what it was done to.")] = "",
    since: From = None, to: To = None, limit: Limit = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Return lines, newest first. Members stand there as keyed hashes; people of the staff by the ids of their accounts."""
    first, last = _times(since, to)
    named = [f"staff {key}" for key in services.staff_accounts.named(who)] if who else []
    found = services.trust_figures.log(
        who=who, actors=named, what=what, since=first, until=last, before=cursor, limit=limit + 1
    )
    more = str(found[limit - 1].seq) if len(found) > limit else None
    return {"lines": _lines(services, found[:limit]), "next_cursor": more}


@router.get("/audit-log/chain", summary="Check the audit log", **answers(ChainOut))
def check_chain(services: ServicesDep) -> dict[str, Any]:
    """Hold every line since the check before against the one before it, and the last one against what was noted of it; at most once a minute.

    Lines that an earlier check has read are not read again; `aisle audit verify` reads all of them.
    """
    return _chain(services)


@router.get("/consents", summary="Read consents in numbers", **answers(ConsentsOut))
def consents_in_numbers(services: ServicesDep, since: From = None, to: To = None) -> dict[str, Any]:
    """Return how many members agree to what, by text and channel, and what was said each day of the period (28 days without one)."""
    first, last = _times(since, to)
    end = last or datetime.now(UTC) + timedelta(minutes=1)
    begin = first or end - timedelta(days=28)
    if end - begin > timedelta(days=LONGEST_DAYS):
        raise ProblemError(422, "invalid", f"from: a period has at most {LONGEST_DAYS} days.")
    standing = services.trust_figures.standing(now=datetime.now(UTC))
    days = services.trust_figures.days(since=begin, until=end)
    return {
        "standing": [
            {"purpose": one.purpose, "text_version": one.text_version, "channel": one.channel, "granted": one.granted,
             "withdrawn": one.withdrawn, "expired": one.expired} for one in standing
        ],
        "days": [{"day": one.day, "purpose": one.purpose, "granted": one.granted, "withdrawn": one.withdrawn} for one in days],
        "members": services.trust_figures.members(),
    }  # fmt: skip


@router.get("/retention", summary="Read the schedule of retention", **answers(RetentionOut))
def retention(services: ServicesDep) -> dict[str, Any]:
    """Return how long what may be kept: of the laws that the settings name, the shortest terms."""
    found = services.schedule
    return {
        "jurisdictions": list(found.jurisdictions), "digest": found.digest,
        "terms": [
            {"kind": kind, "days": line.days, "purpose": line.purpose, "since": line.since, "law": line.law}
            for kind, line in sorted(found.data.items())
        ],
        "consents": [{"purpose": purpose.value, "days": days} for purpose, days in sorted(found.consents.items())],
    }  # fmt: skip


@router.get("/jobs", summary="List what was deleted", **answers(JobsPage))
def jobs(
    services: ServicesDep, limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=36, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Return receipts of erasures and of the schedule's deletions, newest first; they hold numbers alone."""
    found = services.trust_figures.jobs(before=cursor, limit=limit + 1)
    more = found[limit - 1].receipt_id if len(found) > limit else None
    return {
        "jobs": [
            {"receipt_id": one.receipt_id, "at": one.at.isoformat(), "scope": one.scope, "deleted": one.deleted,
             "total": sum(one.deleted.values()), "due_and_left": sum(one.proof["due_and_left"].values()) if one.proof else None}
            for one in found[:limit]
        ],
        "next_cursor": more,
    }  # fmt: skip


@router.get("/deliveries", summary="List what was not delivered", **answers(GivenUpPage))
def given_up(
    services: ServicesDep, limit: Limit = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what other systems were to be told and never took, the newest first; without its content."""
    found = services.console.given_up(before=cursor, limit=limit + 1)
    return {
        "deliveries": [
            {"delivery": one.seq, "event_id": one.event_id, "endpoint_id": one.endpoint_id, "endpoint": one.endpoint, "topic": one.topic,
             "attempts": one.attempts, "at": one.at.isoformat(), "ended_at": one.ended_at.isoformat(), "answer": one.answer}
            for one in found[:limit]
        ],
        "next_cursor": str(found[limit - 1].seq) if len(found) > limit else None,
    }  # fmt: skip


@router.get("/models", summary="Read the model cards", **answers(ModelCards))
def model_cards(services: ServicesDep) -> dict[str, Any]:
    """Return what each model is for and not for, what it learned from, and how good it was measured to be."""
    return {"models": cards(services.artifacts)}


def _times(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the moments that two days begin and end with."""
    if first is not None and last is not None and first > last:
        raise ProblemError(422, "invalid", "from: the first day lies behind the last one.")
    if last is not None and last >= date.max:
        raise ProblemError(422, "invalid", "to: this is the last day that a calendar has.")
    begin = None if first is None else datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = None if last is None else datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return begin, end


def _lines(services: Services, found: list[Entry]) -> list[dict[str, Any]]:
    ids = {one.actor.removeprefix("staff ") for one in found if one.actor.startswith("staff ")}
    names = services.staff_accounts.names(sorted(ids)) if ids else {}
    return [
        {"seq": one.seq, "at": one.at.isoformat(), "actor": one.actor, "name": names.get(one.actor.removeprefix("staff ")),
         "action": one.action, "target": one.target, "detail": dict(one.detail)}
        for one in found
    ]  # fmt: skip


_checking = threading.Lock()
_checked: dict[str, tuple[float, dict[str, Any]]] = {}


def _chain(services: Services) -> dict[str, Any]:
    """Return what the last check found, made now where that was long ago; while somebody makes it others get the one before."""
    url = str(services.db.url)
    at, found = _checked.get(url, (0.0, {}))
    if found and time.monotonic() - at <= CHECKED_FOR_S:
        return found
    if not _checking.acquire(blocking=not found):
        return found
    try:
        at, now = _checked.get(url, (0.0, {}))
        if now and time.monotonic() - at <= CHECKED_FOR_S:
            return now
        wrong = services.audit.verify_on()
        found = {
            "whole": not wrong, "lines": services.trust_figures.lines(), "wrong": wrong[:20],
            "checked_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        _checked[url] = (time.monotonic(), found)
    finally:
        _checking.release()
    return found
