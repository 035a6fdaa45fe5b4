"""Versions of the brand kit: every one is kept, since what was made under it is drawn under it again; the newest counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.exc import IntegrityError

from stores.creative_tables import brand_kits
from stores.database import Database
from stores.errors import ConflictError


@dataclass(frozen=True, slots=True)
class KitVersion:
    """A kit as its file has it, with its logo's bytes, and who saved it, when and why."""

    version: int
    digest: str
    body: Mapping[str, Any]
    logo: bytes | None
    note: str
    author: str
    at: datetime


class SqlBrandKits:
    """Saved kits by number, from 1."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def newest(self) -> KitVersion | None:
        """Return the newest version; None while none was saved."""
        return self._one(select(brand_kits).order_by(brand_kits.c.version.desc()).limit(1))

    def of(self, digest: str) -> KitVersion | None:
        """Return the kit of a digest, or None."""
        return self._one(select(brand_kits).where(brand_kits.c.digest == digest).limit(1))

    def page(self, *, limit: int, before: int | None = None) -> list[KitVersion]:
        """Return the newest `limit` versions, of those older than `before`, newest first."""
        query = select(brand_kits).order_by(brand_kits.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(brand_kits.c.version < before)
        with self._db.read() as connection:
            return [_kit(row) for row in connection.execute(query)]

    def save(self, made: KitVersion) -> None:
        """Store a new version; ConflictError when somebody else has just saved one of this number."""
        row = {column.name: getattr(made, column.name) for column in brand_kits.c}
        try:
            with self._db.write() as connection:
                connection.execute(insert(brand_kits).values({**row, "body": dict(made.body)}))
        except IntegrityError as error:
            raise ConflictError("somebody else has just saved the brand kit") from error

    def _one(self, query: Select[Any]) -> KitVersion | None:
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _kit(row)


def _kit(row: Row[Any]) -> KitVersion:
    logo = None if row.logo is None else bytes(row.logo)
    return KitVersion(row.version, row.digest, row.body, logo, row.note, row.author, row.at)
