"""Passkeys of staff: the public halves of keys that never leave their owners' devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from stores.database import Database, new_id
from stores.errors import ConflictError
from stores.staff_account_tables import staff_passkeys
from stores.staff_accounts import hashed


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey. `sign_count`: what its device counted last, 0 where it does not count."""

    passkey_id: str
    account_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    name: str
    created_at: datetime
    used_at: datetime | None


class SqlPasskeys:
    """Passkeys by account, or by the id that a browser sends."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, account_id: str, credential_id: bytes, public_key: bytes, *, sign_count: int, transports: Sequence[str],
        name: str, at: datetime,
    ) -> Passkey:  # fmt: skip
        """Keep a new passkey; ConflictError when it is kept already."""
        made = Passkey(new_id(), account_id, credential_id, public_key, sign_count, tuple(transports), name, at, None)
        row = {name: getattr(made, name) for name in Passkey.__slots__ if name != "transports"}
        try:
            with self._db.write() as connection:
                connection.execute(
                    insert(staff_passkeys).values(
                        **row, transports=list(transports), credential_hash=hashed(credential_id.hex())
                    )
                )
        except IntegrityError as error:
            raise ConflictError("this passkey is known already") from error
        return made

    def of(self, account_id: str) -> list[Passkey]:
        """Return somebody's passkeys, newest first."""
        query = select(staff_passkeys).where(staff_passkeys.c.account_id == account_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(staff_passkeys.c.passkey_id.desc())).all()
        return [_passkey(row) for row in rows]

    def counts(self, account_ids: Sequence[str]) -> dict[str, int]:
        """Return how many passkeys each of the accounts has."""
        columns = staff_passkeys.c
        query = (
            select(columns.account_id, func.count())
            .where(columns.account_id.in_(account_ids))
            .group_by(columns.account_id)
        )
        with self._db.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def find(self, credential_id: bytes) -> Passkey | None:
        """Return the passkey with this id, or None."""
        query = select(staff_passkeys).where(staff_passkeys.c.credential_hash == hashed(credential_id.hex()))
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _passkey(row)

    def used(self, passkey_id: str, *, sign_count: int, at: datetime) -> None:
        """Note that it was used."""
        with self._db.write() as connection:
            connection.execute(
                update(staff_passkeys)
                .where(staff_passkeys.c.passkey_id == passkey_id)
                .values(sign_count=sign_count, used_at=at)
            )

    def remove(self, account_id: str, passkey_id: str, *, keep_one: bool = False) -> bool:
        """Delete one of somebody's passkeys; False where it is not there, or the last one and `keep_one` is set."""
        mine = staff_passkeys.c.account_id == account_id
        with self._db.write() as connection:  # of two who delete at once the second waits, and counts what is left
            there = set(connection.scalars(select(staff_passkeys.c.passkey_id).where(mine).with_for_update()))
            if passkey_id not in there or (keep_one and len(there) == 1):
                return False
            one = delete(staff_passkeys).where(mine, staff_passkeys.c.passkey_id == passkey_id)
            return connection.execute(one).rowcount > 0


def _passkey(row: Any) -> Passkey:
    return Passkey(
        row.passkey_id, row.account_id, bytes(row.credential_id), bytes(row.public_key), row.sign_count, tuple(row.transports),
        row.name, row.created_at, row.used_at,
    )  # fmt: skip
