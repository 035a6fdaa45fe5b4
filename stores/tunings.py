"""Versions of the tuning: proposed, applied by a second person where the change is large, and taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from personalization.tuning import DIALS, SHIPPED, TuningPolicy, parse
from stores.campaign_plans import Person
from stores.console_tables import tunings
from stores.database import Database
from stores.errors import ChangedError, ConflictError, NotFoundError, SelfApprovalError

KEPT_S = 1.0
"""How long a process goes on with the tuning that it knows."""
_LOCK = 0x54554E45


@dataclass(frozen=True, slots=True)
class TuningVersion:
    """A tuning with who proposed it, when and why. state : "proposed", "applied" or "refused"; base : the version it was made from."""

    policy: TuningPolicy
    base: int
    note: str
    state: str
    author: str
    author_id: str
    at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    restored: int | None = None

    @property
    def version(self) -> int:
        """Its number, from 1; 0 is how the dials ship."""
        return self.policy.version


_AS_IT_SHIPS = TuningVersion(SHIPPED, 0, "As it ships", "applied", "", "", datetime.fromtimestamp(0, UTC))


class SqlTunings:
    """The `Tunings` of the brain, and their administration. The newest applied version counts."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._known: tuple[float, TuningPolicy] = (float("-inf"), SHIPPED)
        self._versions: dict[int, TuningPolicy] = {}

    def current(self) -> TuningPolicy:
        """Return what counts now; another process's change is seen within KEPT_S seconds."""
        since, found = self._known
        if time.monotonic() - since < KEPT_S:
            return found
        found = self.applied().policy
        with self._lock:
            self._known = (time.monotonic(), found)
        return found

    def version(self, number: int) -> TuningPolicy:
        """Return a version that counts or has counted; the one that counts now for any other number."""
        if number not in self._versions:
            try:
                found = self.get(number)
            except NotFoundError:
                return self.current()
            if found.state != "applied":  # nobody is treated by what nobody has applied
                return self.current()
            self._versions[number] = found.policy
        return self._versions[number]

    def applied(self) -> TuningVersion:
        """Return the version that counts."""
        with self._db.read() as connection:
            return _applied(connection)

    def get(self, number: int) -> TuningVersion:
        """Return a version. Raises NotFoundError."""
        if number == 0:
            return _AS_IT_SHIPS
        with self._db.read() as connection:
            return _version(_row(connection, number))

    def page(self, *, limit: int, before: int | None = None) -> list[TuningVersion]:
        """Return the newest versions, those below `before`."""
        query = select(tunings).order_by(tunings.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(tunings.c.version < before)
        with self._db.read() as connection:
            return [_version(row) for row in connection.execute(query)]

    def several(self, numbers: Collection[int]) -> dict[int, TuningVersion]:
        """Return versions by number, in one look; those that there are not are left out."""
        with self._db.read() as connection:
            rows = connection.execute(select(tunings).where(tunings.c.version.in_(sorted(set(numbers))))).all()
        return {0: _AS_IT_SHIPS} | {row.version: _version(row) for row in rows}

    def measured_from(self, bases: Collection[int]) -> dict[int, TuningVersion]:
        """Return, for changes made from each base, the version that they are measured from: the newest by then of which two people had a look.

        That is one that a second person applied, one whose values are those of such a one again, or how the dials ship. Measured from
        the base itself, many small steps would go as far as anybody likes alone.
        """
        t = tunings.c
        query = select(t.version, t.author, t.author_id, t.decided_by, t.decided_by_id, t.restored)
        seen = [0]
        with self._db.read() as connection:
            for row in connection.execute(query.where(t.state == "applied").order_by(t.version)):
                if row.restored in seen if row.restored is not None else _by_two(row):
                    seen.append(row.version)
        from_ = {base: max(number for number in seen if number <= base) for base in bases}
        known = self.several(set(from_.values()))
        return {base: known[number] for base, number in from_.items()}

    def propose(self, policy: TuningPolicy, *, base: int, note: str, by: Person, at: datetime) -> TuningVersion:
        """Store a version that counts for nobody yet. ChangedError when `base` is not what counts."""
        with self._writing() as connection:
            _unchanged(connection, base)
            return _insert(connection, policy, base, note, by, at, "proposed")

    def apply(self, number: int, *, second: bool, by: Person, at: datetime) -> TuningVersion:
        """Let a proposal count. With `second` its author must be somebody else (SelfApprovalError)."""
        with self._writing() as connection:
            found = _proposal(connection, number)
            if second and found.author_id == by.person_id:
                raise SelfApprovalError(
                    "the change is large and wants a second person: ask somebody else to apply your proposal"
                )
            _still_fits(connection, found.base)
            _decide(connection, number, "applied", by, at)
        self._forget()
        return self.get(number)

    def refuse(self, number: int, *, by: Person, at: datetime) -> TuningVersion:
        """Put a proposal away; its author may, too."""
        with self._writing() as connection:
            _proposal(connection, number)
            _decide(connection, number, "refused", by, at)
        return self.get(number)

    def restore(self, number: int, *, base: int, by: Person, at: datetime) -> TuningVersion:
        """Let the values of a version that counted before count again, as a new version; at once, since they were judged then."""
        with self._writing() as connection:
            _unchanged(connection, base)
            old = _AS_IT_SHIPS if number == 0 else _version(_row(connection, number))
            if old.state != "applied":
                raise ConflictError(f"version {number} has never counted; apply it instead")
            made = _insert(connection, old.policy, base, old.note, by, at, "applied", restored=number)
        self._forget()
        return made

    def _writing(self) -> Any:
        return _locked(self._db)

    def _forget(self) -> None:
        with self._lock:
            self._known = (float("-inf"), SHIPPED)


class _locked:  # noqa: N801 - read as a word
    """A transaction in which nobody else makes a version."""

    def __init__(self, db: Database) -> None:
        self._db, self._inner = db, db.write()

    def __enter__(self) -> Connection:
        connection = self._inner.__enter__()
        if not self._db.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        return connection

    def __exit__(self, *error: Any) -> Any:
        return self._inner.__exit__(*error)


def _applied(connection: Connection) -> TuningVersion:
    query = select(tunings).where(tunings.c.state == "applied").order_by(tunings.c.version.desc()).limit(1)
    row = connection.execute(query).first()
    return _AS_IT_SHIPS if row is None else _version(row)


def _unchanged(connection: Connection, seen: int) -> None:
    now = _applied(connection)
    if now.version != seen:
        who = now.decided_by or "somebody"
        raise ChangedError(
            f"{who} has turned the dials meanwhile (version {now.version}); read them again", by=now.decided_by
        )


def _still_fits(connection: Connection, base: int) -> None:
    now = _applied(connection)
    if now.version != base:
        raise ConflictError(
            f"it was made from version {base}, but version {now.version} counts now; propose it anew from there"
        )


def _row(connection: Connection, number: int) -> Row[Any]:
    row = connection.execute(select(tunings).where(tunings.c.version == number)).first()
    if row is None:
        raise NotFoundError(f"there is no version {number} of the tuning")
    return row


def _proposal(connection: Connection, number: int) -> TuningVersion:
    found = _version(_row(connection, number))
    if found.state != "proposed":
        raise ConflictError(f"version {number} is {found.state} already")
    return found


def _insert(
    connection: Connection, policy: TuningPolicy, base: int, note: str, by: Person, at: datetime, state: str,
    *, restored: int | None = None,
) -> TuningVersion:  # fmt: skip
    number = (connection.scalar(select(func.max(tunings.c.version))) or 0) + 1
    decided = state == "applied"
    made = TuningVersion(
        replace(policy, version=number), base, note, state, by.name, by.person_id, at, by.name if decided else None,
        at if decided else None, restored,
    )  # fmt: skip
    connection.execute(
        insert(tunings).values(
            version=number, base=base, body=policy.tree(), note=note, state=state, author=by.name, author_id=by.person_id, at=at,
            decided_by=made.decided_by, decided_by_id=by.person_id if decided else None, decided_at=made.decided_at, restored=restored,
        )
    )  # fmt: skip
    return made


def _by_two(row: Any) -> bool:
    if row.decided_by_id is None:  # of a time when names were kept alone
        return bool(row.decided_by != row.author)
    return bool(row.decided_by_id != row.author_id)


def _grown(body: dict[str, Any]) -> dict[str, Any]:
    """Return values of the time when one dial said for all that a low mood does: what it said counts for each of its followers."""
    moods = body.get("moods", {})
    if "low" not in moods or "brief" in moods:
        return body
    low = max(moods["low"], DIALS["moods.brief"].least)
    return body | {"moods": moods | {"brief": low, "sell": low}}


def _decide(connection: Connection, number: int, state: str, by: Person, at: datetime) -> None:
    values = {"state": state, "decided_by": by.name, "decided_by_id": by.person_id, "decided_at": at}
    connection.execute(update(tunings).where(tunings.c.version == number).values(values))


def _version(row: Row[Any]) -> TuningVersion:
    return TuningVersion(
        parse(_grown(row.body), version=row.version), row.base, row.note, row.state, row.author, row.author_id, row.at, row.decided_by,
        row.decided_at, row.restored,
    )  # fmt: skip
