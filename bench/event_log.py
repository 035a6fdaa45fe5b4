"""A shop of synthetic members and their events: what the stream is measured and tested with.

The shop is `bench/shop.npz`, fitted to Complete Journey by `aisle synth fit` (docs/models/synth.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from personalization.synth.events import events
from personalization.synth.generate import Generator
from personalization.synth.shop import ShopModel
from stores.database import Database
from stores.importing.writer import BulkWriter
from stores.tables import consents, members, products

SEED = 7
MODEL = Path(__file__).with_name("shop.npz")
GROUP = 500  # members whose events come interleaved
PER_MEMBER = 450.0  # events a year, at least: how far back to look
_STAMP = "%Y-%m-%d %H:%M:%S.%f"


@cache
def shop() -> ShopModel:
    """Return the fitted shop."""
    return ShopModel.load(MODEL)


def _generator(until: datetime) -> Generator:
    return Generator(shop(), seed=SEED, until=until, block=GROUP)


def member_ids(count: int, first: int = 0) -> list[str]:
    """Return the ids of members number `first` to `first + count`."""
    number = pl.DataFrame({"number": range(first, first + count)})
    return number.select(_generator(datetime.now(UTC)).member_id(pl.col("number")).alias("id"))["id"].to_list()


def make_shop(db: Database, count: int, *, at: datetime) -> None:
    """Store the shop's products, and `count` members who agreed to profiling."""
    model = shop()
    catalogue = pl.DataFrame(
        {
            "product_id": model.product_ids,
            "category": model.categories[model.category],
            "price_minor": model.price_minor,
        }
    )
    catalogue = catalogue.with_columns(
        pl.concat_str(pl.col("category"), pl.lit(" "), "product_id").alias("name"), pl.lit("Grocery").alias("department"),
        pl.lit("").alias("brand"), pl.lit("").alias("package_size"), pl.lit("USD").alias("currency"), pl.lit(True).alias("recommendable"),
    )  # fmt: skip
    ids = pl.Series("member_id", member_ids(count))
    people = pl.DataFrame([ids]).with_columns(
        pl.concat_str(pl.lit("Made "), "member_id").alias("display_name"), pl.lit(True).alias("name_is_synthetic"),
        pl.lit(at).alias("created_at"),
    )  # fmt: skip
    agreed = pl.DataFrame([ids]).with_columns(
        pl.concat_str(pl.lit("c"), "member_id").alias("consent_id"), pl.lit("profiling").alias("purpose"),
        pl.lit(True).alias("granted"), pl.lit(at).alias("at"), pl.lit("api").alias("channel"), pl.lit("made").alias("text_version"),
    )  # fmt: skip
    with db.write() as connection:
        writer = BulkWriter(db, connection)
        writer.upsert(products, catalogue, ["product_id"])
        writer.upsert(members, people, ["member_id"])
        writer.upsert(consents, agreed, ["consent_id"])


def rows(n: int, count: int, *, until: datetime, first: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the latest `n` events of members number `first` to `first + count`, as the API takes them.

    They come in time order within each GROUP of members, and the groups one after another: much arrives late. Raises
    ValueError when the members have fewer events.
    """
    generator, left = _generator(until), n
    for start in range(first, first + count, GROUP):
        size = min(GROUP, first + count - start)
        share = -(-left * size // (first + count - start))
        days = min(share / size / PER_MEMBER * 365 * 2 + 3, 400)
        made = sorted(events(generator, size, start, since=until - timedelta(days=days)), key=lambda event: event["at"])
        yield from made[-share:]
        left -= min(share, len(made))
    if left:
        raise ValueError(f"{count:,} members have only {n - left:,} events")


def fill_log(db: Database, n: int, count: int, *, until: datetime | None = None) -> None:
    """Append `n` events of `count` members straight through the SQLite driver, as `SqlEvents` would have."""
    until = until or datetime.now(UTC)
    received = until.strftime(_STAMP)
    made = (
        (
            e["event_id"], e["type"], datetime.fromisoformat(e["at"]).strftime(_STAMP), received, e["channel"], e["member_id"], e.get("product_id"),
            json.dumps(e["payload"]),
        )
        for e in rows(n, count, until=until)
    )  # fmt: skip
    statement = "INSERT INTO events (event_id, type, at, received_at, channel, member_id, product_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with db.write() as connection:
        connection.connection.cursor().executemany(statement, made)  # type: ignore[arg-type]
