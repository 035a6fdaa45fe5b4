"""Structured logs that carry the request's id, and never a face, a message or an address."""

from __future__ import annotations

import logging
import sys
import time
import traceback
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
        else structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            *([structlog.processors.format_exc_info] if style == "json" else [_told_plainly, _one_line]),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),  # standard output is for what a command answers
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _one_line(_: Any, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what would end a line or steer a terminal: a path or a name may hold it. JSON does so by itself."""
    for name, value in told.items():
        if isinstance(value, str) and name != "exception":
            told[name] = _escaped(value)
    return told


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    """Return a traceback whose own lines are the only ones: what an exception says is one of them. No frame's locals are told."""
    parts = [part.strip("\n") for part in traceback.format_exception(*exc_info)]
    ours = [part.split("\n") if part.startswith('  File "') else [part] for part in parts]
    return "\n".join(_escaped(line) for lines in ours for line in lines)


class PlainFormatter(logging.Formatter):
    """Lines of the HTTP server's own log: it writes down once more whatever fails in the app."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        """Return the traceback as our own lines have it."""
        return _traceback(ei)


SERVER_LOG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": PlainFormatter, "fmt": "%(levelname)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"uvicorn": {"handlers": ["stderr"], "propagate": False}},
}
"""What uvicorn is to log with."""

_told_plainly = structlog.processors.ExceptionRenderer(_traceback)
"""In place of the renderer's own tracebacks: those hold every frame's locals, and nobody has escaped them."""


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
