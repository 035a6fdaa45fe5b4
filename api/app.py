"""The FastAPI app: routes, middleware, pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from api import demo, errors
from api.access import QuotaFields
from api.cors import CorsPerKey
from api.idempotency import Idempotency
from api.limits import Limits, SafeFields
from api.log import RequestLog, configure
from api.routes import (
    agents,
    attachments,
    baskets,
    conversations,
    coupons,
    creative_campaigns,
    creatives,
    decisions,
    display_policy,
    events,
    experiments,
    films,
    following,
    kiosks,
    members,
    oauth,
    operations,
    plays,
    profiles,
    segment,
    staff,
    stores,
    webhooks,
)
from api.schemas import EventIn, PlayIn
from api.services import rehearsal
from api.services.adapting import Adapting
from api.services.assistant import Assistant
from api.services.cameras import Cameras
from api.services.chat import Chat
from api.services.desk import Desk
from api.services.eyes import Eyes
from api.services.kiosk import Kiosks
from api.services.privacy import Privacy
from api.services.turns import Once
from api.settings import Settings
from api.trail import Trail
from api.wiring import Services, build_services
from api.worker import Worker
from chatbot.actions import build_executor

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"
KIOSK_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
STAFF_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
THREADS = 8  # answers cost Python time: more threads only take it from each other
ABOUT = """
Aisle answers one question for every channel: which items, which offer, which poster, and why.

**Keys.** Send `Authorization: Bearer …` with an API key (`aisle keys create`), a widget token (`POST /v1/widget-tokens`,
15 minutes, one visitor) or a kiosk's device key. **Errors** are problem documents (RFC 9457) whose `code` is stable.
**Money** is integer minor units with a currency. **Time** is UTC.
"""
TAGS = [
    {"name": "Access", "description": "Exchange an API key for a short-lived access token."},
    {"name": "Decisions", "description": "Ask the brain, and open what it decided."},
    {"name": "Events", "description": "Tell what happened, so that profiles, budgets and models learn."},
    {"name": "Segment", "description": "The same by Segment's spec, for its client libraries (docs/events.md)."},
    {"name": "Members", "description": "Known shoppers."},
    {"name": "Profiles", "description": "What Aisle concludes about members, and what they say about it."},
    {"name": "Experiments", "description": "Who gets which arm, and what came of it."},
    {"name": "Privacy", "description": "Consent, export, erasure."},
    {"name": "Coupons", "description": "Issue and redeem within hard budgets."},
    {"name": "Creatives", "description": "Posters, films and product pictures."},
    {"name": "Conversations", "description": "The chat widget's side."},
    {"name": "Agents", "description": "The people who take conversations over."},
    {"name": "Baskets", "description": "What a shopper gathered, in the chat or on the shop's page."},
    {"name": "Kiosks", "description": "Displays and cameras."},
    {"name": "Cameras", "description": "What cameras may do in each store: nothing, until an operator switches it on."},
    {"name": "Webhooks", "description": "Let Aisle tell your systems what happens (docs/webhooks.md)."},
    {"name": "Operations", "description": "Probes and figures."},
]


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """Return the app; `services` replaces what the settings would build."""
    configure(settings.log_format)
    built = services or build_services(settings)
    app = FastAPI(
        title="Aisle",
        version=version("aisle"),
        description=ABOUT,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
        responses=errors.problems(400, 401, 403, 404, 413, 422, 429),
    )
    _put_together(app, built)
    errors.install(app)
    app.include_router(operations.router)  # routes are tried in this order: first what every message of a shopper needs
    app.include_router(oauth.well_known)
    for module in (
        conversations,
        following,
        decisions,
        coupons,
        events,
        members,
        profiles,
        experiments,
        creative_campaigns,
        creatives,
        films,
        attachments,
        agents,
        baskets,
        kiosks,
        plays,
        display_policy,
        stores,
        staff,
        oauth,
        webhooks,
        segment,
    ):
        app.include_router(module.router, prefix="/v1")
    if settings.demo:
        app.include_router(demo.router)
    _pages(app, settings)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.add_middleware(Trail, audit=lambda: built.audit)
    app.add_middleware(Idempotency, replies=built.replies, caller=built.caller)
    app.add_middleware(QuotaFields)
    app.add_middleware(Limits)
    app.add_middleware(CorsPerKey, services=built)
    app.add_middleware(SafeFields)
    app.add_middleware(RequestLog)
    return app


def _put_together(app: FastAPI, services: Services) -> None:
    state = app.state
    state.services = services
    state.displays = Kiosks(services)
    state.privacy = Privacy(services, state.displays.forget)
    state.cameras = Cameras(services, state.displays.switched)
    assistant = Assistant(services, state.privacy)
    assistant.warm_up()
    state.desk = Desk(services)
    state.chat = Chat(services, assistant, state.desk)
    state.executor, state.actions = build_executor(assistant, services.voice), Once()
    state.eyes = Eyes(services)
    state.adapting = Adapting(services, state.eyes, state.displays)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    services: Services = app.state.services
    if services.settings.demo:
        demo.keys(services)
    worker = Worker(services)
    if services.settings.worker == "embedded":
        worker.start()
    if services.artifacts is not None:
        rehearsal.begin(services)
    yield
    worker.stop()
    await services.close()


def _operation_id(route: APIRoute) -> str:
    """Return a name that clients call the operation by: stable as long as its module and function are."""
    return f"{route.endpoint.__module__.rsplit('.', 1)[-1]}_{route.name}"


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, tags=app.openapi_tags, routes=app.routes
        )
        event = EventIn.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes = {
            **event.pop("$defs"),
            "EventIn": event,
            "PlayIn": PlayIn.model_json_schema(),
            "Problem": errors.PROBLEM_SCHEMA,
        }
        schema["components"]["schemas"].update(shapes)
        app.openapi_schema = schema
    return app.openapi_schema


def _pages(app: FastAPI, settings: Settings) -> None:
    """Serve what `npm run build` made; without it the API works all the same."""
    if not (DIST / "widget.js").exists():
        return

    @app.get("/widget.js", include_in_schema=False)
    def widget() -> FileResponse:
        headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
        return FileResponse(DIST / "widget.js", media_type="text/javascript", headers=headers)

    @app.get("/kiosk/worker.js", include_in_schema=False)
    def kiosk_worker() -> FileResponse:
        return FileResponse(
            DIST / "kiosk-worker.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"}
        )

    @app.get("/kiosk/{name}", include_in_schema=False)
    def kiosk_page(name: str) -> FileResponse:
        return FileResponse(
            DIST / "kiosk.html", headers={"Cache-Control": "no-cache", "Content-Security-Policy": KIOSK_CSP}
        )

    staff = {"Cache-Control": "no-cache", "Content-Security-Policy": STAFF_CSP}

    @app.get("/console/display", include_in_schema=False)
    def display_page() -> FileResponse:
        return FileResponse(DIST / "display.html", headers=staff)

    @app.get("/console/creatives", include_in_schema=False)
    def creatives_page() -> FileResponse:
        return FileResponse(DIST / "creatives.html", headers=staff)

    @app.get("/inbox", include_in_schema=False)
    def inbox_page() -> FileResponse:
        return FileResponse(DIST / "inbox.html", headers=staff)

    @app.get("/", include_in_schema=False, response_model=None)
    def home() -> FileResponse | RedirectResponse:
        return (
            FileResponse(DIST / "shop.html", headers={"Cache-Control": "no-cache"})
            if settings.demo
            else RedirectResponse("/docs")
        )

    app.mount("/assets", StaticFiles(directory=DIST / "assets"), name="assets")
