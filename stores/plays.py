"""Proof of play: what each kiosk has shown from when to when, each play once, however often it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select

from personalization.types import Channel, EventType
from stores.codec import load_decision
from stores.database import Database, rows_where
from stores.events import Event, Status, append, in_order
from stores.screen_tables import plays
from stores.tables import decisions

_EXPOSURES = uuid.UUID("5b0f3a52-2f3d-5f0c-8a3e-6d1f5f0b7c41")
_EVENTS_REACH = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Play:
    """Something that stood on a kiosk's screen. Times are the server's: the kiosk's own plus `clock_offset_s` seconds."""

    play_id: str
    mode: str
    started_at: datetime
    ended_at: datetime
    online: bool
    decision_id: str | None = None
    creative_id: str | None = None
    film_id: str | None = None
    product_ids: tuple[str, ...] = ()
    clock_offset_s: float = 0.0


class SqlPlays:
    """Store plays, and read them back."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def store(self, kiosk_id: str, batch: Sequence[Play], *, received_at: datetime) -> list[Status]:
        """Store what is new, all or none, and tell the event log of the exposures in the same transaction.

        A play id that is there already, or twice in the batch, changes nothing and is a duplicate. A decision that is gone
        (its member was erased) or that was not made for a kiosk is not named.
        """
        if not batch:
            return []
        with self._db.write() as connection:
            in_order(connection)  # nobody else stores until this transaction ends: what is not there now will not be
            known = {
                row.play_id
                for row in rows_where(connection, plays, "play_id", (p.play_id for p in batch), only=("play_id",))
            }
            made = {
                row.decision_id: row
                for row in rows_where(connection, decisions, "decision_id", (p.decision_id or "" for p in batch))
                if row.channel == Channel.KIOSK.value
            }
            statuses: list[Status] = []
            fresh: list[Play] = []
            for play in batch:
                statuses.append("duplicate" if play.play_id in known else "accepted")
                if play.play_id not in known:
                    known.add(play.play_id)
                    fresh.append(play)
            if fresh:
                connection.execute(insert(plays), [_row(kiosk_id, play, made, received_at) for play in fresh])
                append(connection, list(_exposures(fresh, made, received_at)), received_at=received_at)
        self._db.appended.set()
        return statuses

    def after(self, kiosk_id: str, seq: int, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` plays of the kiosk behind position `seq`, as they came in."""
        query = select(plays).where(plays.c.kiosk_id == kiosk_id, plays.c.seq > seq).order_by(plays.c.seq).limit(limit)
        with self._db.read() as connection:
            return [_told(row) for row in connection.execute(query)]


def _row(kiosk_id: str, play: Play, made: Mapping[str, Row[Any]], received_at: datetime) -> dict[str, Any]:
    return {
        "play_id": play.play_id, "kiosk_id": kiosk_id, "mode": play.mode, "creative_id": play.creative_id,
        "film_id": play.film_id,
        "decision_id": play.decision_id if play.decision_id in made else None, "product_ids": list(play.product_ids),
        "started_at": play.started_at, "ended_at": play.ended_at, "online": play.online,
        "clock_offset_s": play.clock_offset_s, "received_at": received_at,
    }  # fmt: skip


def _told(row: Row[Any]) -> dict[str, Any]:
    told = {name: value for name, value in row._mapping.items() if name not in {"seq", "kiosk_id"}}
    times = {name: told[name].isoformat() for name in ("started_at", "ended_at", "received_at")}
    return {"position": row.seq, **told, **times}


def _exposures(batch: Sequence[Play], made: Mapping[str, Row[Any]], received_at: datetime) -> Iterator[Event]:
    """Yield one `viewed` per decision and item, whatever the number of its plays.

    The loop that plays for nobody in particular names its decision only: what maybe nobody looked at does not count against
    a product.
    """
    slates: dict[str, frozenset[str]] = {}
    told: set[tuple[str, str | None]] = set()
    for play in batch:
        row = made.get(play.decision_id or "")
        if row is None:
            continue
        decision_id = str(row.decision_id)
        if decision_id not in slates:
            slate = load_decision(row.body).slate
            slates[decision_id] = frozenset(str(item.product.product_id) for item in slate)
        items: Sequence[str | None] = [one for one in dict.fromkeys(play.product_ids) if one in slates[decision_id]]
        for item in [None] if play.mode == "attract" else items:
            if (decision_id, item) in told:
                continue
            told.add((decision_id, item))
            recent = received_at - _EVENTS_REACH <= play.started_at <= received_at
            yield Event(
                str(uuid.uuid5(_EXPOSURES, f"{decision_id} {item or ''}")), EventType.VIEWED,
                play.started_at if recent else received_at, Channel.KIOSK.value, row.member_id, row.visitor_id, decision_id, item,
            )  # fmt: skip
