"""Sessions of staff in the browser: a cookie that scripts cannot read, and that counts only for the console's own pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response

from api.errors import ProblemError
from stores.keys import Key
from stores.staff_accounts import StaffAccount
from stores.staff_sessions import SqlStaffSessions, StaffSession, Way

COOKIE = "aisle_session"
HOST_COOKIE = f"__Host-{COOKIE}"  # browsers let no other host, and nothing without TLS, set one of this name
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ROLE_SCOPES: dict[str, tuple[str, ...]] = {
    "marketer": (
        "overview", "members:read", "members:write", "decisions:read", "campaigns", "tuning", "experiments", "creatives", "display", "kiosks",
    ),
    "agent": ("overview", "agents", "members:read", "decisions:read", "recommend"),
    "auditor": ("overview", "decisions:read", "members:read", "audit"),
}  # fmt: skip
"""What each role may do; `admin` may do everything."""
ADMIN = "admin"
LOOK_AGAIN_S = 5.0
_END = object()
ROLES = (*ROLE_SCOPES, ADMIN)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody of the staff, in one browser. `key`: them as routes know callers."""

    account: StaffAccount
    session: StaffSession
    key: Key


def scopes_of(roles: tuple[str, ...], everything: tuple[str, ...]) -> frozenset[str]:
    """Return what somebody with these roles may do."""
    if ADMIN in roles:
        return frozenset(everything)
    return frozenset(scope for role in roles for scope in ROLE_SCOPES.get(role, ()))


def cookie_name(public_url: str) -> str:
    """Return what the session's cookie is called where browsers reach this server at `public_url`."""
    return HOST_COOKIE if public_url.startswith("https://") else COOKIE


def secret_in(headers: Headers, public_url: str) -> str:
    """Return the session's secret that a browser sends; empty where it sends none."""
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(public_url), "")


def find(
    sessions: SqlStaffSessions, headers: Headers, everything: tuple[str, ...], public_url: str, *, now: datetime | None = None
) -> SignedIn | None:  # fmt: skip
    """Return who is signed in; None where nobody is."""
    secret = secret_in(headers, public_url)
    found = sessions.find(secret, now=now or datetime.now(UTC)) if secret else None
    if found is None:
        return None
    return known(*found, everything)


def known(account: StaffAccount, session: StaffSession, everything: tuple[str, ...]) -> SignedIn:
    """Return them with the key that routes know them by."""
    scopes = scopes_of(account.roles, everything)
    key = Key(f"staff:{account.account_id}", "staff", account.name, "", scopes, frozenset(), None, revoked=False)
    return SignedIn(account, session, key)


def own_page(method: str, headers: Headers, public_url: str) -> bool:
    """Whether a request with a cookie comes from a page of this server: browsers say so (Fetch Metadata), older ones by `Origin`."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin" or (site == "none" and method not in UNSAFE)
    if method not in UNSAFE:
        return True
    return _own_origin(headers, public_url)


def refuse_others(method: str, headers: Headers, public_url: str) -> None:
    """ProblemError 403 for a page of another site, also where nobody is signed in; programs without a page may ask."""
    if ("sec-fetch-site" in headers or "origin" in headers) and not own_page(method, headers, public_url):
        raise cross_site()


def cross_site() -> ProblemError:
    """Return what a page of another site is told."""
    return ProblemError(403, "cross-site", "This was asked by a page of another site. Do it in the console itself.")


def start(
    sessions: SqlStaffSessions, response: Response, account: StaffAccount, way: Way, request: Any
) -> tuple[StaffAccount, StaffSession]:
    """Sign somebody in: a new session, whose cookie goes along with `response`."""
    browser = request.headers.get("user-agent", "")
    secret, session = sessions.start(account.account_id, way, browser=browser, at=datetime.now(UTC))
    response.set_cookie(
        cookie_name(_url(request)), secret, max_age=int(sessions.longest.total_seconds()), **_cookie(request)
    )
    return account, session


async def while_signed_in(request: Request, items: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
    """Yield what a stream tells for as long as the session, key or token counts that it began with, also when there is little to tell."""
    counts, looked = partial(_counts, request), time.monotonic()
    upcoming = asyncio.ensure_future(anext(items, _END))
    try:
        while True:
            await asyncio.wait({upcoming}, timeout=max(0.0, LOOK_AGAIN_S - (time.monotonic() - looked)))
            if time.monotonic() - looked >= LOOK_AGAIN_S:
                if not await run_sync(counts):
                    return
                looked = time.monotonic()
            if upcoming.done():
                if (item := upcoming.result()) is _END:
                    return
                yield item
                upcoming = asyncio.ensure_future(anext(items, _END))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await items.aclose()


def _counts(request: Request) -> bool:
    """Whether who began a stream would be let in now."""
    services = request.app.state.services
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip() if kind.lower() == "bearer" else request.query_params.get("key", "")
    if secret:
        key: Key | None = services.access.find(secret)
        return key is not None and not key.revoked
    kept: SqlStaffSessions = services.sessions
    return kept.find(secret_in(request.headers, _url(request)), now=datetime.now(UTC), note=False) is not None


def forget(response: Response, request: Any) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(cookie_name(_url(request)), **_cookie(request))


def secure(request: Any) -> bool:
    """Whether browsers reach this server by https."""
    return _url(request).startswith("https://")


def _url(request: Any) -> str:
    return str(request.app.state.services.settings.resolved_public_url)


def _cookie(request: Any) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": secure(request)}


def _own_origin(headers: Headers, public_url: str) -> bool:
    origin = headers.get("origin", "")
    if not origin or origin == "null":
        return False
    told, own = urlsplit(origin), urlsplit(public_url)
    return (told.scheme, told.netloc) == (own.scheme, own.netloc) or told.netloc == headers.get("host", "")
