"""What stores have on display or in the mailer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from personalization.types import Placement, ProductId, StoreId
from stores.database import Database
from stores.tables import imports, promotions

MOST_KEPT = 256
ALL_STORES = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What runs in a store from `since` until `until`, as of the import at `imported`."""

    imported: datetime | None
    since: datetime
    until: datetime
    placements: Mapping[ProductId, str]


class SqlPromotions:
    """The `Promotions` of the brain.

    A store's promotions stay in memory until the hour changes, one of them ends, or something was imported. What starts
    within an hour is therefore seen with the next one; what has ended is never told as running.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: OrderedDict[StoreId | None, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def running(self, store_id: StoreId | None, *, at: datetime) -> Mapping[ProductId, str]:
        """Return the placement of each product promoted in that store, or in all stores, at `at`; display before mailer."""
        with self._db.read() as connection:
            imported = connection.scalar(select(func.max(imports.c.at)))
            with self._lock:
                kept = self._kept.get(store_id)
            if kept is not None and kept.imported == imported and kept.since <= at < kept.until:
                return kept.placements
            kept = _load(connection, store_id, at, imported)
        with self._lock:
            self._kept[store_id] = kept
            self._kept.move_to_end(store_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return kept.placements


def _load(connection: Connection, store_id: StoreId | None, at: datetime, imported: datetime | None) -> _Kept:
    told = promotions.c
    here = told.store_id == ALL_STORES
    if store_id is not None:
        here = or_(here, told.store_id == store_id)
    query = select(told.product_id, told.placement, told.ends_at).where(here, told.starts_at <= at, told.ends_at > at)
    placements: dict[ProductId, str] = {}
    since = at.replace(minute=0, second=0, microsecond=0)
    until = since + timedelta(hours=1)
    for product_id, placement, ends_at in connection.execute(query):
        if placement == Placement.DISPLAY or product_id not in placements:
            placements[product_id] = placement
        until = min(until, ends_at)
    return _Kept(imported, since, until, placements)
