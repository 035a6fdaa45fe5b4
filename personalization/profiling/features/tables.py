"""The definitions over tables, for everybody at once: Ibis builds the query, and DuckDB (or what the URL names) runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

import ibis
import polars as pl
from ibis import Table, Value

from personalization.profiling.features.definitions import (
    DAY_S,
    FEATURES,
    ORDER_FEATURES,
    SIGNAL_FEATURES,
    SIGNALS,
    WINDOW,
    Age,
    Definition,
    Gap,
    Ratio,
    SignalCount,
    Spread,
    Total,
)

LINE_COLUMNS = (
    "member_id", "order_id", "at", "category", "store_id", "channel", "quantity", "amount_minor", "discount_minor",
    "coupon_minor", "price_level",
)  # fmt: skip


_NUMBERS = count()


def batch(lines: pl.DataFrame | Table, at: datetime) -> pl.DataFrame:
    """Return one row per member with an order up to `at`: member_id and FEATURES, Float64.

    lines : the columns LINE_COLUMNS, one row per order line; `price_level` is the product's price in thousandths of its
    category's mean. A Polars frame runs in DuckDB; an Ibis table runs where it lives.
    """
    with _bound(lines) as (table, run):
        found = run(order_features(table, at))
    return found.select("member_id", *(pl.col(name).cast(pl.Float64) for name in FEATURES))


def category_shares(lines: pl.DataFrame | Table, at: datetime, categories: Sequence[str]) -> pl.DataFrame:
    """Return member_id and one Float64 column per category: its share of the member's spending in WINDOW days."""
    with _bound(lines) as (table, run):
        spent = _spent_by(_in_window(_orders_in(table, at)), "category")
        found = run(spent.filter(spent.category.isin(list(categories))))
        members = run(_orders_in(table, at).select("member_id").distinct())
    wide = found.select("member_id", "category", pl.col("share").cast(pl.Float64)).pivot(
        on="category", on_columns=list(categories), index="member_id", values="share", aggregate_function="first"
    )
    return (
        members.join(wide, on="member_id", how="left")
        .select("member_id", *(pl.col(name).cast(pl.Float64).fill_null(0.0) for name in categories))
        .sort("member_id")
    )


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
    """Return the query of `batch`, for whoever wants to run it inside a warehouse."""
    placed = _orders_in(lines, at)
    orders = _per_order(placed)
    plain = {name: d for name, d in ORDER_FEATURES.items() if isinstance(d, Total | Ratio | Age)}
    found = orders.group_by("member_id").aggregate(**{name: _value(orders, d) for name, d in plain.items()})
    for part in (_gaps(orders), _spreads(placed, "category"), _spreads(placed, "store_id")):
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
    engine, name = _duckdb(), f"frame_{next(_NUMBERS)}"
    engine.con.register(name, data.to_arrow())  # ibis.memtable would keep it until the garbage is collected
    try:
        yield ibis.table(ibis.memtable(data.head(0)).schema(), name=name), engine.to_polars
    finally:
        engine.con.unregister(name)


@cache
def _duckdb() -> Any:
    engine = ibis.duckdb.connect(threads=2, memory_limit="2GB")
    engine.raw_sql("SET enable_progress_bar = false")  # it would write into a program's output
    return engine


def _orders_in(lines: Table, at: datetime) -> Table:
    """Return lines up to `at` with their age in seconds (microseconds are cut off)."""
    now = ibis.literal(int(at.timestamp()))
    placed = lines.filter(lines.at <= ibis.literal(at))
    return placed.mutate(age=(now - _seconds(placed.at)).cast("int64"))


def _seconds(at: Value) -> Value:
    return at.truncate("s").epoch_seconds()  # without the cut, engines round


def _in_window(placed: Table) -> Table:
    return placed.filter(placed.age < WINDOW * DAY_S)


def _per_order(placed: Table) -> Table:
    amount = placed.amount_minor.cast("int64")
    promo = amount.sum(where=placed.discount_minor > 0).fill_null(0)
    orders = placed.group_by("member_id", "order_id").aggregate(
        at=placed.at.min(), age=placed.age.max(), amount=amount.sum().cast("int64"), promo=promo.cast("int64"),
        discount=placed.discount_minor.sum().cast("int64"), coupon=placed.coupon_minor.sum().cast("int64"),
        items=placed.quantity.sum(where=placed.category != "").fill_null(0).cast("int64"), level=(amount * placed.price_level).sum().cast("int64"),
        channel=placed.channel.min(),
    )  # fmt: skip
    return orders.mutate(
        hour=orders.at.hour(), weekday=orders.at.day_of_week.index(), online=orders.channel != "store",
        day=(_seconds(orders.at) / DAY_S).floor().cast("int64"),
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
    """Return (member_id, group, spent, share) of what was spent on known groups; nothing where nothing was paid."""
    known = placed.filter(placed[group].notnull() & (placed[group] != ""))
    spent = known.group_by("member_id", group).aggregate(spent=known.amount_minor.sum().cast("int64"))
    spent = spent.filter(spent.spent > 0)
    whole = spent.spent.sum().over(group_by="member_id")
    return spent.mutate(share=spent.spent.cast("float64") / whole.cast("float64"))


def _spreads(placed: Table, group: str) -> Table:
    spent = _spent_by(_in_window(placed), group)
    found: Mapping[str, Value] = {
        "count": spent.count(),
        "top": spent.share.max(),
        "entropy": -(spent.share * spent.share.ln()).sum(),
    }
    wanted = {n: d for n, d in ORDER_FEATURES.items() if isinstance(d, Spread) and d.group == group}
    return spent.group_by("member_id").aggregate(**{name: found[d.statistic] for name, d in wanted.items()})


def _nothing(wanted: Definition) -> float:
    """Return what a feature is for a member without an order in the window."""
    return wanted.empty if isinstance(wanted, Gap | Ratio) else 0.0
