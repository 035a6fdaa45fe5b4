"""How things stand now, for the rollup: sizes of segments, expected spend, risk of lapsing, consents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, Float, String, and_, case, cast, func, select

from personalization.figures import VALUE_EDGES
from personalization.profiling.own_segments import parse
from personalization.types import Purpose
from stores.consents import latest_consents
from stores.figures_of_day import Row
from stores.insight_tables import member_features, segments
from stores.segments import holds
from stores.tables import labels, members


def now_rows(connection: Connection, now: datetime) -> list[Row]:
    """Return the rows of how things stand at `now`."""
    return [*_people(connection), *_segments(connection), *_risk(connection, now), *_value(connection, now)]


def _people(connection: Connection) -> Iterator[Row]:
    yield Row("members_known", "", "", connection.scalar(select(func.count()).select_from(members)) or 0)
    for purpose in Purpose:
        latest = latest_consents(purpose)
        agreed = select(func.count()).select_from(latest).where(latest.c.granted)
        yield Row("consents", "", purpose.value, connection.scalar(agreed) or 0)


def _segments(connection: Connection) -> Iterator[Row]:
    f = member_features.c
    sizes = select(f.segment_id, func.count()).where(f.segment_id.is_not(None)).group_by(f.segment_id)
    for segment_id, n in connection.execute(sizes):
        yield Row("segment_size", "", segment_id, n)
    for segment_id, rule in connection.execute(select(segments.c.segment_id, segments.c.rule)).all():
        size = select(func.count()).select_from(member_features).where(holds(parse(rule)))
        yield Row("segment_size", "", segment_id, connection.scalar(size) or 0)


def _risk(connection: Connection, now: datetime) -> Iterator[Row]:
    value = cast(labels.c.value, String)
    query = select(value, func.count()).where(labels.c.name == "lapse_risk", labels.c.expires_at > now).group_by(value)
    for told, n in connection.execute(query):
        yield Row("churn", "", str(json.loads(told)), n)


def _value(connection: Connection, now: datetime) -> Iterator[Row]:
    value = cast(cast(labels.c.value, String), Float)
    ends = (*VALUE_EDGES[1:], None)
    bins = [
        func.sum(case((and_(value >= least, value < most) if most is not None else value >= least, 1), else_=0))
        for least, most in zip(VALUE_EDGES, ends, strict=True)
    ]
    query = select(func.count(), func.sum(value), *bins).where(
        labels.c.name == "expected_spend", labels.c.expires_at > now
    )
    row = connection.execute(query).one()
    if row[0]:
        yield Row("value_members", "", "", row[0])
        yield Row("value_sum", "", "", round(float(row[1])))
        for number, n in enumerate(row[2:]):
            yield Row("value_bin", "", str(number), int(n))
