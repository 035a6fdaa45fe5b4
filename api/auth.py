"""Who asks: an integrator's API key, a widget token that speaks for one visitor, or a kiosk's device key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.access import RateLimit, TooManyError, is_access_token
from api.errors import ProblemError
from personalization.types import MemberId, Subject, VisitorId
from stores.keys import Key

SCOPES = (
    "events:write", "members:read", "members:write", "decisions:read", "recommend", "coupons:issue", "coupons:redeem",
    "kiosks", "display", "vision", "consent", "export", "erase", "widget-tokens", "experiments", "agents", "creatives", "webhooks",
)  # fmt: skip
TOKEN_LIFETIME = timedelta(minutes=15)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_bearer = HTTPBearer(
    auto_error=False,
    description="An API key (`ak_…`), an access token that it was exchanged for (`POST /v1/oauth/token`), a widget token, or a kiosk's device key (`dk_…`).",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one shopper that a widget token speaks for."""

    visitor_id: VisitorId
    member_id: MemberId | None
    key_id: str

    def may_see(self, visitor_id: str | None, member_id: str | None) -> bool:
        """Whether something of this visitor and member is this shopper's: a browser may have several members in turn."""
        return visitor_id == self.visitor_id and member_id in {None, self.member_id}

    @property
    def subject(self) -> Subject:
        """Whom decisions are for."""
        return Subject(self.member_id, self.visitor_id)


class WidgetTokens:
    """Short-lived signed tokens (JWT, HS256), signed with the first secret; those of a secret before it count, too."""

    def __init__(self, *secrets: bytes) -> None:
        self._secrets = secrets

    def issue(self, visitor: Visitor, *, now: datetime | None = None) -> tuple[str, datetime]:
        """Return a token for `visitor` and its end."""
        expires_at = (now or datetime.now(UTC)) + TOKEN_LIFETIME
        claims = {
            "aud": "widget",
            "sub": visitor.visitor_id,
            "member": visitor.member_id,
            "key": visitor.key_id,
            "exp": expires_at,
        }
        return jwt.encode(claims, self._secrets[0], "HS256"), expires_at

    def read(self, token: str) -> Visitor:
        """Return whom `token` speaks for; ProblemError 401 when it is not ours or too old."""
        try:
            claims = self._claims(token)
        except jwt.ExpiredSignatureError as error:
            raise ProblemError(
                401, "token-expired", "The widget token is too old; ask your server for a new one.", headers=_CHALLENGE
            ) from error
        except jwt.InvalidTokenError as error:
            raise ProblemError(
                401, "unauthorized", "The widget token does not work here.", headers=_CHALLENGE
            ) from error
        member = claims.get("member")
        return Visitor(VisitorId(claims["sub"]), None if member is None else MemberId(member), claims["key"])

    def _claims(self, token: str) -> dict[str, Any]:
        for secret in self._secrets:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode(
                    token, secret, ["HS256"], audience="widget", options={"require": ["exp", "sub", "key"]}
                )
        raise jwt.InvalidSignatureError


class Once:
    """Remembers the latest names that it was told, to take what is sent again only once."""

    def __init__(self, most: int = 10_000) -> None:
        self._most, self._seen = most, OrderedDict[str, None]()
        self._lock = threading.Lock()

    def first(self, name: str) -> bool:
        """Whether this is the first time."""
        with self._lock:
            if name in self._seen:
                return False
            self._seen[name] = None
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
            return True


def _unauthorized(what: str) -> ProblemError:
    return ProblemError(401, "unauthorized", f"Send {what} as `Authorization: Bearer …`.", headers=_CHALLENGE)


def _key(request: Request, credentials: HTTPAuthorizationCredentials | None, kind: str, what: str) -> Key:
    if credentials is None:
        raise _unauthorized(what)
    services = request.app.state.services
    key: Key | None = services.access.find(credentials.credentials)
    if key is None or key.kind != kind or key.revoked:
        raise _unauthorized(what)
    count(request, services.key_limit, key.key_id)
    return key


def count(request: Request, limit: RateLimit, who: str) -> None:
    """Count a request of `who`; ProblemError 429 when there were too many. The answer tells what is left."""
    try:
        request.state.quota = limit.take(who)
    except TooManyError as error:
        request.state.quota = error.quota
        wait = {"Retry-After": str(error.wait_s)}
        raise ProblemError(429, "too-many-requests", str(error), headers=wait) from error


def is_key(secret: str) -> bool:
    """Whether a credential is an integrator's, by its looks."""
    return secret.startswith("ak_") or is_access_token(secret)


def api_key(*scopes: str) -> Callable[..., Key]:
    """Return a dependency: an API key that has every one of `scopes`."""

    def check(request: Request, credentials: Credentials) -> Key:
        key = _key(request, credentials, "api", "an API key (`ak_…`)")
        request.state.key = key
        missing = [scope for scope in scopes if scope not in key.scopes]
        if missing:
            raise ProblemError(403, "forbidden", f"This key lacks the scope {', '.join(missing)}.")
        return key

    return check


async def visitor(request: Request, credentials: Credentials) -> Visitor:
    """Return whom the widget token speaks for; no thread is waited for, since nothing is looked up."""
    return _visitor(request, credentials)


def _visitor(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Visitor:
    if credentials is None or credentials.credentials.startswith("dk_") or is_key(credentials.credentials):
        raise _unauthorized("a widget token")
    services = request.app.state.services
    found: Visitor = services.tokens.read(credentials.credentials)
    count(request, services.rate_limit, found.visitor_id)
    return found


async def visitor_in_url(
    request: Request,
    credentials: Credentials,
    token: Annotated[str | None, Query(description="The widget token, for EventSource.")] = None,
) -> Visitor:
    """Return whom the widget token speaks for, where it may stand in the address too."""
    if credentials is None and token is not None:
        credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)
    return _visitor(request, credentials)


async def member(found: Annotated[Visitor, Depends(visitor)]) -> MemberId:
    """Return the member that the widget token speaks for."""
    if found.member_id is None:
        raise ProblemError(403, "not-a-member", "This needs a signed-in member.")
    return found.member_id


def visitor_or_key(scope: str) -> Callable[..., Visitor | Key]:
    """Return a dependency: a widget token, or an API key with `scope`."""
    with_key = api_key(scope)

    def check(request: Request, credentials: Credentials) -> Visitor | Key:
        if credentials is not None and is_key(credentials.credentials):
            return with_key(request, credentials)
        if credentials is None:
            raise _unauthorized("an API key or a widget token")
        return _visitor(request, credentials)

    return check


def member_or_key(scope: str) -> Callable[..., Visitor | Key]:
    """Return a dependency: a widget token of a signed-in member, or an API key with `scope`."""
    known = visitor_or_key(scope)

    def check(request: Request, credentials: Credentials) -> Visitor | Key:
        found = known(request, credentials)
        if isinstance(found, Visitor) and found.member_id is None:
            raise ProblemError(403, "not-a-member", "This needs a signed-in member.")
        return found

    return check


def device(
    request: Request,
    kiosk_id: str,
    credentials: Credentials,
    key: Annotated[str | None, Query(description="The device key, for EventSource.")] = None,
) -> str:
    """Return the kiosk's id when the device key is this kiosk's."""
    secret = credentials.credentials if credentials else key
    if secret is None:
        raise _unauthorized("the kiosk's device key (`dk_…`)")
    services = request.app.state.services
    found: Key | None = services.access.find(secret)
    kiosk = services.kiosks.find(kiosk_id)
    if found is None or found.kind != "device" or found.revoked:
        raise _unauthorized("the kiosk's device key (`dk_…`)")
    if kiosk is None or found.kiosk_id != kiosk.kiosk_id:
        raise ProblemError(403, "forbidden", "This device key belongs to another kiosk.")
    return str(kiosk.kiosk_id)
