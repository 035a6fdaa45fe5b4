"""The audit log: who of the staff, or which key, did what. Each line's keyed hash covers the line before (Schneier and Kelsey 1999).

Who can write to the database cannot change, delete or reorder a line without the key; that the last lines are missing shows against
the head, which is kept twice: in the database, and in a file beside it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from stores.audit_tables import audit_log
from stores.database import Database, new_id, upsert
from stores.tables import counters

PURPOSE = "audit"
START = "0" * 64
_HEAD, _LOCK = "audit", 0x415544
_BITE = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `detail` holds no personal data; `target` is what it was done to, a member as a keyed hash."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line up to which the record was found whole."""

    seq: int
    hash: str


_BEGIN = _Mark(0, START)


class SqlAudit:
    """Append and verify. `head` is the file that the last line is noted in, beside the database; None keeps none."""

    def __init__(self, db: Database, head: Path | None = None) -> None:
        self._db, self._head = db, head
        self._marks = None if head is None else head.with_name(f"{head.name}.checked")
        self._checked: _Mark | None = None

    def append(
        self,
        actor: str,
        action: str,
        target: str = "",
        detail: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
    ) -> Entry:
        """Write down that `actor` did `action`; one line after the other, whoever writes at the same time."""
        self._db.fingerprint(PURPOSE, "")  # makes the key before the transaction
        with self._db.write(beside=True) as connection:
            if not self._db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            last = connection.execute(select(audit_log).order_by(audit_log.c.seq.desc()).limit(1)).first()
            before, seq = (START, 1) if last is None else (last.hash, last.seq + 1)
            entry = Entry(seq, at or datetime.now(UTC), actor[:160], action[:160], target[:64], dict(detail or {}))
            own = self._hash(entry, before)
            connection.execute(insert(audit_log).values(**_row(entry), hash=own))
            upsert(connection, counters, [{"name": _HEAD, "value": seq}])
        self._note(seq, own)
        return entry

    def of_member(self, member_id: str) -> str:
        """Return what stands for a member in `target`."""
        return self._db.fingerprint(PURPOSE, member_id)

    def entries(self, *, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return up to `limit` lines behind number `after`."""
        query = select(audit_log).where(audit_log.c.seq > after).order_by(audit_log.c.seq).limit(limit)
        with self._db.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def verify(self) -> list[str]:
        """Return what is wrong with the record, nothing when it is whole."""
        return self._verify(_BEGIN)

    def verify_on(self) -> list[str]:
        """Do the same from the last line on that a check found whole: a line that was changed before it only `verify` sees."""
        return self._verify(self._marked())

    def _verify(self, mark: _Mark) -> list[str]:
        wrong, before, expected = list[str](), mark.hash, mark.seq + 1
        noted = self._noted()
        with self._db.read() as connection:
            kept = connection.scalar(select(counters.c.value).where(counters.c.name == _HEAD)) or 0
            last = connection.scalar(select(func.max(audit_log.c.seq))) or 0
            if mark.seq and _hash_of(connection, mark.seq) != mark.hash:
                wrong.append(f"line {mark.seq} is another than the one that was checked before")
            for row in _rows(connection, mark.seq):
                if row.seq != expected:
                    wrong.append(f"between {expected - 1} and {row.seq} lines are missing")
                if self._hash(entry_of(row), before) != row.hash:
                    wrong.append(f"line {row.seq} is not what was written, or does not follow line {row.seq - 1}")
                before, expected = row.hash, row.seq + 1
            if last < max(kept, noted[0] if noted else 0):
                wrong.append(
                    f"the last lines are missing: there were {max(kept, noted[0] if noted else 0)}, there are {last}"
                )
            elif noted and _hash_of(connection, noted[0]) != noted[1]:
                wrong.append(f"line {noted[0]} is another than the one that was noted beside the database")
        if not wrong:
            self._mark(_Mark(expected - 1, before))
        return wrong

    def _marked(self) -> _Mark:
        """Return the last line that a check found whole; from the file only one that somebody with the key has written."""
        if self._checked is None and self._marks is not None and self._marks.exists():
            with suppress(
                ValueError, KeyError, TypeError
            ):  # half a file, or somebody else's: all of it is checked again
                told = json.loads(self._marks.read_text())
                mark = _Mark(int(told["seq"]), str(told["hash"]))
                if hmac.compare_digest(str(told["own"]), self._sealed(mark)):
                    self._checked = mark
        return self._checked or _BEGIN

    def _mark(self, mark: _Mark) -> None:
        self._checked = mark
        if self._marks is not None and mark.seq:
            self._marks.parent.mkdir(parents=True, exist_ok=True)
            beside = self._marks.with_name(f"{self._marks.name}.{new_id()}")
            beside.write_text(json.dumps({"seq": mark.seq, "hash": mark.hash, "own": self._sealed(mark)}) + "\n")
            beside.replace(self._marks)

    def _sealed(self, mark: _Mark) -> str:
        return self._db.fingerprint(PURPOSE, f"checked {mark.seq} {mark.hash}")

    def _hash(self, entry: Entry, before: str) -> str:
        told = [
            entry.seq,
            entry.at.astimezone(UTC).isoformat(),
            entry.actor,
            entry.action,
            entry.target,
            entry.detail,
            before,
        ]
        return self._db.fingerprint(PURPOSE, json.dumps(told, sort_keys=True, separators=(",", ":")))

    def _note(self, seq: int, own: str) -> None:
        """Note the head beside the database; of several that do so at once the highest stays."""
        if self._head is None:
            return
        noted = self._noted()
        if noted is None or noted[0] < seq:
            self._head.parent.mkdir(parents=True, exist_ok=True)
            beside = self._head.with_name(f"{self._head.name}.{seq}")
            beside.write_text(json.dumps({"seq": seq, "hash": own}) + "\n")
            beside.replace(self._head)

    def _noted(self) -> tuple[int, str] | None:
        if self._head is None or not self._head.exists():
            return None
        told = json.loads(self._head.read_text())
        return int(told["seq"]), str(told["hash"])


def _hash_of(connection: Connection, seq: int) -> str | None:
    return connection.scalar(select(audit_log.c.hash).where(audit_log.c.seq == seq))


def _rows(connection: Connection, last: int) -> Iterator[Any]:
    while found := connection.execute(
        select(audit_log).where(audit_log.c.seq > last).order_by(audit_log.c.seq).limit(_BITE)
    ).all():
        yield from found
        last = found[-1].seq


def _row(entry: Entry) -> dict[str, Any]:
    names = ("seq", "at", "actor", "action", "target", "detail")
    return {name: getattr(entry, name) for name in names}


def entry_of(row: Any) -> Entry:
    """Return the line that a row holds."""
    return Entry(row.seq, row.at, row.actor, row.action, row.target, row.detail)
