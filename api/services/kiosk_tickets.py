"""What a kiosk holds for when the api is away: a sealed note of whom it greets, and the number of its cached copies."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from api.errors import ProblemError
from personalization.types import MemberId
from stores.database import Database
from stores.errors import KeyMaterialError
from stores.kiosks import Kiosk
from stores.tables import counters

_PURPOSE = "kiosk-tickets"
VALID_FOR = timedelta(days=7)


def ticket(db: Database, kiosk: Kiosk, members: Collection[str], *, at: datetime) -> str:
    """Return a note of whom the kiosk greets that only the api can read: with it "forget me" reaches them later, and nobody else."""
    told = json.dumps({"members": sorted(members), "at": at.isoformat()}).encode()
    return base64.urlsafe_b64encode(db.seal(_PURPOSE, told, kiosk.kiosk_id)).decode()


def members_of(db: Database, kiosk: Kiosk, given: str) -> frozenset[MemberId]:
    """Return whom the kiosk greeted when it got the ticket; ProblemError 410 when it is not its own, or too old."""
    try:
        told = json.loads(db.open(_PURPOSE, base64.urlsafe_b64decode(given), kiosk.kiosk_id))
    except (KeyMaterialError, binascii.Error, ValueError) as error:
        raise ProblemError(410, "ticket", "This ticket is not this kiosk's.") from error
    if datetime.now(UTC) - datetime.fromisoformat(told["at"]) > VALID_FOR:
        raise ProblemError(410, "ticket", "This ticket is more than seven days old.")
    return frozenset(map(MemberId, told["members"]))


def epoch(db: Database, kiosk: Kiosk) -> int:
    """Return the number that the kiosk's cached copies have to carry; others are deleted."""
    with db.read() as connection:
        return connection.scalar(select(counters.c.value).where(counters.c.name == _counter(kiosk))) or 0


def next_epoch(db: Database, kiosk: Kiosk) -> int:
    """Make every copy that the kiosk holds an old one; return the new number."""
    mine = counters.c.name == _counter(kiosk)
    with db.write() as connection:
        if connection.execute(update(counters).where(mine).values(value=counters.c.value + 1)).rowcount == 0:
            connection.execute(insert(counters).values(name=_counter(kiosk), value=1))
        return connection.scalar(select(counters.c.value).where(mine)) or 0


def _counter(kiosk: Kiosk) -> str:
    return f"kiosk-cache:{kiosk.kiosk_id}"
