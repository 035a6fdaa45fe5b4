"""Pictures that creatives are made of, and what models write or paint for them: asked for once, worked in the background, kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stores.creative_tables import creative_drafts, creative_pictures, product_pictures
from stores.database import Database

Kind = Literal["words", "background"]
MOST_PICTURES, MOST_DRAFTS = 2_000, 5_000
MOST_TRIES = 3
STALE = timedelta(seconds=120)
AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that a model was asked for. `told` is what it is asked, `found` what came of it, empty until it is done."""

    draft_id: str
    kind: Kind
    status: str
    tries: int
    told: Mapping[str, Any]
    found: Mapping[str, Any]


class SqlCreativePictures:
    """Pictures by the SHA-256 of their file. The oldest beyond 2,000 that are no product's go; creatives made of them cannot be drawn any more then."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, digest: str, content: bytes, *, at: datetime) -> None:
        """Store a picture; one that is there counts as new again."""
        with self._db.write() as connection:
            keep(connection, digest, content, at)

    def get(self, digest: str) -> bytes | None:
        """Return a picture's file."""
        with self._db.read() as connection:
            found = connection.scalar(select(creative_pictures.c.content).where(creative_pictures.c.digest == digest))
        return None if found is None else bytes(found)


def keep(connection: Connection, digest: str, content: bytes, at: datetime) -> None:
    """Store a picture within a transaction, and let the oldest that no product has go."""
    c = creative_pictures.c
    known = connection.execute(update(creative_pictures).where(c.digest == digest).values(at=at))
    if known.rowcount == 0:
        connection.execute(insert(creative_pictures).values(digest=digest, content=content, at=at))
        loose = c.digest.not_in(select(product_pictures.c.digest))
        old = select(c.digest).where(loose).order_by(c.at.desc(), c.digest).offset(MOST_PICTURES)
        if gone := connection.scalars(old).all():
            connection.execute(delete(creative_pictures).where(c.digest.in_(gone)))


class SqlCreativeDrafts:
    """The queue of what models are asked for, and what came of it; the oldest beyond 5,000 go."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, draft_id: str) -> Draft | None:
        """Return a draft, None where nobody asked for it yet."""
        with self._db.read() as connection:
            row = connection.execute(select(creative_drafts).where(creative_drafts.c.draft_id == draft_id)).first()
        return None if row is None else _draft(row)

    def ask(self, draft_id: str, kind: Kind, told: Mapping[str, Any], *, at: datetime) -> None:
        """Queue a draft unless it is there."""
        c = creative_drafts.c
        with self._db.write() as connection:
            if connection.scalar(select(c.draft_id).where(c.draft_id == draft_id)) is not None:
                return
            add: Any = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(creative_drafts)
            fresh = {"kind": kind, "status": "waiting", "tries": 0, "told": dict(told), "found": {}, "told_at": at}
            connection.execute(add.values(draft_id=draft_id, **fresh).on_conflict_do_nothing())  # another asks just now
            old = select(c.draft_id).order_by(c.told_at.desc(), c.draft_id).offset(MOST_DRAFTS)
            if gone := connection.scalars(old).all():
                connection.execute(delete(creative_drafts).where(c.draft_id.in_(gone)))

    def claim(self, *, at: datetime) -> Draft | None:
        """Take the draft that has waited longest, or one whose maker is gone; None where nothing is to do.

        One whose makers have all gone before its end is given up after as many tries as one that they put off.
        """
        c = creative_drafts.c
        due = ((c.status == "waiting") & (c.told_at <= at)) | ((c.status == "working") & (c.told_at < at - STALE))
        with self._db.read() as connection:
            if connection.scalar(select(c.draft_id).where(due).limit(1)) is None:
                return None
        with self._db.write() as connection:
            next_one = select(creative_drafts).where(due).order_by(c.told_at, c.draft_id).limit(1)
            while (row := connection.execute(next_one.with_for_update(skip_locked=True)).first()) is not None:
                if row.tries < MOST_TRIES:
                    break
                given_up = update(creative_drafts).where(c.draft_id == row.draft_id)
                connection.execute(given_up.values(status="failed", told_at=at))
            if row is None:
                return None
            taken = {"status": "working", "tries": row.tries + 1, "told_at": at}
            connection.execute(update(creative_drafts).where(c.draft_id == row.draft_id).values(**taken))
        return Draft(row.draft_id, row.kind, "working", row.tries + 1, row.told, row.found)

    def finish(self, draft_id: str, found: Mapping[str, Any], *, at: datetime) -> None:
        """Note what came of a draft."""
        self._set(draft_id, status="done", found=dict(found), told_at=at)

    def put_off(self, draft: Draft, *, at: datetime) -> None:
        """Try a draft again some minutes later; after three times it is given up."""
        if draft.tries >= MOST_TRIES:
            self._set(draft.draft_id, status="failed", told_at=at)
        else:
            self._set(draft.draft_id, status="waiting", told_at=at + AGAIN)

    def _set(self, draft_id: str, **values: Any) -> None:
        with self._db.write() as connection:
            connection.execute(update(creative_drafts).where(creative_drafts.c.draft_id == draft_id).values(**values))


def _draft(row: Any) -> Draft:
    return Draft(row.draft_id, row.kind, row.status, row.tries, row.told, row.found)
