"""What events change: purchases and responses. One pass is one transaction with the consumer's cursor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, or_, update

from personalization.types import Channel, EventType
from stores.database import Database, rows_where
from stores.events import Event, advance, read_after
from stores.tables import events, members, order_lines, products, responses

CONSUMER = "projection"
_ENGAGED = {EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT}
_MOST_PIECES, _MOST_MINOR_UNITS, _LONGEST_KEY = 1_000_000, 10**11, 64

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Known:
    """What the events of one pass refer to and the database already has."""

    members: set[str]
    orders: set[str]
    products: Mapping[str, Row[Any]]


def project_once(db: Database, *, limit: int = 500) -> int:
    """Apply the next `limit` positions of the log; return how many there were. Safe to repeat and to interrupt.

    An event that cannot be understood is passed over and logged: it must not hold up those behind it.
    """
    wanted = or_(events.c.type == EventType.BOUGHT.value, events.c.decision_id.is_not(None))
    with db.write() as connection:
        last, end, batch = read_after(connection, CONSUMER, limit, wanted)
        _project_orders(connection, [event for event in batch if event.type is EventType.BOUGHT])
        _count_responses(connection, batch)
        if end > last:
            advance(connection, CONSUMER, end)
    if end == last:
        db.finish_scrub()
    return end - last


def _project_orders(connection: Connection, bought: Sequence[Event]) -> None:
    """Turn the members' orders into order lines, so that the next decision knows of them."""
    if not bought:
        return
    known = _look_up(connection, bought)
    rows: list[dict[str, Any]] = []
    for event in bought:
        try:
            rows += _order(event, known)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            log.warning("an event was passed over", event_id=event.event_id, type=event.type, kind=type(error).__name__)
    if rows:
        connection.execute(insert(order_lines), rows)


def _look_up(connection: Connection, bought: Sequence[Event]) -> _Known:
    wanted = {
        str(line.get("product_id")) for event in bought for line in _raw_lines(event) if isinstance(line, Mapping)
    }
    sound = (key for key in wanted if len(key) <= _LONGEST_KEY and "\0" not in key)
    found = {row.product_id: row for row in rows_where(connection, products, "product_id", sound)}
    people = {
        row.member_id for row in rows_where(connection, members, "member_id", (e.member_id or "" for e in bought))
    }
    orders = (str(event.payload.get("order_id") or event.event_id) for event in bought)
    placed = {row.order_id for row in rows_where(connection, order_lines, "order_id", orders)}
    return _Known(people, placed, found)


def _order(event: Event, known: _Known) -> list[dict[str, Any]]:
    """Return an order's lines; none for an order that is known, or of nobody: an erased member stays erased."""
    order_id = _key(event.payload.get("order_id") or event.event_id)
    if event.member_id not in known.members or order_id in known.orders:
        return []
    store_id = event.payload.get("store_id")
    shared = {
        "order_id": order_id, "member_id": event.member_id, "at": event.at, "channel": _channel(event),
        "store_id": None if store_id is None else _key(store_id),
    }  # fmt: skip
    rows = [{**shared, "line_no": number, **line} for number, line in enumerate(_lines(event, known), start=1)]
    known.orders.add(order_id)
    return rows


def _channel(event: Event) -> str:
    """Return where the order was placed: what it says itself, else the channel that reported it, else a store."""
    said = event.payload.get("channel")
    return _key(said) if said else event.channel if event.channel in {Channel.WIDGET, Channel.KIOSK} else "store"


def _raw_lines(event: Event) -> Any:
    lines = event.payload.get("lines") or ([{"product_id": event.product_id}] if event.product_id else [])
    return lines if isinstance(lines, list) else []


def _lines(event: Event, known: _Known) -> Iterator[dict[str, Any]]:
    """Yield the lines; an item that the catalogue does not have teaches nothing."""
    for line in _raw_lines(event):
        product = known.products.get(_key(line["product_id"]))
        if product is None:
            continue
        quantity = _whole(line.get("quantity", 1), least=1, most=_MOST_PIECES)
        paid = line.get("amount_minor", product.price_minor * quantity)
        off = {name: line.get(name, 0) for name in ("discount_minor", "coupon_minor")}
        amounts = {
            name: _whole(value, least=0, most=_MOST_MINOR_UNITS)
            for name, value in {"amount_minor": paid, **off}.items()
        }
        yield {"product_id": product.product_id, "quantity": quantity, "currency": product.currency, **amounts}


def _count_responses(connection: Connection, batch: Sequence[Event]) -> None:
    """Count how often items were shown in decisions, and how often that led to something."""
    shown, engaged = Counter[str](), Counter[str]()
    for event in batch:
        if event.decision_id and event.product_id:
            if event.type is EventType.VIEWED:
                shown[event.product_id] += 1
            elif event.type in _ENGAGED:
                engaged[event.product_id] += 1
    for product_id in sorted(shown | engaged):
        _count(connection, product_id, shown=shown[product_id], engaged=engaged[product_id])


def _key(value: object) -> str:
    key = str(value)
    if len(key) > _LONGEST_KEY or "\0" in key:
        raise ValueError("a key has at most 64 characters, none of them NUL")
    return key


def _whole(value: Any, *, least: int, most: int) -> int:
    if not least <= (number := int(value)) <= most:
        raise ValueError(f"a number is outside {least} to {most}")
    return number


def _count(connection: Connection, product_id: str, *, shown: int, engaged: int) -> None:
    counted = connection.execute(
        update(responses)
        .where(responses.c.product_id == product_id)
        .values(shown=responses.c.shown + shown, engaged=responses.c.engaged + engaged)
    )
    if counted.rowcount == 0:
        connection.execute(insert(responses).values(product_id=product_id, shown=shown, engaged=engaged))
