"""Probes, metrics, and the endpoint that Rasa calls back."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import ClientDisconnect

from api.answers import Alive, Ready, answers, content
from api.auth import unauthorized
from api.errors import ProblemError
from api.routes.deps import ChatDep, EyesDep, ServicesDep

router = APIRouter(tags=["Operations"])
READY = answers(Ready)
READY["responses"][503] = {"model": Ready, "description": "Shoppers are not answered: the database is away."}


@router.get("/healthz", summary="Is the process alive?", **answers(Alive))
def healthz() -> dict[str, str]:
    """Answer when the process serves requests at all."""
    return {"status": "ok"}


@router.get("/readyz", summary="Which parts work?", **READY)
async def readyz(services: ServicesDep, chat: ChatDep, eyes: EyesDep) -> JSONResponse:
    """Return 200 while shoppers are answered; each part says whether it works or its fallback does."""
    database = await run_sync(_database, services)
    parts = {
        "database": database, "rasa": await chat.rasa.ready(), "artifacts": services.artifacts is not None,
        "vision_models": await run_sync(lambda: eyes.available),
    }  # fmt: skip
    return JSONResponse({"ready": database, "parts": parts}, 200 if database else 503)


def _database(services: ServicesDep) -> bool:
    try:
        with services.db.read() as connection:
            connection.execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001 - whatever is wrong with the database, the probe says so
        return False
    return True


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    **content("text/plain", about="Counters and histograms."),
)
def metrics(request: Request, services: ServicesDep) -> Response:
    """Return counters and histograms in Prometheus' text format; where the operator set `AISLE_METRICS_TOKEN`, to whoever sends it as a bearer token."""
    wanted = services.settings.metrics_token.get_secret_value()
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if wanted and not secrets.compare_digest(wanted.encode(), sent.encode()):
        raise unauthorized("the token that the operator gave Prometheus (`AISLE_METRICS_TOKEN`)")
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.post("/internal/rasa/actions", include_in_schema=False)
async def rasa_actions(
    request: Request,
    services: ServicesDep,
    x_aisle_action_token: Annotated[str, Header()] = "",
) -> Any:
    """Run the action that Rasa asks for, in process; once per message, also when a second Rasa takes over from one that broke down."""
    if not secrets.compare_digest(x_aisle_action_token.encode(), services.action_token.encode()):
        raise ProblemError(403, "forbidden", "This endpoint is Rasa's own.")
    try:
        asked: dict[str, Any] = await request.json()
    except ClientDisconnect:  # this Rasa was killed while it asked
        return Response(status_code=400)
    executor, once = request.app.state.executor, request.app.state.actions
    metadata = (asked.get("tracker", {}).get("latest_message") or {}).get("metadata") or {}
    name = f"{metadata['message_id']} {asked.get('next_action')}" if metadata.get("message_id") else ""
    done = await (once.do(name, lambda: executor.run(asked)) if name else executor.run(asked))
    return JSONResponse(done and done.model_dump())
