"""What units did around a moment each, summed in the database: rows of single orders and clicks never leave it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    distinct,
    func,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from personalization.experiments.spec import METRICS
from personalization.types import EventType
from stores.tables import UtcDateTime, conversations, events, order_lines

BEFORE = timedelta(days=56)
TIME = pl.Datetime("us", "UTC")
_ENGAGED = [EventType.CLICKED.value, EventType.ADDED_TO_BASKET.value]
_SUMS = ("spend", "orders", "late", "discount", "spend_before", "orders_before")


class _Moved(FunctionElement[Any]):
    """A time, moved by whole seconds."""

    type = UtcDateTime()
    inherit_cache = True
    name = "moved"


@compiles(_Moved)
def _moved(element: Any, compiler: Any, **kw: Any) -> str:
    at, seconds = (compiler.process(one, **kw) for one in element.clauses)
    return f"({at} + make_interval(secs => {seconds}))"


@compiles(_Moved, "sqlite")
def _moved_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    """Move the seconds of a time that is written out, and keep what stands behind them."""
    at, seconds = (compiler.process(one, **kw) for one in element.clauses)
    return f"(datetime(substr({at}, 1, 19), {seconds} || ' seconds') || substr({at}, 20))"


def measured(connection: Connection, units: pl.DataFrame, exposed: Select[Any], window: timedelta) -> pl.DataFrame:
    """Return what units (unit_id, arm, at, member) did in the `window` after `at`, in their order (columns: `SqlExperiments.outcomes`).

    exposed : selects the same units, or more, as unit_id, visitor_id (the one that they are or were), and at.
    """
    found = units
    for query, names in (
        (_orders(exposed, window), _SUMS),
        (_engaged(exposed, window), ("engagement",)),
        (_handed(exposed, window), ("handoffs",)),
    ):
        schema: dict[str, Any] = {"unit_id": pl.String, **dict.fromkeys(names, pl.Int64)}
        found = found.join(frame(connection, query, schema), on="unit_id", how="left", maintain_order="left")
    found = found.with_columns(pl.col(*_SUMS, "engagement", "handoffs").fill_null(0))
    return found.with_columns(
        (pl.col("orders") > 0).cast(pl.Int64).alias("conversion"),
        (pl.col("late") > 0).cast(pl.Int64).alias("retention"),
    ).select("unit_id", "arm", "at", *METRICS, "spend_before", "orders_before", "member")


def frame(connection: Connection, query: Any, schema: dict[str, Any]) -> pl.DataFrame:
    """Return a query's rows as a frame."""
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=schema, orient="row")


def _orders(exposed: Select[Any], window: timedelta) -> Select[Any]:
    """Return spending, orders and discounts of each unit within its window, and spending and orders in the weeks before."""
    mine, line = exposed.subquery().c, order_lines.c
    inside = line.at >= mine.at
    late = line.at >= _by(mine.at, window / 2)
    return (
        select(
            mine.unit_id,
            _sum(inside, line.amount_minor),
            func.count(distinct(case((inside, line.order_id)))),
            func.max(case((late, 1), else_=0)),
            _sum(inside, line.discount_minor + line.coupon_minor),
            _sum(~inside, line.amount_minor),
            func.count(distinct(case((~inside, line.order_id)))),
        )
        .select_from(mine.unit_id.table.join(order_lines, line.member_id == mine.unit_id))
        .where(line.at >= _by(mine.at, -BEFORE), line.at < _by(mine.at, window))
        .group_by(mine.unit_id)
    )


def _engaged(exposed: Select[Any], window: timedelta) -> Select[Any]:
    mine, e = exposed.subquery().c, events.c
    each = [
        select(mine.unit_id)
        .select_from(mine.unit_id.table.join(events, theirs))
        .where(e.type.in_(_ENGAGED), e.at >= mine.at, e.at < _by(mine.at, window))
        for theirs in _whose(mine, e)
    ]
    return _counted(each)


def _handed(exposed: Select[Any], window: timedelta) -> Select[Any]:
    mine, talk = exposed.subquery().c, conversations.c
    each = [
        select(mine.unit_id)
        .select_from(mine.unit_id.table.join(conversations, theirs))
        .where(talk.handoff, talk.created_at >= mine.at, talk.created_at < _by(mine.at, window))
        for theirs in _whose(mine, talk)
    ]
    return _counted(each)


def _whose(mine: Any, done: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return when something is a unit's: it names the member, or the visitor and no member, so that it counts for one of them."""
    return done.member_id == mine.unit_id, and_(done.visitor_id == mine.visitor_id, done.member_id.is_(None))


def _counted(each: list[Select[Any]]) -> Select[Any]:
    both = union_all(*each).subquery().c
    return select(both.unit_id, func.count()).group_by(both.unit_id)


def _sum(where: ColumnElement[bool], amount: Any) -> ColumnElement[int]:
    return cast(func.sum(case((where, amount), else_=0)), BigInteger)


def _by(at: Any, delta: timedelta) -> _Moved:
    return _Moved(at, int(delta.total_seconds()))
