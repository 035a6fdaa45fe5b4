"""Withdrawals that are in the ledger and not yet done with: what cannot be undone in the ledger's own transaction.

Galleries, profiles and files take longer; a process that is killed meanwhile leaves a row, and the worker goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from personalization.types import MemberId, Purpose
from stores.affect import withdraw_moods
from stores.database import Database, upsert
from stores.events import withdraw
from stores.labels import forget_edits
from stores.merges import forget_merges
from stores.tables import withdrawals_due
from stores.variety import forget_weeks


def take_back(connection: Connection, member_id: MemberId, withdrawn: Collection[Purpose], *, at: datetime) -> None:
    """Delete what only these purposes allowed and note what is left to do, in the ledger's transaction.

    Call it where nobody else can append events or entries of the member (`stores.events.in_order`, `stores.consents.lock`), before the entries.
    """
    withdraw(connection, member_id, withdrawn)
    withdraw_moods(connection, member_id, withdrawn)
    if Purpose.PROFILING in withdrawn:
        forget_merges(connection, member_id)
        forget_weeks(connection, member_id)
        forget_edits(connection, member_id)
    note(connection, member_id, withdrawn, at=at)


def note(connection: Connection, member_id: str, purposes: Collection[Purpose], *, at: datetime) -> None:
    """Write down that there is more to do, in the transaction of the withdrawal."""
    rows = [{"member_id": member_id, "purpose": purpose.value, "at": at} for purpose in sorted(purposes)]
    upsert(connection, withdrawals_due, rows)


def unfinished(db: Database, *, before: datetime) -> dict[MemberId, frozenset[Purpose]]:
    """Return whose withdrawals from before then are not done with."""
    found: dict[MemberId, set[Purpose]] = {}
    with db.read() as connection:
        for row in connection.execute(select(withdrawals_due).where(withdrawals_due.c.at < before)):
            found.setdefault(MemberId(row.member_id), set()).add(Purpose(row.purpose))
    return {member_id: frozenset(purposes) for member_id, purposes in found.items()}


def done(db: Database, member_id: str, purposes: Collection[Purpose], *, until: datetime) -> None:
    """Take the rows away: everything is done that was noted until then."""
    w = withdrawals_due.c
    mine = (w.member_id == member_id, w.purpose.in_([purpose.value for purpose in purposes]), w.at <= until)
    with db.write() as connection:
        connection.execute(delete(withdrawals_due).where(*mine))
