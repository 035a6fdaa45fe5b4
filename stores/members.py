"""Members: known shoppers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from personalization.types import MemberId, Subject
from stores.database import Check, Database, new_id
from stores.errors import ConflictError
from stores.outbox import Topic, tell
from stores.tables import members


@dataclass(frozen=True, slots=True)
class Member:
    """A known shopper. `display_name` is a pseudonym when `name_is_synthetic`."""

    member_id: MemberId
    external_id: str | None
    display_name: str
    name_is_synthetic: bool
    email: str | None
    created_at: datetime

    @property
    def first_name(self) -> str:
        """How a greeting calls the member."""
        return self.display_name.split(" ")[0]


def email_hash(db: Database, email: str) -> str:
    """Return what a sealed address is found by: a keyed hash of it in lower case."""
    return db.fingerprint("contact", email.strip().lower())


class SqlMembers:
    """Members by id, by the retailer's own key, by name, and in pages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, member_id: str) -> Member | None:
        """Return a member, or None."""
        return self._one(members.c.member_id == member_id)

    def by_external_id(self, external_id: str) -> Member | None:
        """Return the member with the retailer's own key, or None."""
        return self._one(members.c.external_id == external_id)

    def hash_emails(self, most: int) -> int:
        """Make up to `most` addresses findable that were stored before addresses could be found; return how many."""
        query = select(members.c.member_id, members.c.email)
        query = query.where(members.c.email.is_not(None), members.c.email_hash.is_(None)).limit(most)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        found = [
            {
                "who": row.member_id,
                "hash": email_hash(self._db, self._db.open("contact", row.email, row.member_id).decode()),
            }
            for row in rows
        ]
        if found:
            change = update(members).where(members.c.member_id == bindparam("who")).values(email_hash=bindparam("hash"))
            with self._db.write() as connection:
                connection.execute(change, found)
        return len(found)

    def page(self, *, after: str | None = None, limit: int = 50, name_prefix: str = "") -> Sequence[Member]:
        """Return up to `limit` members in id order that come after `after` and whose name starts with `name_prefix`."""
        query = select(members).order_by(members.c.member_id).limit(limit)
        if after:
            query = query.where(members.c.member_id > after)
        if name_prefix:
            query = query.where(members.c.display_name.istartswith(name_prefix, autoescape=True))
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [self._member(row) for row in rows]

    def create(
        self,
        *,
        external_id: str | None,
        display_name: str,
        email: str | None,
        at: datetime,
    ) -> Member:
        """Store a new member; ConflictError when the external id is taken."""
        member = Member(MemberId(new_id()), external_id, display_name, False, email, at)
        sealed = None if email is None else self._db.seal("contact", email.encode(), member.member_id)
        try:
            with self._db.write() as connection:
                connection.execute(
                    insert(members).values(
                        member_id=member.member_id,
                        external_id=external_id,
                        display_name=display_name,
                        name_is_synthetic=False,
                        email=sealed,
                        email_hash=None if email is None else email_hash(self._db, email),
                        created_at=at,
                    )
                )
                self._tell(connection, member.member_id, ["created"], at)
        except IntegrityError as error:
            raise ConflictError(f"a member with the external id {external_id} exists already") from error
        return member

    def rename(self, member_id: MemberId, display_name: str, *, check: Check[Member] = None) -> None:
        """Change the name that greetings use."""
        change = update(members).where(members.c.member_id == member_id)
        mine = select(members).where(members.c.member_id == member_id).with_for_update()
        with self._db.write() as connection:
            row = connection.execute(mine).first() if check else None
            if row is not None and check:
                check(self._member(row))
            now = datetime.now(UTC)
            connection.execute(change.values(display_name=display_name, name_is_synthetic=False, said_at=now))
            self._tell(connection, member_id, ["display_name"], now)

    def _tell(self, connection: Connection, member_id: MemberId, changed: Sequence[str], at: datetime) -> None:
        tell(self._db, connection, Topic.MEMBER_UPDATED, Subject(member_id), {"changed": list(changed)}, at=at)

    def _one(self, condition: ColumnElement[bool]) -> Member | None:
        with self._db.read() as connection:
            row = connection.execute(select(members).where(condition)).first()
        return None if row is None else self._member(row)

    def _member(self, row: Row[Any]) -> Member:
        email = None if row.email is None else self._db.open("contact", row.email, row.member_id).decode()
        return Member(
            row.member_id,
            row.external_id,
            row.display_name,
            row.name_is_synthetic,
            email,
            row.created_at,
        )
