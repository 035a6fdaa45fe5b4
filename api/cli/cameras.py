"""`aisle vision enable`, `disable` and `status`: what cameras may do in a store."""

from __future__ import annotations

import os
import pwd
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.settings import settings

if TYPE_CHECKING:
    from stores.kiosks import SqlKiosks
    from stores.switches import SqlSwitches, Switch

Store = Annotated[str, typer.Argument(help="The store's key, as in your orders and as its kiosks were created with.")]
LONGEST_KEY = 64
NOT_YET = "nothing is switched on: nobody is recognised, no expression is read"


def register(app: typer.Typer) -> None:
    """Add the commands to `aisle vision`."""
    app.command("enable")(enable)
    app.command("disable")(disable)
    app.command("status")(status)


def enable(
    store: Store,
    purpose: Annotated[str, typer.Option(help="What for, in a sentence that a shopper understands.")],
    retention: Annotated[int, typer.Option(help="Days after a member's last visit (or their enrolment) at which their face is deleted, 1 to 1095.")],
    notice: Annotated[Path, typer.Option(help="Text file with the notice that hangs at the entrance; docs/examples/entrance_notice.txt is a start.")],
    use: Annotated[list[str] | None, typer.Option(help="What cameras may do: recognition, expression, adaptation. Repeat the option. Default: recognition.")] = None,
) -> None:  # fmt: skip
    """Switch the cameras of a store on, once the notice hangs at its entrance.

    Until then nobody is recognised there and no expression is read. recognition: members who agreed are greeted by name. expression: how
    people look is estimated, of members who agreed to that, and of strangers because the notice says so; never of staff. adaptation: with recognition, a few templates that cameras make of a member in passing join
    those that they enrolled, so that they are known after a new haircut. Who switched on
    what, with which notice, is kept in a record that nobody can change. To change the terms, enable again.

    aisle vision enable 318 --purpose "Greet members by name" --retention 365 --notice notice.txt --use recognition --use expression
    """
    from stores.switches import LONGEST_RETENTION_DAYS, Terms, Use

    if not 0 < len(store.strip()) <= LONGEST_KEY:
        sys.exit(f"aisle: a store's key has 1 to {LONGEST_KEY} characters")
    given = use or ["recognition"]
    if unknown := sorted(set(given) - set(Use)):
        sys.exit(f"aisle: no such use: {', '.join(unknown)}; there are: {', '.join(Use)}")
    if not 1 <= retention <= LONGEST_RETENTION_DAYS:
        sys.exit(
            f"aisle: --retention is 1 to {LONGEST_RETENTION_DAYS} days; what the law allows where you are may be less"
        )
    text = _text(notice)
    if not purpose.strip() or len(purpose) > 400:
        sys.exit("aisle: --purpose is a sentence of at most 400 characters")
    switches, kiosks = _stores()
    terms = Terms(frozenset(map(Use, given)), purpose.strip(), retention, text)
    switches.enable(store, terms, by=operator(), at=datetime.now(UTC))
    _tell(switches, kiosks, store)
    print("Does this very text hang at the entrance? Kiosks show it before anybody agrees to anything.")


def disable(store: Store) -> None:
    """Switch the cameras of a store off: nobody is recognised from the next request on, displays turn anonymous within a second.

    Templates stay until their retention ends, so that switching on again does not ask everybody anew; `aisle retention run` deletes what is due.
    """
    switches, kiosks = _stores()
    if switches.disable(store, by=operator(), at=datetime.now(UTC)) is None:
        sys.exit(f"aisle: in store {store} {NOT_YET}")
    _tell(switches, kiosks, store)


def status(
    store: Annotated[str, typer.Argument(help="A store's key. Without it: every store that has a kiosk or a record.")] = "",
) -> None:  # fmt: skip
    """Tell what cameras may do, since when, by whom, and under which notice."""
    switches, kiosks = _stores()
    if store:
        _tell(switches, kiosks, store)
        for one in switches.history(store):
            print(
                f"  {one.number:>3}  {one.at:%Y-%m-%d %H:%M} UTC  {_uses(one):<24} notice {one.notice_version}  by {one.by}"
            )
        last = switches.latest(store)
        if last is not None and last.terms is not None:
            print(f"\n{last.terms.notice}")
        return
    names = {one.store_id for one in switches.all()} | {one.store_id for one in kiosks.all() if one.store_id}
    for name in sorted(names):
        _tell(switches, kiosks, name)
    if not names:
        print("There is no kiosk in any store yet: `aisle kiosk create NAME --store STORE`.")


def _stores() -> tuple[SqlSwitches, SqlKiosks]:
    from api.opening import open_database
    from stores.kiosks import SqlKiosks
    from stores.switches import SqlSwitches

    database = open_database(settings())
    return SqlSwitches(database), SqlKiosks(database)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        sys.exit(f"aisle: {path} is no text file in UTF-8")
    if not text or len(text) > 4000 or "\0" in text:
        sys.exit(f"aisle: {path} should hold the notice's text, at most 4000 characters")
    return text


def _tell(switches: SqlSwitches, kiosks: SqlKiosks, store: str) -> None:
    last, theirs = switches.latest(store), [one.name for one in kiosks.all() if one.store_id == store]
    where = f"kiosks: {', '.join(theirs)}" if theirs else "no kiosk yet"
    if last is None or last.terms is None:
        print(f"store {store}: {NOT_YET} ({where})")
        return
    terms = last.terms
    print(
        f"store {store}: {_uses(last)} on since {last.at:%Y-%m-%d %H:%M} UTC, notice {last.notice_version}, templates kept"
        f" {terms.retention_days} days; {terms.purpose} ({where})"
    )


def _uses(switch: Switch) -> str:
    return ", ".join(sorted(switch.uses)) or "off"


def operator() -> str:
    """Return how the record names whoever types."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        name = str(os.getuid())
    return f"command line, {name}"
