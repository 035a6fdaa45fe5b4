"""What makes one shopper differ from another, as a row of numbers: the only thing about single members that fitting looks at.

A visit is a day with an order. The shop's day begins at `opens`, its quietest hour (UTC), so that an evening is not cut in two.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TRAITS = (
    "gap_log_mean", "gap_log_std", "gap_trend", "starts", "ends", "lines_log_mean", "lines_log_std", "price_level", "promo",
    "coupon", "weekend", "hour", "hour_std", "top_store", "online", "loyalty",
)  # fmt: skip
SURE_AFTER = 10.0  # visits until a member's own spread counts as much as everybody's
TREND_LIMIT = 0.004  # log-gaps per day


def opens(lines: pl.DataFrame) -> int:
    """Return the hour (UTC) before which the shop's night lies: the middle of the three quietest hours in a row."""
    n = np.bincount(lines["at"].dt.hour().to_numpy(), minlength=24)
    return int((n + np.roll(n, 1) + np.roll(n, -1)).argmin())


def prepare(lines: pl.DataFrame, products: pl.DataFrame, opens_at: int) -> pl.DataFrame:
    """Return order lines with day, hour since `opens_at`, category, price level and whether the member had bought the product.

    lines : member_id, order_id, product_id, store_id, channel, at, quantity, amount_minor, discount_minor, coupon_minor.
    products : product_id, category, price_minor. Lines of products that are not there are left out.
    """
    facts = products.select("product_id", "category", "price_minor").with_columns(
        (pl.col("price_minor").clip(1).log() - pl.col("price_minor").clip(1).log().mean().over("category")).alias(
            "level"
        )
    )
    found = lines.join(facts, on="product_id").sort("member_id", "at", "order_id", "product_id")
    clock = pl.col("at").dt.offset_by(f"-{opens_at}h")
    return found.with_columns(
        (clock.dt.date() - clock.dt.date().min()).dt.total_days().alias("day"),
        (clock.dt.hour() + clock.dt.minute() / 60).cast(pl.Float64).alias("hour"), clock.dt.weekday().alias("weekday"),
        (pl.col("at") > pl.col("at").min().over("member_id", "product_id")).alias("again"),
    ).with_columns((pl.col("weekday") >= 6).alias("weekend"))  # fmt: skip


def gaps(prepared: pl.DataFrame) -> pl.DataFrame:
    """Return member_id, day and the log of the days since the visit before, of every visit but the first."""
    visits = prepared.select("member_id", "day").unique().sort("member_id", "day")
    gap = (pl.col("day") - pl.col("day").shift(1).over("member_id")).alias("gap")
    return visits.with_columns(gap).drop_nulls().with_columns(pl.col("gap").cast(pl.Float64).log().alias("log_gap"))


def traits(prepared: pl.DataFrame) -> pl.DataFrame:
    """Return member_id and TRAITS, one row per member, sorted by id; spreads of members with few visits lean on everybody's."""
    period = float(prepared["day"].max() or 0) + 1  # type: ignore[arg-type]
    between = gaps(prepared)
    typical = float(between["log_gap"].std() or 0.5)  # type: ignore[arg-type]
    n, x, y = pl.len(), pl.col("day"), pl.col("log_gap")
    rhythm = between.group_by("member_id", maintain_order=True).agg(
        y.mean().alias("gap_log_mean"), _leaning(y.std(), n, typical).alias("gap_log_std"),
        (pl.cov(x, y) / x.var() * n / (n + SURE_AFTER)).clip(-TREND_LIMIT, TREND_LIMIT).alias("gap_trend"),
    )  # fmt: skip
    orders = prepared.group_by("member_id", "order_id", maintain_order=True).agg(
        pl.col("day", "hour", "weekend", "store_id", "channel").first(), pl.len().cast(pl.Float64).log().alias("lines")
    )
    spread_lines, spread_hours = (float(orders[name].std() or 1.0) for name in ("lines", "hour"))  # type: ignore[arg-type]
    per_order = orders.group_by("member_id", maintain_order=True).agg(
        pl.col("day").min().cast(pl.Float64).alias("starts"), (period - 1 - pl.col("day").max()).cast(pl.Float64).alias("ends"),
        pl.col("lines").mean().alias("lines_log_mean"), _leaning(pl.col("lines").std(), n, spread_lines).alias("lines_log_std"),
        pl.col("weekend").mean(), pl.col("hour").mean(), _leaning(pl.col("hour").std(), n, spread_hours).alias("hour_std"),
        (pl.col("store_id").drop_nulls().value_counts(sort=True).struct.field("count").first() / n).fill_null(1.0).alias("top_store"),
        (pl.col("channel") != "store").mean().alias("online"),
    )  # fmt: skip
    per_line = prepared.group_by("member_id", maintain_order=True).agg(
        pl.col("level").mean().alias("price_level"), (pl.col("discount_minor") > 0).mean().alias("promo"),
        (pl.col("coupon_minor") > 0).mean().alias("coupon"), pl.col("again").mean().alias("loyalty"),
    )  # fmt: skip
    found = per_order.join(per_line, on="member_id").join(rhythm, on="member_id", how="left").sort("member_id")
    alone = (period - pl.col("starts")).clip(1.0).log()  # who came once would have come back by the end at the latest
    return found.with_columns(
        pl.col("gap_log_mean").fill_null(alone), pl.col("gap_log_std").fill_null(typical),
        pl.col("gap_trend").fill_nan(0.0).fill_null(0.0),
    ).select("member_id", *(pl.col(name).cast(pl.Float64) for name in TRAITS))  # fmt: skip


def _leaning(own: pl.Expr, n: pl.Expr, everybody: float) -> pl.Expr:
    return (own.fill_null(everybody) * n + everybody * SURE_AFTER) / (n + SURE_AFTER)
