"""What no route should have to think of: bodies that are too large, addresses with a character that no id has, fields for browsers."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import older
from api.errors import problem

LARGEST_BODY = 4_000_000
LARGEST_ENROLMENT = 9_000_000
LARGEST_UPLOAD = 5_100_000  # a file from the chat, and the form around it
# pictures of a face, and what shoppers send, must not touch the disk, not even as a temporary file
MultiPartParser.spool_max_size = LARGEST_ENROLMENT


class Limits:
    """Refuses what is too large before it is read, and while it is read when nothing announced its size."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        last = scope["path"].rsplit("/", 1)[-1]
        most = {
            "enrolments": LARGEST_ENROLMENT,
            "attachments": LARGEST_UPLOAD,
            "films": LARGEST_ENROLMENT,
            "creatives": LARGEST_ENROLMENT,
        }.get(last, LARGEST_BODY)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > most:
            answer = problem(Request(scope), 413, "too-large", _too_large(most))
            await answer(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            answer = problem(Request(scope), 404, "not-found", "Nothing has an address with a NUL character.")
            await answer(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, _too_large(most))
            return message

        await self._app(scope, receive_counted, send)


NOBODY = "frame-ancestors 'none'"
DATA_CSP = f"default-src 'none'; {NOBODY}"
_POLICIES = {
    "text/html": f"object-src 'none'; base-uri 'none'; {NOBODY}",
    "image/svg+xml": f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; {NOBODY}",
    "text/javascript": NOBODY,  # a worker obeys the policy of its script
}
"""What an answer of a type may do where a browser shows it by itself; any other type: nothing."""
HSTS = f"max-age={366 * 24 * 3600}"


class SafeFields:
    """Tells browsers what an answer may do, to guess no types, to tell nobody the address, and to keep nothing of the API that does not say otherwise.

    Who sends a key in an address is told that there is a better way. `https`: browsers reach this server by TLS, and are to come back by nothing else for a year.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app, self._https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the fields that the answer does not have."""

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                fields.setdefault("X-Content-Type-Options", "nosniff")
                fields.setdefault("Referrer-Policy", "no-referrer")
                fields.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                if message["status"] != 304:  # whose fields replace those of the page that the browser has
                    kind = fields.get("content-type", "").partition(";")[0]
                    fields.setdefault("Content-Security-Policy", _POLICIES.get(kind, DATA_CSP))
                if self._https:
                    fields.setdefault("Strict-Transport-Security", HSTS)
                if scope.get("state", {}).get("older"):
                    fields.update(older.FIELDS)
                if scope["path"].startswith("/v1/"):
                    fields.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_fields)


def _too_large(most: int) -> str:
    return f"A request to this address has at most {most:,} bytes; send less at a time."
