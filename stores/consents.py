"""The consent ledger: append-only, purpose-bound, dated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Subquery, and_, bindparam, delete, exists, func, insert, or_, select

from personalization.types import MemberId, Purpose, Subject
from stores.campaign_audiences import leave
from stores.database import Database, new_id, rows_where
from stores.experiment_units import let_go
from stores.outbox import PROFILED, Topic, forget, tell
from stores.replies import forget_replies
from stores.tables import consents, counters, members


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the ledger: `granted` False is a withdrawal. A consent counts until `expires_at`; None: it does not end by itself."""

    member_id: MemberId
    purpose: Purpose
    granted: bool
    at: datetime
    channel: str
    text_version: str
    expires_at: datetime | None = None

    def stands(self, at: datetime) -> bool:
        """Whether it is a consent that has not expired."""
        return self.granted and (self.expires_at is None or self.expires_at > at)


ERASING = "EXISTS (SELECT 1 FROM counters WHERE name = 'erasing' AND value > 0)"
"""When the database lets entries be deleted: in the transaction of an erasure. They are never changed."""
_ERASING_NAME = "erasing"
SEEN = frozenset({Purpose.FACE_RECOGNITION, Purpose.EXPRESSION})
"""What cameras ask: they hold copies of who agreed."""
TICK = timedelta(microseconds=1)
"""The least by which an entry is later than the one before it."""


@contextmanager
def erasing(connection: Connection) -> Iterator[None]:
    """Let entries be deleted in this block, and in this transaction only."""
    connection.execute(insert(counters).values(name=_ERASING_NAME, value=1))
    yield
    connection.execute(delete(counters).where(counters.c.name == _ERASING_NAME))


_HISTORY = (
    select(consents).where(consents.c.member_id == bindparam("member")).order_by(consents.c.at, consents.c.consent_id)
)


class SqlConsents:
    """The `Consents` of the brain, and the ledger's writes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def granted(self, subject: Subject, *, at: datetime) -> frozenset[Purpose]:
        """Return the purposes that `subject` agreed to and has not withdrawn; none for a visitor. What has expired at `at` does not count.

        The last word counts, also where the clock of the host that wrote it is ahead of this one's.
        """
        if subject.member_id is None:
            return frozenset()
        state = {entry.purpose: entry for entry in self.history(subject.member_id)}
        return frozenset(purpose for purpose, entry in state.items() if entry.stands(at))

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
                    row.expires_at,
                )
                for row in connection.execute(_HISTORY, {"member": member_id})
            ]

    def record(self, entries: Iterable[ConsentEntry]) -> None:
        """Append entries, all or none (see `append`)."""
        wanted = list(entries)
        if wanted:
            with self._db.write() as connection:
                append(self._db, connection, wanted)

    def expired(self, *, now: datetime) -> dict[MemberId, frozenset[Purpose]]:
        """Return whose last word on which purposes was a consent that has expired since."""
        with self._db.read() as connection:
            return expired(connection, now=now)

    def members_with(self, purpose: Purpose) -> frozenset[MemberId]:
        """Return the members whose consent to `purpose` stands."""
        latest = latest_consents(purpose)
        with self._db.read() as connection:
            return frozenset(
                MemberId(member) for member in connection.scalars(select(latest.c.member_id).where(latest.c.granted))
            )


def expired(
    connection: Connection, *, now: datetime, member_id: MemberId | None = None
) -> dict[MemberId, frozenset[Purpose]]:
    """Return whose last word (or only that of `member_id`) on which purposes was a consent that has expired since."""
    later = consents.alias()
    newer = and_(
        later.c.member_id == consents.c.member_id,
        later.c.purpose == consents.c.purpose,
        or_(
            later.c.at > consents.c.at,
            and_(later.c.at == consents.c.at, later.c.consent_id > consents.c.consent_id),
        ),
    )
    query = select(consents.c.member_id, consents.c.purpose).where(
        consents.c.granted, consents.c.expires_at <= now, ~exists().where(newer)
    )
    if member_id is not None:
        query = query.where(consents.c.member_id == member_id)
    found: dict[MemberId, set[Purpose]] = {}
    for row in connection.execute(query):
        found.setdefault(MemberId(row.member_id), set()).add(Purpose(row.purpose))
    return {member: frozenset(purposes) for member, purposes in found.items()}


def ends(connection: Connection, *, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return when the last consent that cameras ask for expired, and when the next one will."""
    end, asked = consents.c.expires_at, consents.c.purpose.in_([one.value for one in SEEN])
    return (
        connection.scalar(select(func.max(end)).where(consents.c.granted, asked, end <= now)),
        connection.scalar(select(func.min(end)).where(consents.c.granted, asked, end > now)),
    )


def lock(connection: Connection, member_ids: Collection[str]) -> None:
    """Let nobody else append about these members until this transaction ends.

    After `in_order` where a transaction does both, and before it deletes what is theirs: the order of an erasure.
    """
    for _ in rows_where(connection, members, "member_id", member_ids, only=("member_id",), lock=True):
        pass


def append(db: Database, connection: Connection, entries: Collection[ConsentEntry]) -> None:
    """Append entries in the caller's transaction, and tell other systems; call it last, as `tell` asks.

    Each comes after what the member said on the same purpose before. Hosts' clocks differ: an entry that is dated before the last is dated just
    after it, since what was said last is what counts.
    """
    who = {str(entry.member_id) for entry in entries}
    lock(connection, who)
    last = dict[tuple[str, str], datetime]()
    for row in rows_where(connection, consents, "member_id", who, only=("member_id", "purpose", "at")):
        pair = (row.member_id, row.purpose)
        last[pair] = max(row.at, last.get(pair, row.at))
    rows = list[dict[str, Any]]()
    for entry in entries:
        pair = (str(entry.member_id), entry.purpose.value)
        last[pair] = max(entry.at, last[pair] + TICK) if pair in last else entry.at
        rows.append(
            {
                "consent_id": new_id(),
                "member_id": entry.member_id,
                "purpose": entry.purpose.value,
                "granted": entry.granted,
                "at": last[pair],
                "channel": entry.channel,
                "text_version": entry.text_version,
                "expires_at": entry.expires_at,
            }
        )
    connection.execute(insert(consents), rows)
    _take_back(db, connection, [row for row in rows if not row["granted"]])
    for one in rows:
        _tell(db, connection, one)


def _take_back(db: Database, connection: Connection, withdrawn: Collection[Mapping[str, Any]]) -> None:
    """Take back what others were to be told of members who do not agree any more, or told again: in the order of an erasure, so that neither waits for the other.

    The answer to the withdrawal itself is kept later than this, so it is given again.
    """
    rests = [row for row in withdrawn if row["purpose"] != Purpose.RESEARCH]  # no answer rests on that
    who = sorted({str(row["member_id"]) for row in rests})
    profiled = sorted({str(row["member_id"]) for row in withdrawn if row["purpose"] == Purpose.PROFILING})
    if profiled:
        forget(db, connection, profiled, topics=PROFILED)
    if who:
        forget_replies(db, connection, who)
    if profiled:
        let_go(connection, profiled)
    for row in withdrawn:
        leave(connection, str(row["member_id"]), Purpose(row["purpose"]))


def _tell(db: Database, connection: Connection, row: Mapping[str, Any]) -> None:
    """Tell other systems."""
    who = str(row["member_id"])
    data = {name: row[name] for name in ("purpose", "granted", "channel", "text_version")}
    if row["expires_at"] is not None:
        data["expires_at"] = row["expires_at"].isoformat()
    tell(db, connection, Topic.CONSENT_CHANGED, Subject(MemberId(who)), data, at=row["at"], about=row["consent_id"])


def granted_to(
    connection: Connection, member_ids: Iterable[str], *, at: datetime | None = None
) -> dict[str, frozenset[Purpose]]:
    """Return what each of the members agrees to and has not expired at `at` (None: now); a member that is missing agrees to nothing."""
    columns = ("member_id", "at", "consent_id", "purpose", "granted", "expires_at")
    found, now = dict[str, set[Purpose]](), at or datetime.now(UTC)
    for row in sorted(rows_where(connection, consents, "member_id", member_ids, only=columns), key=lambda row: row[:3]):
        mine = found.setdefault(row.member_id, set())
        stands = row.granted and (row.expires_at is None or row.expires_at > now)
        (mine.add if stands else mine.discard)(Purpose(row.purpose))
    return {member_id: frozenset(purposes) for member_id, purposes in found.items()}


def latest_consents(purpose: Purpose) -> Subquery:
    """Return a subquery (member_id, granted): each member's last word on `purpose`; what has expired is not granted."""
    newest_first = func.row_number().over(
        partition_by=consents.c.member_id, order_by=(consents.c.at.desc(), consents.c.consent_id.desc())
    )
    c, now = consents.c, datetime.now(UTC)
    stands = and_(c.granted, or_(c.expires_at.is_(None), c.expires_at > now)).label("granted")
    ranked = (
        select(consents.c.member_id, stands, newest_first.label("age"))
        .where(consents.c.purpose == purpose.value)
        .subquery()
    )
    return select(ranked.c.member_id, ranked.c.granted).where(ranked.c.age == 1).subquery()
