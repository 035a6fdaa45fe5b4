"""`aisle accounts`: who may sign in to the console."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.manage import note
from api.settings import settings

if TYPE_CHECKING:
    from stores.database import Database
    from stores.staff_accounts import SqlStaffAccounts, StaffAccount

app = typer.Typer(
    no_args_is_help=True,
    help="Staff accounts: who signs in to the console, and in which roles. Roles: marketer, agent, auditor, admin. The first admin is"
    " made here (`aisle accounts add ana@shop.example --role admin`); admins invite everybody else in the console.",
)
Who = Annotated[str, typer.Argument(help="E-mail address or id, as in the list.")]


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="The address that they sign in with.")],
    role: Annotated[list[str], typer.Option(help="marketer, agent, auditor or admin; repeat the option for several.")],
    name: Annotated[str, typer.Option(help="What colleagues and shoppers see; the address's first half without it.")] = "",
) -> None:  # fmt: skip
    """Make an account and print the link by which its owner sets a password: good once, for 72 hours."""
    from pydantic import ValidationError

    from api.schemas_accounts import AccountIn

    try:
        body = AccountIn(email=email, name=name or email.partition("@")[0], roles=role)
    except ValidationError as error:
        wrong = error.errors()[0]
        sys.exit(f"aisle: {wrong['loc'][0]}: {wrong['msg']}; roles are marketer, agent, auditor and admin")
    database, accounts = _open()
    now = datetime.now(UTC)
    made = accounts.add(body.email, body.name, body.roles, at=now)
    note(database, "accounts add", made.account_id, {"roles": list(made.roles)})
    print(f"{made.account_id}  {made.email}  {', '.join(made.roles)}")
    _print_link(accounts.invite(made.account_id, now=now))


@app.command("list")
def list_accounts() -> None:
    """List everybody, newest first."""
    _, accounts = _open()
    found = accounts.page(limit=10_000)
    for one in found:
        state = "disabled" if one.disabled else "invited" if not one.has_password and one.invited_until else "open"
        seen = f"last signed in {one.signed_in_at:%Y-%m-%d}" if one.signed_in_at else "never signed in"
        print(f"{one.account_id}  {state:<8}  {one.email}  {one.name}  {', '.join(one.roles)}  {seen}")
    if not found:
        print("Nobody yet: `aisle accounts add E-MAIL --role admin`.")


@app.command()
def disable(who: Who) -> None:
    """Let somebody in no longer; their sessions end at once. The last admin stays."""
    _switch(who, disabled=True)


@app.command()
def enable(who: Who) -> None:
    """Let somebody in again."""
    _switch(who, disabled=False)


@app.command()
def reset(
    who: Who,
    last_admin: Annotated[
        bool, typer.Option("--last-admin", help="Even if nobody is left who manages accounts.")
    ] = False,
) -> None:
    """End somebody's password, passkeys and sessions, and print a link to set a new password by."""
    database, accounts = _open()
    found = _find(accounts, who)
    code = accounts.invite(found.account_id, now=datetime.now(UTC), reset=True, even_last_admin=last_admin)
    note(database, "accounts reset", found.account_id)
    _print_link(code)


@app.command()
def remove(who: Who) -> None:
    """Delete an account. The audit log and the desk keep what was done without the name; what its owner signed as an author keeps it."""
    database, accounts = _open()
    found = _find(accounts, who)
    accounts.remove(found.account_id)
    note(database, "accounts remove", found.account_id)
    print("removed")


def _switch(who: str, *, disabled: bool) -> None:
    database, accounts = _open()
    found = accounts.change(_find(accounts, who).account_id, now=datetime.now(UTC), disabled=disabled)
    note(database, "accounts disable" if disabled else "accounts enable", found.account_id)
    print("disabled" if disabled else "enabled")


def _find(accounts: SqlStaffAccounts, who: str) -> StaffAccount:
    found = accounts.by_email(who) if "@" in who else accounts.find(who)
    if found is None:
        sys.exit(f"aisle: there is no account {who}; `aisle accounts list` shows them")
    return found


def _open() -> tuple[Database, SqlStaffAccounts]:
    from api.opening import open_database
    from stores.staff_accounts import SqlStaffAccounts

    database = open_database(settings())
    return database, SqlStaffAccounts(database)


def _print_link(code: str) -> None:
    print(f"{settings().resolved_public_url}/console/welcome#{code}")
    print("Good once, for 72 hours: hand it over by a channel that you trust.")
