"""The consent ledger: append-only, purpose-bound, dated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Subquery, bindparam, func, insert, select

from personalization.types import MemberId, Purpose, Subject
from stores.database import Database, new_id, rows_where
from stores.outbox import PROFILED, Topic, forget, tell
from stores.tables import consents


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the ledger: `granted` False is a withdrawal."""

    member_id: MemberId
    purpose: Purpose
    granted: bool
    at: datetime
    channel: str
    text_version: str


_HISTORY = (
    select(consents).where(consents.c.member_id == bindparam("member")).order_by(consents.c.at, consents.c.consent_id)
)


class SqlConsents:
    """The `Consents` of the brain, and the ledger's writes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def granted(self, subject: Subject, *, at: datetime) -> frozenset[Purpose]:
        """Return the purposes that `subject` agreed to and has not withdrawn at `at`; none for a visitor."""
        if subject.member_id is None:
            return frozenset()
        state = {entry.purpose: entry.granted for entry in self.history(subject.member_id) if entry.at <= at}
        return frozenset(purpose for purpose, granted in state.items() if granted)

    def history(self, member_id: MemberId) -> list[ConsentEntry]:
        """Return every entry about the member, oldest first."""
        with self._db.read() as connection:
            return [
                ConsentEntry(
                    MemberId(row.member_id),
                    Purpose(row.purpose),
                    row.granted,
                    row.at,
                    row.channel,
                    row.text_version,
                )
                for row in connection.execute(_HISTORY, {"member": member_id})
            ]

    def record(self, entries: Iterable[ConsentEntry]) -> None:
        """Append entries, all or none."""
        rows = [
            {
                "consent_id": new_id(),
                "member_id": entry.member_id,
                "purpose": entry.purpose.value,
                "granted": entry.granted,
                "at": entry.at,
                "channel": entry.channel,
                "text_version": entry.text_version,
            }
            for entry in entries
        ]
        if rows:
            with self._db.write() as connection:
                connection.execute(insert(consents), rows)
                for row in rows:
                    self._tell(connection, row)

    def _tell(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Tell other systems, and take back what they were to be told of a member who does not agree any more."""
        who = str(row["member_id"])
        if not row["granted"] and row["purpose"] == Purpose.PROFILING:
            forget(self._db, connection, [who], topics=PROFILED)
        data = {name: row[name] for name in ("purpose", "granted", "channel", "text_version")}
        tell(self._db, connection, Topic.CONSENT_CHANGED, Subject(MemberId(who)), data, at=row["at"],
             about=row["consent_id"])  # fmt: skip

    def members_with(self, purpose: Purpose) -> frozenset[MemberId]:
        """Return the members whose consent to `purpose` stands."""
        latest = latest_consents(purpose)
        with self._db.read() as connection:
            return frozenset(
                MemberId(member) for member in connection.scalars(select(latest.c.member_id).where(latest.c.granted))
            )


def granted_to(connection: Connection, member_ids: Iterable[str]) -> dict[str, frozenset[Purpose]]:
    """Return what each of the members agrees to now; a member that is missing agrees to nothing."""
    columns = ("member_id", "at", "consent_id", "purpose", "granted")
    found = dict[str, set[Purpose]]()
    for row in sorted(rows_where(connection, consents, "member_id", member_ids, only=columns)):
        mine = found.setdefault(row.member_id, set())
        (mine.add if row.granted else mine.discard)(Purpose(row.purpose))
    return {member_id: frozenset(purposes) for member_id, purposes in found.items()}


def latest_consents(purpose: Purpose) -> Subquery:
    """Return a subquery (member_id, granted): each member's last word on `purpose`."""
    newest_first = func.row_number().over(
        partition_by=consents.c.member_id, order_by=(consents.c.at.desc(), consents.c.consent_id.desc())
    )
    ranked = (
        select(consents.c.member_id, consents.c.granted, newest_first.label("age"))
        .where(consents.c.purpose == purpose.value)
        .subquery()
    )
    return select(ranked.c.member_id, ranked.c.granted).where(ranked.c.age == 1).subquery()
