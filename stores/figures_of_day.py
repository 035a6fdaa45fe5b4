"""What one day's figures are made from: the events, decisions, order lines and ledger entries of the day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, distinct, exists, func, select

from personalization.figures import EVERY_CHANNEL, SHARED_BY_LEAST
from personalization.types import EventType
from stores.coupon_tables import coupons, ledger_entries
from stores.tables import decisions, events, handoffs, order_lines

VISITS, ORDERS = "visits", "orders"
_NAMES = {
    VISITS: ("sessions", "members", "visitors", "buyers", "viewed", "clicked", "added_to_basket", "bought", "decisions", "fallbacks",
             "handoffs", "affect_messages", "affect_valence", "affect_members", "ratings", "ratings_sum"),
    ORDERS: ("revenue", "orders", "acquired", "coupons_issued", "coupons_redeemed", "coupon_spend"),
}  # fmt: skip
_THERE = [
    one.value
    for one in (
        EventType.PAGE_VIEWED, EventType.MESSAGE_SENT, EventType.DWELLED, EventType.EXPRESSED, EventType.LOCATED,
        EventType.VIEWED, EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT,
    )
]  # fmt: skip
_COUNTED = (EventType.VIEWED, EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT)
_FELT = [EventType.MESSAGE_SENT.value, EventType.EXPRESSED.value]
_IMPORT = "import"  # a history that was read in is no visit
_READ_AT_ONCE = 2_000


class Row(NamedTuple):
    """A number of a day."""

    name: str
    channel: str
    part: str
    value: int


def of_day(connection: Connection, kind: str, start: datetime, end: datetime) -> tuple[Collection[str], list[Row]]:
    """Return the names of one kind of figures, and their rows of the day from `start` to `end`."""
    made = _visits(connection, start, end) if kind == VISITS else _orders(connection, start, end)
    return _NAMES[kind], list(made)


def _visits(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    e = events.c
    who = func.coalesce(e.member_id, e.visitor_id)
    counts = [func.sum(case((e.type == one.value, 1), else_=0)).label(one.value) for one in _COUNTED]
    query = select(
        e.channel, func.count(distinct(who)).label("sessions"),
        func.count(distinct(case((e.type == EventType.BOUGHT.value, who)))).label("buyers"), *counts,
    ).where(*_were_there(start, end)).group_by(e.channel)  # fmt: skip
    for row in connection.execute(query):
        for name, value in row._mapping.items():
            if name != "channel":
                yield Row(name, row.channel, "", int(value))
    yield from people_of(connection, start, end)
    yield from _affect(connection, start, end)
    yield from _decided(connection, start, end)
    asked = select(func.count()).select_from(handoffs).where(handoffs.c.queued_at >= start, handoffs.c.queued_at < end)
    yield Row("handoffs", "widget", "", connection.scalar(asked) or 0)
    score = e.payload["score"].as_integer()
    rated = select(e.channel, func.count(), func.sum(score)).where(
        e.at >= start, e.at < end, e.type == EventType.RATED.value
    )
    for channel, n, total in connection.execute(rated.group_by(e.channel)):
        yield Row("ratings", channel, "", n)
        yield Row("ratings_sum", channel, "", int(total or 0))


def people_of(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    """Yield how many members and visitors were there, by channel and over all of them: who is on two is one person."""
    e = events.c
    unknown = case((e.member_id.is_(None), e.visitor_id))
    counts = (func.count(distinct(e.member_id)), func.count(distinct(unknown)))
    within = _were_there(start, end)
    by_channel = connection.execute(select(e.channel, *counts).where(*within).group_by(e.channel)).all()
    over_all = connection.execute(select(*counts).where(*within)).one()
    for channel, members, visitors in (*by_channel, (EVERY_CHANNEL, *over_all)):
        yield Row("members", channel, "", members)
        yield Row("visitors", channel, "", visitors)


def _were_there(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    e = events.c
    return e.at >= start, e.at < end, e.type.in_(_THERE), e.channel != _IMPORT


def _affect(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    """Yield how members sounded and looked, of channels where enough of them did: of fewer nothing is kept.

    An event names its member only with the consent that its source needs.
    """
    e = events.c
    valence = e.payload["valence"].as_float()
    query = select(e.channel, func.count(valence), func.sum(valence), func.count(distinct(e.member_id))).where(
        e.at >= start, e.at < end, e.type.in_(_FELT), e.member_id.is_not(None)
    )
    for channel, n, total, people in connection.execute(query.group_by(e.channel)):
        if people >= SHARED_BY_LEAST and n:
            yield Row("affect_messages", channel, "", n)
            yield Row("affect_valence", channel, "", round(float(total) * 1000))
            yield Row("affect_members", channel, "", people)


def _decided(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    d = decisions.c
    within = (d.at >= start, d.at < end)
    for channel, n in connection.execute(select(d.channel, func.count()).where(*within).group_by(d.channel)):
        yield Row("decisions", channel, "", n)
    used = Counter[str]()
    for fallen in _fallbacks(connection, *within):
        used.update(str(one["component"])[:64] for one in fallen or ())
    for component, n in used.items():
        yield Row("fallbacks", "", component, n)


def _fallbacks(connection: Connection, *within: Any) -> Iterator[list[dict[str, Any]] | None]:
    query = select(decisions.c.body["fallbacks"]).where(*within).execution_options(yield_per=_READ_AT_ONCE)
    yield from connection.scalars(query)


def _orders(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    o = order_lines.c
    within = (o.at >= start, o.at < end)
    query = select(o.channel, func.sum(o.amount_minor), func.count(distinct(o.order_id))).where(*within)
    for channel, amount, n in connection.execute(query.group_by(o.channel)):
        yield Row("revenue", channel, "", int(amount))
        yield Row("orders", channel, "", n)
    earlier = order_lines.alias()
    new = ~exists().where(earlier.c.member_id == o.member_id, earlier.c.at < start)
    firsts = (
        select(o.member_id, func.min(o.channel).label("channel")).where(*within, new).group_by(o.member_id).subquery()
    )
    for channel, n in connection.execute(select(firsts.c.channel, func.count()).group_by(firsts.c.channel)):
        yield Row("acquired", channel, "", n)
    yield from _coupons(connection, start, end)


def _coupons(connection: Connection, start: datetime, end: datetime) -> Iterator[Row]:
    """Yield coupons by the channel of the decision that gave them; of none where it was given without, or is erased."""
    channel = func.coalesce(decisions.c.channel, "")
    with_channel = coupons.outerjoin(decisions, decisions.c.decision_id == coupons.c.decision_id)
    issued = select(channel, func.count()).select_from(with_channel)
    issued = issued.where(coupons.c.issued_at >= start, coupons.c.issued_at < end).group_by(channel)
    for name, n in connection.execute(issued):
        yield Row("coupons_issued", name, "", n)
    entry = ledger_entries.c
    sign = case((entry.kind == "redeem", 1), else_=-1)
    moved = (
        select(channel, func.sum(sign), func.sum(sign * entry.amount_minor))
        .select_from(ledger_entries.join(coupons, coupons.c.coupon_id == entry.coupon_id).outerjoin(
            decisions, decisions.c.decision_id == coupons.c.decision_id))
        .where(entry.at >= start, entry.at < end, entry.scope == "", entry.kind.in_(["redeem", "rollback"]))
        .group_by(channel)
    )  # fmt: skip
    for name, n, amount in connection.execute(moved):
        yield Row("coupons_redeemed", name, "", int(n))
        yield Row("coupon_spend", name, "", int(amount))
