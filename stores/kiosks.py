"""Kiosks, the version of the gallery that their cameras hold, and the one-time codes that tie an enrolment to a member."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from personalization.types import MemberId
from stores.database import Database, new_id
from stores.errors import ConflictError, NotFoundError
from stores.tables import counters, kiosks, link_codes

LINK_CODE_LIFETIME = timedelta(minutes=10)
_GALLERY, _LINK_CODES = "gallery", "link_codes"


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A display in a store. What its camera may do is the store's matter (`stores.switches`)."""

    kiosk_id: str
    name: str
    store_id: str | None


class SqlKiosks:
    """Kiosks by id or name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, name: str, *, store_id: str | None, at: datetime) -> Kiosk:
        """Store a new kiosk; ConflictError when the name is taken."""
        kiosk = Kiosk(new_id(), name, store_id)
        try:
            with self._db.write() as connection:
                row = {"kiosk_id": kiosk.kiosk_id, "name": name, "store_id": store_id, "created_at": at}
                connection.execute(insert(kiosks).values(row))
        except IntegrityError as error:
            raise ConflictError(f"a kiosk named {name} exists already; choose another name") from error
        return kiosk

    def find(self, id_or_name: str) -> Kiosk | None:
        """Return the kiosk with this id or name, or None."""
        query = select(kiosks).where((kiosks.c.kiosk_id == id_or_name) | (kiosks.c.name == id_or_name))
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Kiosk(row.kiosk_id, row.name, row.store_id)

    def all(self) -> Sequence[Kiosk]:
        """Return every kiosk, by name."""
        with self._db.read() as connection:
            rows = connection.execute(select(kiosks).order_by(kiosks.c.name))
            return [Kiosk(row.kiosk_id, row.name, row.store_id) for row in rows]


def gallery_version(connection: Connection) -> int:
    """Return a number that changes with every change of whom cameras may know."""
    return connection.scalar(select(counters.c.value).where(counters.c.name == _GALLERY)) or 0


def bump_gallery(connection: Connection) -> None:
    """Tell every cache of the gallery that it is stale."""
    if (
        connection.execute(
            update(counters).where(counters.c.name == _GALLERY).values(value=counters.c.value + 1)
        ).rowcount
        == 0
    ):
        connection.execute(insert(counters).values(name=_GALLERY, value=1))


class SqlLinkCodes:
    """Six-digit codes, good once and for ten minutes. Only a keyed hash is stored: a plain one of six digits is soon guessed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def issue(self, member_id: MemberId, *, at: datetime) -> tuple[str, datetime]:
        """Return a new code and its end; the member's older codes stop working."""
        expires_at = at + LINK_CODE_LIFETIME
        self._hash("")  # makes the key before the transaction
        with self._db.write() as connection:
            connection.execute(
                delete(link_codes).where((link_codes.c.member_id == member_id) | (link_codes.c.expires_at <= at))
            )
            while True:
                code = f"{secrets.randbelow(1_000_000):06d}"
                taken = select(link_codes.c.code_hash).where(link_codes.c.code_hash == self._hash(code))
                if connection.scalar(taken) is None:
                    break
            connection.execute(
                insert(link_codes).values(
                    code_hash=self._hash(code),
                    member_id=member_id,
                    expires_at=expires_at,
                    used=False,
                )
            )
        return code, expires_at

    def peek(self, code: str, *, at: datetime) -> MemberId:
        """Return whose code this is without using it up; NotFoundError when it is wrong, used or too old."""
        query = select(link_codes.c.member_id).where(
            link_codes.c.code_hash == self._hash(code),
            link_codes.c.expires_at > at,
            link_codes.c.used.is_(False),
        )
        with self._db.read() as connection:
            member_id = connection.scalar(query)
        if member_id is None:
            raise NotFoundError("this code is wrong or too old; ask the chat for a new one")
        return MemberId(member_id)

    def use(self, code: str, *, at: datetime) -> MemberId:
        """Use the code up and return whose it was; NotFoundError as in `peek`."""
        member_id = self.peek(code, at=at)
        spend = (
            update(link_codes)
            .where(link_codes.c.code_hash == self._hash(code), link_codes.c.used.is_(False))
            .values(used=True)
        )
        with self._db.write() as connection:
            if connection.execute(spend).rowcount != 1:
                raise NotFoundError("this code was just used; ask the chat for a new one")
        return member_id

    def _hash(self, code: str) -> str:
        return self._db.fingerprint(_LINK_CODES, code)
