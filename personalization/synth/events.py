"""Generated members as events: their orders, and around them the signals that an order history does not have.

Orders follow the fitted shop. The rates of signals are assumed, and say nothing about any shop: SIGNALS per order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from personalization.synth.generate import Generator

SIGNALS = {
    "page_viewed": 6.0,
    "clicked": 2.0,
    "added_to_basket": 1.5,
    "message_sent": 0.3,
    "dwelled": 0.5,
    "located": 1.0,
}
_CHANNELS = {"dwelled": "kiosk", "located": "api"}
_DAY_S = 86_400.0


def events(
    generator: Generator, members: int, first: int = 0, *, since: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Yield events as `POST /v1/events` takes them, member by member; the same for the generator's seed.

    With `since`, only orders from then on, and what goes with them.
    """
    for number, lines in enumerate(generator.lines(members, first)):
        lately = lines if since is None else lines.filter(pl.col("at") >= since)
        yield from _block(lately, np.random.default_rng([generator.seed, first, number, 2]))


def _block(lines: pl.DataFrame, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    item = pl.struct("product_id", "quantity", "amount_minor", "discount_minor", "coupon_minor")
    orders = lines.group_by("member_id", "order_id", maintain_order=True).agg(
        pl.col("at", "store_id", "channel").first(), item.alias("lines")
    )
    n = len(orders)
    counts = {kind: rng.poisson(rate, n).tolist() for kind, rate in SIGNALS.items()}
    mood = dict.fromkeys(orders["member_id"].unique(maintain_order=True).to_list(), 0.0)
    for member, value in zip(mood, rng.normal(0.15, 0.3, len(mood)), strict=True):
        mood[member] = float(value)
    for row, (member, order, at, store, channel, bought) in enumerate(orders.iter_rows()):
        for kind in SIGNALS:
            for i in range(counts[kind][row]):
                yield _signal(kind, f"{order}-{kind}-{i}", member, at, store, bought, mood[member], rng)
        yield {
            "event_id": order, "type": "bought", "at": at.isoformat(), "channel": "api", "member_id": member,
            "payload": {"order_id": order, "store_id": store, "channel": channel, "lines": bought},
        }  # fmt: skip


def _signal(
    kind: str,
    key: str,
    member: str,
    at: datetime,
    store: str,
    bought: list[dict[str, Any]],
    mood: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    u, v = rng.random(2)
    event: dict[str, Any] = {
        "event_id": key, "type": kind, "at": (at - timedelta(seconds=u * _DAY_S)).isoformat(),
        "channel": _CHANNELS.get(kind, "widget"), "member_id": member, "payload": {},
    }  # fmt: skip
    if kind in {"clicked", "added_to_basket"}:
        event["product_id"] = bought[int(v * len(bought))]["product_id"]
    elif kind == "message_sent":
        event["payload"] = {"valence": round(float(np.clip(mood + (v - 0.5), -1, 1)), 2)}
    elif kind == "dwelled":
        event["payload"] = {"seconds": round(5 + v * 60)}
    elif kind == "located":
        event["payload"] = {"store_id": store}
    return event
