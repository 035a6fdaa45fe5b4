"""Members' face templates, sealed at rest: those that they enrolled, and, kept apart, those that cameras added since."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from personalization.types import MemberId, Purpose
from stores.consents import ends, latest_consents
from stores.database import Database, new_id
from stores.kiosks import bump_gallery, gallery_version
from stores.tables import templates

MOST_ENROLLED, MOST_ADAPTED = 5, 3
ADAPTED_EVERY = timedelta(days=1)
SEEN_EVERY = timedelta(hours=1)
"""A visit is noted when the one before was so long ago: days matter, and each note writes a row anew."""
Vector = NDArray[np.float32]


class Kind(StrEnum):
    """How a template came about."""

    ENROLLED = "enrolled"
    ADAPTED = "adapted"


@dataclass(frozen=True, slots=True)
class Kept:
    """One template of a member, opened."""

    kind: Kind
    vector: Vector
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Ends:
    """As of a version of the gallery: when the last consent behind it expired, and when the next one will."""

    version: int
    last: datetime | None
    following: datetime | None


class _Refused(Exception):  # noqa: N818  it only undoes a transaction
    """A template does not join the others."""


class SqlTemplates:
    """Face templates: unit vectors of float32, sealed with a key of their own."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._ends: _Ends | None = None

    def add(self, member_id: MemberId, vector: Vector, *, model: str, at: datetime, store_id: str | None = None) -> str:
        """Seal and store an enrolled template; return its id.

        It is the new truth: what cameras added to the older ones goes, and beyond MOST_ENROLLED the oldest does.
        """
        template_id, row = self._row(member_id, vector, Kind.ENROLLED, model, at, store_id)
        with self._db.write() as connection:
            bump_gallery(connection)
            mine = _of(member_id, model)
            connection.execute(delete(templates).where(*mine, templates.c.kind == Kind.ADAPTED))
            _make_room(connection, member_id, model, Kind.ENROLLED, MOST_ENROLLED)
            connection.execute(insert(templates).values(row))
        return template_id

    def adapt(self, member_id: MemberId, vector: Vector, *, model: str, at: datetime, store_id: str | None) -> bool:
        """Seal and store a template that a camera made in passing, beside the enrolled ones; return whether it was.

        Not without an enrolled one, and once a day; beyond MOST_ADAPTED it takes the place of the oldest adapted one.
        """
        _, row = self._row(member_id, vector, Kind.ADAPTED, model, at, store_id)
        with suppress(_Refused), self._db.write() as connection:
            bump_gallery(connection)  # first: an erasure of the same member waits for it, or it for the erasure
            kinds = dict[str, datetime]()
            for there in connection.execute(
                select(templates.c.kind, templates.c.created_at).where(*_of(member_id, model))
            ):
                kinds[there.kind] = max(there.created_at, kinds.get(there.kind, there.created_at))
            latest = kinds.get(Kind.ADAPTED)
            if Kind.ENROLLED not in kinds or (latest is not None and at - latest < ADAPTED_EVERY):
                raise _Refused  # and nobody has to load the gallery anew
            _make_room(connection, member_id, model, Kind.ADAPTED, MOST_ADAPTED)
            connection.execute(insert(templates).values(row))
            return True
        return False

    def seen(self, member_id: MemberId, *, at: datetime) -> None:
        """Note that the member was recognised: their retention begins anew."""
        stale = or_(templates.c.seen_at.is_(None), templates.c.seen_at < at - SEEN_EVERY)
        due = select(templates.c.template_id).where(templates.c.member_id == member_id, stale).limit(1)
        with self._db.read() as connection:
            if connection.scalar(due) is None:
                return
        with self._db.write() as connection:
            connection.execute(update(templates).where(templates.c.member_id == member_id, stale).values(seen_at=at))

    def of_member(self, member_id: MemberId, model: str) -> Sequence[Kept]:
        """Return the member's templates, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(
                select(templates).where(*_of(member_id, model)).order_by(templates.c.template_id)
            ).all()
        return [Kept(Kind(row.kind), self._open(row), row.created_at) for row in rows]

    def gallery(self, model: str) -> list[tuple[MemberId, Vector]]:
        """Return the templates of members whose consent to face recognition stands."""
        query = select(templates).where(templates.c.model == model, templates.c.member_id.in_(consenting()))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(templates.c.template_id)).all()
        return [(MemberId(row.member_id), self._open(row)) for row in rows]

    def count(self, member_id: MemberId) -> int:
        """Return how many templates the member has."""
        query = select(func.count()).select_from(templates).where(templates.c.member_id == member_id)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def version(self) -> int:
        """Return a number that changes with every change of the gallery."""
        with self._db.read() as connection:
            return gallery_version(connection)

    def state(self) -> tuple[int, datetime | None]:
        """Return what changes with whom cameras may know or read: the version, and when the last consent behind it expired.

        Nobody writes where a consent expires. The ledger is read when the version changes or the next consent expires, not for each frame.
        """
        known, now = self._ends, datetime.now(UTC)
        with self._db.read() as connection:
            version = gallery_version(connection)
            if known is None or known.version != version or (known.following is not None and known.following <= now):
                self._ends = known = _Ends(version, *ends(connection, now=now))
        return known.version, known.last

    def _row(
        self, member_id: MemberId, vector: Vector, kind: Kind, model: str, at: datetime, store_id: str | None
    ) -> tuple[str, dict[str, Any]]:
        template_id = new_id()
        sealed = self._db.seal("templates", vector.astype("<f4").tobytes(), template_id)
        return template_id, {
            "template_id": template_id, "member_id": member_id, "kind": kind.value, "model": model, "sealed": sealed,
            "store_id": store_id, "created_at": at, "seen_at": at,
        }  # fmt: skip

    def _open(self, row: Row[Any]) -> Vector:
        return np.frombuffer(self._db.open("templates", bytes(row.sealed), row.template_id), dtype="<f4")


def consenting() -> Any:
    """Return a query of the members whose consent to face recognition stands."""
    latest = latest_consents(Purpose.FACE_RECOGNITION)
    return select(latest.c.member_id).where(latest.c.granted)


def _of(member_id: str, model: str) -> tuple[Any, ...]:
    return templates.c.member_id == member_id, templates.c.model == model


def _make_room(connection: Connection, member_id: str, model: str, kind: Kind, most: int) -> None:
    mine = select(templates.c.template_id).where(*_of(member_id, model), templates.c.kind == kind.value)
    old = connection.scalars(mine.order_by(templates.c.template_id.desc())).all()[most - 1 :]
    connection.execute(delete(templates).where(templates.c.template_id.in_(old)))
