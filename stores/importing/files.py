"""`import_folder`: a retailer's own CSV or Parquet files."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from personalization.currencies import places
from personalization.trust.retention import Schedule
from stores.coupon_tables import budgets, campaigns
from stores.database import Database
from stores.errors import ImportFileError
from stores.importing.pictures import import_pictures
from stores.importing.reading import LINE, read_table
from stores.importing.report import ImportReport, Progress
from stores.importing.schema import SCHEMAS, caps_of, complete, keep_good, validate
from stores.importing.writer import BulkWriter
from stores.tables import imports, products


def import_folder(
    db: Database, folder: Path, *, currency: str, progress: Progress, schedule: Schedule | None = None
) -> ImportReport:
    """Import members, products, orders, promotions, campaigns and coupons from `folder` (each NAME.csv or NAME.parquet, all optional).

    Good rows are kept, bad ones are in the report. Everything is written in one transaction; pictures of products follow, each in its own.
    `schedule` : until when consents count; without it they do not end by themselves. Withdrawals are noted (`stores.withdrawals`), to be finished.

    Raises
    ------
    ImportFileError
        No file with a known name, an unreadable file, or a required column is missing. Nothing was written.
    """
    if not folder.is_dir():
        raise ImportFileError(f"{folder} is not a folder; give the folder that holds members.csv, products.csv …")
    raw = {table: path for table in SCHEMAS for path in [_find(folder, table)] if path is not None}
    if not raw:
        expected = ", ".join(f"{table}.csv" for table in SCHEMAS)
        raise ImportFileError(f"{folder} holds none of {expected} (or .parquet); docs/data.md describes them")
    report = ImportReport(source=folder.name)
    frames: dict[str, pl.DataFrame] = {}
    for done, (table, path) in enumerate(raw.items()):
        progress(f"checking {path.name}", done, len(raw))
        frames[table] = validate(table, read_table(path), path.name, report, digits=places(currency))
    if "members" in frames:
        frames["members"] = frames["members"].with_columns(
            pl.lit(False).alias("name_is_synthetic"), pl.lit("import").alias("text_version")
        )
    files = {table: path.name for table, path in raw.items()}
    write_frames(db, frames, files, currency=currency, report=report, progress=progress, schedule=schedule)
    if "products" in frames:
        import_pictures(db, folder, frames["products"], files["products"], report=report, progress=progress)
    return report


def write_frames(
    db: Database,
    frames: dict[str, pl.DataFrame],
    files: dict[str, str],
    *,
    currency: str,
    report: ImportReport,
    progress: Progress,
    schedule: Schedule | None = None,
) -> None:
    """Check references between validated frames and what is stored, and write all in one transaction."""
    started, at = time.monotonic(), datetime.now(UTC)
    db.seal("contact", b"", "")  # makes the data key now: inside the transaction it would wait for itself
    with db.write() as connection:
        writer = BulkWriter(db, connection, schedule)
        steps = len(frames) + 1
        for done, table in enumerate(name for name in SCHEMAS if name in frames):
            progress(f"writing {table}", done, steps)
            frame = complete(table, frames[table])
            if table in _CHECKS:
                columns = [spec.name for spec in SCHEMAS[table]] + ["member_id"] * (table == "orders")
                frame = _CHECKS[table](frame, writer, connection, report)
                frame = keep_good(frame, files.get(table, table), table, columns, report)
            _write(writer, table, frame, currency, at)
            report.kept[table] += frame.height
        progress("committing", steps - 1, steps)
        report.seconds = time.monotonic() - started
        row = pl.DataFrame({"source": [report.source[:64]], "at": [at], "report": [json.dumps(report.as_json())]})
        writer.upsert(imports, row, ["source"])
        writer.withdraw()
    progress("done", steps, steps)


def _write(writer: BulkWriter, table: str, frame: pl.DataFrame, currency: str, at: datetime) -> None:
    if table == "members":
        writer.members(frame, at)
    elif table == "orders":
        writer.orders(frame, currency, at)
    elif table == "products":
        writer.products(frame, currency)
    elif table == "promotions":
        writer.promotions(frame)
    elif table == "campaigns":
        writer.campaigns(frame, currency)
    else:
        writer.coupons(frame, currency)


def _check_orders(frame: pl.DataFrame, writer: BulkWriter, connection: Connection, _: ImportReport) -> pl.DataFrame:
    catalogue = _known(connection.scalars(select(products.c.product_id)).all())
    another = (pl.col("member") != pl.col("member").first().over("order_id")) & pl.col("member_id").is_not_null()
    return frame.join(writer.member_ids(), left_on="member", right_on="external_id", how="left").with_columns(
        _unknown(pl.col("member_id").is_null(), "member", "is not a member that was imported"),
        _unknown(another, "order_id", "is the order of another member above"),
        _unknown(~pl.col("product_id").is_in(catalogue.implode()), "product_id", "is not in the catalogue"),
    )


def _check_promotions(frame: pl.DataFrame, _: BulkWriter, connection: Connection, __: ImportReport) -> pl.DataFrame:
    catalogue = _known(connection.scalars(select(products.c.product_id)).all())
    return frame.with_columns(
        _unknown(~pl.col("product_id").is_in(catalogue.implode()), "product_id", "is not in the catalogue"),
        _late().alias("__problem_ends_at"),
    )


def _check_campaigns(
    frame: pl.DataFrame, writer: BulkWriter, connection: Connection, report: ImportReport
) -> pl.DataFrame:
    used = connection.execute(
        select(budgets.c.campaign_id, (budgets.c.reserved + budgets.c.spent).label("used")).where(budgets.c.scope == "")
    ).all()
    frame = frame.join(
        pl.DataFrame(used, schema={"campaign_id": pl.String, "used": pl.Int64}, orient="row"),
        on="campaign_id",
        how="left",
    )
    listed = frame.filter(pl.col("audience") != "everybody")["audience"].str.split(";").explode()
    strangers = len(listed) - int(listed.is_in(writer.member_ids()["external_id"].implode()).sum())
    if strangers:
        report.notes.append(f"{strangers} entries of campaigns' audiences are no members and were left out")
    promised = pl.when(pl.col("budget") < pl.col("used")).then(pl.lit("is less than was promised and spent already"))
    return frame.with_columns(
        _late().alias("__problem_ends_at"), promised.alias("__problem_budget"), _low_caps(frame, connection)
    )


def _low_caps(frame: pl.DataFrame, connection: Connection) -> pl.Series:
    rows = connection.execute(
        select(budgets.c.campaign_id, budgets.c.scope, budgets.c.scope_id, budgets.c.reserved + budgets.c.spent).where(
            budgets.c.scope != ""
        )
    )
    used = {(campaign_id, scope, scope_id): amount for campaign_id, scope, scope_id, amount in rows}
    problems = [
        next(
            (
                f"{scope}:{scope_id} is less than was promised and spent there already"
                for scope, scope_id, total in caps_of(cell)
                if total < used.get((campaign_id, scope, scope_id), 0)
            ),
            None,
        )
        for campaign_id, cell in frame.select("campaign_id", "caps").iter_rows()
    ]
    return pl.Series("__problem_caps", problems, dtype=pl.String)


def _check_coupons(frame: pl.DataFrame, _: BulkWriter, connection: Connection, __: ImportReport) -> pl.DataFrame:
    known = _known(connection.scalars(select(campaigns.c.campaign_id)).all())
    catalogue = _known(connection.scalars(select(products.c.product_id)).all()).implode()
    listed = (
        frame.filter(pl.col("product_ids") != "")
        .select(LINE, pl.col("product_ids").str.split(";"))
        .explode("product_ids")
    )
    missing = (
        listed.filter(~pl.col("product_ids").is_in(catalogue))
        .group_by(LINE)
        .agg(pl.first("product_ids").alias("missing"))
    )
    return frame.join(missing, on=LINE, how="left", maintain_order="left").with_columns(
        _unknown(~pl.col("campaign_id").is_in(known.implode()), "campaign_id", "is no campaign"),
        _unknown(pl.col("missing").is_not_null(), "missing", "is not in the catalogue").alias("__problem_product_ids"),
    )


_CHECKS = {
    "orders": _check_orders, "promotions": _check_promotions, "campaigns": _check_campaigns, "coupons": _check_coupons,
}  # fmt: skip


def _late() -> pl.Expr:
    return pl.when(pl.col("ends_at") <= pl.col("starts_at")).then(pl.lit("is not after starts_at"))


def _unknown(condition: pl.Expr, column: str, reason: str) -> pl.Expr:
    shown = pl.concat_str(pl.lit('"'), pl.col(column), pl.lit(f'" {reason}'))
    return pl.when(condition).then(shown).alias(f"__problem_{column}")


def _known(values: Sequence[str]) -> pl.Series:
    return pl.Series("known", values, dtype=pl.String)


def _find(folder: Path, table: str) -> Path | None:
    return next(
        (path for suffix in ("csv", "parquet") for path in [folder / f"{table}.{suffix}"] if path.exists()), None
    )
