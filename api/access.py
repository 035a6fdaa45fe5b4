"""Access tokens (RFC 9068) that a key is exchanged for, and the quota that every caller has (draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stores.keys import Key, SqlKeys

LIFETIME = timedelta(minutes=30)
KIND = "at+jwt"
REMEMBERED, MOST_REMEMBERED = 10_000, 100_000
"""Callers whose quotas are kept while they are whole, and at all."""


class AccessTokens:
    """Short-lived signed tokens with some of a key's scopes; they end with the key, too.

    The first of `secrets` signs; tokens of the others, which it follows, are taken until they end.
    """

    def __init__(self, keys: SqlKeys, *secrets: bytes) -> None:
        self._keys, self._secrets = keys, secrets

    def issue(self, key: Key, scopes: frozenset[str], *, now: datetime | None = None) -> str:
        """Return a token of `key` for `scopes`."""
        at = now or datetime.now(UTC)
        claims = {
            "iss": "aisle", "aud": "api", "sub": key.key_id, "client_id": key.key_id, "scope": " ".join(sorted(scopes)),
            "iat": at, "exp": at + LIFETIME, "jti": str(uuid4()),
        }  # fmt: skip
        return jwt.encode(claims, self._secrets[0], "HS256", headers={"typ": KIND})

    def find(self, secret: str) -> Key | None:
        """Return the key that a key's secret or an access token stands for, with the scopes that it has here; None when there is none."""
        if secret.startswith(("ak_", "dk_")):
            return self._keys.find(secret)
        if not is_access_token(secret):
            return None
        claims = next((found for one in self._secrets if (found := _claims(secret, one)) is not None), None)
        if claims is None:
            return None
        key = self._keys.get(claims["sub"])
        return None if key is None else replace(key, scopes=key.scopes & frozenset(claims["scope"].split()))

    def made(self, token: str) -> bool:
        """Whether it is one of these, too old or not: its client has to get another, and guesses nothing."""
        return any(_claims(token, secret, whenever=True) is not None for secret in self._secrets)


def _claims(token: str, secret: bytes, *, whenever: bool = False) -> dict[str, Any] | None:
    options: Any = {"require": ["exp", "sub", "scope"], "verify_exp": not whenever}
    try:
        return jwt.decode(token, secret, ["HS256"], audience="api", issuer="aisle", options=options)
    except jwt.InvalidTokenError:
        return None


def basic_user(credentials: str) -> str:
    """Return whom HTTP Basic's credentials name (RFC 7617); empty where they are none."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def is_access_token(secret: str) -> bool:
    """Whether it looks like one: its header says so; nothing is verified."""
    try:
        return jwt.get_unverified_header(secret).get("typ") == KIND
    except jwt.InvalidTokenError:
        return False


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to a caller after this request: `left` of `most`, all again after `reset_s` seconds."""

    name: str
    most: int
    window_s: int
    left: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """The two fields of the draft."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.most};w={self.window_s}',
            "RateLimit": f'"{self.name}";r={self.left};t={self.reset_s}',
        }


class TooManyError(Exception):
    """The quota is used up; `wait_s` seconds until the next request may come."""

    def __init__(self, quota: Quota, wait_s: int) -> None:
        super().__init__(f"Too many requests; try again in {wait_s} s.")
        self.quota, self.wait_s = quota, wait_s


class RateLimit:
    """A token bucket per caller: `burst` at once, `per_s` in the long run."""

    def __init__(
        self, burst: float, per_s: float, *, name: str = "default", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._per_s, self._name, self._clock = burst, per_s, name, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, who: str) -> Quota:
        """Count one request and return what is left; TooManyError when `who` asks too often."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(who, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_s)
            self._buckets.pop(who, None)  # the order is that of their last requests
            self._buckets[who] = (left - 1 if left >= 1 else left, now)
            self._forget_full(now)
        quota = self._quota(left - 1 if left >= 1 else left)
        if left < 1:
            raise TooManyError(quota, max(1, round((1 - left) / self._per_s)))
        return quota

    def look(self, who: str) -> None:
        """TooManyError when `who` has nothing left; nothing is counted."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_s)
        if left < 1:
            raise TooManyError(self._quota(left), max(1, round((1 - left) / self._per_s)))

    def _forget_full(self, now: float) -> None:
        """Let go of callers whose quota is whole again, the oldest first; of others only of more than can be remembered."""
        whole = self._burst / self._per_s
        while len(self._buckets) > REMEMBERED:
            who = next(iter(self._buckets))
            if now - self._buckets[who][1] < whole and len(self._buckets) <= MOST_REMEMBERED:
                return
            del self._buckets[who]

    def forget(self) -> None:
        """Give everybody their whole quota again."""
        with self._lock:
            self._buckets.clear()

    def _quota(self, left: float) -> Quota:
        window = math.ceil(self._burst / self._per_s)
        return Quota(self._name, int(self._burst), window, int(left), math.ceil((self._burst - left) / self._per_s))


class QuotaFields:
    """Tells every caller what is left, where a route has counted the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the fields to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_fields(message: Message) -> None:
            quota: Quota | None = scope.get("state", {}).get("quota")
            if message["type"] == "http.response.start" and quota is not None:
                MutableHeaders(scope=message).update(quota.headers)
            await send(message)

        await self._app(scope, receive, send_with_fields)
