"""Labels and vetoes. A vetoed label is not shown, not used, and not made again until the veto is lifted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, or_, select

from personalization.types import Label, MemberId, Purpose
from stores.consents import granted_to
from stores.database import Check, Database, rows_where, upsert
from stores.insight_tables import label_edits
from stores.tables import label_vetoes, labels, members

By = Literal["member", "staff"]
_RENEW = timedelta(days=1)
_SAME_CONFIDENCE = 0.02
Named = Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Veto:
    """Who said that a label is not true of a member, when, and why where that was said."""

    name: str
    by: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """A label as staff set it: it stands in the place of what rules and models say, until it expires or is taken back."""

    name: str
    value: str | float | bool
    reason: str
    by: str
    at: datetime
    expires_at: datetime

    def label(self, member_id: MemberId) -> Label:
        """Return the label that it makes."""
        says = f"Set by {self.by}: {self.reason}"
        return Label(
            member_id, self.name, self.value, 1.0, says[:400], {"by": self.by, "reason": self.reason}, "staff", Purpose.PROFILING, self.at, self.expires_at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What people say about a member's labels: what staff set, and what was vetoed."""

    edits: tuple[LabelEdit, ...]
    vetoes: tuple[Veto, ...]


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
        return list(self.said(member_id).vetoes)

    def said(self, member_id: str) -> Said:
        """Return what people say about the member's labels."""
        with self._db.read() as connection:
            return _said(connection, member_id)

    def edits(self, member_id: str) -> list[LabelEdit]:
        """Return the labels that staff set."""
        return list(self.said(member_id).edits)

    def edit(self, member_id: str, edit: LabelEdit, *, check: Check[Said] = None) -> None:
        """Keep a label that staff set; it shows once the member is labelled anew."""
        row = {name: getattr(edit, name) for name in ("name", "value", "reason", "by", "at", "expires_at")}
        with self._write(member_id, check) as connection:
            upsert(connection, label_edits, [{"member_id": member_id, **row}])

    def take_back(self, member_id: str, name: str, *, check: Check[Said] = None) -> bool:
        """Let rules and models speak again; return whether there was anything to take back."""
        mine = and_(label_edits.c.member_id == member_id, label_edits.c.name == name)
        with self._write(member_id, check) as connection:
            return connection.execute(delete(label_edits).where(mine)).rowcount > 0

    def forget_expired(self, *, now: datetime) -> int:
        """Delete what staff set and what has expired since."""
        with self._db.write() as connection:
            return connection.execute(delete(label_edits).where(label_edits.c.expires_at <= now)).rowcount

    def veto(
        self, member_id: str, name: str, *, by: By, at: datetime, reason: str | None = None, check: Check[Said] = None
    ) -> None:
        """Delete the label and keep it from coming back. What the member vetoed stays the member's."""
        with self._write(member_id, check) as connection:
            mine = and_(label_vetoes.c.member_id == member_id, label_vetoes.c.name == name)
            if connection.scalar(select(label_vetoes.c.by).where(mine)) != "member":
                upsert(
                    connection,
                    label_vetoes,
                    [{"member_id": member_id, "name": name, "by": by, "at": at, "reason": reason}],
                )
            connection.execute(delete(labels).where(labels.c.member_id == member_id, labels.c.name == name))

    def lift(self, member_id: str, name: str, *, by: By, check: Check[Said] = None) -> bool:
        """Take a veto back; staff cannot take back what the member said. Return whether there was one to take back."""
        mine = and_(label_vetoes.c.member_id == member_id, label_vetoes.c.name == name)
        allowed = or_(label_vetoes.c.by != "member", label_vetoes.c.by == by)
        with self._write(member_id, check) as connection:
            return connection.execute(delete(label_vetoes).where(mine, allowed)).rowcount > 0

    @contextmanager
    def _write(self, member_id: str, check: Check[Said]) -> Iterator[Connection]:
        with self._db.write() as connection:
            # whoever else changes them waits at the member's row
            connection.execute(select(members.c.member_id).where(members.c.member_id == member_id).with_for_update())
            if check:
                check(_said(connection, member_id))
            yield connection


def forget_edits(connection: Connection, member_id: str) -> None:
    """Delete what staff said of a member who does not agree to profiling any more, and why they did."""
    connection.execute(delete(label_edits).where(label_edits.c.member_id == member_id))


def replace(
    connection: Connection, found: Mapping[MemberId, Named], *, now: datetime
) -> dict[MemberId, tuple[Named, Named]]:
    """Make the members' labels those of `found`, less what is vetoed; return each member's labels before and after.

    A label that says what it said keeps the day it was created; it is written only when that changes something.
    """
    members = list(found)
    before = _read(connection, members)
    vetoed, edited = _vetoed(connection, members), _edited(connection, members)
    changed: dict[MemberId, tuple[Named, Named]] = {}
    fresh: list[dict[str, Any]] = []
    for member_id, made in found.items():
        had, set_ = before.get(member_id, {}), edited.get(member_id, {})
        named = {**made, **{name: edit.label(member_id) for name, edit in set_.items() if edit.expires_at > now}}
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


def _said(connection: Connection, member_id: str) -> Said:
    query = select(label_vetoes).where(label_vetoes.c.member_id == member_id).order_by(label_vetoes.c.name)
    vetoes = tuple(Veto(row.name, row.by, row.at, row.reason) for row in connection.execute(query))
    edits = _edited(connection, [member_id]).get(member_id, {})
    return Said(tuple(edits[name] for name in sorted(edits)), vetoes)


def _vetoed(connection: Connection, members: Sequence[str]) -> set[tuple[str, str]]:
    rows = rows_where(connection, label_vetoes, "member_id", members, only=("member_id", "name"))
    return {(row.member_id, row.name) for row in rows}


def _edited(connection: Connection, members: Sequence[str]) -> dict[str, dict[str, LabelEdit]]:
    found: dict[str, dict[str, LabelEdit]] = {}
    for row in rows_where(connection, label_edits, "member_id", members):
        made = LabelEdit(row.name, row.value, row.reason, row.by, row.at, row.expires_at)
        found.setdefault(row.member_id, {})[row.name] = made
    return found


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
