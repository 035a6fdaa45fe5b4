"""How the shop does: figures with their definitions, live, and as CSV."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.answers import answers, content
from api.answers_overview import Definitions, OverviewOut
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.services.health import alerts, fallbacks, models
from api.services.overview import Period, overview
from api.sessions import while_signed_in
from api.sheets import MEDIA_TYPE, sheet
from api.wiring import Services
from personalization.figures import FIGURES, MEANINGS

router = APIRouter(tags=["Overview"], dependencies=[Depends(api_key("overview"))])
USUAL_DAYS, MOST_DAYS = 28, 400
LOOK_AGAIN_S, HEARTBEAT_S = 5.0, 15
Since = Annotated[
    date | None,
    Query(alias="from", description="First day, of UTC; 28 days up to `to` without it.", examples=["2026-11-01"]),
]
Until = Annotated[date | None, Query(alias="to", description="Last day; today without it.", examples=["2026-11-28"])]


def period(since: Since = None, until: Until = None) -> Period:
    """Return the days that are asked for; ProblemError 422 where they make no sense."""
    today = datetime.now(UTC).date()
    last = until or today
    first = since or last - timedelta(days=min(USUAL_DAYS - 1, (last - date.min).days))
    if first > last:
        raise ProblemError(422, "invalid", "`from` is after `to`; turn them round.")
    if (last - first).days >= MOST_DAYS or first.year < 1971 or last > today + timedelta(days=1):
        raise ProblemError(
            422, "invalid", f"Ask for at most {MOST_DAYS} days, from 1971 on and none that is yet to come."
        )
    return Period(first, last)


PeriodDep = Annotated[Period, Depends(period)]


@router.get("/overview", summary="See how the shop does", **answers(OverviewOut))
def read_overview(services: ServicesDep, days: PeriodDep) -> dict[str, Any]:
    """Return figures with their change against the same length before, budgets, expected spend, risk, models, fallbacks and alerts."""
    return overview(services, days, now=datetime.now(UTC))


@router.get(
    "/overview/stream",
    summary="Follow how the shop does",
    response_class=EventSourceResponse,
    **content(
        "text/event-stream", about="`now`: how busy it is; `alerts`: what needs somebody, when that has changed."
    ),
)
async def follow(request: Request, services: ServicesDep) -> EventSourceResponse:
    """Stream decisions per minute, sessions and who waits for a person, and alerts once they change."""

    async def stream() -> AsyncGenerator[ServerSentEvent, None]:
        told: str | None = None
        while True:
            live, found = await run_sync(_now, services)
            yield ServerSentEvent(json.dumps(live), event="now", retry=3000)
            if found != told:
                told = found
                yield ServerSentEvent(found, event="alerts")
            await asyncio.sleep(LOOK_AGAIN_S)

    return EventSourceResponse(
        while_signed_in(request, stream()), ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"}
    )


@router.get("/figures/definitions", summary="Read what each figure is", **answers(Definitions))
def definitions() -> dict[str, Any]:
    """Return the name, unit, sentence and formula of every figure, and what it is computed from; then of what is shown as it stands."""
    names = ("name", "title", "unit", "sentence", "formula", "sources", "better")
    return {
        "definitions": [
            {**{name: getattr(one, name) for name in names}, "split": one.split, "csv": f"/v1/figures/{one.name}.csv"} for one in FIGURES.values()
        ] + [
            {**{name: getattr(one, name) for name in names}, "split": "", "csv": None} for one in MEANINGS.values()
        ]
    }  # fmt: skip


@router.get("/figures/{name}.csv", summary="Take a figure's days out", response_class=Response,
            **content("text/csv", about="A line for each day and channel or part."))  # fmt: skip
def figure_csv(
    name: Annotated[str, Path(max_length=64, description="The figure's name.", examples=["revenue"])],
    services: ServicesDep,
    days: PeriodDep,
) -> Response:
    """Return the numbers that a figure is computed from, day by day, for a spreadsheet. Money is in minor units."""
    figure = FIGURES.get(name)
    if figure is None:
        raise ProblemError(404, "not-found", f"There is no figure {name}; /v1/figures/definitions lists them.")
    rows = services.figures.read(figure.rows, days.since, days.until)
    lines = [(row.day.isoformat(), row.name, row.channel, row.part, row.value) for row in rows]
    text = sheet(("day", "counted", "channel", "part", "value"), lines)
    saved = f'attachment; filename="{name}-{days.since}-{days.until}.csv"'
    return Response(text, media_type=MEDIA_TYPE, headers={"Content-Disposition": saved, "Cache-Control": "no-store"})


def _now(services: Services) -> tuple[dict[str, Any], str]:
    """Return how busy it is and, as JSON, what needs somebody; asked once for all who listen."""

    def look() -> tuple[dict[str, Any], str]:
        now = datetime.now(UTC)
        found = alerts(
            services, services.console.budgets(at=now), models(services, now=now), fallbacks(services, now=now), now=now
        )
        return {"at": now.isoformat(), **asdict(services.console.live(at=now))}, json.dumps(found)

    return services.glance.get(look)
