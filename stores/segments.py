"""Segments: those that training found, and those that staff made. Each is a query for members, who all agreed to profiling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    cast,
    delete,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from personalization.profiling.own_segments import CHOSEN, Condition, SegmentRule, parse
from personalization.types import Purpose
from stores.database import Check, Database, new_id
from stores.errors import ConflictError, NotFoundError
from stores.insight_tables import member_features, segments
from stores.member_features import SAMPLES
from stores.tables import labels

COMPARED = 6_000  # members of each of two segments who are compared, at most: a fixed sample of larger ones
_F = member_features.c


@dataclass(frozen=True, slots=True)
class OwnSegment:
    """A segment that staff made, with its rule and who made it."""

    segment_id: str
    name: str
    description: str
    rule: SegmentRule
    author: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Moments:
    """A feature over a segment: of how many members, its mean and its variance."""

    n: int
    mean: float
    variance: float


class SqlSegments:
    """Own segments by id; sizes, features and members of any segment."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[OwnSegment]:
        """Return the own segments, newest first."""
        return self.page()

    def page(self, *, before: str | None = None, limit: int | None = None) -> list[OwnSegment]:
        """Return up to `limit` own segments that are older than `before`, newest first."""
        query = select(segments).order_by(segments.c.segment_id.desc()).limit(limit)
        if before is not None:
            query = query.where(segments.c.segment_id < before)
        with self._db.read() as connection:
            return [_segment(row) for row in connection.execute(query)]

    def get(self, segment_id: str) -> OwnSegment:
        """Return an own segment; NotFoundError when there is none."""
        with self._db.read() as connection:
            row = connection.execute(select(segments).where(segments.c.segment_id == segment_id)).first()
        if row is None:
            raise NotFoundError(f"there is no segment {segment_id}")
        return _segment(row)

    def create(self, name: str, description: str, rule: SegmentRule, *, author: str, at: datetime) -> OwnSegment:
        """Store a new segment; ConflictError when the name is taken."""
        made = OwnSegment(new_id(), name, description, rule, author, at, at)
        row = {
            "segment_id": made.segment_id, "name": name, "description": description, "rule": rule.tree(), "author": author,
            "created_at": at, "updated_at": at,
        }  # fmt: skip
        try:
            with self._db.write() as connection:
                connection.execute(insert(segments).values(row))
        except IntegrityError as error:
            raise ConflictError(f"another segment is called {name}; choose another name") from error
        return made

    def change(
        self, segment_id: str, name: str, description: str, rule: SegmentRule, *, at: datetime, check: Check[OwnSegment] = None
    ) -> OwnSegment:  # fmt: skip
        """Store a segment anew; NotFoundError, or ConflictError when the name is taken."""
        values = {"name": name, "description": description, "rule": rule.tree(), "updated_at": at}
        try:
            with self._db.write() as connection:
                _looked_at(connection, segment_id, check)
                connection.execute(update(segments).where(segments.c.segment_id == segment_id).values(**values))
        except IntegrityError as error:
            raise ConflictError(f"another segment is called {name}; choose another name") from error
        return self.get(segment_id)

    def delete(self, segment_id: str, *, check: Check[OwnSegment] = None) -> None:
        """Delete an own segment; NotFoundError when there is none. Its members stay who they are."""
        with self._db.write() as connection:
            _looked_at(connection, segment_id, check)
            if not connection.execute(delete(segments).where(segments.c.segment_id == segment_id)).rowcount:
                raise NotFoundError(f"there is no segment {segment_id}")

    def member_ids(self, segment_id: str) -> Select[tuple[str]]:
        """Return the query for a segment's members, an own one's or a trained one's: as a subquery it is who is in it when it runs.

        NotFoundError for an own segment that there is not. Whoever is written to must have agreed to marketing beside.
        """
        return self.matching(self.rule_of(segment_id))

    def rule_of(self, segment_id: str) -> SegmentRule:
        """Return the rule of an own segment, or the one that names a trained one (its ids are short)."""
        if len(segment_id) < 36:
            return SegmentRule("all", (Condition("segment", "segment", "is", segment_id),))
        return self.get(segment_id).rule

    def matching(self, rule: SegmentRule) -> Select[tuple[str]]:
        """Return the query for the members for whom a rule holds."""
        return select(_F.member_id).where(holds(rule))

    def of_member(self, member_id: str) -> list[OwnSegment]:
        """Return the own segments that a member is in."""
        every, mine = self.all(), member_features.c.member_id == member_id
        if not every:
            return []
        with self._db.read() as connection:
            row = connection.execute(select(*(holds(one.rule) for one in every)).where(mine)).first()
        return [] if row is None else [one for one, inside in zip(every, row, strict=True) if inside]

    def count(self, rule: SegmentRule) -> tuple[int, int]:
        """Return for how many members a rule holds, and how many have features at all."""
        query = select(func.count().filter(holds(rule)), func.count()).select_from(member_features)
        with self._db.read() as connection:
            mine, everybody = connection.execute(query).one()
        return mine, everybody

    def known(self) -> int:
        """Return how many members have features."""
        with self._db.read() as connection:
            return connection.scalar(select(func.count()).select_from(member_features)) or 0

    def overlap(self, one: SegmentRule, other: SegmentRule) -> int:
        """Return for how many members both rules hold."""
        with self._db.read() as connection:
            return (
                connection.scalar(select(func.count()).select_from(member_features).where(holds(one), holds(other)))
                or 0
            )

    def trained_sizes(self) -> dict[str, int]:
        """Return how many members each trained segment has."""
        query = select(_F.segment_id, func.count()).where(_F.segment_id.is_not(None)).group_by(_F.segment_id)
        with self._db.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def places(self, most: int) -> list[tuple[float, float, str]]:
        """Return up to about `most` members of a fixed sample as points (x, y, trained segment), without who they are."""
        with self._db.read() as connection:
            known = connection.scalar(select(func.count()).select_from(member_features)) or 0
            part = SAMPLES if known <= most else max(round(SAMPLES * most / known), 1)
            query = select(_F.map_x, _F.map_y, _F.segment_id).where(_F.sample < part)
            query = query.where(_F.map_x.is_not(None), _F.segment_id.is_not(None)).order_by(_F.map_x)
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def moments(self, rule: SegmentRule, names: Sequence[str] = CHOSEN) -> dict[str, Moments]:
        """Return each feature's moments over the members for whom a rule holds; over a fixed sample of about COMPARED where there are more."""
        asked: list[ColumnElement[Any]] = [func.count()]
        for name in names:
            asked += [func.count(_F[name]), func.sum(_F[name]), func.sum(_F[name] * _F[name])]
        with self._db.read() as connection:
            row = connection.execute(select(*asked).where(holds(rule), _F.sample < _part(connection, rule))).one()
        found = {}
        for number, name in enumerate(names):
            n, total, squares = row[1 + 3 * number : 4 + 3 * number]
            mean = float(total or 0) / n if n else 0.0
            spread = max(float(squares or 0) / n - mean * mean, 0.0) * n / (n - 1) if n > 1 else 0.0
            found[name] = Moments(n, mean, spread)
        return found

    def label_counts(self, rule: SegmentRule) -> tuple[int, dict[tuple[str, str], int]]:
        """Return of how many members the labels were counted, and how many have each (name, value); of large segments a fixed sample."""
        with self._db.read() as connection:
            some = select(_F.member_id).where(holds(rule), _F.sample < _part(connection, rule))
            looked = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
            value = cast(labels.c.value, String)
            usable = (
                labels.c.expires_at > datetime.now(UTC),
                labels.c.purpose == Purpose.PROFILING.value,
                labels.c.member_id.in_(some),
            )
            query = select(labels.c.name, value, func.count()).where(*usable, labels.c.name.not_in(_NUMBERS))
            rows = connection.execute(query.group_by(labels.c.name, value)).all()
        return looked, {(row[0], _plain(row[1])): row[2] for row in rows}

    def vocabulary(self) -> tuple[dict[str, list[str]], dict[str, tuple[float, float, float]]]:
        """Return the labels that members have with their values, and each feature's smallest, middling and largest value, of a sample."""
        value = cast(labels.c.value, String)
        asked: list[ColumnElement[Any]] = []
        for name in CHOSEN:
            asked += [func.min(_F[name]), func.avg(_F[name]), func.max(_F[name])]
        with self._db.read() as connection:
            sampled = _F.sample < _part(connection)
            usable = (
                labels.c.expires_at > datetime.now(UTC), labels.c.purpose == Purpose.PROFILING.value,
                labels.c.member_id.in_(select(_F.member_id).where(sampled)), labels.c.name.not_in(_NUMBERS),
            )  # fmt: skip
            rows = connection.execute(select(labels.c.name, value).where(*usable).distinct()).all()
            row = connection.execute(select(*asked).where(sampled)).one()
        words: dict[str, list[str]] = {}
        for name, told in rows:
            words.setdefault(name, []).append(_plain(told))
        ranges = {
            name: (float(row[3 * n] or 0), float(row[3 * n + 1] or 0), float(row[3 * n + 2] or 0))
            for n, name in enumerate(CHOSEN)
        }
        return {name: sorted(values) for name, values in sorted(words.items())}, ranges


_NUMBERS = ("expected_spend", "avoids", "suggested_action")
"""Labels whose values are numbers or words of a member's own: there is nothing to choose from in a list."""


def _part(connection: Connection, rule: SegmentRule | None = None) -> int:
    """Return below which sample number about COMPARED members of a segment, or of all, are; all of them where there are no more."""
    query = select(func.count()).select_from(member_features)
    size = connection.scalar(query if rule is None else query.where(holds(rule))) or 0
    return SAMPLES if size <= COMPARED else max(round(SAMPLES * COMPARED / size), 1)


def holds(rule: SegmentRule) -> ColumnElement[bool]:
    """Return the condition on `member_features` that a rule makes."""
    each = [_condition(one) for one in rule.conditions]
    return (and_ if rule.match == "all" else or_)(*each) if each else false()


def _condition(one: Condition) -> ColumnElement[bool]:
    if one.kind == "feature":
        column, bound = _F[one.name], float(one.value or 0)
        ways: Mapping[str, ColumnElement[bool]] = {
            "at_least": column >= bound, "at_most": column <= bound, "above": column > bound, "below": column < bound,
        }  # fmt: skip
        return func.coalesce(ways[one.how], false())
    if one.kind == "segment":
        mine: ColumnElement[bool] = func.coalesce(_F.segment_id == one.value, false())
    else:
        usable = [
            labels.c.name == one.name,
            labels.c.purpose == Purpose.PROFILING.value,
            labels.c.expires_at > datetime.now(UTC),
        ]
        if one.value is not None:
            usable.append(cast(labels.c.value, String).in_(_written(one.value)))
        mine = _F.member_id.in_(select(labels.c.member_id).where(*usable))
    return mine if one.how == "is" else not_(mine)


def _written(value: float | str | bool) -> list[str]:
    """Return how a label's value may stand in the JSON column."""
    if isinstance(value, bool) or not isinstance(value, str):
        return [json.dumps(value)]
    return [json.dumps(value), *({"True": ["true"], "False": ["false"]}.get(value, []))]


def _plain(told: str) -> str:
    value = json.loads(told)
    return str(value)


def _looked_at(connection: Connection, segment_id: str, check: Check[OwnSegment]) -> None:
    row = connection.execute(select(segments).where(segments.c.segment_id == segment_id).with_for_update()).first()
    if row is not None and check:
        check(_segment(row))


def _segment(row: Row[Any]) -> OwnSegment:
    return OwnSegment(
        row.segment_id, row.name, row.description, parse(row.rule), row.author, row.created_at, row.updated_at
    )
