"""Fills the event log of a small database with made events, straight through the driver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import LabelSource
from stores.catalogue import SqlCatalogue
from stores.database import Database
from stores.profiles import SqlProfiles
from tests.small_shop import NOW

_STAMP = "%Y-%m-%d %H:%M:%S.%f"


def profiles_of(db: Database, *sources: LabelSource) -> SqlProfiles:
    return SqlProfiles(db, SqlCatalogue(db).facts, Labeller(sources))


def consume_all(profiles: SqlProfiles, limit: int = 500) -> None:
    while profiles.consume(now=NOW, limit=limit):
        pass


def fill_log(db: Database, events: int, members: int, *, seed: int) -> None:
    """Append `events` made events of `members` new members who agreed to profiling; SQLite only."""
    stamp = NOW.strftime(_STAMP)
    names = [f"made-{number:05d}" for number in range(members)]
    with db.write() as connection:
        cursor = connection.connection.cursor()
        products = [row[0] for row in cursor.execute("SELECT product_id FROM products ORDER BY product_id")]
        cursor.executemany(
            "INSERT INTO members (member_id, display_name, name_is_synthetic, created_at) VALUES (?, ?, 1, ?)",
            [(name, name, stamp) for name in names],
        )
        cursor.executemany(
            "INSERT INTO consents (consent_id, member_id, purpose, granted, at, channel, text_version)"
            " VALUES (?, ?, 'profiling', 1, ?, 'api', 't')",
            [(f"c-{name}", name, stamp) for name in names],
        )
        cursor.executemany(
            "INSERT INTO events (event_id, type, at, received_at, channel, member_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?)",
            _rows(events, names, products, np.random.default_rng(seed)),
        )


def _rows(n: int, names: list[str], products: list[str], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    kinds = rng.choice(4, n, p=[0.5, 0.2, 0.2, 0.1])
    who, ages = rng.integers(0, len(names), n), rng.uniform(0, 300 * 86_400, n)
    bought, valence = rng.integers(0, len(products), n), rng.uniform(-1, 1, n).round(2)
    received = NOW.strftime(_STAMP)
    for number in range(n):
        at = (NOW - timedelta(seconds=float(ages[number]))).strftime(_STAMP)
        line = {"product_id": products[bought[number]], "quantity": 1, "amount_minor": int(bought[number]) * 10}
        type_, payload = (
            ("page_viewed", {}), ("clicked", {}), ("message_sent", {"valence": float(valence[number])}),
            ("bought", {"order_id": f"o{number}", "store_id": "s1", "lines": [line]}),
        )[kinds[number]]  # fmt: skip
        yield f"e{number}", type_, at, received, "widget", names[who[number]], json.dumps(payload)
