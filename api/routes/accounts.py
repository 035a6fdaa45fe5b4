"""Staff accounts, managed by admins. Nobody chooses another's password: whoever is invited sets their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import answers
from api.answers_accounts import AccountOut, AccountsPage, InvitedOut, RemovedOut
from api.auth import api_key
from api.routes.deps import ServicesDep
from api.schemas_accounts import AccountIn, AccountPatch, InviteIn
from api.tags import IfMatch, tag
from api.wiring import Services
from stores.staff_accounts import StaffAccount

router = APIRouter(prefix="/accounts", tags=["Staff accounts"], dependencies=[Depends(api_key("accounts"))])
AccountId = Annotated[str, Path(max_length=36, description="From the list of accounts.")]
WHAT = "the account"


def account_tag(one: StaffAccount) -> str:
    """Return the tag of what can be changed in an account."""
    return tag("account", one.name, one.roles, one.disabled, one.language)


@router.get("", summary="List staff accounts", **answers(AccountsPage))
def list_accounts(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=36, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Return accounts, newest first, with when each was last signed in."""
    found = services.staff_accounts.page(before=cursor, limit=limit + 1)
    more = found[limit - 1].account_id if len(found) > limit else None
    return {"accounts": _told(services, found[:limit]), "next_cursor": more}


@router.post("", summary="Invite somebody", **answers(InvitedOut, 201, but=[409]))
def invite(body: AccountIn, request: Request, services: ServicesDep) -> dict[str, Any]:
    """Make an account, and return the link by which its owner sets a password: good once, for 72 hours."""
    now = datetime.now(UTC)
    account = services.staff_accounts.add(body.email, body.name, body.roles, at=now)
    code = services.staff_accounts.invite(account.account_id, now=now)
    request.state.told = {"account_id": account.account_id, "roles": list(account.roles)}
    return _invited(services, account.account_id, code)


@router.get("/{account_id}", summary="Read a staff account", **answers(AccountOut))
def read(account_id: AccountId, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return an account, with an `ETag` to change it by."""
    account = services.staff_accounts.get(account_id)
    response.headers["ETag"] = account_tag(account)
    return _told(services, [account])[0]


@router.patch("/{account_id}", summary="Change a staff account", **answers(AccountOut, but=[409, 412]))
def change(
    account_id: AccountId, body: AccountPatch, request: Request, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:  # fmt: skip
    """Change name or roles, or let somebody in no longer. Their sessions end with a change of roles; one admin stays."""
    account = services.staff_accounts.change(
        account_id, now=datetime.now(UTC), name=body.name, roles=body.roles, disabled=body.disabled,
        check=if_match.against(account_tag, WHAT),
    )  # fmt: skip
    response.headers["ETag"] = account_tag(account)
    request.state.told = {"roles": list(account.roles), "disabled": account.disabled}
    return _told(services, [account])[0]


@router.post("/{account_id}/invite", summary="Make a new link", **answers(InvitedOut, but=[409]))
def invite_again(account_id: AccountId, body: InviteIn, request: Request, services: ServicesDep) -> dict[str, Any]:
    """Return a new link to set a password by, for who has lost theirs; links before it end. 409 where a reset would leave no admin."""
    code = services.staff_accounts.invite(account_id, now=datetime.now(UTC), reset=body.reset)
    request.state.told = {"reset": body.reset}
    return _invited(services, account_id, code)


@router.delete("/{account_id}", summary="Delete a staff account", **answers(RemovedOut, but=[409, 412]))
def remove(account_id: AccountId, services: ServicesDep, if_match: IfMatch) -> dict[str, Any]:
    """Delete an account with its sessions and passkeys. The audit log and the desk keep what they did under the id alone.

    Versions, approvals and edits that they signed keep the name.
    """
    services.staff_accounts.remove(account_id, check=if_match.against(account_tag, WHAT))
    return {"account_id": account_id}


def invite_url(services: Services, code: str) -> str:
    """Return the link of an invitation; what stands behind # is sent to no server, and so is in no log."""
    return f"{services.settings.resolved_public_url}/console/welcome#{code}"


def _invited(services: Services, account_id: str, code: str) -> dict[str, Any]:
    account = services.staff_accounts.get(account_id)
    return {**_told(services, [account])[0], "invite_url": invite_url(services, code)}


def _told(services: Services, accounts: list[StaffAccount]) -> list[dict[str, Any]]:
    passkeys = services.passkeys.counts([one.account_id for one in accounts])
    return [
        {
            "account_id": one.account_id, "email": one.email, "name": one.name, "roles": list(one.roles), "disabled": one.disabled,
            "has_password": one.has_password, "passkeys": passkeys.get(one.account_id, 0),
            "invited_until": one.invited_until.isoformat() if one.invited_until else None,
            "etag": account_tag(one), "created_at": one.created_at.isoformat(), "signed_in_at": one.signed_in_at.isoformat() if one.signed_in_at else None,
        }
        for one in accounts
    ]  # fmt: skip
