"""A small shop with any number of members, and made events for its log: what the stream is measured and tested with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from stores.database import Database
from stores.importing.writer import BulkWriter
from stores.tables import consents, members, products

_STAMP = "%Y-%m-%d %H:%M:%S.%f"
CATEGORIES = ("Milk", "Bread", "Coffee", "Fish", "Tea", "Fruit", "Cheese", "Pasta")


def member_ids(count: int) -> list[str]:
    """Return the ids of the made members."""
    return [f"made-{number:07d}" for number in range(count)]


def make_shop(db: Database, count: int, *, at: datetime) -> None:
    """Store 40 products, and `count` members who agreed to profiling."""
    ids = pl.Series("member_id", member_ids(count))
    catalogue = pl.DataFrame(
        {
            "product_id": [f"p{n}" for n in range(40)], "name": [f"Product {n}" for n in range(40)],
            "category": [CATEGORIES[n % 8] for n in range(40)], "price_minor": [100 + 25 * n for n in range(40)],
        }
    ).with_columns(
        pl.lit("Grocery").alias("department"), pl.lit("").alias("brand"), pl.lit("").alias("package_size"),
        pl.lit("USD").alias("currency"), pl.lit(True).alias("recommendable"),
    )  # fmt: skip
    people = pl.DataFrame([ids]).with_columns(
        pl.concat_str(pl.lit("Made "), "member_id").alias("display_name"), pl.lit(True).alias("name_is_synthetic"),
        pl.lit(at).alias("created_at"),
    )  # fmt: skip
    agreed = pl.DataFrame([ids]).with_columns(
        pl.col("member_id").str.replace("made", "c").alias("consent_id"), pl.lit("profiling").alias("purpose"),
        pl.lit(True).alias("granted"), pl.lit(at).alias("at"), pl.lit("api").alias("channel"), pl.lit("made").alias("text_version"),
    )  # fmt: skip
    with db.write() as connection:
        writer = BulkWriter(db, connection)
        writer.upsert(products, catalogue, ["product_id"])
        writer.upsert(members, people, ["member_id"])
        writer.upsert(consents, agreed, ["consent_id"])


def rows(n: int, ids: list[str], *, seed: int, until: datetime, days: float = 300) -> Iterator[dict[str, Any]]:
    """Yield `n` events as the API takes them: page views, clicks, messages, and a fifth orders of three lines."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, 100_000):
        size = min(100_000, n - start)
        kinds = rng.choice(4, size, p=[0.45, 0.2, 0.15, 0.2]).tolist()
        who, ages = rng.integers(0, len(ids), size).tolist(), rng.uniform(0, days * 86_400, size).tolist()
        products_, valence = rng.integers(0, 40, (size, 3)).tolist(), rng.uniform(-1, 1, size).round(2).tolist()
        for i in range(size):
            event: dict[str, Any] = {
                "event_id": f"{seed}-{start + i}", "at": (until - timedelta(seconds=ages[i])).isoformat(),
                "channel": "widget", "member_id": ids[who[i]],
            }  # fmt: skip
            yield event | _what(kinds[i], f"{seed}-{start + i}", products_[i], valence[i])


def _what(kind: int, key: str, bought: list[int], valence: float) -> dict[str, Any]:
    if kind < 3:
        payload = {"valence": valence} if kind == 2 else {}
        return {"type": ("page_viewed", "clicked", "message_sent")[kind], "payload": payload}
    lines = [
        {"product_id": f"p{p}", "quantity": 1, "amount_minor": 100 + 25 * p, "discount_minor": 20 * (p % 2)}
        for p in bought
    ]
    return {"type": "bought", "payload": {"order_id": f"o{key}", "store_id": "s1", "channel": "store", "lines": lines}}


def fill_log(db: Database, n: int, count: int, *, seed: int, until: datetime | None = None) -> None:
    """Append `n` made events of `count` members straight through the SQLite driver, as `SqlEvents` would have."""
    until = until or datetime.now(UTC)
    received = until.strftime(_STAMP)
    made = (
        (e["event_id"], e["type"], e["at"][:26].replace("T", " "), received, e["channel"], e["member_id"], json.dumps(e["payload"]))
        for e in rows(n, member_ids(count), seed=seed, until=until)
    )  # fmt: skip
    statement = (
        "INSERT INTO events (event_id, type, at, received_at, channel, member_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    with db.write() as connection:
        connection.connection.cursor().executemany(statement, made)  # type: ignore[arg-type]
