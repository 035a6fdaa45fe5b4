"""What cameras may do in each store: nothing, until an operator switches it on. The record of who did so is append-only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from stores.camera_tables import vision_switches
from stores.database import Check, Database, rows_where
from stores.errors import ConflictError
from stores.kiosks import bump_gallery

LONGEST_RETENTION_DAYS = 1_095
"""Three years: what 740 ILCS 14/15(a) (BIPA) allows after somebody's last interaction."""


class Use(StrEnum):
    """What cameras do, each switched on by itself."""

    RECOGNITION = "recognition"
    EXPRESSION = "expression"
    ADAPTATION = "adaptation"
    """With recognition: templates made in passing join those that were enrolled."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator names to switch cameras on: uses, purpose, days that templates are kept after a visit, the notice at the entrance."""

    uses: frozenset[Use]
    purpose: str
    retention_days: int
    notice: str


@dataclass(frozen=True, slots=True)
class Switch:
    """One line of the record. `terms` is None when cameras were switched off; `notice_version` counts the store's notices from 1."""

    store_id: str
    number: int
    terms: Terms | None
    notice_version: int
    by: str
    at: datetime

    @property
    def uses(self) -> frozenset[Use]:
        """What cameras may do from here on."""
        return self.terms.uses if self.terms else frozenset()


class SqlSwitches:
    """The record of switches, by store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def latest(self, store_id: str | None) -> Switch | None:
        """Return the store's last switch, or None where nobody ever switched anything on, as for a kiosk without a store."""
        if store_id is None:
            return None
        with self._db.read() as connection:
            return _latest(connection, store_id)

    def uses(self, store_id: str | None) -> frozenset[Use]:
        """Return what cameras may do in the store now."""
        found = self.latest(store_id)
        return found.uses if found else frozenset()

    def history(self, store_id: str) -> list[Switch]:
        """Return every switch of the store, oldest first."""
        query = select(vision_switches).where(vision_switches.c.store_id == store_id).order_by(vision_switches.c.number)
        with self._db.read() as connection:
            return [_switch(row) for row in connection.execute(query)]

    def histories(self, store_ids: Collection[str]) -> dict[str, list[Switch]]:
        """Return what `history` does of each of these stores, in one query; nothing of a store without a record."""
        found: dict[str, list[Switch]] = {}
        with self._db.read() as connection:
            rows = rows_where(connection, vision_switches, "store_id", store_ids)
            for row in sorted(rows, key=lambda row: row.number):
                found.setdefault(row.store_id, []).append(_switch(row))
        return found

    def all(self) -> list[Switch]:
        """Return the last switch of every store that has one, by store."""
        table = vision_switches
        newest = (
            select(table.c.store_id, func.max(table.c.number).label("number")).group_by(table.c.store_id).subquery()
        )
        same = (table.c.store_id == newest.c.store_id) & (table.c.number == newest.c.number)
        with self._db.read() as connection:
            rows = connection.execute(select(table).join(newest, same).order_by(table.c.store_id))
            return [_switch(row) for row in rows]

    def enable(
        self, store_id: str, terms: Terms, *, by: str, at: datetime, check: Check[Switch | None] = None
    ) -> Switch:
        """Switch on under these terms, from now on. What stands already is not written again."""
        return self._append(store_id, terms, by, at, check)

    def disable(self, store_id: str, *, by: str, at: datetime, check: Check[Switch | None] = None) -> Switch | None:
        """Switch everything off, now; None where nothing ever was on."""
        with self._db.read() as connection:
            if _latest(connection, store_id) is None:
                return None
        return self._append(store_id, None, by, at, check)

    def _append(self, store_id: str, terms: Terms | None, by: str, at: datetime, check: Check[Switch | None]) -> Switch:
        try:
            with self._db.write() as connection:
                before = _latest(connection, store_id)
                if check:  # of two who both have seen this one, the number lets one write
                    check(before)
                if before is not None and before.terms == terms:
                    return before
                found = Switch(
                    store_id, before.number + 1 if before else 1, terms, _notice(connection, store_id, terms), by, at
                )
                connection.execute(insert(vision_switches).values(_row(found)))
                bump_gallery(connection)
        except IntegrityError as error:
            raise ConflictError(
                f"somebody else switched cameras in store {store_id} just now; look, and try again"
            ) from error
        return found


def _latest(connection: Connection, store_id: str) -> Switch | None:
    table = vision_switches
    query = select(table).where(table.c.store_id == store_id).order_by(table.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _switch(row)


def _notice(connection: Connection, store_id: str, terms: Terms | None) -> int:
    """Return the version of the notice: a new one where its text is not that of the notice before."""
    table = vision_switches
    query = select(table.c.notice, table.c.notice_version).where(
        table.c.store_id == store_id, table.c.notice.is_not(None)
    )
    before = connection.execute(query.order_by(table.c.number.desc()).limit(1)).first()
    if terms is None:
        return before.notice_version if before else 0
    if before is None:
        return 1
    return int(before.notice_version) + int(before.notice != terms.notice)


def _row(switch: Switch) -> dict[str, Any]:
    terms = switch.terms
    return {
        "store_id": switch.store_id, "number": switch.number, "uses": sorted(switch.uses),
        "purpose": terms.purpose if terms else None, "retention_days": terms.retention_days if terms else None,
        "notice": terms.notice if terms else None, "notice_version": switch.notice_version, "by": switch.by, "at": switch.at,
    }  # fmt: skip


def _switch(row: Row[Any]) -> Switch:
    terms = None
    if row.notice is not None:
        terms = Terms(frozenset(map(Use, row.uses)), row.purpose, row.retention_days, row.notice)
    return Switch(row.store_id, row.number, terms, row.notice_version, row.by, row.at)
