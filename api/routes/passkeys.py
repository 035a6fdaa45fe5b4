"""Passkeys of staff: made while signed in, and signed in with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import answers
from api.answers_accounts import PasskeyChallenge, PasskeyOptions, PasskeyOut, PasskeysOut, SignedInOut
from api.auth import count
from api.errors import ProblemError
from api.guesses import network
from api.passkeys import PasskeyError
from api.routes.deps import ServicesDep
from api.routes.session import Me, OwnPage, attempt_from, begin, refused
from api.schemas_accounts import PasskeyIn, PasskeySignInIn
from api.sessions import SignedIn
from api.wiring import Services
from stores.staff_passkeys import Passkey

router = APIRouter(prefix="/session/passkeys", tags=["Staff accounts"])
FRESH = timedelta(minutes=15)


@router.get("", summary="List your passkeys", **answers(PasskeysOut))
def list_passkeys(me: Me, services: ServicesDep) -> dict[str, Any]:
    """Return your passkeys, newest first, with when each was used last."""
    return {"passkeys": [_told(one) for one in services.passkeys.of(me.account.account_id)]}


@router.post("/options", summary="Begin to make a passkey", **answers(PasskeyOptions, but=[403, 503]))
def make_options(me: Me, services: ServicesDep) -> dict[str, Any]:
    """Return what the browser needs to make one. You have signed in within the last 15 minutes: sign in again otherwise."""
    _possible(services)
    _fresh(me)
    return services.passkey_ceremonies.options(me.account, now=datetime.now(UTC))


@router.post("", summary="Keep a passkey", **answers(PasskeyOut, 201, but=[403, 409]))
def add_passkey(body: PasskeyIn, me: Me, services: ServicesDep) -> dict[str, Any]:
    """Keep the passkey that the browser made for the challenge before."""
    _fresh(me)
    try:
        made = services.passkey_ceremonies.add(me.account, body.credential, body.name, now=datetime.now(UTC))
    except PasskeyError as error:
        raise ProblemError(422, "passkey-invalid", "This passkey does not answer. Try to make it again.") from error
    return _told(made)


@router.delete("/{passkey_id}", summary="Delete a passkey", **answers(PasskeyOut, but=[403, 409]))
def remove_passkey(passkey_id: Annotated[str, Path(max_length=36)], me: Me, services: ServicesDep) -> dict[str, Any]:
    """Delete one of your passkeys: nobody can sign in with it any more. 409 for the last way in that you have."""
    _fresh(me)
    found = next((one for one in services.passkeys.of(me.account.account_id) if one.passkey_id == passkey_id), None)
    if found is None:
        raise ProblemError(404, "not-found", "You have no such passkey.")
    other_way = me.account.has_password or services.staff_accounts.is_bound(me.account.account_id)
    if not services.passkeys.remove(me.account.account_id, passkey_id, keep_one=not other_way):
        raise ProblemError(409, "last-way-in", "This is the only way in that you have. Make another one first.")
    return _told(found)


@router.post("/challenge", summary="Begin to sign in by passkey", dependencies=[OwnPage], **answers(PasskeyChallenge, but=[503]))  # fmt: skip
def make_challenge(request: Request, services: ServicesDep) -> dict[str, Any]:
    """Return what the browser needs to ask for a passkey. It names nobody: the passkey does."""
    _possible(services)
    count(request, services.ceremony_limit, f"passkey {network(request)}")
    return services.passkey_ceremonies.challenge(now=datetime.now(UTC))


@router.post("/sign-in", summary="Sign in by passkey", dependencies=[OwnPage], **answers(SignedInOut, but=[401]))
def sign_in(body: PasskeySignInIn, request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Sign in with the passkey that the browser showed, as `PublicKeyCredential.toJSON()` tells it."""
    origin = attempt_from(request, services)
    try:
        kept = services.passkey_ceremonies.check(body.model_dump(), now=datetime.now(UTC))
    except PasskeyError as error:
        refused(services, None, "passkey")
        raise _wrong() from error
    account = services.staff_accounts.find(kept.account_id)
    if account is None or account.disabled:
        refused(services, account, "passkey")
        raise _wrong()
    services.attempts.succeeded(origin)
    return begin(account, "passkey", request, response)


def _wrong() -> ProblemError:
    return ProblemError(401, "wrong-passkey", "Nobody can sign in with this passkey here. Try again, or another way.")


def _possible(services: Services) -> None:
    if not services.passkey_ceremonies.possible:
        raise ProblemError(
            503,
            "no-passkeys",
            "Passkeys need https and a name as the public address (AISLE_PUBLIC_URL), or `localhost`.",
        )


def _fresh(me: SignedIn) -> None:
    """Have a session that was left open let nobody make themselves a way in."""
    if me.session.created_at < datetime.now(UTC) - FRESH:
        raise ProblemError(
            403, "sign-in-again", "Sign out and in again first: this needs a session of the last 15 minutes."
        )


def _told(one: Passkey) -> dict[str, Any]:
    return {
        "passkey_id": one.passkey_id, "name": one.name, "transports": list(one.transports), "created_at": one.created_at.isoformat(),
        "used_at": one.used_at.isoformat() if one.used_at else None,
    }  # fmt: skip
