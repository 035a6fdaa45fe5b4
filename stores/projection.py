"""What events change: purchases and responses. One pass is one transaction with the consumer's cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DataError

from personalization.types import Channel, EventType
from stores.database import Database
from stores.events import Event, advance, read_after
from stores.tables import members, order_lines, products, responses

CONSUMER = "projection"
_ENGAGED = {EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT}
_MOST_PIECES, _MOST_MINOR_UNITS, _LONGEST_KEY = 1_000_000, 10**11, 64

log = structlog.get_logger(__name__)


def project_once(db: Database, *, limit: int = 500) -> int:
    """Apply the next events of the log; return how many there were. Safe to repeat and to interrupt.

    An event that cannot be understood is passed over and logged: it must not hold up those behind it.
    """
    with db.write() as connection:
        batch = read_after(connection, CONSUMER, limit)
        for _, event in batch:
            if event.type is not EventType.BOUGHT and not (event.decision_id and event.product_id):
                continue
            try:
                with connection.begin_nested():
                    _apply(connection, event)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, DataError) as error:
                log.warning(
                    "an event was passed over", event_id=event.event_id, type=event.type, kind=type(error).__name__
                )
        if batch:
            advance(connection, CONSUMER, batch[-1][0])
    if not batch:
        db.finish_scrub()
    return len(batch)


def _apply(connection: Connection, event: Event) -> None:
    if event.type is EventType.BOUGHT:
        _project_order(connection, event)
    if event.decision_id and event.product_id:
        if event.type is EventType.VIEWED:
            _count(connection, event.product_id, shown=1, engaged=0)
        elif event.type in _ENGAGED:
            _count(connection, event.product_id, shown=0, engaged=1)


def _project_order(connection: Connection, event: Event) -> None:
    """Turn a `bought` event of a member into order lines, so that the next decision knows of it."""
    order_id = _key(event.payload.get("order_id") or event.event_id)
    if not _is_member(connection, event.member_id) or _is_known(connection, order_id):
        return
    store_id = event.payload.get("store_id")
    shared = {
        "order_id": order_id, "member_id": event.member_id, "at": event.at, "channel": order_channel(event),
        "store_id": None if store_id is None else _key(store_id),
    }  # fmt: skip
    rows = [{**shared, "line_no": number, **line} for number, line in enumerate(_lines(connection, event), start=1)]
    if rows:
        connection.execute(insert(order_lines), rows)


def order_channel(event: Event) -> str:
    """Return where the order was placed: what it says itself, else the channel that reported it, else a store."""
    said = event.payload.get("channel")
    return _key(said) if said else event.channel if event.channel in {Channel.WIDGET, Channel.KIOSK} else "store"


def _lines(connection: Connection, event: Event) -> Iterator[dict[str, Any]]:
    """Yield the lines; an item that the catalogue does not have teaches nothing."""
    single = [{"product_id": event.product_id}] if event.product_id else []
    for line in event.payload.get("lines") or single:
        wanted = products.c.product_id == _key(line["product_id"])
        product = connection.execute(select(products).where(wanted)).first()
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


def _key(value: object) -> str:
    key = str(value)
    if len(key) > _LONGEST_KEY or "\0" in key:
        raise ValueError("a key has at most 64 characters, none of them NUL")
    return key


def _whole(value: Any, *, least: int, most: int) -> int:
    if not least <= (number := int(value)) <= most:
        raise ValueError(f"a number is outside {least} to {most}")
    return number


def _is_member(connection: Connection, member_id: str | None) -> bool:
    # an erased member's late event must not bring anything back
    return connection.scalar(select(members.c.member_id).where(members.c.member_id == (member_id or ""))) is not None


def _is_known(connection: Connection, order_id: str) -> bool:
    lines = select(func.count()).select_from(order_lines).where(order_lines.c.order_id == order_id)
    return bool(connection.scalar(lines))


def _count(connection: Connection, product_id: str, *, shown: int, engaged: int) -> None:
    counted = connection.execute(
        update(responses)
        .where(responses.c.product_id == product_id)
        .values(shown=responses.c.shown + shown, engaged=responses.c.engaged + engaged)
    )
    if counted.rowcount == 0:
        connection.execute(insert(responses).values(product_id=product_id, shown=shown, engaged=engaged))
