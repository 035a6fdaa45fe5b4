"""API keys and device keys. Only hashes are stored: a key is shown once, when it is made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from stores.database import Database, new_id
from stores.errors import NotFoundError
from stores.tables import keys


@dataclass(frozen=True, slots=True)
class Key:
    """A key's public half: `prefix` is enough to recognise it in a list. Of kind "staff" it is somebody who is signed in, not a key."""

    key_id: str
    kind: Literal["api", "device", "staff"]
    name: str
    prefix: str
    scopes: frozenset[str]
    origins: frozenset[str]
    kiosk_id: str | None
    revoked: bool


class SqlKeys:
    """Make, find and revoke keys."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        kind: Literal["api", "device"],
        name: str,
        *,
        at: datetime,
        scopes: Sequence[str] = (),
        origins: Sequence[str] = (),
        kiosk_id: str | None = None,
        secret: str | None = None,
    ) -> tuple[Key, str]:
        """Return a new key and its secret, which is not stored. `secret` sets it, for a key made by a set-up script."""
        secret = secret or {"api": "ak_", "device": "dk_"}[kind] + secrets.token_urlsafe(32)
        with self._db.write() as connection:
            connection.execute(
                insert(keys).values(
                    key_id=new_id(),
                    kind=kind,
                    name=name,
                    hash=_hash(secret),
                    prefix=secret[:8],
                    scopes=sorted(scopes),
                    origins=sorted(origins),
                    kiosk_id=kiosk_id,
                    created_at=at,
                )
            )
        key = self.find(secret)
        if key is None:
            raise NotFoundError("the new key could not be read back")
        return key, secret

    def find(self, secret: str) -> Key | None:
        """Return the key with this secret, revoked or not, or None."""
        return self._one(keys.c.hash == _hash(secret))

    def get(self, key_id: str) -> Key | None:
        """Return the key with this id, or None."""
        return self._one(keys.c.key_id == key_id)

    def all(self) -> list[Key]:
        """Return every key, oldest first."""
        with self._db.read() as connection:
            return [key_of(row) for row in connection.execute(select(keys).order_by(keys.c.key_id))]

    def origins(self) -> frozenset[str]:
        """Return the origins that any working key allows."""
        return frozenset(origin for key in self.all() if not key.revoked for origin in key.origins)

    def revoke(self, key_id: str, *, at: datetime) -> None:
        """End a key; NotFoundError when there is none with this id."""
        with self._db.write() as connection:
            if connection.execute(update(keys).where(keys.c.key_id == key_id).values(revoked_at=at)).rowcount == 0:
                raise NotFoundError(f"no key has the id {key_id}; `aisle keys list` shows them")

    def _one(self, condition: Any) -> Key | None:
        with self._db.read() as connection:
            row = connection.execute(select(keys).where(condition)).first()
        return None if row is None else key_of(row)


def key_of(row: Row[Any], prefix: str = "") -> Key:
    """Return the key of a row; `prefix`: what its columns' names begin with."""
    told = {name: getattr(row, prefix + name) for name in ("key_id", "kind", "name", "prefix", "kiosk_id")}
    scopes, origins, revoked_at = (getattr(row, prefix + name) for name in ("scopes", "origins", "revoked_at"))
    return Key(**told, scopes=frozenset(scopes), origins=frozenset(origins), revoked=revoked_at is not None)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
