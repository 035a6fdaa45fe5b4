"""Signing in by the company's own OpenID provider: the browser goes there, and comes back with a code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import structlog
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import sessions
from api.auth import count
from api.errors import ProblemError, problems
from api.guesses import network
from api.oidc import Oidc, OidcError, Person
from api.routes.deps import ServicesDep
from api.routes.session import attempt_from, begin, refused
from api.wiring import Services
from stores.errors import ConflictError
from stores.staff_accounts import SqlStaffAccounts, StaffAccount
from stores.staff_sessions import CEREMONY

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/session/oidc", tags=["Staff accounts"])
_few = CapacityLimiter(2)  # a provider that hangs is to hold up no more of the threads that answers need
KIND, COOKIE, PATH = "oidc", "aisle_oidc", "/v1/session/oidc"
HOME, DOOR = "/console/", "/console/?failed="
_AWAY: dict[int | str, dict[str, Any]] = {
    303: {"description": "The browser goes on.", "headers": {"Location": {"schema": {"type": "string"}}}}
}


@router.get("", summary="Sign in by the company's own sign-in", response_class=Response, status_code=303, responses={**_AWAY, **problems(404)})  # fmt: skip
async def go(request: Request, services: ServicesDep) -> Response:
    """Send the browser to the OpenID provider that the settings name; 404 where they name none."""
    provider = _provider(services)
    count(request, services.ceremony_limit, f"oidc {network(request)}")
    return await run_sync(partial(_go, provider, request, services), limiter=_few)


def _go(provider: Oidc, request: Request, services: Services) -> Response:
    try:
        url, kept = provider.begin(f"{services.settings.resolved_public_url}{PATH}/callback")
    except OidcError as error:
        return _failed(error)
    services.ceremonies.begin(KIND, kept, now=datetime.now(UTC), name=kept["state"])
    answer = RedirectResponse(url, 303)
    # lax: the browser comes back from the provider's page, and a strict cookie would stay behind
    answer.set_cookie(
        _cookie_name(request), kept["state"], max_age=int(CEREMONY.total_seconds()), path=PATH, httponly=True, samesite="lax",
        secure=sessions.secure(request),
    )  # fmt: skip
    return answer


@router.get("/callback", summary="Come back from the company's own sign-in", response_class=Response, status_code=303, responses={**_AWAY, **problems(404)})  # fmt: skip
async def come_back(
    request: Request, services: ServicesDep,
    code: Annotated[str, Query(max_length=4096, description="What the provider gave, to be exchanged.")] = "",
    state: Annotated[str, Query(max_length=128)] = "",
    iss: Annotated[str | None, Query(max_length=500, description="Who the provider is (RFC 9207).")] = None,
    error: Annotated[str, Query(max_length=200, description="Why the provider let nobody in.")] = "",
) -> Response:  # fmt: skip
    """Exchange the code, and sign in who it is for. What goes wrong is told on the page for signing in, as `failed`."""
    provider = _provider(services)
    back = _Back(code, iss, error)
    return await run_sync(
        partial(_come_back, provider, request, services, back, state, request.cookies.get(_cookie_name(request), "")),
        limiter=_few,
    )


def _cookie_name(request: Request) -> str:
    return f"__Secure-{COOKIE}" if sessions.secure(request) else COOKIE


@dataclass(frozen=True, slots=True)
class _Back:
    """What the provider had the browser bring back."""

    code: str
    issuer: str | None
    error: str


def _come_back(provider: Oidc, request: Request, services: Services, back: _Back, state: str, own: str) -> Response:
    kept = services.ceremonies.take(KIND, state, now=datetime.now(UTC)) if state and state == own else None
    if kept is None:
        # not counted and not written down: any page can send a browser here, and is to lock nobody out
        return _failed(OidcError("oidc-expired", "it was not begun in this browser, or more than five minutes ago"))
    if back.error or not back.code:
        refused(services, None, "oidc")
        return _failed(OidcError("oidc-refused", "the provider let nobody in"))
    attempt = attempt_from(request, services)
    try:
        account = _account(services, provider.finish(back.code, kept, back.issuer))
    except OidcError as failed:
        refused(services, None, "oidc")
        return _failed(failed)
    services.attempts.succeeded(attempt)
    answer = RedirectResponse(HOME, 303)
    begin(account, "oidc", request, answer)
    answer.delete_cookie(_cookie_name(request), path=PATH, secure=sessions.secure(request))
    return answer


def _account(services: Services, person: Person) -> StaffAccount:
    """Return the account of who it is: by what is known of them, else by a verified address; made where their roles come from the provider."""
    accounts, now = services.staff_accounts, datetime.now(UTC)
    found = accounts.by_subject(person.issuer, person.subject)
    if found is None and person.email is not None:
        found = _first_time(accounts, person, person.email, now)
    if found is None or found.disabled:
        raise OidcError("oidc-no-account", "nobody here is this person")
    if services.settings.oidc_roles:
        if not person.roles:
            raise OidcError("oidc-no-role", "none of this person's groups has a role here")
        if found.roles != person.roles:
            try:
                found = accounts.change(found.account_id, now=now, roles=person.roles)
            except ConflictError as error:
                raise OidcError("oidc-last-admin", str(error)) from error
            services.audit.append("OpenID provider", "roles changed", found.account_id, {"roles": list(found.roles)})
    return found


def _first_time(accounts: SqlStaffAccounts, person: Person, email: str, now: datetime) -> StaffAccount | None:
    """Return the account with a verified address, and note whose it is."""
    found = accounts.by_email(email)
    if found is not None and accounts.is_bound(found.account_id):
        raise OidcError("oidc-no-account", "the account with this address belongs to another person there")
    try:
        if found is None and person.roles:
            found = accounts.add(email, person.name, person.roles, at=now)
        if found is not None:
            accounts.bind(found.account_id, person.issuer, person.subject)
    except ConflictError as error:  # another sign-in of theirs was faster, in another tab
        raise OidcError("oidc-failed", str(error)) from error
    return found


def _provider(services: Services) -> Oidc:
    if services.oidc is None:
        raise ProblemError(404, "no-oidc", "There is no OpenID provider here; the settings AISLE_OIDC_… name one.")
    return services.oidc


def _failed(error: OidcError) -> Response:
    log.warning("signing in by the OpenID provider failed", code=error.code, reason=str(error))
    return RedirectResponse(f"{DOOR}{error.code}", 303)
