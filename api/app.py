"""The FastAPI app: routes, middleware, pages."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from api import demo, errors
from api.access import QuotaFields
from api.cors import CorsPerKey
from api.document import openapi
from api.idempotency import Idempotency
from api.limits import Limits, SafeFields
from api.log import RequestLog, configure
from api.route_table import route_table
from api.services import rehearsal
from api.services.adapting import Adapting
from api.services.assistant import Assistant
from api.services.cameras import Cameras
from api.services.chat import Chat
from api.services.desk import Desk
from api.services.eyes import Eyes
from api.services.kiosk import Kiosks
from api.services.privacy import Privacy
from api.services.simulating import Simulating
from api.services.turns import Once
from api.settings import Settings
from api.tags import Tags
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
**Money** is integer minor units with a currency. **Time** is UTC. **Deprecated** is what works on for at least 12 months and is answered with `Deprecation` (RFC 9745).
"""
TAGS = [
    {"name": "Access", "description": "Exchange an API key for a short-lived access token."},
    {"name": "Staff accounts", "description": "Who signs in to the console, and what they may do."},
    {"name": "Campaigns", "description": "Plan, simulate, approve, launch and judge campaigns of coupons."},
    {"name": "Tuning", "description": "Turn the dials of ranking and coupons, try them out, and take them back."},
    {"name": "Decisions", "description": "Ask the brain, and open what it decided."},
    {"name": "Events", "description": "Tell what happened, so that profiles, budgets and models learn."},
    {"name": "Segment", "description": "The same by Segment's spec, for its client libraries (docs/events.md)."},
    {"name": "Members", "description": "Known shoppers."},
    {"name": "Profiles", "description": "What Aisle concludes about members, and what they say about it."},
    {"name": "Overview", "description": "How the shop does: figures with their definitions, live and over time."},
    {"name": "Segments", "description": "Groups of members: those that training found, and own ones."},
    {"name": "Experiments", "description": "Who gets which arm, and what came of it."},
    {"name": "Trust", "description": "For auditors: fairness, the audit log, consents, deletions, model cards."},
    {"name": "Privacy", "description": "Consent, export, erasure."},
    {"name": "Coupons", "description": "Issue and redeem within hard budgets."},
    {"name": "Creatives", "description": "Posters, films and product pictures."},
    {"name": "Conversations", "description": "The chat widget's side."},
    {"name": "Sessions of shoppers", "description": "Where a shopper is in the chat, and ending that."},
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
    _ = built.oidc  # what is wrong with its settings is told at the start
    app = FastAPI(
        title="Aisle",
        version=version("aisle"),
        description=ABOUT,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        routes=route_table(with_demo=settings.demo).routes,
    )
    _put_together(app, built)
    errors.install(app)
    _pages(app, settings)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    app.add_middleware(Tags)
    app.add_middleware(Trail, audit=lambda: built.audit)
    app.add_middleware(Idempotency, replies=built.replies, caller=built.caller)
    app.add_middleware(QuotaFields)
    app.add_middleware(Limits)
    app.add_middleware(CorsPerKey, services=built)
    app.add_middleware(SafeFields, https=settings.resolved_public_url.startswith("https://"))
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
    state.simulating = Simulating(services)


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
    app.state.simulating.close()
    await services.close()


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

    _console(app)

    @app.get("/inbox", include_in_schema=False)
    def inbox_page() -> RedirectResponse:
        return RedirectResponse("/console/inbox")

    @app.get("/", include_in_schema=False, response_model=None)
    def home() -> FileResponse | RedirectResponse:
        return (
            FileResponse(DIST / "shop.html", headers={"Cache-Control": "no-cache"})
            if settings.demo
            else RedirectResponse("/docs")
        )

    app.mount("/assets", StaticFiles(directory=DIST / "assets"), name="assets")


def _console(app: FastAPI) -> None:
    """Serve the console at every address below /console: which page is shown is the browser's to find out."""
    page = (DIST / "console.html").read_text(encoding="utf-8")

    @app.get("/console", include_in_schema=False)
    @app.get("/console/{path:path}", include_in_schema=False)
    def console(path: str = "") -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)  # for the one style sheet that the component library adds
        policy = STAFF_CSP.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy}
        return HTMLResponse(page.replace("__NONCE__", nonce), headers=headers)
