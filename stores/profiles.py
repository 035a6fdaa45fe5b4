"""Living profiles: the log's events folded into one state per member, and the labels that follow.

One pass is one transaction with the consumer's cursor (offset in transaction): killed at any moment, it has happened or
it has not. A profile also knows up to which position it was folded, so that single members can be brought up to date.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from personalization.profiling.labeller import Labeller, alerts, views
from personalization.profiling.labels import MemberView
from personalization.profiling.sources import may_fold
from personalization.profiling.state import (
    LATENESS,
    Catalogue,
    ProfileState,
    decode,
    digest,
    encode,
    fold,
    micros,
    prune,
)
from personalization.types import EventType, Label, MemberId, Purpose, Subject
from stores import labels as label_rows
from stores import member_features
from stores.consents import granted_to
from stores.database import Database, rows_where, upsert
from stores.events import Event, advance, append, interrupt, position
from stores.outbox import Topic, subscribed, tell
from stores.tables import cursors, events, profiles

CONSUMER = "profiles"
_UNLABELLED = datetime(1970, 1, 1, tzinfo=UTC)  # older than any real pass, so that a refresh takes it first
CHUNK = 200  # members in one transaction of a replay
_ALERTS = uuid.UUID("3c5f0b1e-7a44-5d0f-9c39-0d1c5a0b7e21")
_COLUMNS = [
    events.c[name] for name in ("seq", "event_id", "type", "at", "channel", "member_id", "product_id", "payload")
]
Progress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


Labels = Mapping[MemberId, Mapping[str, Label]]


@dataclass(frozen=True, slots=True)
class _Pass:
    """What a pass over the log has made: from `last` (with `mark`, see `_stand`) to `end`."""

    last: int
    mark: str | None
    end: int
    events: int
    newest: datetime
    states: Mapping[str, ProfileState]
    seen: Sequence[MemberView]
    labels: Labels | None


class SqlProfiles:
    """Reads and keeps profiles. `catalogue` gives the products' facts, as of now; `plane` where members lie on the map of segments, (n, 2)."""

    def __init__(
        self, db: Database, catalogue: Callable[[], Catalogue], labeller: Labeller, plane: member_features.Plane | None = None
    ) -> None:  # fmt: skip
        self._db, self._catalogue, self.labeller, self._plane = db, catalogue, labeller, plane

    def state(self, member_id: str) -> ProfileState | None:
        """Return the member's state, or None when nothing was folded."""
        with self._db.read() as connection:
            raw = connection.scalar(select(profiles.c.state).where(profiles.c.member_id == member_id))
        return None if raw is None else decode(bytes(raw))

    def view(self, member_id: str, *, at: datetime) -> MemberView | None:
        """Return features, shares and readings at `at`; None without consent to profiling or without a profile."""
        with self._db.read() as connection:
            granted = granted_to(connection, [member_id]).get(member_id, frozenset())
            raw = connection.scalar(select(profiles.c.state).where(profiles.c.member_id == member_id))
        if raw is None or Purpose.PROFILING not in granted:
            return None
        return views({member_id: decode(bytes(raw))}, at, {member_id: granted})[0]

    def consented(self, member_id: str) -> bool:
        """Whether the member agrees to profiling now."""
        with self._db.read() as connection:
            return Purpose.PROFILING in granted_to(connection, [member_id]).get(member_id, frozenset())

    def consume(self, *, now: datetime, limit: int = 500, label: bool = True) -> int:
        """Fold the next events of the log and label whom they touch; return how many there were.

        The work is done while nobody waits, and written if nothing has changed what it was made from; else it is done
        again. Without `label` the labels are left for `refresh`: in a flood, members are touched again before anybody looks.
        """
        while (made := self._fold_next(now, limit, label)) is not None:
            with self._db.write() as connection:
                if not _moved(connection, made):
                    continue
                self._write(connection, made, now if label else _UNLABELLED)
                _mark(connection, made.newest)
            return made.events
        return 0

    def _fold_next(self, now: datetime, limit: int, label: bool) -> _Pass | None:
        """Return what the next events make of profiles; None when there are no more."""
        with self._db.read() as connection:
            last, mark = _stand(connection)
            query = select(*_COLUMNS).where(events.c.seq > last).order_by(events.c.seq).limit(limit)
            rows = connection.execute(query).all()
            if not rows:
                return None
            told = [row for row in rows if row.member_id is not None and row.type != EventType.ALERTED]
            granted = granted_to(connection, {row.member_id for row in told})
            agreed = {
                row.member_id: None for row in told if Purpose.PROFILING in granted.get(row.member_id, frozenset())
            }
            known = _load(connection, agreed)
        states = {member_id: known.get(member_id, (ProfileState(), 0)) for member_id in agreed}
        for row in told:
            if row.member_id in states and row.seq > states[row.member_id][1]:
                self._fold(states[row.member_id][0], row, granted[row.member_id])
        folded = {member_id: state for member_id, (state, _) in states.items()}
        for state in folded.values():
            prune(state)
        seen = views(folded, now, granted) if label else []
        found = self.labeller.label(seen) if label and self.labeller.sources else None
        newest = max(min(row.at, now) for row in rows)
        return _Pass(last, mark, rows[-1].seq, len(rows), newest, folded, seen, found)

    def rebuild(self, member_ids: Iterable[str], *, now: datetime) -> None:
        """Fold the members' events again from the first one; what they no longer agree to is left out."""
        wanted = sorted(set(member_ids))
        for start in range(0, len(wanted), CHUNK):
            with self._db.write() as connection:
                self._rebuild(connection, wanted[start : start + CHUNK], now)

    def replay(self, *, now: datetime, progress: Progress = lambda *_: None) -> int:
        """Rebuild every profile from the log, member by member and so in flat memory; return how many events were read.

        The worker may go on meanwhile: each transaction folds its members up to where the worker is at that moment.
        """
        read, last = 0, ""
        total = self._count()
        while True:
            with self._db.write() as connection:
                mine = select(events.c.member_id).where(events.c.member_id > last).group_by(events.c.member_id)
                some = list(connection.scalars(mine.order_by(events.c.member_id).limit(CHUNK)))
                if not some:
                    return read
                read += self._rebuild(connection, some, now)
            last = some[-1]
            progress(read, total)

    def relabel(self, member_ids: Sequence[str], *, now: datetime) -> None:
        """Label members anew, because time has passed or a model has changed."""
        for start in range(0, len(member_ids), CHUNK):
            some = list(member_ids[start : start + CHUNK])
            with self._db.write() as connection:
                granted = granted_to(connection, some)
                states = {
                    member_id: state
                    for member_id, (state, _) in _load(connection, some).items()
                    if Purpose.PROFILING in granted.get(member_id, frozenset())
                }
                seq = position(connection, CONSUMER)
                seen = views(states, now, granted)
                found = self.labeller.label(seen)
                looked_at = update(profiles).where(profiles.c.member_id == bindparam("who"))
                rows = [
                    {
                        "who": member_id,
                        "updated_at": now,
                        "segment_id": member_features.segment_of(found.get(MemberId(member_id), {})),
                    }
                    for member_id in some
                ]
                connection.execute(
                    looked_at, rows
                )  # before the telling, as an erasure does: they wait for each other in one order
                member_features.put(connection, seen, found, self._plane)
                _write_labels(self._db, connection, found, seq, now)

    def refresh(self, *, now: datetime, older_than: datetime, limit: int) -> int:
        """Relabel the members that were looked at least recently, if that is before `older_than`; return how many."""
        query = select(profiles.c.member_id).where(profiles.c.updated_at < older_than).order_by(profiles.c.updated_at)
        with self._db.read() as connection:
            some = list(connection.scalars(query.limit(limit)))
        self.relabel(some, now=now)
        return len(some)

    def backlog(self) -> int:
        """Return how many positions of the log the profiles are behind."""
        newest = select(func.coalesce(func.max(events.c.seq), 0)).scalar_subquery()
        done = select(func.coalesce(func.max(cursors.c.seq), 0)).where(cursors.c.consumer == CONSUMER).scalar_subquery()
        with self._db.read() as connection:
            return connection.scalar(select(newest - done)) or 0

    def complete_until(self) -> datetime | None:
        """Return the watermark: the time before which no more events are expected (newest event less LATENESS)."""
        with self._db.read() as connection:
            newest = connection.scalar(select(cursors.c.watermark).where(cursors.c.consumer == CONSUMER))
        return None if newest is None else newest - LATENESS

    def members(self, *, after: str = "", limit: int = 1000) -> list[str]:
        """Return members with a profile, in id order."""
        query = select(profiles.c.member_id).where(profiles.c.member_id > after)
        with self._db.read() as connection:
            return list(connection.scalars(query.order_by(profiles.c.member_id).limit(limit)))

    def count(self) -> int:
        """Return how many members have a profile."""
        with self._db.read() as connection:
            return connection.scalar(select(func.count()).select_from(profiles)) or 0

    def segment_sizes(self) -> dict[str, int]:
        """Return how many members each segment has."""
        query = select(profiles.c.segment_id, func.count()).where(profiles.c.segment_id.is_not(None))
        with self._db.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(profiles.c.segment_id))}

    def sample(self, most: int, *, now: datetime) -> list[MemberView]:
        """Return the views of up to `most` consenting members, spread evenly over all; the same ones each time."""
        with self._db.read() as connection:
            ids = list(connection.scalars(select(profiles.c.member_id).order_by(profiles.c.member_id)))
            some = ids[:: max(len(ids) // most, 1)][:most]
            granted = granted_to(connection, some)
            known = _load(connection, some)
        states = {m: state for m, (state, _) in known.items() if Purpose.PROFILING in granted.get(m, frozenset())}
        return views(states, now, granted)

    def fingerprint(self) -> str:
        """Return one hash over every state: two logs with the same events give the same."""
        with self._db.read() as connection:
            rows = connection.execution_options(yield_per=1000).execute(select(profiles.c.member_id, profiles.c.state))
            return digest((member_id, bytes(state)) for member_id, state in rows)

    def forget(self, member_id: MemberId) -> None:
        """Delete the profile and its labels, but not what was vetoed."""
        with self._db.write() as connection:
            interrupt(connection, CONSUMER)
            connection.execute(delete(profiles).where(profiles.c.member_id == member_id))
            label_rows.clear(connection, [member_id])
            member_features.clear(connection, [member_id])

    def _count(self) -> int:
        with self._db.read() as connection:
            return (
                connection.scalar(select(func.count()).select_from(events).where(events.c.member_id.is_not(None))) or 0
            )

    def _rebuild(self, connection: Connection, members: list[str], now: datetime) -> int:
        end = position(connection, CONSUMER)
        granted = granted_to(connection, members)
        allowed = [member_id for member_id in members if Purpose.PROFILING in granted.get(member_id, frozenset())]
        connection.execute(delete(profiles).where(profiles.c.member_id.in_(members)))
        states = {member_id: ProfileState() for member_id in allowed}
        query = select(*_COLUMNS).where(events.c.member_id.in_(members), events.c.seq <= end)
        read = 0
        for row in connection.execute(query):
            read += 1
            if row.member_id in states and row.type != EventType.ALERTED:
                self._fold(states[row.member_id], row, granted[row.member_id])
        for state in states.values():
            prune(state)
        gone = [member_id for member_id in members if member_id not in states]
        label_rows.clear(connection, gone)
        member_features.clear(connection, gone)
        seen = views(states, now, granted)
        found = self.labeller.label(seen) if self.labeller.sources else None
        self._write(connection, _Pass(end, None, end, read, now, states, seen, found), now)
        interrupt(connection, CONSUMER)
        return read

    def _fold(self, state: ProfileState, row: Any, granted: frozenset[Purpose]) -> None:
        if not may_fold(row.type, granted):
            return
        try:
            fold(
                state, row.type, micros(row.at), row.event_id, row.channel, row.product_id, row.payload, self._catalogue()
            )  # fmt: skip
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            log.warning("an event was passed over", event_id=row.event_id, type=row.type, kind=type(error).__name__)

    def _write(self, connection: Connection, made: _Pass, at: datetime) -> None:
        found = made.labels or {}
        rows = [
            {
                "member_id": member_id, "state": encode(state), "seq": made.end, "updated_at": at,
                "segment_id": member_features.segment_of(found.get(MemberId(member_id), {})),
            }
            for member_id, state in made.states.items()
        ]  # fmt: skip
        upsert(connection, profiles, rows)
        member_features.put(connection, made.seen, found, self._plane)
        if made.labels is not None:
            _write_labels(self._db, connection, made.labels, made.end, at)


def _write_labels(db: Database, connection: Connection, labels: Labels, seq: int, now: datetime) -> None:
    """Store labels, append what is worth an alert to the log, and tell other systems of what is new."""
    changed = label_rows.replace(connection, labels, now=now)
    told = [
        Event(str(uuid.uuid5(_ALERTS, f"{member_id}:{alert.kind}:{seq}")), EventType.ALERTED, now, "api", member_id,
              payload=asdict(alert))
        for member_id, (before, after) in changed.items()
        for alert in alerts(before, after)
    ]  # fmt: skip
    if told:
        append(connection, told, received_at=now)
    if subscribed(connection, Topic.LABEL_ADDED):
        for member_id, (before, after) in changed.items():
            for name, label in after.items():
                if name not in before or before[name].value != label.value:
                    tell(db, connection, Topic.LABEL_ADDED, Subject(member_id), _facts(label), at=now)
    for event in told:
        if event.payload["kind"] == "lapse_risk":
            facts = {name: event.payload[name] for name in ("value", "before", "sentence")}
            tell(db, connection, Topic.CHURN_WARNING, Subject(MemberId(str(event.member_id))), facts, at=now,
                 about=event.event_id)  # fmt: skip


def _facts(label: Label) -> dict[str, Any]:
    return {
        "name": label.name, "value": label.value, "confidence": label.confidence, "sentence": label.sentence,
        "source": label.source, "expires_at": label.expires_at.isoformat(),
    }  # fmt: skip


def _stand(connection: Connection) -> tuple[int, str | None]:
    """Return the consumer's position, and the mark that changes whenever somebody else changes profiles."""
    row = connection.execute(select(cursors.c.seq, cursors.c.position).where(cursors.c.consumer == CONSUMER)).first()
    return (row.seq, row.position) if row is not None else (0, None)


def _moved(connection: Connection, made: _Pass) -> bool:
    """Move the consumer on, if it still stands where the pass began."""
    position(connection, CONSUMER)  # makes the row, and locks it
    if _stand(connection) != (made.last, made.mark):
        return False
    advance(connection, CONSUMER, made.end)
    return True


def _mark(connection: Connection, newest: datetime) -> None:
    mine = cursors.c.consumer == CONSUMER
    older = or_(cursors.c.watermark.is_(None), cursors.c.watermark < newest)
    connection.execute(update(cursors).where(mine, older).values(watermark=newest))


def _load(connection: Connection, members: Iterable[str]) -> dict[str, tuple[ProfileState, int]]:
    rows = rows_where(connection, profiles, "member_id", members, only=("member_id", "state", "seq"))
    return {row.member_id: (decode(bytes(row.state)), row.seq) for row in rows}
