"""Signing in to the console: by password, by an invitation, and who is signed in."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api import demo, passwords, sessions
from api.access import Quota
from api.answers import answers
from api.answers_accounts import EndedOut, SessionsOut, SignedInOut, WaysOut, WelcomeOut
from api.auth import signed_in
from api.errors import ProblemError
from api.guesses import network
from api.routes.accounts import account_tag
from api.routes.deps import ServicesDep
from api.schemas_accounts import InvitationIn, PasswordIn, ProfileIn, SignInIn, WelcomeIn
from api.sessions import SignedIn
from api.settings import Settings
from api.tags import IfMatch
from api.trail import actor
from api.wiring import Services
from stores.staff_accounts import StaffAccount, normal
from stores.staff_sessions import ACCOUNT, ADDRESS, FORGOTTEN_AFTER, Patience, Way

router = APIRouter(prefix="/session", tags=["Staff accounts"])
Me = Annotated[SignedIn, Depends(signed_in)]


def from_own_page(request: Request, services: ServicesDep) -> None:
    """Refuse what a page of another site asks: nobody is to be signed in to somebody else's account without knowing."""
    sessions.refuse_others(request.method, request.headers, services.settings.resolved_public_url)


OwnPage = Depends(from_own_page)


@router.get("/ways", summary="How staff can sign in", **answers(WaysOut))
def ways(services: ServicesDep) -> dict[str, Any]:
    """Return what the page for signing in offers."""
    return {
        "retailer": services.settings.retailer, "password": True, "passkey": services.passkey_ceremonies.possible,
        "oidc": services.settings.oidc_name if services.oidc else None, "demo": demo.accounts(services),
    }  # fmt: skip


@router.post("", summary="Sign in", dependencies=[OwnPage], **answers(SignedInOut, but=[401, 403]))
def sign_in(body: SignInIn, request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Sign in by e-mail address and password. The session is a cookie that scripts cannot read.

    Who fails often waits, by address and by account; passkeys and the company's own sign-in go on working.
    """
    tried = [f"account {normal(body.email)}", attempt_from(request, services)]
    attempt(request, services, tried[0], ACCOUNT)
    account = services.staff_accounts.by_email(body.email)
    kept = services.staff_accounts.password_hash(account.account_id) if account else None
    if not passwords.fits(body.password, kept) or account is None or kept is None or account.disabled:
        refused(services, account, "password")
        raise ProblemError(401, "wrong-password", "No account has this e-mail address and this password.")
    services.attempts.passed(*tried)
    if (anew := passwords.anew(body.password, kept)) is not None:
        services.staff_accounts.rehash(account.account_id, anew)
    return begin(account, "password", request, response)


@router.get("", summary="Who is signed in", **answers(SignedInOut))
def read_session(me: Me, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return who is signed in here, with what their roles allow."""
    response.headers["ETag"] = account_tag(me.account)
    return told(me, services.settings)


@router.patch("", summary="Change your own account", **answers(SignedInOut, but=[412]))
def change_profile(
    body: ProfileIn, me: Me, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Change your name, and the language in which the console speaks to you."""
    account = services.staff_accounts.change(
        me.account.account_id, now=datetime.now(UTC), name=body.name, language=body.language,
        check=if_match.against(account_tag, "your account"),
    )  # fmt: skip
    response.headers["ETag"] = account_tag(account)
    return told(SignedIn(account, me.session, me.key), services.settings)


@router.delete("", summary="Sign out", **answers(EndedOut))
def sign_out(
    request: Request, response: Response, me: Me, services: ServicesDep,
    everywhere: Annotated[bool, Query(description="In every other browser, too.")] = False,
) -> dict[str, Any]:  # fmt: skip
    """End this session, or all of yours. The cookie is worth nothing from now on."""
    ended = services.sessions.end(me.account.account_id, None if everywhere else me.session.session_id)
    sessions.forget(response, request)
    return {"ended": ended}


@router.post("/password", summary="Change your password", **answers(SignedInOut, but=[403]))
def change_password(
    body: PasswordIn, request: Request, response: Response, me: Me, services: ServicesDep
) -> dict[str, Any]:
    """Replace the password. Every session ends, and this browser gets a new one."""
    name = f"account {normal(me.account.email)}"
    attempt(request, services, name, ACCOUNT)
    kept = services.staff_accounts.password_hash(me.account.account_id)
    if not passwords.fits(body.password, kept):
        raise ProblemError(403, "wrong-password", "This is not your password.")
    services.attempts.passed(name)
    new = accepted(body.new_password, me.account)
    services.staff_accounts.set_password(me.account.account_id, new, at=datetime.now(UTC))
    return begin(services.staff_accounts.get(me.account.account_id), me.session.way, request, response)


@router.post("/invitation", summary="Read an invitation", dependencies=[OwnPage], **answers(WelcomeOut))
def read_invitation(body: InvitationIn, services: ServicesDep) -> dict[str, Any]:
    """Return whom an invitation is for; 404 when it was used, or is older than 72 hours. Its code is in no address, and so in no log."""
    account = services.staff_accounts.by_invite(body.code, now=datetime.now(UTC))
    if account is None:
        raise no_invitation()
    return {"name": account.name, "email": account.email}


@router.post("/welcome", summary="Take up an invitation", dependencies=[OwnPage], **answers(SignedInOut, but=[404]))
def welcome(body: WelcomeIn, request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Set a password by the link of an invitation, and sign in."""
    now = datetime.now(UTC)
    invited = services.staff_accounts.by_invite(body.code, now=now)
    if invited is None:
        raise no_invitation()
    account = services.staff_accounts.accept(body.code, accepted(body.password, invited), now=now)
    if account is None:
        raise no_invitation()
    return begin(account, "invite", request, response)


@router.get("/others", summary="List where you are signed in", **answers(SessionsOut))
def list_sessions(me: Me, services: ServicesDep) -> dict[str, Any]:
    """Return your own sessions, newest first."""
    found = services.sessions.of(me.account.account_id, now=datetime.now(UTC))
    return {
        "sessions": [
            {"session_id": one.session_id, "way": one.way, "browser": one.browser, "since": one.created_at.isoformat(),
             "seen_at": one.seen_at.isoformat(), "this": one.session_id == me.session.session_id}
            for one in found
        ]
    }  # fmt: skip


@router.delete("/others", summary="Sign out everywhere else", **answers(EndedOut))
def sign_out_others(me: Me, services: ServicesDep) -> dict[str, Any]:
    """End every session of yours but this one."""
    return {"ended": services.sessions.end(me.account.account_id, but=me.session.session_id)}


@router.delete("/others/{session_id}", summary="Sign out in one browser", **answers(EndedOut))
def sign_out_one(session_id: Annotated[str, Path(max_length=36)], me: Me, services: ServicesDep) -> dict[str, Any]:
    """End one of your sessions."""
    ended = services.sessions.end(me.account.account_id, session_id)
    if not ended:
        raise ProblemError(404, "not-found", "You have no such session; it may have ended by itself.")
    return {"ended": ended}


def begin(account: StaffAccount, way: Way, request: Request, response: Response) -> dict[str, Any]:
    """Start a session, write it down, and tell who signed in."""
    services: Services = request.app.state.services
    found = sessions.start(services.sessions, response, account, way, request)
    me = sessions.known(*found, services.scopes)
    services.audit.append(actor(me.key), "sign-in", account.account_id, {"way": way})
    return told(me, services.settings)


def told(me: SignedIn, settings: Settings) -> dict[str, Any]:
    """Return what the console knows of its user."""
    account, session = me.account, me.session
    return {
        "account_id": account.account_id, "session_id": session.session_id, "name": account.name, "email": account.email,
        "roles": list(account.roles), "scopes": sorted(me.key.scopes), "language": account.language, "way": session.way,
        "has_password": account.has_password, "since": session.created_at.isoformat(), "retailer": settings.retailer,
        "currency": settings.currency,
    }  # fmt: skip


def accepted(password: str, account: StaffAccount) -> str:
    """Return the hash of a new password; ProblemError 422 when it is too weak."""
    try:
        return passwords.accept(password, told=(account.name, account.email, "aisle"))
    except passwords.WeakPasswordError as error:
        raise ProblemError(422, "weak-password", str(error), reason=error.reason) from error


def attempt_from(request: Request, services: Services) -> str:
    """Count an attempt by the address that it comes from and return what it is counted by; ProblemError 429 when there were too many."""
    name = f"from {network(request)}"
    attempt(request, services, name, ADDRESS)
    return name


def attempt(request: Request, services: Services, name: str, patience: Patience) -> None:
    """Count an attempt; ProblemError 429 when there were too many. The answer tells how many may fail in a day, and when the next may come."""
    wait = services.attempts.begin(name, patience, now=datetime.now(UTC)).total_seconds()
    if wait > 0:
        whole, day = math.ceil(wait), int(FORGOTTEN_AFTER.total_seconds())
        request.state.quota = Quota("attempts", patience.free, day, 0, whole)
        detail = f"That was tried too often. Try again in {whole} s."
        raise ProblemError(429, "too-many-attempts", detail, headers={"Retry-After": str(whole)})


def refused(services: Services, account: StaffAccount | None, way: str) -> None:
    """Write down that a sign-in failed; of a name that nobody has nothing is kept but that it was tried."""
    services.audit.append("somebody", "sign-in refused", account.account_id if account else "", {"way": way})


def no_invitation() -> ProblemError:
    """Return what is told where a link is not good any more."""
    return ProblemError(
        404, "no-invitation", "This link was used, or is older than 72 hours. Ask an admin for a new one."
    )
