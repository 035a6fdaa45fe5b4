"""Made orders and events for tests of profiles: seeded, with repeats, discounts, several stores and hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from personalization.profiling.facts import by_product, feature_lines, product_facts
from personalization.profiling.state import Catalogue, ProfileState, fold, micros

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
PRODUCTS = pl.DataFrame(
    {
        "product_id": [f"p{n}" for n in range(12)],
        "category": ["Milk", "Milk", "Milk", "Bread", "Bread", "Fish", "Fish", "Tea", "Tea", "", "Fuel", "Fuel"],
        "price_minor": [100, 200, 300, 150, 250, 900, 700, 0, 400, 500, 6000, 5000],
        "recommendable": [True] * 10 + [False] * 2,
    }
)
FACTS = product_facts(PRODUCTS)
CATALOGUE: Catalogue = by_product(FACTS)


@dataclass(frozen=True)
class Told:
    """One event as the fold takes it."""

    type: str
    at: datetime
    event_id: str
    channel: str = "api"
    product_id: str | None = None
    payload: dict[str, Any] | None = None


def folded(events: list[Told], state: ProfileState | None = None) -> ProfileState:
    state = state or ProfileState()
    for e in events:
        fold(state, e.type, micros(e.at), e.event_id, e.channel, e.product_id, e.payload or {}, CATALOGUE)
    return state


def random_events(rng: np.random.Generator, n: int, days: int = 900) -> list[Told]:
    """Orders and signals of one member, over `days` days before AT and a few after."""
    return [_event(rng, number, days) for number in range(n)]


def _event(rng: np.random.Generator, number: int, days: int) -> Told:
    at = AT - timedelta(seconds=float(rng.uniform(-20 * 86_400, days * 86_400)))
    at = at.replace(microsecond=int(rng.integers(0, 1_000_000)))
    kind = str(rng.choice(["bought", "page_viewed", "message_sent", "located", "attribute_set", "mentioned", "dwelled"],
                          p=[0.5, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1]))  # fmt: skip
    value = round(float(rng.uniform(-1, 1)), 2)
    payload: dict[str, Any] = {
        "bought": lambda: order(rng, number),
        "message_sent": lambda: {"valence": value},
        "located": lambda: {"store_id": "s1"},
        "attribute_set": lambda: {"name": f"a{rng.integers(0, 3)}", "value": value},
        "mentioned": lambda: {"sentiment": value},
        "dwelled": lambda: {"seconds": int(rng.integers(1, 90))},
    }.get(kind, dict)()
    channel = str(rng.choice(["api", "widget", "kiosk"]))
    return Told(kind, at, f"e{number}", channel, None, payload)


def order(rng: np.random.Generator, number: int) -> dict[str, Any]:
    lines = [
        {
            "product_id": f"p{rng.integers(0, 12)}", "quantity": int(rng.integers(1, 4)), "amount_minor": int(rng.integers(0, 900)),
            "discount_minor": int(rng.integers(0, 200)) * int(rng.integers(0, 2)),
            "coupon_minor": int(rng.integers(0, 100)) * int(rng.integers(0, 2)),
        }
        for _ in range(int(rng.integers(1, 6)))
    ]  # fmt: skip
    store = f"s{rng.integers(0, 4)}"
    return {"order_id": f"o{number}", "store_id": store, "channel": str(rng.choice(["store", "web"])), "lines": lines}


def lines_of(members: dict[str, list[Told]]) -> pl.DataFrame:
    """The orders among the events as the lines that batch features read."""
    rows = [
        {
            "member_id": member, "order_id": f"{member}-{e.payload['order_id']}", "at": e.at, "store_id": e.payload["store_id"],
            "channel": e.payload["channel"], **line,
        }
        for member, events in members.items()
        for e in events
        if e.type == "bought" and e.payload is not None
        for line in e.payload["lines"]
    ]  # fmt: skip
    times = pl.col("at").cast(pl.Datetime("us", "UTC"))
    return feature_lines(pl.DataFrame(rows, infer_schema_length=None).with_columns(times), FACTS)


def signals_of(states: dict[str, ProfileState]) -> pl.DataFrame:
    rows = [
        (member, day, kind, n, total)
        for member, state in states.items()
        for day, kinds in state.days.items()
        for kind, (n, total) in kinds.items()
    ]
    return pl.DataFrame(rows, schema=["member_id", "day", "kind", "n", "total"], orient="row")
