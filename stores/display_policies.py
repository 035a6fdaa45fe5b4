"""Versions of the display policy: every one is kept, the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError

from personalization.display import DisplayPolicy, parse
from stores.database import Database
from stores.errors import ConflictError, NotFoundError
from stores.screen_tables import display_policies


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy with who saved it, when and why. `restored`: the version whose values these are again."""

    version: int
    policy: DisplayPolicy
    note: str
    author: str
    at: datetime
    restored: int | None = None


class SqlDisplayPolicies:
    """Saved policies by number, from 1."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def newest(self) -> PolicyVersion | None:
        """Return the newest version; None while none was saved."""
        query = select(display_policies).order_by(display_policies.c.version.desc()).limit(1)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _version(row)

    def get(self, version: int) -> PolicyVersion:
        """Return a version; NotFoundError when there is none."""
        with self._db.read() as connection:
            row = connection.execute(select(display_policies).where(display_policies.c.version == version)).first()
        if row is None:
            raise NotFoundError(f"there is no version {version} of the display policy")
        return _version(row)

    def page(self, *, limit: int, before: int | None = None) -> list[PolicyVersion]:
        """Return the newest `limit` versions, of those older than `before`, newest first."""
        query = select(display_policies).order_by(display_policies.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(display_policies.c.version < before)
        with self._db.read() as connection:
            return [_version(row) for row in connection.execute(query)]

    def save(self, made: PolicyVersion) -> PolicyVersion:
        """Store a new version; ConflictError when somebody else has just saved one of this number."""
        row = {
            "version": made.version, "body": made.policy.tree(), "note": made.note, "author": made.author, "at": made.at,
            "restored": made.restored,
        }  # fmt: skip
        try:
            with self._db.write() as connection:
                connection.execute(insert(display_policies).values(row))
        except IntegrityError as error:
            raise ConflictError("somebody else has just saved the display policy") from error
        return made


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(row.version, parse(row.body), row.note, row.author, row.at, row.restored)
