"""Commands that manage: schema, keys, kiosks, members."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.settings import settings

if TYPE_CHECKING:
    from stores.database import Database

db = typer.Typer(no_args_is_help=True, help="The database's schema.")
keys = typer.Typer(no_args_is_help=True, help="API keys: a key is shown once, only its hash is stored.")
kiosk = typer.Typer(no_args_is_help=True, help="Displays in the store.")
members = typer.Typer(no_args_is_help=True, help="Look members up.")


def _database() -> Database:
    from api.opening import open_database

    return open_database(settings())


@db.command()
def upgrade() -> None:
    """Bring the schema to the newest version; safe to run again."""
    found = _database()
    print(f"{found.url.render_as_string(hide_password=True)} is up to date")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who uses it, for example `crm`.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; repeat the option. `all` for everything.")],
    origin: Annotated[
        list[str] | None, typer.Option(help="Origin of a page that may use it or its widget tokens; repeat.")
    ] = None,
) -> None:
    """Make an API key and print it, this once."""
    from api.auth import SCOPES
    from stores.keys import SqlKeys

    scopes = SCOPES if "all" in scope else tuple(scope)
    if unknown := sorted(set(scopes) - set(SCOPES)):
        sys.exit(f"aisle: no such scope: {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    database = _database()
    key, secret = SqlKeys(database).create("api", name, at=datetime.now(UTC), scopes=scopes, origins=origin or [])
    note(database, "keys create", key.key_id, {"name": name, "scopes": sorted(key.scopes)})
    print(f"{secret}\n{key.key_id}  {key.name}  {', '.join(sorted(key.scopes))}")


@keys.command("list")
def list_keys() -> None:
    """List keys, without their secrets."""
    from stores.keys import SqlKeys

    for key in SqlKeys(_database()).all():
        print(
            f"{key.key_id}  {key.prefix}…  {'revoked' if key.revoked else key.kind:<8}  {key.name}  {', '.join(sorted(key.scopes))}"
        )


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(help="From `aisle keys list`.")]) -> None:
    """End a key; its widget tokens can no longer be renewed."""
    from stores.keys import SqlKeys

    database = _database()
    SqlKeys(database).revoke(key_id, at=datetime.now(UTC))
    note(database, "keys revoke", key_id)
    print("revoked")


@keys.command()
def rotate(
    retire: Annotated[
        bool, typer.Option(help="Take the master keys before the newest away, once every process has seen it.")
    ] = False,
) -> None:
    """Make a new master key and wrap every data key with it, while everything goes on running.

    Keys of the environment or of a command are yours to change: put the new one first, keep the old one behind it, then run this.
    """
    from api.opening import master_key_file, master_keys
    from stores.crypto import new_key, write_master_keys

    found = settings()
    given = found.master_key.get_secret_value() or found.master_key_command
    known = master_keys(found)
    if retire and (given or len(known) == 1):
        sys.exit("aisle: there is no old key in the state folder to take away")
    if not given and not retire:
        write_master_keys(master_key_file(found), [new_key(), *known])
    database = _database()
    wrapped = database.rewrap()
    if retire:
        write_master_keys(master_key_file(found), known[:1])
    note(database, "keys rotate", detail={"data_keys": wrapped, "retired": len(known) - 1 if retire else 0})
    print(f"{wrapped} data keys are wrapped by the newest master key" + ("; older ones are gone" if retire else ""))


def note(database: Database, action: str, target: str = "", detail: dict[str, Any] | None = None) -> None:
    """Write into the audit log what somebody at the command line did."""
    import getpass

    from api.opening import audit_head
    from stores.audit import SqlAudit

    SqlAudit(database, audit_head(settings())).append(f"command line, {getpass.getuser()}", action, target, detail)


@kiosk.command("create")
def create_kiosk(
    name: Annotated[str, typer.Argument(help="Lower-case name, for example `entrance`.")],
    store: Annotated[
        str | None,
        typer.Option(help="The store's key: what is popular there is shown, and what its cameras may do counts."),
    ] = None,
) -> None:
    """Add a display and print its page with the device key, this once.

    Its camera recognises nobody until the store's operator says so: `aisle vision enable STORE`.
    """
    from stores.keys import SqlKeys
    from stores.kiosks import SqlKiosks

    if not re.fullmatch(r"[a-z0-9-]{1,64}", name):
        sys.exit("aisle: a kiosk's name has lower-case letters, digits and hyphens, for example `entrance`")
    database, now = _database(), datetime.now(UTC)
    made = SqlKiosks(database).create(name, store_id=store, at=now)
    _, secret = SqlKeys(database).create("device", f"kiosk {name}", at=now, kiosk_id=made.kiosk_id)
    note(database, "kiosk create", made.kiosk_id, {"name": name})
    print(settings().kiosk_page(name, secret))


@kiosk.command("zones")
def zones(
    name: Annotated[str, typer.Argument(help="The kiosk's name or id.")],
    exclude: Annotated[list[str] | None, typer.Option(help="A zone in which its camera looks at nobody, such as the place behind the till: corners in shares of the picture, \"0,0 .3,0 .3,1 0,1\". May be repeated.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Look everywhere again.")] = False,
) -> None:  # fmt: skip
    """Say where a kiosk's camera looks at nobody, be it the browser's or an agent's; without options, print what is set.

    What is given takes the place of what was there.
    """
    from stores.kiosks import SqlKiosks
    from vision.stages.detect import zone_of

    database = _database()
    found = SqlKiosks(database).find(name)
    if found is None:
        sys.exit(f"aisle: there is no kiosk {name}")
    if exclude or clear:
        try:
            chosen = [tuple(zone_of(one)) for one in exclude or ()]
        except ValueError as error:
            sys.exit(
                f'aisle: {error} is no zone; give three corners or more, each as x,y between 0 and 1: "0,0 .3,0 .3,1 0,1"'
            )
        SqlKiosks(database).exclude(found.kiosk_id, chosen)
        note(database, "kiosk zones", found.kiosk_id, {"zones": len(chosen)})
        found = SqlKiosks(database).find(found.kiosk_id) or found
    for zone in found.excluded:
        print(" ".join(f"{x:g},{y:g}" for x, y in zone))
    if not found.excluded:
        print("its camera looks everywhere")


@kiosk.command("preview")
def preview(
    policy: Annotated[Path | None, typer.Option(help="Your copy of the display policy. Default: the one that is used.")] = None,
    visit: Annotated[str, typer.Option(help="Which of the made visits.")] = "a visit with every mood",
) -> None:  # fmt: skip
    """Play a made visit through a display policy, and print when the screen would change, and why."""
    from personalization.display import DisplayPolicyError, read, shipped
    from personalization.display_preview import VISITS, play

    if visit not in VISITS:
        sys.exit(f"aisle: there is no such visit; there are: {', '.join(VISITS)}")
    chosen = policy or settings().display_policy
    try:
        shown = play(read(chosen) if chosen else shipped(), visit)
    except DisplayPolicyError as error:
        sys.exit(f"aisle: {error}")
    told = [(one.since, f"{one.mode:<8} {one.why}") for one in shown.screens]
    told += [(at, f"{'':<8} ({what})") for at, what in shown.happened]
    for at, text in sorted(told, key=lambda one: one[0]):
        print(f"{at:5.1f} s  {text}")
    print(f"{shown.flickers} screens flickered")


@members.command()
def find(name: Annotated[str, typer.Argument(help="Start of the display name.")]) -> None:
    """Find members by name."""
    from stores.members import SqlMembers

    found = SqlMembers(_database()).page(name_prefix=name, limit=20)
    for member in found:
        print(
            f"{member.member_id}  {member.display_name}{' (synthetic name)' if member.name_is_synthetic else ''}  {member.external_id or ''}"
        )
    if not found:
        sys.exit(f"aisle: no member's name starts with {name}")
