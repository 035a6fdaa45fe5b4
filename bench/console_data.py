"""A shop of up to 100,000 members and ten million events on PostgreSQL, for how quick the console's pages are.

Everything follows from a seed: who comes when (more at midday and on Saturdays, a few members very often), what they look at, buy and
write, decisions, coupons with their ledger, consents, labels, experiments. It goes in by COPY, indexes are made afterwards, and the
figures by the worker's own code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Table, text

from bench.console_people import labels_of, people
from bench.report import progress
from personalization.decisions import Decision, Fallback
from personalization.types import Channel, Context, DecisionId, Subject, VisitorId
from stores.codec import dump_decision
from stores.coupon_tables import allotments, coupons, ledger_entries, redemptions
from stores.database import Database
from stores.insight_tables import label_edits, member_features
from stores.tables import (
    candidate_sets,
    consents,
    decisions,
    events,
    exposures,
    labels,
    members,
    order_lines,
    products,
    profiles,
)

DAYS, CHUNK, PRODUCTS, CAMPAIGNS = 180, 500_000, 3_000, 24
BULK = (events, order_lines, decisions, members, consents, labels, member_features, profiles, coupons, ledger_entries, redemptions,
        exposures, allotments, candidate_sets, label_edits)  # fmt: skip
_TYPES = {
    "viewed": 0.44, "page_viewed": 0.22, "clicked": 0.12, "added_to_basket": 0.06, "bought": 0.05, "message_sent": 0.07, "dwelled": 0.03, "rated": 0.01,
}  # fmt: skip
_HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 17, 18, 16, 14, 14, 16, 18, 17, 14, 10, 7, 4, 2], float)
_WEEKDAYS = np.array([0.9, 0.9, 0.95, 1.0, 1.1, 1.4, 0.75])
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Made:
    """Ids to ask pages for."""

    members: Sequence[str]
    decisions: Sequence[str]
    campaigns: Sequence[str]
    segments: Sequence[str]
    experiments: Sequence[str]


def ids(kind: int, number: Any) -> pl.Series:
    """Return ids that look like UUIDv7, of a kind (a digit) and numbers."""
    padded = pl.Series(number).cast(pl.String).str.zfill(12)
    return pl.select(pl.lit(f"0190000{kind}-0000-7000-8000-") + padded).to_series()


def fill(db: Database, n_members: int, n_events: int, *, now: datetime, seed: int = 7) -> Made:
    """Fill an empty, migrated PostgreSQL database."""
    rng = np.random.default_rng(seed)
    dropped = _drop_indexes(db)
    campaigns = _shop(db, now)
    member_ids = ids(1, np.arange(n_members))
    activity = rng.pareto(1.6, n_members) + 0.05
    progress(f"{n_members:,} members")
    for table, frame in people(member_ids, rng, now).items():
        copy(db, table, frame)
    n_decisions = max(n_events // 40, 1_000)
    decided = _decisions(db, n_decisions, member_ids, activity, now, rng)
    _events(db, n_events, n_decisions, member_ids, activity, now, rng)
    for table, frame in labels_of(member_ids, rng, now).items():
        copy(db, table, frame)
    _coupons(db, n_decisions // 3, member_ids, campaigns, decided, now, rng)
    experiments = _experiments(db, member_ids, now, rng)
    progress("indexes")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        for statement in dropped:
            connection.execute(text(statement))
        connection.execute(text("ANALYZE"))
    return Made(member_ids.to_list(), ids(2, np.arange(n_decisions)).to_list(), campaigns, [], experiments)


def copy(db: Database, table: Table, frame: pl.DataFrame) -> None:
    """Write a frame into a table by COPY; an empty text is NULL unless it is quoted, as in CSV."""
    columns = [column for column in frame.columns if column in table.columns]
    with db.write() as connection:
        cursor: Any = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv)") as writer:
            for start in range(0, frame.height, CHUNK):
                part = frame.slice(start, CHUNK).select(columns)
                writer.write(
                    part.write_csv(
                        include_header=False, quote_style="non_numeric", datetime_format="%Y-%m-%d %H:%M:%S%.6f+00"
                    )
                )
        cursor.close()


def times(rng: np.random.Generator, n: int, now: datetime) -> pl.Series:
    """Return `n` times of the last DAYS, in order, as busy as a shop is by the hour and the day of the week."""
    first = (now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = int((now - first) / timedelta(hours=1))
    each = (first + timedelta(hours=n) for n in range(hours))
    weight = np.array([_HOURS[one.hour] * _WEEKDAYS[one.weekday()] for one in each])
    hour = rng.choice(hours, n, p=weight / weight.sum())
    micro = np.sort(hour.astype(np.int64) * 3_600_000_000 + rng.integers(0, 3_600_000_000, n))
    return pl.Series("at", int(first.timestamp()) * 1_000_000 + micro).cast(pl.Datetime("us"))


def _drop_indexes(db: Database) -> list[str]:
    """Drop what would be kept up with at every row; return the statements that make it again."""
    names = [table.name for table in BULK]
    with db.write() as connection:
        rows = connection.execute(
            text(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(:names)"
                " AND indexname NOT LIKE 'pk_%' AND indexname NOT LIKE 'uq_%'"
            ),
            {"names": names},
        ).all()
        for row in rows:
            connection.execute(text(f"DROP INDEX {row.indexname}"))
        return [row.indexdef for row in rows]


def _shop(db: Database, now: datetime) -> list[str]:
    number = np.arange(PRODUCTS)
    categories = np.array([f"Category {n}" for n in range(60)])
    copy(db, products, pl.DataFrame({
        "product_id": [f"p{n}" for n in number], "name": [f"Product {n}" for n in number], "department": "Grocery", "category": categories[number % 60],
        "brand": "House", "package_size": "1", "price_minor": 99 + number % 2_000, "currency": "USD", "recommendable": True,
    }))  # fmt: skip
    names = [f"campaign-{n}" for n in range(CAMPAIGNS)]
    with db.write() as connection:
        for n, name in enumerate(names):
            running = n % 2 == 0
            start, end = (
                now - timedelta(days=20 + n if running else 120 + n),
                now + timedelta(days=20) if running else now - timedelta(days=60),
            )
            told = {"id": name, "name": f"Campaign {n}", "start": start, "end": end}
            connection.execute(text("INSERT INTO campaigns (campaign_id, name, starts_at, ends_at, for_everybody, objective)"
                                    " VALUES (:id, :name, :start, :end, true, 'orders')"), told)  # fmt: skip
            connection.execute(text("INSERT INTO offers (offer_id, campaign_id, discount_minor, currency, for_any_product)"
                                    " VALUES (:offer, :id, 200, 'USD', true)"), {"offer": f"offer-{n}", "id": name})  # fmt: skip
            connection.execute(text("INSERT INTO budgets (campaign_id, scope, scope_id, currency, total, reserved, spent)"
                                    " VALUES (:id, '', '', 'USD', 100000000, 0, :spent)"), {"id": name, "spent": 1_500_000 * (n + 1)})  # fmt: skip
    return names


def _who(rng: np.random.Generator, n: int, activity: NDArray[np.float64]) -> Ints:
    cumulated = np.cumsum(activity)
    return np.searchsorted(cumulated, rng.random(n) * cumulated[-1]).astype(np.int64)


def _decisions(
    db: Database, n: int, member_ids: pl.Series, activity: NDArray[np.float64], now: datetime, rng: np.random.Generator
) -> pl.Series:
    progress(f"{n:,} decisions")
    at = times(rng, n, now)
    known = rng.random(n) < 0.6
    bodies = [
        json.dumps(_body(now, channel, fallen))
        for channel in (Channel.WIDGET, Channel.KIOSK)
        for fallen in (False, True)
    ]
    member = pl.Series(member_ids).gather(_who(rng, n, activity))
    which = rng.integers(0, 2, n) * 2 + (rng.random(n) < 0.01)
    frame = pl.DataFrame({
        "decision_id": ids(2, np.arange(n)), "at": at, "member_id": member, "visitor_id": ids(3, rng.integers(0, n, n)),
        "channel": np.array(["widget", "widget", "kiosk", "kiosk"])[which], "body": pl.Series(bodies).gather(which),
    }).with_columns(pl.when(pl.Series(known)).then("member_id").otherwise(None).alias("member_id"))  # fmt: skip
    copy(db, decisions, frame)
    return at


def _body(now: datetime, channel: Channel, fallen: bool) -> dict[str, Any]:
    fallbacks = (Fallback("ranker", "popular items", "slow"),) if fallen else ()
    made = Decision(
        DecisionId("d"), now, Subject(visitor_id=VisitorId("v")), Context(channel, now), (), None, None, None, "Shown because it is popular.", (), (), fallbacks, {}, 12.0,
    )  # fmt: skip
    return dump_decision(made)


def _events(
    db: Database,
    n: int,
    n_decisions: int,
    member_ids: pl.Series,
    activity: NDArray[np.float64],
    now: datetime,
    rng: np.random.Generator,
) -> None:
    at, done, orders = times(rng, n, now), 0, 0
    names, shares = np.array(list(_TYPES)), np.array(list(_TYPES.values()))
    while done < n:
        size = min(CHUNK * 2, n - done)
        progress(f"{done:,} of {n:,} events")
        kind = rng.choice(len(names), size, p=shares / shares.sum())
        known = rng.random(size) < 0.6
        channel = rng.choice(["widget", "kiosk", "api"], size, p=[0.55, 0.3, 0.15])
        frame = pl.DataFrame({
            "seq": np.arange(done + 1, done + size + 1), "event_id": ids(4, np.arange(done, done + size)), "type": names[kind], "at": at.slice(done, size),
            "channel": channel, "member_id": pl.Series(member_ids).gather(_who(rng, size, activity)), "visitor_id": ids(3, rng.integers(0, max(n // 12, 1), size)),
            "decision_id": ids(2, rng.integers(0, n_decisions, size)), "product_id": pl.Series([f"p{k}" for k in range(PRODUCTS)]).gather(rng.integers(0, PRODUCTS, size)),
            "valence": np.round(rng.normal(0.1, 0.35, size).clip(-1, 1), 2), "score": rng.integers(1, 6, size), "order": np.arange(orders, orders + size),
            "known": known, "decided": rng.random(size) < 0.3, "amount": rng.integers(150, 6_000, size),
        })  # fmt: skip
        is_ = pl.col("type")
        payload = (
            pl.when(is_ == "message_sent").then(pl.concat_str(pl.lit('{"valence": '), "valence", pl.lit(', "arousal": 0.2}')))
            .when(is_ == "rated").then(pl.concat_str(pl.lit('{"score": '), "score", pl.lit("}")))
            .when(is_ == "bought").then(pl.concat_str(pl.lit('{"order_id": "o'), "order", pl.lit('", "lines": [{"product_id": "'), "product_id",
                                                      pl.lit('", "quantity": 1, "amount_minor": '), "amount", pl.lit("}]}")))
            .otherwise(pl.lit("{}"))
        )  # fmt: skip
        shown = pl.col("type").is_in(["viewed", "clicked", "added_to_basket"])
        rows = frame.with_columns(
            payload.alias("payload"), pl.col("at").alias("received_at"), pl.when("known").then("member_id").otherwise(None).alias("member_id"),
            pl.when(shown & pl.col("decided")).then("decision_id").otherwise(None).alias("decision_id"),
            pl.when(shown).then("product_id").otherwise(None).alias("product_id"),
        )  # fmt: skip
        copy(db, events, rows)
        lines = frame.filter(pl.col("known") & (is_ == "bought")).select(
            pl.concat_str(pl.lit("o"), "order").alias("order_id"), pl.lit(1).alias("line_no"), "member_id", "product_id", "at", pl.lit(1).alias("quantity"),
            pl.col("amount").alias("amount_minor"), pl.lit("USD").alias("currency"),
            pl.when(pl.col("channel") == "api").then(pl.lit("store")).otherwise("channel").alias("channel"),
        )  # fmt: skip
        copy(db, order_lines, lines)
        done, orders = done + size, orders + size
    with db.write() as connection:
        connection.execute(text("SELECT setval(pg_get_serial_sequence('events', 'seq'), :n)"), {"n": n})
        for consumer in ("projection", "profiles"):
            connection.execute(text("INSERT INTO cursors (consumer, seq) VALUES (:one, :n)"), {"one": consumer, "n": n})


def _coupons(
    db: Database,
    n: int,
    member_ids: pl.Series,
    campaigns: Sequence[str],
    decided: pl.Series,
    now: datetime,
    rng: np.random.Generator,
) -> None:
    progress(f"{n:,} coupons")
    at, redeemed = decided.gather(np.sort(rng.choice(len(decided), n, replace=False))), rng.random(n) < 0.35
    campaign = rng.integers(0, len(campaigns), n)
    frame = pl.DataFrame({
        "coupon_id": ids(5, np.arange(n)), "code": pl.select(pl.lit("C") + pl.Series(np.arange(n)).cast(pl.String).str.zfill(12)).to_series(),
        "campaign_id": pl.Series(campaigns).gather(campaign), "offer_id": pl.Series([f"offer-{k}" for k in range(len(campaigns))]).gather(campaign),
        "member_id": member_ids.gather(rng.integers(0, len(member_ids), n)), "decision_id": ids(2, rng.integers(0, len(decided), n)), "discount_minor": 200,
        "currency": "USD", "product_ids": "[]", "issued_at": at, "status": np.where(redeemed, "redeemed", "expired"),
    }).with_columns((pl.col("issued_at") + timedelta(days=14)).alias("expires_at"))  # fmt: skip
    copy(db, coupons, frame)
    spent = frame.filter(pl.Series(redeemed))
    entries = spent.select("campaign_id", "coupon_id", pl.lit("redeem").alias("kind"), pl.col("discount_minor").alias("amount_minor"),
                           (pl.col("issued_at") + timedelta(hours=5)).alias("at"), pl.lit("").alias("scope"), pl.lit("").alias("scope_id"))  # fmt: skip
    copy(db, ledger_entries, entries.with_columns(ids(6, np.arange(spent.height)).alias("entry_id")))


def _experiments(db: Database, member_ids: pl.Series, now: datetime, rng: np.random.Generator) -> list[str]:
    names = ["greeting", "slate-size"]
    n = len(member_ids) // 2
    for name in names:
        spec = {
            "experiment_id": name, "hypothesis": "It sells more.", "metric": "orders", "guardrails": {}, "traffic": 1.0, "window_days": 14,
            "arms": [{"name": "a", "share": 0.5, "personalize": True, "coupons": True, "creative": True},
                     {"name": "b", "share": 0.5, "personalize": False, "coupons": True, "creative": True}],
        }  # fmt: skip
        with db.write() as connection:
            connection.execute(text("INSERT INTO experiments (experiment_id, spec, status, created_at, started_at)"
                                    " VALUES (:id, :spec, 'running', :at, :at)"),
                               {"id": name, "spec": json.dumps(spec), "at": now - timedelta(days=40)})  # fmt: skip
        copy(db, exposures, pl.DataFrame({
            "experiment_id": name, "unit_id": member_ids.slice(0, n), "arm": np.array(["a", "b"])[rng.integers(0, 2, n)], "channel": "widget",
            "at": pl.Series([now - timedelta(days=20)] * n),
        }))  # fmt: skip
    return names
