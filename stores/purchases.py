"""Order lines: what members bought."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, bindparam, func, select

from personalization.coupons.log import CouponLog
from personalization.decisions import LoggedRequest
from personalization.types import MemberId, Money, OrderId, ProductId, Purchase, Purpose, StoreId
from stores.catalogue import read_facts
from stores.consents import latest_consents
from stores.coupon_log import coupon_log
from stores.database import Database
from stores.logged import logged_requests
from stores.tables import imports, order_lines, products

MOST_KEPT = 1024


_L = order_lines.c
_MINE = (_L.member_id == bindparam("member"), _L.at <= bindparam("until"))
# Events only add lines; an import can also change them, so its time belongs to the state.
_STATE = select(
    func.count(), func.max(_L.at), func.sum(_L.amount_minor), func.sum(_L.quantity),
    select(func.max(imports.c.at)).scalar_subquery(),
).where(*_MINE)  # fmt: skip
_LINES = (
    select(_L.order_id, _L.product_id, _L.at, _L.quantity, _L.amount_minor, _L.currency, _L.store_id)
    .where(*_MINE)
    .order_by(_L.at, _L.order_id, _L.line_no)
)


class SqlPurchases:
    """The `Purchases` of the brain.

    A history that did not change since it was last asked for is the same object again, so that what follows from it
    need not be computed twice. The last MOST_KEPT histories stay in memory; an erased member's goes with the next question.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: OrderedDict[MemberId, tuple[object, Sequence[Purchase]]] = OrderedDict()
        self._lock = threading.Lock()

    def of_member(self, member_id: MemberId, *, until: datetime) -> Sequence[Purchase]:
        """Return the member's purchases up to `until`, oldest first."""
        asked = {"member": member_id, "until": until}
        with self._db.read() as connection:
            now = tuple(connection.execute(_STATE, asked).one())
            with self._lock:
                then, kept = self._kept.get(member_id, (None, ()))
            if then == now:
                return kept
            found = self._load(connection, asked)
        with self._lock:
            self._kept[member_id] = (now, found)
            self._kept.move_to_end(member_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    @staticmethod
    def _load(connection: Connection, asked: dict[str, Any]) -> Sequence[Purchase]:
        rows = connection.execute(_LINES, asked)
        return tuple(
            Purchase(
                OrderId(order),
                ProductId(product),
                at,
                quantity,
                Money(amount, currency),
                None if store is None else StoreId(store),
            )
            for order, product, at, quantity, amount, currency, store in rows
        )


class SqlTrainingSource:
    """Bulk reads for training; members without consent to profiling are left out."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def order_lines(self) -> pl.DataFrame:
        """Return the order lines of consenting members (columns: see `TrainingSource`)."""
        lines, latest = order_lines.c, latest_consents(Purpose.PROFILING)
        query = select(
            lines.member_id,
            lines.order_id,
            lines.product_id,
            lines.store_id,
            lines.at,
            lines.quantity,
            lines.amount_minor,
            lines.discount_minor,
            lines.coupon_minor,
            lines.channel,
        ).where(lines.member_id.in_(select(latest.c.member_id).where(latest.c.granted)))
        frame = self._frame(query)
        at = pl.col("at")
        parsed = at.str.to_datetime("%Y-%m-%d %H:%M:%S%.f") if frame.schema["at"] == pl.String else at
        return frame.with_columns(
            parsed.dt.replace_time_zone("UTC") if self._db.is_sqlite else parsed.dt.convert_time_zone("UTC")
        ).with_columns(pl.col("at").dt.cast_time_unit("us"))

    def products(self) -> pl.DataFrame:
        """Return the products that may be shown (columns: see `TrainingSource`)."""
        columns = products.c
        return self._frame(
            select(
                columns.product_id,
                columns.name,
                columns.department,
                columns.category,
                columns.brand,
                columns.package_size,
                columns.price_minor,
                columns.currency,
            ).where(columns.recommendable)
        )

    def product_facts(self) -> pl.DataFrame:
        """Return what profiling needs of every product (columns: `personalization.profiling.facts`)."""
        return read_facts(self._db)

    def logged_requests(self, *, since: datetime, most: int) -> Iterator[LoggedRequest]:
        """Yield decisions with what came of them (see `TrainingSource`)."""
        return logged_requests(self._db, since=since, most=most)

    def coupon_log(self, *, since: datetime, until: datetime, horizon: timedelta) -> CouponLog:
        """Return what came of allotments (see `TrainingSource`)."""
        return coupon_log(self._db, since=since, until=until, horizon=horizon)

    def _frame(self, query: Select[Any]) -> pl.DataFrame:
        # the driver's own rows: SQLAlchemy's per-value processing costs more than the whole read
        sql = str(query.compile(self._db.engine, compile_kwargs={"literal_binds": True}))
        with self._db.read() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(sql)
            names = [column[0] for column in cursor.description]
            frames = []
            while rows := cursor.fetchmany(200_000):
                frames.append(pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None))
            cursor.close()
        return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
