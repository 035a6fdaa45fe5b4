"""Who asks: an integrator's API key, somebody of the staff, a widget token that speaks for one visitor, or a kiosk's device key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.access import RateLimit, TooManyError, is_access_token
from api.credentials import DEVICE_KEY, MEANINGS, MEMBER, STAFF_SESSION, WIDGET_TOKEN, key_with, takes
from api.errors import ProblemError
from api.guesses import network
from api.sessions import SignedIn, cross_site, find, own_page, secret_in
from api.shoppers import Visitor, found_before, key_of, known
from personalization.types import MemberId
from stores.keys import Key

SCOPES = tuple(MEANINGS)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_bearer = HTTPBearer(auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_at_the_door = CapacityLimiter(4)  # who a shopper is does not queue behind the answers that are in the making


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

    def forget(self, name: str) -> None:
        """Take it as the first time again: what it was told for has failed."""
        with self._lock:
            self._seen.pop(name, None)


def unauthorized(what: str) -> ProblemError:
    """Return the refusal of who sends no such credential, or a wrong one."""
    return ProblemError(401, "unauthorized", f"Send {what} as `Authorization: Bearer …`.", headers=_CHALLENGE)


def _key(request: Request, credentials: HTTPAuthorizationCredentials | None, kind: str, what: str) -> Key:
    if credentials is None:
        raise unauthorized(what)
    services = request.app.state.services
    key = _find(request, credentials.credentials)
    if key is None or key.kind != kind or key.revoked:
        raise unauthorized(what)
    count(request, services.key_limit, key.key_id)
    return key


def _find(request: Request, secret: str) -> Key | None:
    """Return whose a secret is; ProblemError 429 where so many wrong ones came from there that a new one is not looked up."""
    services = request.app.state.services
    check_guess(request, secret)
    key: Key | None = services.access.find(secret)
    if key is not None:
        services.guesses.worked(secret)
    elif not services.access.made(secret):
        count_guess(request, secret)
    return key


def check_guess(request: Request, secret: str) -> None:
    """ProblemError 429 where the address has guessed too often to have another secret looked up."""
    try:
        request.app.state.services.guesses.check(network(request), secret)
    except TooManyError as error:
        raise _too_many(request, error) from error


def count_guess(request: Request, secret: str) -> None:
    """Count a secret that does not work; ProblemError 429 where there were too many from there."""
    try:
        left = request.app.state.services.guesses.failed(network(request), secret)
    except TooManyError as error:
        raise _too_many(request, error) from error
    if left is not None:
        request.state.quota = left


def _too_many(request: Request, error: TooManyError) -> ProblemError:
    request.state.quota = error.quota
    detail = f"Too many keys and tokens from this address did not work; try again in {error.wait_s} s."
    return ProblemError(429, "too-many-attempts", detail, headers={"Retry-After": str(error.wait_s)})


def _session(request: Request) -> SignedIn:
    """Return who of the staff is signed in; ProblemError 401 when nobody is, and 403 for a page of another site."""
    services = request.app.state.services
    if not own_page(request.method, request.headers, services.settings.resolved_public_url):
        raise cross_site()
    found = find(services.sessions, request.headers, SCOPES, services.settings.resolved_public_url)
    if found is None:
        raise ProblemError(401, "unauthorized", "You are signed out. Sign in again.", headers=_CHALLENGE)
    count(request, services.key_limit, found.key.key_id)
    request.state.key = found.key
    return found


def _sends_session(request: Request) -> bool:
    return bool(secret_in(request.headers, request.app.state.services.settings.resolved_public_url))


@takes({STAFF_SESSION: ()})
def signed_in(request: Request) -> SignedIn:
    """Return who of the staff asks; a key does not stand for a person."""
    return _session(request)


def author(key: Key, told: str | None) -> str:
    """Return the name that is written to what was done: who is signed in cannot take another's."""
    return key.name if key.kind == "staff" else told or key.name


def sees_addresses(key: Key) -> bool:
    """Whether members' e-mail addresses are shown: to staff who look after members or talk with them, and to whoever has a key."""
    return key.kind != "staff" or not {"members:write", "agents"}.isdisjoint(key.scopes)


def count(request: Request, limit: RateLimit, who: str) -> None:
    """Count a request of `who`; ProblemError 429 when there were too many. The answer tells what is left."""
    if getattr(request.state, "counted", None) == (limit, who):
        return  # before its answer was looked for among those that are kept
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
    """Return a dependency: an API key that has every one of `scopes`, or somebody signed in whose roles have them."""

    @takes(key_with(*scopes))
    def check(request: Request, credentials: Credentials) -> Key:
        if credentials is None and _sends_session(request):
            key = _session(request).key
        else:
            key = _key(request, credentials, "api", "an API key (`ak_…`)")
            request.state.key = key
        missing = [scope for scope in scopes if scope not in key.scopes]
        if missing:
            whose = "Your role" if key.kind == "staff" else "This key"
            raise ProblemError(403, "forbidden", f"{whose} lacks the scope {', '.join(missing)}.")
        return key

    return check


@takes({WIDGET_TOKEN: ()})
async def visitor(request: Request, credentials: Credentials) -> Visitor:
    """Return whom the widget token speaks for, where its session still counts."""
    token = _widget_token(credentials)
    if found_before(request.scope, token) is not None:  # where a page of another origin asks: nothing is waited for
        return _visitor(request, token)
    return await run_sync(_visitor, request, token, limiter=_at_the_door)


def _widget_token(credentials: HTTPAuthorizationCredentials | None) -> str:
    if credentials is None or credentials.credentials.startswith("dk_") or is_key(credentials.credentials):
        raise unauthorized("a widget token")
    return credentials.credentials


def _visitor(request: Request, token: str) -> Visitor:
    services = request.app.state.services
    try:
        told = services.tokens.read(token)
    except ProblemError as error:
        if error.code == "unauthorized":
            count_guess(request, token)
        raise
    count(request, services.rate_limit, told.visitor_id)  # first: a flood asks no database
    return known(request.scope, services.shoppers, token)[0]


@takes({WIDGET_TOKEN: ()})
async def visitor_in_url(
    request: Request,
    credentials: Credentials,
    token: Annotated[str | None, Query(description="The widget token.", deprecated=True)] = None,
) -> Visitor:
    """Return whom the widget token speaks for, where it may stand in the address too."""
    if credentials is None and token is not None:
        request.state.older = True
        credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)
    return await visitor(request, credentials)


@takes({WIDGET_TOKEN: (MEMBER,)})
async def member(found: Annotated[Visitor, Depends(visitor)]) -> MemberId:
    """Return the member that the widget token speaks for."""
    if found.member_id is None:
        raise ProblemError(403, "not-a-member", "This needs a signed-in member.")
    return found.member_id


@takes({WIDGET_TOKEN: (MEMBER,)})
async def member_on_record(request: Request, found: Annotated[MemberId, Depends(member)]) -> MemberId:
    """Do what `member` does; the audit log is told, under the key that the session was begun with."""
    request.state.key, request.state.about = key_of(request.scope), found
    return found


def visitor_or_key(scope: str) -> Callable[..., Visitor | Key]:
    """Return a dependency: a widget token, or an API key with `scope`."""
    with_key = api_key(scope)

    @takes({WIDGET_TOKEN: (), **key_with(scope)})
    def check(request: Request, credentials: Credentials) -> Visitor | Key:
        if credentials is not None and is_key(credentials.credentials):
            return with_key(request, credentials)
        if credentials is None and _sends_session(request):
            return with_key(request, None)
        if credentials is None:
            raise unauthorized("an API key or a widget token")
        return _visitor(request, _widget_token(credentials))

    return check


def member_or_key(scope: str) -> Callable[..., Visitor | Key]:
    """Return a dependency: a widget token of a signed-in member, or an API key with `scope`."""
    either = visitor_or_key(scope)

    @takes({WIDGET_TOKEN: (MEMBER,), **key_with(scope)})
    def check(request: Request, credentials: Credentials) -> Visitor | Key:
        found = either(request, credentials)
        if isinstance(found, Visitor) and found.member_id is None:
            raise ProblemError(403, "not-a-member", "This needs a signed-in member.")
        return found

    return check


@takes({DEVICE_KEY: ()})
def device(
    request: Request,
    kiosk_id: str,
    credentials: Credentials,
    key: Annotated[str | None, Query(description="The device key.", deprecated=True)] = None,
) -> str:
    """Return the kiosk's id when the device key is this kiosk's."""
    secret = credentials.credentials if credentials else key
    request.state.older = credentials is None and key is not None
    if secret is None:
        raise unauthorized("the kiosk's device key (`dk_…`)")
    services = request.app.state.services
    found = _find(request, secret)
    kiosk = services.kiosks.find(kiosk_id)
    if found is None or found.kind != "device" or found.revoked:
        raise unauthorized("the kiosk's device key (`dk_…`)")
    if kiosk is None or found.kiosk_id != kiosk.kiosk_id:
        raise ProblemError(403, "forbidden", "This device key belongs to another kiosk.")
    request.state.device = found
    return str(kiosk.kiosk_id)
