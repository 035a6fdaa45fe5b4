"""Structured logs that carry the request's id, and never a face, a message or an address."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

log = structlog.get_logger("api")


def configure(style: Literal["console", "json"]) -> None:
    """Set up structlog for this process."""
    renderer = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            *([structlog.processors.format_exc_info] if style == "json" else [_one_line]),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),  # standard output is for what a command answers
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _one_line(_: Any, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what would end a line or steer a terminal: a path or a name may hold it. JSON does so by itself."""
    for name, value in told.items():
        if isinstance(value, str) and not value.isprintable():
            told[name] = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in value)
    return told


class RequestLog:
    """Gives every request an id, answers with it, and logs one line for each that failed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, status = str(uuid7()), time.perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        await self._app(scope, receive, send_with_id)
        if status >= 400:
            key = scope["state"].get("key")
            log.warning(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - started) * 1000),
                **({"key": key.prefix or key.key_id} if key is not None else {}),
            )
