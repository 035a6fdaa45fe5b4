"""Who of the staff is signed in, what a sign-in waits for, and how often one failed. Only hashes of what browsers send are stored."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from stores.database import Database, new_id
from stores.staff_account_tables import staff_accounts, staff_attempts, staff_ceremonies, staff_sessions
from stores.staff_accounts import PURPOSE, SqlStaffAccounts, StaffAccount, hashed

Way = Literal["password", "passkey", "oidc", "invite"]
CEREMONY = timedelta(minutes=5)
NOTED_EVERY = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A browser in which somebody of the staff is signed in."""

    session_id: str
    account_id: str
    way: Way
    browser: str
    created_at: datetime
    seen_at: datetime


class SqlStaffSessions:
    """Sessions that end after `idle` without a request, and `longest` after they began."""

    def __init__(self, db: Database, *, idle: timedelta, longest: timedelta) -> None:
        self._db, self._accounts, self._idle, self._longest = db, SqlStaffAccounts(db), idle, longest

    @property
    def longest(self) -> timedelta:
        """How long a session may last."""
        return self._longest

    def start(self, account_id: str, way: Way, *, browser: str, at: datetime) -> tuple[str, StaffSession]:
        """Return a new session and its secret, which is not stored."""
        secret = secrets.token_urlsafe(32)
        made = StaffSession(new_id(), account_id, way, browser[:200], at, at)
        row = {"hash": hashed(secret), **{name: getattr(made, name) for name in StaffSession.__slots__}}
        with self._db.write() as connection:
            connection.execute(insert(staff_sessions).values(row))
            connection.execute(
                update(staff_accounts).where(staff_accounts.c.account_id == account_id).values(signed_in_at=at)
            )
        return secret, made

    def find(self, secret: str, *, now: datetime, note: bool = True) -> tuple[StaffAccount, StaffSession] | None:
        """Return who is signed in by this secret, and `note` that they are there; None when nobody is any more."""
        query = select(staff_sessions).where(staff_sessions.c.hash == hashed(secret))
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None or row.seen_at <= now - self._idle or row.created_at <= now - self._longest:
            return None
        account = self._accounts.find(row.account_id)
        if account is None or account.disabled:
            return None
        if note and row.seen_at <= now - NOTED_EVERY:
            with self._db.write(beside=True) as connection:
                connection.execute(
                    update(staff_sessions).where(staff_sessions.c.session_id == row.session_id).values(seen_at=now)
                )
        return account, _session(row)

    def of(self, account_id: str, *, now: datetime) -> list[StaffSession]:
        """Return somebody's sessions that still count, newest first."""
        columns = staff_sessions.c
        query = select(staff_sessions).where(
            columns.account_id == account_id, columns.seen_at > now - self._idle, columns.created_at > now - self._longest
        ).order_by(columns.session_id.desc())  # fmt: skip
        with self._db.read() as connection:
            return [_session(row) for row in connection.execute(query)]

    def end(self, account_id: str, session_id: str | None = None, *, but: str | None = None) -> int:
        """End one session of an account, or all of them, `but` one; return how many."""
        which = staff_sessions.c.account_id == account_id
        if session_id is not None:
            which &= staff_sessions.c.session_id == session_id
        if but is not None:
            which &= staff_sessions.c.session_id != but
        with self._db.write() as connection:
            return connection.execute(delete(staff_sessions).where(which)).rowcount

    def purge(self, *, now: datetime) -> int:
        """Delete sessions, ceremonies and failures whose time is over; return how many."""
        columns = staff_sessions.c
        over = or_(columns.seen_at <= now - self._idle, columns.created_at <= now - self._longest)
        with self._db.write() as connection:
            return sum(
                connection.execute(delete(table).where(due)).rowcount
                for table, due in (
                    (staff_sessions, over),
                    (staff_ceremonies, staff_ceremonies.c.ends_at <= now),
                    (staff_attempts, staff_attempts.c.at <= now - FORGOTTEN_AFTER),
                )
            )


class SqlCeremonies:
    """What a sign-in that has begun must come back with, once, within five minutes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(
        self, kind: str, told: dict[str, Any], *, now: datetime, account_id: str | None = None, name: str = ""
    ) -> str:
        """Keep `told`, sealed, and return the name that it is taken by: `name`, which nobody can guess, or a new one."""
        name = name or secrets.token_urlsafe(32)
        own = hashed(name)
        row = {
            "hash": own, "kind": kind, "account_id": account_id, "ends_at": now + CEREMONY,
            "sealed": self._db.seal(PURPOSE, json.dumps(told).encode(), own),
        }  # fmt: skip
        with self._db.write() as connection:
            connection.execute(insert(staff_ceremonies).values(row))
        return name

    def take(self, kind: str, name: str, *, now: datetime, account_id: str | None = None) -> dict[str, Any] | None:
        """Return what was kept, and forget it; None when it is another's, was taken, or is too old."""
        own, columns = hashed(name), staff_ceremonies.c
        with self._db.write() as connection:
            row = connection.execute(
                delete(staff_ceremonies)
                .where(columns.hash == own)
                .returning(columns.kind, columns.account_id, columns.ends_at, columns.sealed)
            ).first()
        if row is None or (row.kind, row.account_id) != (kind, account_id) or row.ends_at <= now:
            return None
        found: dict[str, Any] = json.loads(self._db.open(PURPOSE, bytes(row.sealed), own))
        return found


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; after each further one the wait doubles from a second, to at most `longest`."""

    free: int
    longest: timedelta

    def wait(self, failed: int) -> timedelta:
        """Return how long to wait after so many failures."""
        beyond = failed - self.free
        return timedelta(0) if beyond <= 0 else min(timedelta(seconds=2.0 ** min(beyond - 1, 20)), self.longest)


ACCOUNT = Patience(5, timedelta(minutes=1))  # short, since who knows an address could keep its owner out by it
ADDRESS = Patience(20, timedelta(minutes=15))


class SqlAttempts:
    """Counts attempts to sign in, by a keyed hash of whom they name or where they come from, in every process alike."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, what: str, patience: Patience, *, now: datetime) -> timedelta:
        """Count an attempt as failed before it is looked at, so that many at once win nothing; return the wait if it comes too early."""
        try:
            return self._begin(self._name(what), patience, now)
        except IntegrityError:  # two of the first at once
            return self._begin(self._name(what), patience, now)

    def _begin(self, name: str, patience: Patience, now: datetime) -> timedelta:
        columns = staff_attempts.c
        with self._db.write(beside=True) as connection:
            row = connection.execute(select(staff_attempts).where(columns.name == name).with_for_update()).first()
            if row is None or row.at <= now - FORGOTTEN_AFTER:
                connection.execute(delete(staff_attempts).where(columns.name == name))
                connection.execute(insert(staff_attempts).values(name=name, failed=1, at=now))
                return timedelta(0)
            wait: timedelta = row.at + patience.wait(row.failed) - now
            if wait > timedelta(0):
                return wait
            connection.execute(update(staff_attempts).where(columns.name == name).values(failed=row.failed + 1, at=now))
        return timedelta(0)

    def passed(self, account: str, origin: str = "") -> None:
        """Forget an account's failures. Of where it came from only this one: who has an account could guess at others from there."""
        with self._db.write(beside=True) as connection:
            connection.execute(delete(staff_attempts).where(staff_attempts.c.name == self._name(account)))
        if origin:
            self.succeeded(origin)

    def succeeded(self, origin: str) -> None:
        """Take back the one that was counted when it began."""
        columns = staff_attempts.c
        with self._db.write(beside=True) as connection:
            connection.execute(
                update(staff_attempts)
                .where(columns.name == self._name(origin), columns.failed > 0)
                .values(failed=columns.failed - 1)
            )

    def _name(self, what: str) -> str:
        return self._db.fingerprint(PURPOSE, f"attempt {what}")


def _session(row: Any) -> StaffSession:
    return StaffSession(row.session_id, row.account_id, row.way, row.browser, row.created_at, row.seen_at)
