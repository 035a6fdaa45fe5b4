"""Bulk writes of validated frames: one transaction for everything, so nothing is ever half imported."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, exists, func, select, text, update

from personalization.trust.retention import Schedule
from personalization.types import MemberId, Purpose
from stores.consents import SEEN, TICK, ConsentEntry, append
from stores.coupon_tables import budgets, campaign_audience, campaigns, offer_products, offers
from stores.database import Database, new_id
from stores.events import in_order
from stores.importing.schema import caps_of
from stores.kiosks import bump_gallery
from stores.members import email_hash
from stores.tables import consents, cursors, events, members, order_lines, products, promotions
from stores.withdrawals import take_back

BATCH = 50_000
IMPORT = "import"
_ORDERS = uuid.UUID("6f1d2ab4-6d0c-5c77-9d6b-0a5e5b1f0c11")


class BulkWriter:
    """Writes typed frames through the driver's own fast path: executemany on SQLite, COPY on PostgreSQL.

    `schedule` : until when consents count; without it they do not end by themselves.
    """

    def __init__(self, db: Database, connection: Connection, schedule: Schedule | None = None) -> None:
        self._db = db
        self._connection = connection
        self._schedule = schedule
        self._withdrawn: list[ConsentEntry] = []

    def upsert(self, table: Table, frame: pl.DataFrame, key: list[str], *, replace: bool = True) -> None:
        """Insert `frame`; where `key` exists already, replace the row, or leave it when `replace` is False."""
        if frame.is_empty():
            return
        columns = [column.name for column in table.columns if column.name in frame.columns]
        rest = [name for name in columns if name not in {*key, "created_at"}]
        action = (
            "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in rest)
            if replace and rest
            else "DO NOTHING"
        )
        conflict = f"ON CONFLICT ({', '.join(key)}) {action}"
        names = ", ".join(columns)
        cursor = self._connection.connection.cursor()
        if self._db.is_sqlite:
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {conflict}"  # noqa: S608
            for rows in _batches(_sqlite_ready(frame.select(columns))):
                cursor.executemany(statement, rows)
        else:
            staging = f"staging_{table.name}"
            cursor.execute(f"CREATE TEMP TABLE {staging} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP")
            if "seq" in table.columns:
                cursor.execute(f"ALTER TABLE {staging} ALTER COLUMN seq DROP NOT NULL")
            with cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
                for rows in _batches(frame.select(columns)):
                    for row in rows:
                        copy.write_row(row)
            cursor.execute(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staging} {conflict}")  # noqa: S608
            cursor.execute(f"DROP TABLE {staging}")
        cursor.close()

    def _delete(self, table: str, condition: str, values: pl.DataFrame) -> None:
        """Delete the rows of `table` that `condition` ({0}: a value) finds for each row of `values`."""
        cursor = self._connection.connection.cursor()
        mark = "?" if self._db.is_sqlite else "%s"
        cursor.executemany(f"DELETE FROM {table} WHERE {condition.format(mark)}", values.rows())  # noqa: S608
        cursor.close()

    def members(self, frame: pl.DataFrame, at: datetime) -> None:
        """Store members and their consents; a member keeps the id, and what the member decided elsewhere stands.

        What a file takes back is taken back by `withdraw`, at the end.
        """
        if frame["consents"].is_not_null().any():  # locked in the order of a withdrawal: neither waits for the other
            if self._seen(frame):
                bump_gallery(self._connection)
            in_order(self._connection)
        known = self.member_ids()
        frame = frame.rename({"household": "household_id"})
        frame = frame.join(known, left_on="external_id", right_on="external_id", how="left")
        fresh = pl.col("member_id").is_null()
        ids = pl.Series("new_id", [new_id() for _ in range(frame.height)])
        frame = frame.with_columns(ids).with_columns(
            pl.when(fresh).then("new_id").otherwise("member_id").alias("member_id")
        )
        sealed = [
            None if email is None else self._db.seal("contact", email.encode(), member_id)
            for member_id, email in frame.select("member_id", "email").iter_rows()
        ]
        findable = [None if email is None else email_hash(self._db, email) for email in frame["email"]]
        named = pl.when(pl.col("display_name") == "").then(pl.concat_str(pl.lit("Member "), "external_id"))
        rows = frame.with_columns(
            pl.Series("email", sealed, dtype=pl.Binary), named.otherwise("display_name").alias("display_name"),
            pl.lit(at).alias("created_at"), pl.Series("email_hash", findable, dtype=pl.String),
        )  # fmt: skip
        self.upsert(members, rows, ["member_id"])
        self._consents(rows.filter(pl.col("consents").is_not_null()), at)

    def _consents(self, rows: pl.DataFrame, at: datetime) -> None:
        """Append what changed: a file may take back what a file granted, never what the member said on another channel."""
        age = func.row_number().over(
            partition_by=(consents.c.member_id, consents.c.purpose),
            order_by=(consents.c.at.desc(), consents.c.consent_id.desc()),
        )
        c = consents.c
        latest = select(c.member_id, c.purpose, c.granted, c.channel, c.at, age.label("age")).subquery()
        stand = pl.DataFrame(
            self._connection.execute(select(latest).where(latest.c.age == 1).with_only_columns(*list(latest.c)[:5])).all(),
            schema={"member_id": pl.String, "purpose": pl.String, "granted": pl.Boolean, "channel": pl.String, "last": pl.Datetime("us", "UTC")},
            orient="row",
        )  # fmt: skip
        wanted = (
            rows.filter(pl.col("consents") != "").with_columns(pl.col("consents").str.split(";").alias("purpose"))
            .explode("purpose").select("member_id", "purpose", "text_version").unique()
        )  # fmt: skip
        pair = ["member_id", "purpose"]
        elsewhere = stand.filter((pl.col("channel") != IMPORT) | pl.col("granted"))
        granted = wanted.join(elsewhere, on=pair, how="anti").join(stand.select(*pair, "last"), on=pair, how="left")
        withdrawn = (
            stand.filter((pl.col("channel") == IMPORT) & pl.col("granted"))
            .join(rows.select("member_id", "text_version"), on="member_id").join(wanted, on=pair, how="anti")
        )  # fmt: skip
        ids = pl.Series("consent_id", [new_id() for _ in range(granted.height)], dtype=pl.String)
        terms = self._schedule
        ends = [None if terms is None else terms.expiry(Purpose(one), at=at) for one in granted["purpose"]]
        entries = granted.with_columns(
            ids, pl.max_horizontal(pl.lit(at), pl.col("last") + TICK).alias("at"), pl.lit(IMPORT).alias("channel"),
            pl.lit(True).alias("granted"), pl.Series("expires_at", ends, dtype=pl.Datetime("us", "UTC")),
        )  # fmt: skip
        self.upsert(consents, entries, ["consent_id"])
        self._withdrawn += [
            ConsentEntry(MemberId(member_id), Purpose(purpose), False, at, IMPORT, text_version)
            for member_id, purpose, text_version in withdrawn.select(*pair, "text_version").sort(pair).iter_rows()
        ]

    def _seen(self, frame: pl.DataFrame) -> bool:
        """Whether the file may change whom cameras know or read."""
        if frame["consents"].str.contains("|".join(SEEN)).any():
            return True
        theirs = exists().where(consents.c.channel == IMPORT, consents.c.purpose.in_([one.value for one in SEEN]))
        return bool(self._connection.scalar(select(theirs)))

    def withdraw(self) -> None:
        """Take back what files granted and do no more, as where the member withdraws; call it last in the transaction.

        What takes longer is noted, and left to whoever finishes withdrawals.
        """
        for member_id, entries in groupby(self._withdrawn, key=lambda entry: entry.member_id):
            some = list(entries)
            take_back(self._connection, member_id, {entry.purpose for entry in some}, at=some[0].at)
        if self._withdrawn:
            append(self._db, self._connection, self._withdrawn)
            self._withdrawn = []

    def member_ids(self) -> pl.DataFrame:
        """Return (external_id, member_id) of every member."""
        rows = self._connection.execute(select(members.c.external_id, members.c.member_id)).all()
        return pl.DataFrame(rows, schema={"external_id": pl.String, "member_id": pl.String}, orient="row")

    def products(self, frame: pl.DataFrame, currency: str) -> None:
        """Store the catalogue."""
        rows = frame.rename({"price": "price_minor", "regular_price": "regular_price_minor"})
        there = pl.col("in_stock") & (pl.col("stock").is_null() | (pl.col("stock") > 0))
        rows = rows.with_columns(pl.lit(currency).alias("currency"), there.alias("in_stock"))
        self.upsert(products, rows, ["product_id"])

    def promotions(self, frame: pl.DataFrame) -> None:
        """Store where products are promoted, and when."""
        self.upsert(promotions, frame, ["product_id", "store_id", "placement", "starts_at"])

    def orders(self, frame: pl.DataFrame, currency: str, at: datetime) -> None:
        """Store order lines, and one `bought` event for each order that the log does not have."""
        lines = frame.sort("order_id", maintain_order=True).with_columns(
            pl.int_range(1, pl.len() + 1).over("order_id").alias("line_no"), pl.lit(currency).alias("currency"),
            pl.col("amount").alias("amount_minor"), pl.col("discount").alias("discount_minor"),
            pl.col("coupon").alias("coupon_minor"),
        )  # fmt: skip
        empty = not self._connection.scalar(select(func.count()).select_from(order_lines.select().limit(1).subquery()))
        for index in order_lines.indexes if empty else ():
            index.drop(self._connection)  # one sort at the end is quicker than 1.5 million look-ups
        self.upsert(order_lines, lines, ["order_id", "line_no"])
        for index in order_lines.indexes if empty else ():
            index.create(self._connection)
        if not empty:  # an order that has fewer lines than it had
            counts = lines.group_by("order_id").agg(pl.max("line_no"))
            self._delete("order_lines", "order_id = {0} AND line_no > {0}", counts)
        in_order(self._connection)
        before = self._connection.scalar(select(func.max(events.c.seq))) or 0
        self._bought_events(lines, at)
        self._skip_projected(before)

    def _bought_events(self, lines: pl.DataFrame, at: datetime) -> None:
        line = pl.struct("product_id", "quantity", "amount_minor", "discount_minor", "coupon_minor")
        orders = lines.group_by("order_id", maintain_order=True).agg(
            pl.min("at"), pl.first("member_id", "store_id", "channel"), line.alias("lines")
        )
        payload = pl.struct("order_id", "store_id", "channel", "lines").struct.json_encode()
        event_ids = [str(uuid.uuid5(_ORDERS, order_id)) for order_id in orders["order_id"]]
        rows = orders.select(
            pl.Series("event_id", event_ids, dtype=pl.String), pl.lit("bought").alias("type"), "at",
            pl.lit(at).alias("received_at"), pl.lit(IMPORT).alias("channel"), "member_id", payload.alias("payload"),
        )  # fmt: skip
        self.upsert(events, rows, ["event_id"], replace=False)

    def _skip_projected(self, before: int) -> None:
        """Move a consumer that had everything before past these events: their lines are in already."""
        done = self._connection.scalar(select(cursors.c.seq).where(cursors.c.consumer == "projection")) or 0
        if done == before:
            last = self._connection.scalar(select(func.max(events.c.seq))) or 0
            self.upsert(cursors, pl.DataFrame({"consumer": ["projection"], "seq": [last]}), ["consumer"])

    def campaigns(self, frame: pl.DataFrame, currency: str) -> None:
        """Store campaigns, audiences and budgets; what a budget has spent and promised is kept."""
        everybody = pl.col("audience") == "everybody"
        self.upsert(campaigns, frame.with_columns(everybody.alias("for_everybody")), ["campaign_id"])
        audience = (
            frame.filter(~everybody).with_columns(pl.col("audience").str.split(";")).explode("audience")
            .join(self.member_ids(), left_on="audience", right_on="external_id").select("campaign_id", "member_id").unique()
        )  # fmt: skip
        self._delete("campaign_audience", "campaign_id = {0}", frame.select("campaign_id"))
        self.upsert(campaign_audience, audience, ["campaign_id", "member_id"])
        for campaign_id, budget, caps in frame.select("campaign_id", "budget", "caps").iter_rows():
            # a cap that is not listed any more is the whole budget: coupons that count against it still move it
            self._connection.execute(
                update(budgets).where(budgets.c.campaign_id == campaign_id, budgets.c.scope != "").values(total=budget)
            )
            for scope, scope_id, total in [("", "", budget), *caps_of(caps)]:
                self._connection.execute(
                    text(
                        "INSERT INTO budgets (campaign_id, scope, scope_id, currency, total, reserved, spent)"
                        " VALUES (:campaign, :scope, :scope_id, :currency, :total, 0, 0)"
                        " ON CONFLICT (campaign_id, scope, scope_id) DO UPDATE SET total = excluded.total"
                    ),
                    {
                        "campaign": campaign_id,
                        "scope": scope,
                        "scope_id": scope_id,
                        "currency": currency,
                        "total": total,
                    },
                )

    def coupons(self, frame: pl.DataFrame, currency: str) -> None:
        """Store offers and the products that each covers."""
        rows = frame.with_columns(
            pl.col("discount").alias("discount_minor"),
            pl.lit(currency).alias("currency"),
            (pl.col("product_ids") == "").alias("for_any_product"),
            pl.col("percent").alias("percent_bp"),
            pl.col("minimum_basket").alias("minimum_basket_minor"),
        )
        self.upsert(offers, rows, ["offer_id"])
        covered = frame.filter(pl.col("product_ids") != "").select("offer_id", pl.col("product_ids").str.split(";"))
        self._delete("offer_products", "offer_id = {0}", frame.select("offer_id"))
        self.upsert(
            offer_products,
            covered.explode("product_ids").rename({"product_ids": "product_id"}).unique(),
            ["offer_id", "product_id"],
        )


def _sqlite_ready(frame: pl.DataFrame) -> pl.DataFrame:
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S.%6f") for name in times)


def _batches(frame: pl.DataFrame) -> Iterator[list[tuple[Any, ...]]]:
    for part in frame.iter_slices(BATCH):
        yield part.rows()
