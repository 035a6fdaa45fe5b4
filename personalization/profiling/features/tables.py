"""The definitions over tables, for everybody at once: Ibis builds the query, and DuckDB (or what the URL names) runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from itertools import count
from typing import Any

import ibis
import polars as pl
from ibis import Table, Value

from personalization.profiling.features.definitions import (
    DAY_S,
    ENTROPY_PLACES,
    FEATURES,
    ORDER_FEATURES,
    SIGNAL_FEATURES,
    SIGNALS,
    WINDOW,
    Age,
    Definition,
    Gap,
    Group,
    Ratio,
    SignalCount,
    Spread,
    Total,
)

LINE_COLUMNS = (
    "member_id", "order_id", "at", "category", "store_id", "channel", "quantity", "amount_minor", "discount_minor",
    "coupon_minor", "price_level",
)  # fmt: skip


SECOND = "second"
_BOUND = set[int]()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What order lines say of members at a moment.

    features : member_id and FEATURES, Float64, one row per member with an order. orders : member_id and `second` (since 1970)
    of each order. spent : member_id, category and spent (minor units) in WINDOW days.
    """

    features: pl.DataFrame
    orders: pl.DataFrame
    spent: pl.DataFrame

    def shares(self, categories: Sequence[str]) -> pl.DataFrame:
        """Return member_id and one Float64 column per category: its share of the member's spending, sorted by member."""
        share = pl.col("spent").cast(pl.Float64) / pl.col("spent").sum().over("member_id")
        wide = self.spent.with_columns(share.alias("share")).filter(pl.col("category").is_in(list(categories))).pivot(
            on="category", on_columns=list(categories), index="member_id", values="share", aggregate_function="first"
        )  # fmt: skip
        filled = (pl.col(name).cast(pl.Float64).fill_null(0.0) for name in categories)
        members = self.features.select("member_id").sort("member_id")
        return members.join(wide, on="member_id", how="left", maintain_order="left").select("member_id", *filled)


def snapshot(lines: pl.DataFrame | Table, at: datetime) -> Snapshot:
    """Return features, orders and spending at `at` in one go.

    lines : the columns LINE_COLUMNS, one row per order line; `price_level` is the product's price in thousandths of its
    category's mean. A Polars frame runs in DuckDB; an Ibis table runs where it lives.
    """
    if not isinstance(lines, pl.DataFrame):
        return _typed(*(query.to_polars() for query in _queries(lines, at)))
    with _bound(lines) as (table, _):
        return _typed(*_run(_plan(table.get_name(), tuple(table.schema().items()), at)))


def _queries(lines: Table, at: datetime) -> tuple[Table, Table, Table]:
    """Return the queries of a snapshot's parts."""
    placed = _orders_in(lines, at)
    orders, spent = _per_order(placed), _spent_by(_in_window(placed), "category")
    return _features(orders, spent, _by_store(placed)), orders.select("member_id", SECOND), spent


@lru_cache(maxsize=16)
def _plan(name: str, schema: tuple[tuple[str, Any], ...], at: datetime) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return SQL: what is kept under a name since several parts read it, and the parts. Building it takes Ibis half a second."""
    table, engine = ibis.table(dict(schema), name=name), _duckdb()
    placed = _orders_in(table, at)
    kept = {f"{name}_orders": _per_order(placed), f"{name}_spent": _spent_by(_in_window(placed), "category")}
    orders, spent = (ibis.table(query.schema(), name=own) for own, query in kept.items())
    parts = (_features(orders, spent, _by_store(placed)), orders.select("member_id", SECOND), spent)
    return {own: str(engine.compile(query)) for own, query in kept.items()}, tuple(
        str(engine.compile(part)) for part in parts
    )


def _run(plan: tuple[dict[str, str], tuple[str, ...]]) -> list[pl.DataFrame]:
    kept, parts = plan
    engine = _duckdb()
    try:
        for own, sql in kept.items():
            engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE {own} AS {sql}")
        return [pl.DataFrame(engine.con.sql(sql).to_arrow_table()) for sql in parts]
    finally:
        for own in kept:
            engine.raw_sql(f"DROP TABLE IF EXISTS {own}")


def _typed(features: pl.DataFrame, orders: pl.DataFrame, spent: pl.DataFrame) -> Snapshot:
    return Snapshot(features.select("member_id", *(pl.col(name).cast(pl.Float64) for name in FEATURES)), orders, spent)


def batch(lines: pl.DataFrame | Table, at: datetime) -> pl.DataFrame:
    """Return the features of `snapshot`."""
    return snapshot(lines, at).features


def category_shares(lines: pl.DataFrame | Table, at: datetime, categories: Sequence[str]) -> pl.DataFrame:
    """Return member_id and one Float64 column per category: its share of the member's spending in WINDOW days."""
    return snapshot(lines, at).shares(categories)


def signal_features(signals: pl.DataFrame | Table, at: datetime) -> pl.DataFrame:
    """Return member_id and SIGNALS for each member with a signal.

    signals : member_id, day (whole days since 1970), kind, n (how many), total (sum of their values in thousandths).
    """
    today = int(at.timestamp()) // DAY_S
    with _bound(signals) as (table, run):
        columns: dict[str, Value] = {}
        for name, wanted in SIGNAL_FEATURES.items():
            mine = (table.kind == wanted.kind) & (table.day > today - wanted.days) & (table.day <= today)
            n = table.n.sum(where=mine).fill_null(0).cast("float64")
            if isinstance(wanted, SignalCount):
                columns[name] = n
            else:
                total = table.total.sum(where=mine).fill_null(0).cast("float64")
                columns[name] = ibis.ifelse(n > 0, total / (n * 1000.0), 0.0)
        found = run(table.group_by("member_id").aggregate(**columns))
    return found.select("member_id", *(pl.col(name).cast(pl.Float64) for name in SIGNALS))


def order_features(lines: Table, at: datetime) -> Table:
    """Return the query of the features, for whoever wants to run it inside a warehouse."""
    return _queries(lines, at)[0]


def _features(orders: Table, by_category: Table, by_store: Table) -> Table:
    plain = {name: d for name, d in ORDER_FEATURES.items() if isinstance(d, Total | Ratio | Age)}
    found = orders.group_by("member_id").aggregate(**{name: _value(orders, d) for name, d in plain.items()})
    for part in (_gaps(orders), _spreads(by_category, "category"), _spreads(by_store, "store_id")):
        found = found.left_join(part, "member_id").drop("member_id_right")
    overdue = ibis.ifelse(found.gap_sum > 0, found.recency_days / found.gap_mean_days, 0.0)
    filled = {name: found[name].cast("float64").fill_null(_nothing(d)) for name, d in ORDER_FEATURES.items() if name in found.columns}  # fmt: skip
    return found.mutate(**filled, recency_over_gap=overdue.fill_null(0.0)).select("member_id", *FEATURES)


@contextmanager
def _bound(data: pl.DataFrame | Table) -> Iterator[tuple[Table, Callable[[Table], pl.DataFrame]]]:
    """Yield the table and the function that runs a query on it; a frame is let go of at the end."""
    if not isinstance(data, pl.DataFrame):
        yield data, lambda query: query.to_polars()
        return
    engine, number = _duckdb(), next(n for n in count() if n not in _BOUND)
    name = f"frame_{number}"  # the same names again and again, so that plans can be kept
    _BOUND.add(number)
    if "at" in data.columns:  # calendar functions on times with a zone take DuckDB longer than all the rest
        data = data.with_columns(pl.col("at").dt.epoch("s").alias(SECOND))
    engine.con.register(name, data.to_arrow())  # ibis.memtable would keep it until the garbage is collected
    try:
        yield ibis.table(ibis.memtable(data.head(0)).schema(), name=name), engine.to_polars
    finally:
        engine.con.unregister(name)
        _BOUND.discard(number)


@cache
def _duckdb() -> Any:
    engine = ibis.duckdb.connect(threads=2, memory_limit="2GB")
    engine.raw_sql("SET enable_progress_bar = false")  # it would write into a program's output
    return engine


def _orders_in(lines: Table, at: datetime) -> Table:
    """Return lines up to `at` with `second`, since 1970, and their age in seconds (microseconds are cut off)."""
    now = ibis.literal(int(at.timestamp()))
    placed = lines.filter(lines.at <= ibis.literal(at))
    if SECOND not in placed.columns:
        placed = placed.mutate(**{SECOND: _seconds(placed.at)})
    return placed.mutate(age=(now - placed[SECOND]).cast("int64"))


def _seconds(at: Value) -> Value:
    return at.truncate("s").epoch_seconds().cast("int64")  # without the cut, engines round


def _in_window(placed: Table) -> Table:
    return placed.filter(placed.age < WINDOW * DAY_S)


def _per_order(placed: Table) -> Table:
    amount = placed.amount_minor.cast("int64")
    promo = amount.sum(where=placed.discount_minor > 0).fill_null(0)
    orders = placed.group_by("member_id", "order_id").aggregate(
        second=placed[SECOND].min(), age=placed.age.max(), amount=amount.sum().cast("int64"), promo=promo.cast("int64"),
        discount=placed.discount_minor.sum().cast("int64"), coupon=placed.coupon_minor.sum().cast("int64"),
        items=placed.quantity.sum(where=placed.category != "").fill_null(0).cast("int64"), level=(amount * placed.price_level).sum().cast("int64"),
        channel=placed.channel.min(),
    )  # fmt: skip
    return orders.mutate(
        hour=(orders.second // 3600) % 24, weekday=(orders.second // DAY_S + 3) % 7, online=orders.channel != "store",
        day=orders.second // DAY_S,
    )  # fmt: skip


def _value(orders: Table, wanted: Definition) -> Value:
    if isinstance(wanted, Total):
        measure = wanted.measure(orders)
        measure = measure.ifelse(1, 0) if measure.type().is_boolean() else measure.cast("int64")
        return measure.sum(where=orders.age < wanted.days * DAY_S).fill_null(0).cast("float64")
    if isinstance(wanted, Ratio):
        part, whole = _value(orders, wanted.part), _value(orders, wanted.whole)
        return ibis.ifelse(whole > 0, part / whole, wanted.empty)
    if isinstance(wanted, Age):
        age = orders.age.min() if wanted.newest else orders.age.max()
        return ibis.least(age.cast("float64") / DAY_S, wanted.most)
    raise TypeError(wanted)


def _gaps(orders: Table) -> Table:
    """Return the gaps between days with an order; sums are whole numbers, so that their order does not matter."""
    days = orders.filter(orders.age < WINDOW * DAY_S).select("member_id", "day").distinct()
    before = days.day.lag().over(group_by="member_id", order_by="day")
    gaps = days.mutate(gap=days.day - before)
    sums = gaps.group_by("member_id").aggregate(
        gap_n=gaps.gap.count(), gap_sum=gaps.gap.sum().fill_null(0), gap_square=(gaps.gap * gaps.gap).sum().fill_null(0)
    )
    n, total, square = (sums[name].cast("float64") for name in ("gap_n", "gap_sum", "gap_square"))
    some = sums.gap_n > 0
    return sums.mutate(
        gap_mean_days=ibis.ifelse(some, total / n, float(WINDOW)),
        gap_std_days=ibis.ifelse(some, (ibis.greatest(n * square - total * total, 0.0)).sqrt() / n, 0.0),
    )


def _spent_by(placed: Table, group: str) -> Table:
    """Return (member_id, group, spent) of what was spent on known groups; nothing where nothing was paid."""
    known = placed.filter(placed[group].notnull() & (placed[group] != ""))
    spent = known.group_by("member_id", group).aggregate(spent=known.amount_minor.sum().cast("int64"))
    return spent.filter(spent.spent > 0)


def _by_store(placed: Table) -> Table:
    return _spent_by(_in_window(placed), "store_id")


def _spreads(spent: Table, group: Group) -> Table:
    """Return the spread of spending over a group; Σ -p ln p is written as ln S - Σ s ln s / S, which needs no second pass."""
    part = spent.spent.cast("float64")
    whole = part.sum()
    found: Mapping[str, Value] = {
        "count": spent.count(),
        "top": part.max() / whole,
        "entropy": ibis.greatest(whole.ln() - (part * part.ln()).sum() / whole, 0.0).round(ENTROPY_PLACES),
    }
    wanted = {n: d for n, d in ORDER_FEATURES.items() if isinstance(d, Spread) and d.group == group}
    return spent.group_by("member_id").aggregate(**{name: found[d.statistic] for name, d in wanted.items()})


def _nothing(wanted: Definition) -> float:
    """Return what a feature is for a member without an order in the window."""
    return wanted.empty if isinstance(wanted, Gap | Ratio) else 0.0
