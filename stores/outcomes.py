"""Redemptions become outcome events: an outbox, so that one that was interrupted is told later, and each once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from personalization.types import EventType
from stores.coupon_tables import coupons, redemptions
from stores.database import Database
from stores.events import Event, append

TOLD_AT_ONCE = 500
_EVENTS = uuid.UUID("3c1f6a52-8f7d-5a40-9c0e-7f0b7a6c2d11")


def tell(db: Database, *, now: datetime, redemption_id: str | None = None) -> int:
    """Append the events of up to TOLD_AT_ONCE redemptions (or of the one) that the log does not know; return how many.

    A redemption that was rolled back has two events: what was taken back had happened.
    """
    query = (
        select(redemptions, coupons)
        .join(coupons, coupons.c.coupon_id == redemptions.c.coupon_id)
        .where(redemptions.c.untold)
        .order_by(redemptions.c.redemption_id)
        .limit(TOLD_AT_ONCE)
    )
    if redemption_id is not None:
        query = query.where(redemptions.c.redemption_id == redemption_id)
    with db.write() as connection:
        rows = connection.execute(query.with_for_update(of=redemptions, skip_locked=True)).all()
        if rows:
            append(connection, [event for row in rows for event in _events(row)], received_at=now)
            told = redemptions.c.redemption_id.in_([row.redemption_id for row in rows])
            connection.execute(update(redemptions).where(told).values(untold=False))
    if rows:
        db.appended.set()
    return len(rows)


def _events(row: Row[Any]) -> list[Event]:
    payload = {
        "code": row.code, "coupon_id": row.coupon_id, "campaign_id": row.campaign_id, "discount_minor": row.amount_minor,
        **({"order_id": row.order_id} if row.order_id else {}),
    }  # fmt: skip
    product = row.product_ids[0] if row.product_ids else None
    times = {EventType.REDEEMED: row.at, EventType.ROLLED_BACK: row.rolled_back_at}
    return [
        Event(
            str(uuid.uuid5(_EVENTS, f"{type_.value} {row.redemption_id}")), type_, at, "api", row.member_id, None, row.decision_id,
            product, payload,
        )
        for type_, at in times.items() if at is not None
    ]  # fmt: skip
