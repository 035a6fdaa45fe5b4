"""Proof of play: what kiosks have shown, told by them, maybe long after, and stored once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError

from api.answers import EventsOut, answers
from api.answers_kiosks import PlaysOut, Purged
from api.auth import api_key, device
from api.routes.deps import DisplaysDep, ServicesDep
from api.routes.kiosks import find
from api.schemas_kiosks import PlayIn, PlaysIn
from stores.plays import Play

router = APIRouter(tags=["Kiosks"])
CLOCK_TOLERANCE = timedelta(seconds=5)
"""What a request takes on its way is no wrong clock."""


@router.post("/kiosks/{kiosk_id}/plays", summary="Report what was shown", **answers(EventsOut))
def post_plays(
    kiosk_id: str, body: PlaysIn, services: ServicesDep, key: Annotated[str, Depends(device)]
) -> dict[str, Any]:
    """Store up to 500 plays. A `play_id` that was seen before changes nothing, so send a batch again until it is answered.

    A kiosk whose clock is wrong is put right by `sent_at`. The first play of a decision tells the event log that its items
    were seen; in the loop for nobody in particular, that the decision was.
    """
    now = datetime.now(UTC)
    good, rejected = [], []
    for index, raw in enumerate(body.plays):
        try:
            good.append(_play(PlayIn.model_validate(raw), now - body.sent_at, now))
        except (ValidationError, OverflowError) as error:
            found = error.errors() if isinstance(error, ValidationError) else []
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:3])
            rejected.append({"index": index, "reason": told or "this is no time that a calendar has"})
    statuses = services.plays.store(key, good, received_at=now)
    return {"accepted": statuses.count("accepted"), "duplicates": statuses.count("duplicate"), "rejected": rejected}


def _play(told: PlayIn, offset: timedelta, now: datetime) -> Play:
    """Return the play by the server's clock: nothing lies in the future, and nothing ends before it begins."""
    if abs(offset) <= CLOCK_TOLERANCE:
        offset = timedelta()
    ended = min(told.ended_at + offset, now)
    started = min(told.started_at + offset, ended)
    return Play(
        told.play_id, told.mode, started, ended, told.online, told.decision_id, told.creative_id, told.film_id, tuple(told.product_ids),
        round(offset.total_seconds(), 3),
    )  # fmt: skip


@router.get(
    "/kiosks/{kiosk_id}/plays",
    summary="Read what a kiosk has shown",
    dependencies=[Depends(api_key("kiosks"))],
    **answers(PlaysOut),
)
def read_plays(
    kiosk_id: str,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, lt=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Return plays behind the position `after`; they are kept for 400 days."""
    return {"plays": services.plays.after(find(services, kiosk_id).kiosk_id, after, limit)}


@router.post(
    "/kiosks/{kiosk_id}/purge",
    summary="Empty a kiosk's cache",
    dependencies=[Depends(api_key("kiosks"))],
    **answers(Purged),
)
def purge(kiosk_id: str, services: ServicesDep, displays: DisplaysDep) -> dict[str, Any]:
    """Tell the kiosk to delete what it keeps for when the api is away: at once, or as soon as it is connected again."""
    return {"epoch": displays.purge(find(services, kiosk_id))}
