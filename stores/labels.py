"""Labels and vetoes. A vetoed label is not shown, not used, and not made again until the veto is lifted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, or_, select

from personalization.types import Label, MemberId, Purpose
from stores.consents import granted_to
from stores.database import Database, rows_where, upsert
from stores.tables import label_vetoes, labels

By = Literal["member", "staff"]
_RENEW = timedelta(days=1)
_SAME_CONFIDENCE = 0.02
Named = Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Veto:
    """Who said that a label is not true of a member, and when."""

    name: str
    by: str
    at: datetime


_MEMBER: BindParameter[str] = bindparam("member")
_VETOED = select(label_vetoes.c.name).where(label_vetoes.c.member_id == _MEMBER)
_USABLE = (
    select(labels)
    .where(labels.c.member_id == _MEMBER, labels.c.expires_at > bindparam("at"), labels.c.name.not_in(_VETOED))
    .order_by(labels.c.name)
)


class SqlLabels:
    """Reads labels, and keeps what people say about them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of_member(self, member_id: str, *, at: datetime) -> list[Label]:
        """Return the labels that may be used at `at`, by name: not expired, not vetoed, their purpose agreed to."""
        with self._db.read() as connection:
            granted = granted_to(connection, [member_id]).get(member_id, frozenset())
            found = [_label(row) for row in connection.execute(_USABLE, {"member": member_id, "at": at})]
        return [label for label in found if {Purpose.PROFILING, label.purpose} <= granted]

    def vetoes(self, member_id: str) -> list[Veto]:
        """Return what was vetoed."""
        query = select(label_vetoes).where(label_vetoes.c.member_id == member_id).order_by(label_vetoes.c.name)
        with self._db.read() as connection:
            return [Veto(row.name, row.by, row.at) for row in connection.execute(query)]

    def veto(self, member_id: str, name: str, *, by: By, at: datetime) -> None:
        """Delete the label and keep it from coming back. What the member vetoed stays the member's."""
        with self._db.write() as connection:
            mine = and_(label_vetoes.c.member_id == member_id, label_vetoes.c.name == name)
            if connection.scalar(select(label_vetoes.c.by).where(mine)) != "member":
                upsert(connection, label_vetoes, [{"member_id": member_id, "name": name, "by": by, "at": at}])
            connection.execute(delete(labels).where(labels.c.member_id == member_id, labels.c.name == name))

    def lift(self, member_id: str, name: str, *, by: By) -> bool:
        """Take a veto back; staff cannot take back what the member said. Return whether there was one to take back."""
        mine = and_(label_vetoes.c.member_id == member_id, label_vetoes.c.name == name)
        allowed = or_(label_vetoes.c.by != "member", label_vetoes.c.by == by)
        with self._db.write() as connection:
            return connection.execute(delete(label_vetoes).where(mine, allowed)).rowcount > 0


def replace(
    connection: Connection, found: Mapping[MemberId, Named], *, now: datetime
) -> dict[MemberId, tuple[Named, Named]]:
    """Make the members' labels those of `found`, less what is vetoed; return each member's labels before and after.

    A label that says what it said keeps the day it was created; it is written only when that changes something.
    """
    members = list(found)
    before = _read(connection, members)
    vetoed = _vetoed(connection, members)
    changed: dict[MemberId, tuple[Named, Named]] = {}
    fresh: list[dict[str, Any]] = []
    for member_id, named in found.items():
        had = before.get(member_id, {})
        after = {name: label for name, label in named.items() if (member_id, name) not in vetoed}
        fresh += [_row(label, had.get(name)) for name, label in after.items() if _differs(label, had.get(name))]
        if gone := sorted(had.keys() - after.keys()):
            connection.execute(delete(labels).where(labels.c.member_id == member_id, labels.c.name.in_(gone)))
        changed[member_id] = ({name: label for name, label in had.items() if label.expires_at > now}, after)
    upsert(connection, labels, fresh)
    return changed


def clear(connection: Connection, members: Collection[str]) -> None:
    """Delete the members' labels."""
    if members:
        connection.execute(delete(labels).where(labels.c.member_id.in_(members)))


def _read(connection: Connection, members: Sequence[str]) -> dict[str, dict[str, Label]]:
    found: dict[str, dict[str, Label]] = {}
    for row in rows_where(connection, labels, "member_id", members):
        found.setdefault(row.member_id, {})[row.name] = _label(row)
    return found


def _vetoed(connection: Connection, members: Sequence[str]) -> set[tuple[str, str]]:
    rows = rows_where(connection, label_vetoes, "member_id", members, only=("member_id", "name"))
    return {(row.member_id, row.name) for row in rows}


def _differs(label: Label, before: Label | None) -> bool:
    return (
        before is None
        or (before.value, before.sentence) != (label.value, label.sentence)
        or abs(before.confidence - label.confidence) > _SAME_CONFIDENCE
        or label.expires_at - before.expires_at >= _RENEW
    )


def _row(label: Label, before: Label | None) -> dict[str, Any]:
    since = before.created_at if before is not None and before.value == label.value else label.created_at
    return {
        "member_id": label.member_id, "name": label.name, "value": label.value, "confidence": label.confidence,
        "sentence": label.sentence[:400], "evidence": dict(label.evidence), "source": label.source, "purpose": label.purpose.value,
        "created_at": since, "expires_at": label.expires_at,
    }  # fmt: skip


def _label(row: Any) -> Label:
    return Label(
        MemberId(row.member_id), row.name, row.value, row.confidence, row.sentence, row.evidence, row.source,
        Purpose(row.purpose), row.created_at, row.expires_at,
    )  # fmt: skip
