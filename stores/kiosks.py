"""Kiosks, the version of the gallery that their cameras hold, and the one-time codes that tie an enrolment to a member."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from personalization.types import MemberId
from stores.database import Database, new_id, upsert
from stores.errors import ConflictError, NotFoundError
from stores.screen_tables import kiosk_health
from stores.tables import counters, kiosks, link_codes

LINK_CODE_LIFETIME = timedelta(minutes=10)
_GALLERY, _LINK_CODES = "gallery", "link_codes"
Zone = tuple[tuple[float, float], ...]
"""Corners of a polygon, as shares of the picture's width and height."""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A display in a store. What its camera may do is the store's matter (`stores.switches`).

    `excluded`: zones of its camera's picture in which nobody is looked at, such as the place behind the till.
    """

    kiosk_id: str
    name: str
    store_id: str | None
    excluded: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """When a kiosk's page and its camera were there last; late_s : how long after it was seen the camera told it, in seconds."""

    display_seen_at: datetime | None = None
    camera_seen_at: datetime | None = None
    late_s: float | None = None


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
        return None if row is None else _kiosk(row)

    def all(self) -> Sequence[Kiosk]:
        """Return every kiosk, by name."""
        with self._db.read() as connection:
            rows = connection.execute(select(kiosks).order_by(kiosks.c.name))
            return [_kiosk(row) for row in rows]

    def exclude(self, kiosk_id: str, zones: Sequence[Zone]) -> None:
        """Have its camera look at nobody in these zones, and at everybody elsewhere."""
        mine = update(kiosks).where(kiosks.c.kiosk_id == kiosk_id).values(excluded=[list(zone) for zone in zones])
        with self._db.write() as connection:
            connection.execute(mine)


def _kiosk(row: Row[Any]) -> Kiosk:
    excluded = tuple(tuple((x, y) for x, y in zone) for zone in row.excluded or ())
    return Kiosk(row.kiosk_id, row.name, row.store_id, excluded)


class SqlKioskHealth:
    """Signs of life, by kiosk; each kind is written once in so many seconds at most."""

    EVERY = timedelta(seconds=15)

    def __init__(self, db: Database) -> None:
        self._db = db
        self._written: dict[tuple[str, str], datetime] = {}

    def display(self, kiosk_id: str, *, at: datetime) -> None:
        """Note that the page is connected."""
        self._note(kiosk_id, "display", at, display_seen_at=at)

    def camera(self, kiosk_id: str, *, late_s: float, at: datetime) -> None:
        """Note that the camera told what it sees."""
        self._note(kiosk_id, "camera", at, camera_seen_at=at, late_s=late_s)

    def all(self) -> dict[str, Health]:
        """Return every kiosk's."""
        with self._db.read() as connection:
            rows = connection.execute(select(kiosk_health)).all()
        return {row.kiosk_id: Health(row.display_seen_at, row.camera_seen_at, row.late_s) for row in rows}

    def _note(self, kiosk_id: str, kind: str, at: datetime, **values: object) -> None:
        last = self._written.get((kiosk_id, kind))
        if last is not None and at - last < self.EVERY:
            return
        self._written[kiosk_id, kind] = at
        mine = update(kiosk_health).where(kiosk_health.c.kiosk_id == kiosk_id).values(**values)
        with self._db.write() as connection:
            if not connection.execute(mine).rowcount:
                upsert(connection, kiosk_health, [{"kiosk_id": kiosk_id, **values}])


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
