"""Films that are being made, and their files: a queue that a restart does not lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from stores.database import Database
from stores.film_tables import film_files, films

MOST_TRIES = 3
MOST_WAITING, MOST_KEPT = 50, 200
STALE = timedelta(seconds=60)
"""A film whose maker has told nothing for so long has none any more."""


@dataclass(frozen=True, slots=True)
class StoredFilm:
    """A film on its way. `told`, `picture` and `track` are what it is made of, `problem` is code and detail of why there is none."""

    film_id: str
    status: str
    progress: float
    tries: int
    told: Mapping[str, Any]
    picture: bytes | None
    track: bytes | None
    problem: Mapping[str, str] | None
    created_at: datetime
    told_at: datetime


class SqlFilms:
    """The queue of films and their files."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(
        self, film_id: str, told: Mapping[str, Any], picture: bytes | None, track: bytes | None, *, at: datetime
    ) -> StoredFilm | None:
        """Queue a film unless it is there; one that failed or was cancelled is tried again. None: too many wait already."""
        with self._db.write() as connection:
            row = connection.execute(select(films).where(films.c.film_id == film_id)).first()
            if row is not None and row.status not in {"failed", "cancelled"}:
                return _film(row)
            waiting = connection.scalar(select(func.count()).where(films.c.status.in_(("queued", "working")))) or 0
            if waiting >= MOST_WAITING:
                return None
            fresh = {"status": "queued", "progress": 0.0, "tries": 0, "problem": None, "created_at": at, "told_at": at}
            if row is None:
                connection.execute(
                    insert(films).values(film_id=film_id, told=dict(told), picture=picture, track=track, **fresh)
                )
            else:
                connection.execute(update(films).where(films.c.film_id == film_id).values(told=dict(told), **fresh))
            return _film(connection.execute(select(films).where(films.c.film_id == film_id)).one())

    def get(self, film_id: str) -> StoredFilm | None:
        """Return a film, without what it is made of."""
        columns = [column for column in films.c if column.name not in {"picture", "track"}]
        with self._db.read() as connection:
            row = connection.execute(select(*columns).where(films.c.film_id == film_id)).first()
        return None if row is None else StoredFilm(**dict(row._mapping), picture=None, track=None)

    def of_product(self, product_id: str) -> list[StoredFilm]:
        """Return the films that are done of a product's variants, the newest first, without what they are made of."""
        columns = [column for column in films.c if column.name not in {"picture", "track"}]
        of_it = (
            films.c.status == "done",
            films.c.told["product_id"].as_string() == product_id,
            films.c.told["variant_id"].as_string() != "",
        )
        with self._db.read() as connection:
            rows = connection.execute(select(*columns).where(*of_it).order_by(films.c.told_at.desc(), films.c.film_id))
            return [StoredFilm(**dict(row._mapping), picture=None, track=None) for row in rows]

    def claim(self, *, at: datetime) -> StoredFilm | None:
        """Take the film that has waited longest, or one whose maker is gone; None where nothing is to do.

        What has broken its maker three times is given up, in words.
        """
        left = films.c.status == "working", films.c.told_at < at - STALE
        with self._db.read() as connection:
            waits = connection.scalar(
                select(films.c.film_id).where((films.c.status == "queued") | (left[0] & left[1])).limit(1)
            )
        if waits is None:
            return None
        with self._db.write() as connection:
            gone = {
                "code": "film-failed",
                "detail": f"Making this film ended without an answer {MOST_TRIES} times; see the log of the worker, then send it again.",
            }
            connection.execute(
                update(films)
                .where(*left, films.c.tries >= MOST_TRIES)
                .values(status="failed", problem=gone, told_at=at)
            )
            row = connection.execute(
                select(films)
                .where((films.c.status == "queued") | (left[0] & left[1]))
                .order_by(films.c.created_at, films.c.film_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            tries = row.tries + 1
            connection.execute(
                update(films)
                .where(films.c.film_id == row.film_id)
                .values(status="working", tries=tries, progress=0.0, told_at=at)
            )
            return replace(_film(row), status="working", tries=tries, progress=0.0, told_at=at)

    def tell(self, film_id: str, progress: float, *, at: datetime) -> bool:
        """Note how far a film is; False where nobody wants it any more."""
        with self._db.write() as connection:
            done = connection.execute(
                update(films)
                .where(films.c.film_id == film_id, films.c.status == "working")
                .values(progress=progress, told_at=at)
            )
        return done.rowcount > 0

    def finish(self, film_id: str, files: Mapping[str, bytes], *, at: datetime) -> None:
        """Store a film's files; the oldest films beyond the last 200 go."""
        with self._db.write() as connection:
            connection.execute(delete(film_files).where(film_files.c.film_id == film_id))
            connection.execute(
                insert(film_files),
                [{"film_id": film_id, "format": kind, "content": one} for kind, one in files.items()],
            )
            ended = {"status": "done", "progress": 1.0, "problem": None, "told_at": at, "picture": None, "track": None}
            connection.execute(update(films).where(films.c.film_id == film_id).values(**ended))
            old = connection.scalars(
                select(films.c.film_id)
                .where(films.c.status == "done")
                .order_by(films.c.told_at.desc())
                .offset(MOST_KEPT)
            ).all()
            if old:
                connection.execute(delete(film_files).where(film_files.c.film_id.in_(old)))
                connection.execute(delete(films).where(films.c.film_id.in_(old)))

    def fail(self, film_id: str, code: str, detail: str, *, at: datetime) -> None:
        """Note why there is no film."""
        with self._db.write() as connection:
            connection.execute(
                update(films)
                .where(films.c.film_id == film_id, films.c.status == "working")
                .values(status="failed", problem={"code": code, "detail": detail}, told_at=at)
            )

    def give_back(self, film_id: str, *, at: datetime) -> None:
        """Let a film wait again whose maker has ended without an answer; after three tries it is given up by `claim`."""
        with self._db.write() as connection:
            connection.execute(
                update(films)
                .where(films.c.film_id == film_id, films.c.status == "working")
                .values(told_at=at - 2 * STALE)
            )

    def cancel(self, film_id: str, *, at: datetime) -> StoredFilm | None:
        """Give a film up that is not made yet; its maker hears of it at its next word."""
        with self._db.write() as connection:
            connection.execute(
                update(films)
                .where(films.c.film_id == film_id, films.c.status.in_(("queued", "working")))
                .values(status="cancelled", told_at=at)
            )
        return self.get(film_id)

    def file(self, film_id: str, kind: str) -> bytes | None:
        """Return a file of a film that is done."""
        with self._db.read() as connection:
            found = connection.scalar(
                select(film_files.c.content).where(film_files.c.film_id == film_id, film_files.c.format == kind)
            )
        return None if found is None else bytes(found)


def _film(row: Any) -> StoredFilm:
    return StoredFilm(**dict(row._mapping))
