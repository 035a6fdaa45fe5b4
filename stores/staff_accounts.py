"""Staff accounts: who signs in to the console, in which roles. Addresses and names are sealed, codes and subjects hashed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from stores.database import Check, Database, new_id
from stores.desk_tables import handoff_notes
from stores.errors import ConflictError, NotFoundError
from stores.staff_account_tables import staff_accounts, staff_passkeys, staff_sessions
from stores.tables import agents, handoffs

PURPOSE = "staff-accounts"
INVITED_FOR = timedelta(hours=72)
ADMIN = "admin"
_LOCK = 0x53544146


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """Somebody of the staff. `invited_until`: until when a link that sets a password is open."""

    account_id: str
    email: str
    name: str
    roles: tuple[str, ...]
    language: str | None
    disabled: bool
    has_password: bool
    invited_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


class SqlStaffAccounts:
    """Accounts by id, address, invitation or subject. The last admin who can sign in stays one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, email: str, name: str, roles: Sequence[str], *, at: datetime, language: str | None = None
    ) -> StaffAccount:
        """Return a new account, which nobody can sign in to yet; ConflictError when the address has one."""
        account_id = new_id()
        row = {
            "account_id": account_id, "email_hash": self._hash("email", normal(email)), "sealed": self._sealed(account_id, email, name),
            "roles": sorted(set(roles)), "language": language, "created_at": at,
        }  # fmt: skip
        try:
            with self._db.write() as connection:
                connection.execute(insert(staff_accounts).values(row))
        except IntegrityError as error:
            raise ConflictError("there is an account with this e-mail address") from error
        return self.get(account_id)

    def get(self, account_id: str) -> StaffAccount:
        """Return an account; NotFoundError when there is none."""
        found = self._one(staff_accounts.c.account_id == account_id)
        if found is None:
            raise NotFoundError(f"there is no account {account_id}")
        return found

    def find(self, account_id: str) -> StaffAccount | None:
        """Return an account, or None."""
        return self._one(staff_accounts.c.account_id == account_id)

    def by_email(self, email: str) -> StaffAccount | None:
        """Return the account with an address, or None."""
        return self._one(staff_accounts.c.email_hash == self._hash("email", normal(email)))

    def by_invite(self, code: str, *, now: datetime) -> StaffAccount | None:
        """Return whom an invitation is for; None when it was used, or is too old, or the account is disabled."""
        columns = staff_accounts.c
        return self._one(
            (columns.invite_hash == hashed(code)) & (columns.invite_ends_at > now) & columns.disabled_at.is_(None)
        )

    def by_subject(self, issuer: str, subject: str) -> StaffAccount | None:
        """Return who somebody at an OpenID provider is here, or None."""
        return self._one(staff_accounts.c.subject_hash == self._subject(issuer, subject))

    def page(self, *, before: str | None = None, limit: int = 50) -> list[StaffAccount]:
        """Return up to `limit` accounts, newest first; `before` is the last one's id of the page before."""
        query = select(staff_accounts).order_by(staff_accounts.c.account_id.desc()).limit(limit)
        if before is not None:
            query = query.where(staff_accounts.c.account_id < before)
        with self._db.read() as connection:
            return [self._account(row) for row in connection.execute(query)]

    def names(self, account_ids: Sequence[str]) -> dict[str, str]:
        """Return the names of those of the accounts that are still there."""
        with self._db.read() as connection:
            rows = connection.execute(select(staff_accounts).where(staff_accounts.c.account_id.in_(account_ids))).all()
        return {row.account_id: self._account(row).name for row in rows}

    def named(self, part: str) -> list[str]:
        """Return the ids of accounts with `part` in their name; names are sealed, so each account is opened."""
        with self._db.read() as connection:
            rows = connection.execute(select(staff_accounts).order_by(staff_accounts.c.account_id))
            return [row.account_id for row in rows if part.casefold() in self._account(row).name.casefold()]

    def password_hash(self, account_id: str) -> str | None:
        """Return what a password is held against; None where none is set."""
        query = select(staff_accounts.c.password_hash).where(staff_accounts.c.account_id == account_id)
        with self._db.read() as connection:
            return connection.scalar(query)

    def change(
        self,
        account_id: str,
        *,
        now: datetime,
        name: str | None = None,
        roles: Sequence[str] | None = None,
        disabled: bool | None = None,
        language: str | None = None,
        check: Check[StaffAccount] = None,
    ) -> StaffAccount:
        """Change what is given. Sessions end with a change of roles and when it is disabled; ConflictError for the last admin."""
        with self._db.write() as connection:
            self._take_turns(connection)
            before = self._row(connection, account_id, check)
            values = dict[str, Any]()
            if name is not None:
                values["sealed"] = self._sealed(account_id, self._account(before).email, name)
            if language is not None:
                values["language"] = language
            if roles is not None and sorted(set(roles)) != before.roles:
                values["roles"] = sorted(set(roles))
            if disabled is not None and disabled != (before.disabled_at is not None):
                values["disabled_at"] = now if disabled else None
            if ADMIN not in values.get("roles", before.roles) or values.get("disabled_at"):
                self._keep_an_admin(connection, before)
            if values:
                connection.execute(_of(account_id).values(values))
            if values.keys() & {"roles", "disabled_at"}:
                _end_sessions(connection, account_id)
        return self.get(account_id)

    def remove(self, account_id: str, *, check: Check[StaffAccount] = None) -> None:
        """Delete an account with its sessions and passkeys, and its name at the desk; ConflictError for the last admin."""
        with self._db.write() as connection:
            self._take_turns(connection)
            self._keep_an_admin(connection, self._row(connection, account_id, check))
            for table in (staff_sessions, staff_passkeys, staff_accounts):
                connection.execute(delete(table).where(table.c.account_id == account_id))
            desk = f"staff:{account_id}"
            connection.execute(delete(agents).where(agents.c.agent_id == desk))
            connection.execute(update(handoffs).where(handoffs.c.agent_id == desk).values(agent_name=None))
            connection.execute(update(handoff_notes).where(handoff_notes.c.agent_id == desk).values(agent_name=""))

    def set_password(self, account_id: str, password_hash: str, *, at: datetime) -> None:
        """Set a password; invitations are used up, and every session ends."""
        values = {"password_hash": password_hash, "password_at": at, "invite_hash": None, "invite_ends_at": None}
        with self._db.write() as connection:
            connection.execute(_of(account_id).values(values))
            _end_sessions(connection, account_id)

    def accept(self, code: str, password_hash: str, *, now: datetime) -> StaffAccount | None:
        """Set the password of whom an invitation is for, once; None when it is not open."""
        columns = staff_accounts.c
        good = (columns.invite_hash == hashed(code)) & (columns.invite_ends_at > now) & columns.disabled_at.is_(None)
        values = {"password_hash": password_hash, "password_at": now, "invite_hash": None, "invite_ends_at": None}
        with self._db.write() as connection:
            done = connection.execute(
                update(staff_accounts).where(good).values(values).returning(staff_accounts.c.account_id)
            ).scalar()
            if done is not None:
                _end_sessions(connection, done)
        return None if done is None else self.get(done)

    def rehash(self, account_id: str, password_hash: str) -> None:
        """Replace the hash of the same password by a stronger one."""
        with self._db.write() as connection:
            connection.execute(_of(account_id).values(password_hash=password_hash))

    def invite(self, account_id: str, *, now: datetime, reset: bool = False, even_last_admin: bool = False) -> str:
        """Return a code that sets a password, once, within three days; those before it end.

        `reset`: the password, the passkeys and every session end at once, too; ConflictError for the last admin, unless told so.
        """
        code = secrets.token_urlsafe(32)
        values: dict[str, Any] = {"invite_hash": hashed(code), "invite_ends_at": now + INVITED_FOR}
        with self._db.write() as connection:
            if reset:
                self._take_turns(connection)
            row = self._row(connection, account_id)
            if reset:
                if not even_last_admin:
                    self._keep_an_admin(connection, row)
                values |= {"password_hash": None, "password_at": None, "subject_hash": None}
                connection.execute(delete(staff_passkeys).where(staff_passkeys.c.account_id == account_id))
                _end_sessions(connection, account_id)
            connection.execute(_of(account_id).values(values))
        return code

    def bind(self, account_id: str, issuer: str, subject: str) -> None:
        """Note who this is at an OpenID provider; ConflictError when that is somebody else here."""
        try:
            with self._db.write() as connection:
                connection.execute(_of(account_id).values(subject_hash=self._subject(issuer, subject)))
        except IntegrityError as error:
            raise ConflictError("this person of the OpenID provider has another account here") from error

    def is_bound(self, account_id: str) -> bool:
        """Whether somebody at an OpenID provider is known to be this account."""
        with self._db.read() as connection:
            return self._row(connection, account_id).subject_hash is not None

    def count(self) -> int:
        """Return how many accounts there are."""
        with self._db.read() as connection:
            return connection.scalar(select(func.count()).select_from(staff_accounts)) or 0

    def _take_turns(self, connection: Connection) -> None:
        """Have two who each take the other admin away come one after the other."""
        if not self._db.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def _keep_an_admin(self, connection: Connection, leaving: Row[Any]) -> None:
        with_passkey = {row.account_id for row in connection.execute(select(staff_passkeys.c.account_id))}

        def counts(row: Row[Any]) -> bool:
            way_in = row.password_hash or row.subject_hash or row.account_id in with_passkey
            return ADMIN in row.roles and row.disabled_at is None and bool(way_in)

        if not counts(leaving):
            return
        if not any(
            counts(row) for row in connection.execute(select(staff_accounts)) if row.account_id != leaving.account_id
        ):
            raise ConflictError("this is the last admin who can sign in; make another one first")

    def _row(self, connection: Connection, account_id: str, check: Check[StaffAccount] = None) -> Row[Any]:
        row = connection.execute(select(staff_accounts).where(staff_accounts.c.account_id == account_id)).first()
        if row is None:
            raise NotFoundError(f"there is no account {account_id}")
        if check:
            check(self._account(row))
        return row

    def _one(self, condition: ColumnElement[bool]) -> StaffAccount | None:
        with self._db.read() as connection:
            row = connection.execute(select(staff_accounts).where(condition)).first()
        return None if row is None else self._account(row)

    def _account(self, row: Row[Any]) -> StaffAccount:
        told = json.loads(self._db.open(PURPOSE, bytes(row.sealed), row.account_id))
        return StaffAccount(
            row.account_id, told["email"], told["name"], tuple(row.roles), row.language, row.disabled_at is not None,
            row.password_hash is not None, row.invite_ends_at, row.created_at, row.signed_in_at,
        )  # fmt: skip

    def _sealed(self, account_id: str, email: str, name: str) -> bytes:
        return self._db.seal(PURPOSE, json.dumps({"email": email.strip(), "name": name}).encode(), account_id)

    def _hash(self, what: str, value: str) -> str:
        return self._db.fingerprint(PURPOSE, f"{what} {value}")

    def _subject(self, issuer: str, subject: str) -> str:
        return self._hash("subject", json.dumps([issuer, subject]))


def normal(email: str) -> str:
    """Return an address as it is compared: nobody has two that differ in capitals."""
    return email.strip().casefold()


def hashed(secret: str) -> str:
    """Return what a random secret is found by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _of(account_id: str) -> Any:
    return update(staff_accounts).where(staff_accounts.c.account_id == account_id)


def _end_sessions(connection: Connection, account_id: str) -> None:
    connection.execute(delete(staff_sessions).where(staff_sessions.c.account_id == account_id))
