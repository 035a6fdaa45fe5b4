"""CORS per key: a browser's origin must be one that the key, or the widget token's key, allows.

A request without a working key is refused by its route. A page of any known origin may read that refusal: a widget must
see that its token is too old to renew it.
"""

from __future__ import annotations

import time
from typing import Any

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemError
from api.shoppers import known
from stores.keys import Key

_CACHE_S = 5.0
EXPOSED = "Deprecation, ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id"
ACCEPTED = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
_PUBLIC = ("/widget.js", "/assets/", "/v1/products/", "/v1/creatives/", "/v1/films/", "/fonts/")


class CorsPerKey:
    """A preflight carries no key, so it passes when any working key allows the origin; the request itself must match its own key."""

    def __init__(self, app: ASGIApp, services: Any) -> None:
        self._app, self._services = app, services
        self._origins: tuple[float, frozenset[str]] = (0.0, frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        origin = headers.get("origin") if headers is not None else None
        if headers is None or origin is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await (await self._preflight(origin))(scope, receive, send)
            return
        allowed = scope["path"].startswith(_PUBLIC) or await self._allowed(
            scope, headers.get("authorization", ""), origin
        )

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start" and allowed:
                answer = MutableHeaders(scope=message)
                answer["Access-Control-Allow-Origin"] = origin
                answer["Access-Control-Expose-Headers"] = EXPOSED
                answer.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_cors)

    async def _allowed(self, scope: Scope, authorization: str, origin: str) -> bool:
        own = await anyio.to_thread.run_sync(self._own_origins, scope, authorization)
        return origin in (await self._known() if own is None else own)

    async def _known(self) -> frozenset[str]:
        checked, origins = self._origins
        if time.monotonic() - checked > _CACHE_S:
            origins = await anyio.to_thread.run_sync(self._services.keys.origins)
            self._origins = (time.monotonic(), origins)
        return origins

    async def _preflight(self, origin: str) -> Response:
        if origin not in await self._known():
            return Response(status_code=403, headers={"Vary": "Origin"})
        return Response(status_code=204, headers={
            "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": ACCEPTED, "Access-Control-Max-Age": "600", "Vary": "Origin",
        })  # fmt: skip

    def _own_origins(self, scope: Scope, authorization: str) -> frozenset[str] | None:
        """Return the origins of the key that is sent; None when none is, or none that works."""
        secret = authorization[len("Bearer ") :].strip() if authorization.lower().startswith("bearer ") else ""
        if self._services.guesses.waits(HTTPConnection(scope), secret):
            return None
        key: Key | None = self._services.access.find(secret)
        if key is None:
            try:
                _, key = known(scope, self._services.shoppers, secret)
            except ProblemError:
                return None
        return None if key is None or key.revoked else key.origins
