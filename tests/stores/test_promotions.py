"""Promotions: what runs where and when, and what an import changes about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import event, func, select

from personalization.types import StoreId
from stores.database import Database
from stores.importing import complete_journey
from stores.importing.complete_journey import LEAST_BUYERS, import_complete_journey
from stores.importing.files import import_folder
from stores.importing.report import ImportReport
from stores.promotions import SqlPromotions
from stores.tables import order_lines, products, promotions

HEADER = "product_id,store_id,starts_at,ends_at,placement\n"
AT = datetime(2026, 5, 3, 10, 20, tzinfo=UTC)
S1 = StoreId("s-1")


def run(db: Database, folder: Path, *rows: str, header: str = HEADER) -> ImportReport:
    examples = Path(__file__).parent.parent.parent / "docs" / "examples"
    (folder / "products.csv").write_text((examples / "products.csv").read_text())
    (folder / "promotions.csv").write_text(header + "\n".join(rows) + "\n")
    return import_folder(db, folder, currency="USD", progress=lambda *_: None)


def test_a_promotion_runs_from_its_start_until_its_end_in_its_store(database: Database, tmp_path: Path) -> None:
    run(database, tmp_path, "sku-1,s-1,2026-05-01,2026-05-08,display")
    found, start, end = SqlPromotions(database), datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 8, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert found.running(S1, at=start - second) == {}
    assert found.running(S1, at=start) == {"sku-1": "display"}
    assert found.running(S1, at=end - second) == {"sku-1": "display"}
    assert found.running(S1, at=end) == {}
    assert found.running(StoreId("s-2"), at=AT) == found.running(None, at=AT) == {}


def test_what_runs_in_all_stores_runs_in_each_and_where_no_store_is_known(database: Database, tmp_path: Path) -> None:
    run(database, tmp_path, "sku-1,s-1,2026-05-01,2026-05-08,display", "sku-2,,2026-05-01,2026-05-08,mailer")
    found = SqlPromotions(database)
    assert found.running(S1, at=AT) == {"sku-1": "display", "sku-2": "mailer"}
    assert found.running(StoreId("s-2"), at=AT) == found.running(None, at=AT) == {"sku-2": "mailer"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_display_comes_before_mailer(database: Database, tmp_path: Path, order: tuple[int, int]) -> None:
    rows = ["sku-1,,2026-05-01,2026-05-08,mailer", "sku-1,s-1,2026-05-01,2026-05-08,display"]
    run(database, tmp_path, *(rows[place] for place in order))
    assert SqlPromotions(database).running(S1, at=AT) == {"sku-1": "display"}


def test_within_an_hour_the_same_object_is_returned_and_the_table_is_not_read(
    sqlite_database: Database, tmp_path: Path
) -> None:
    run(sqlite_database, tmp_path, "sku-1,s-1,2026-05-01,2026-05-08,display")
    found, asked = SqlPromotions(sqlite_database), list[str]()
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    first = found.running(S1, at=AT)
    assert found.running(S1, at=AT + timedelta(minutes=39)) is first
    assert len([statement for statement in asked if "promotions" in statement]) == 1
    assert found.running(S1, at=AT + timedelta(minutes=40)) is not first
    assert len([statement for statement in asked if "promotions" in statement]) == 2


def test_what_ended_within_the_hour_is_not_told_as_running(database: Database, tmp_path: Path) -> None:
    run(
        database,
        tmp_path,
        "sku-1,s-1,2026-05-01,2026-05-03T10:30:00Z,display",
        "sku-2,s-1,2026-05-01,2026-05-08,display",
    )
    found = SqlPromotions(database)
    assert set(found.running(S1, at=AT)) == {"sku-1", "sku-2"}
    assert set(found.running(S1, at=AT + timedelta(minutes=10))) == {"sku-2"}


def test_an_import_is_seen_with_the_next_question_and_gives_a_promotion_its_new_end(
    database: Database, tmp_path: Path
) -> None:
    found = SqlPromotions(database)
    assert found.running(S1, at=AT) == {}
    run(database, tmp_path, "sku-1,s-1,2026-05-01,2026-05-08,display")
    assert found.running(S1, at=AT) == {"sku-1": "display"}
    run(database, tmp_path, "sku-1,s-1,2026-05-01,2026-05-02,display")
    assert found.running(S1, at=AT) == {}
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(promotions)) == 1


def test_a_file_without_stores_promotes_everywhere(database: Database, tmp_path: Path) -> None:
    report = run(
        database, tmp_path, "sku-1,2026-05-01,2026-05-08, Display ", header="product_id,starts_at,ends_at,placement\n"
    )
    assert report.errors == []
    assert SqlPromotions(database).running(S1, at=AT) == {"sku-1": "display"}


BAD_ROWS = [
    ("unicorn,s-1,2026-05-01,2026-05-08,display", "product_id", '"unicorn" is not in the catalogue'),
    ("sku-1,s-1,2026-05-01,2026-05-08,window", "placement", '"window" is none of display, mailer'),
    ("sku-1,s-1,2026-05-01,2026-05-08,", "placement", "is empty"),
    ("sku-1,s-1,2026-05-01,2026-05-01,display", "ends_at", "is not after starts_at"),
    ("sku-1,s-1,soon,2026-05-08,display", "starts_at", '"soon" is not a time like 2026-05-01T10:30:00Z'),
]


@pytest.mark.parametrize(("row", "column", "reason"), BAD_ROWS)
def test_a_bad_row_is_told_and_the_others_are_kept(
    sqlite_database: Database, tmp_path: Path, row: str, column: str, reason: str
) -> None:
    report = run(sqlite_database, tmp_path, row, "sku-2,s-1,2026-05-01,2026-05-08,display")
    assert [str(error) for error in report.errors] == [f"promotions.csv line 2, column {column}: {reason}"]
    assert (report.kept["promotions"], report.left_out["promotions"]) == (1, 1)


def test_rows_that_name_one_promotion_twice_are_both_left_out(sqlite_database: Database, tmp_path: Path) -> None:
    report = run(
        sqlite_database, tmp_path, "sku-1,,2026-05-01,2026-05-08,display", "sku-1,,2026-05-01,2026-05-09,display",
        "sku-1,,2026-05-01,2026-05-09,mailer",
    )  # fmt: skip
    assert [error.line for error in report.errors] == [2, 3]
    assert report.kept["promotions"] == 1


def test_the_demo_has_displays_now_of_goods_that_many_households_buy(database: Database) -> None:
    anchor = date(2026, 6, 3)
    report = import_complete_journey(
        database, anchor=anchor, shift=True, currency="USD", progress=lambda *_: None, households=40
    )
    with database.read() as connection:
        rows = connection.execute(select(promotions)).all()
        households = func.count(order_lines.c.member_id.distinct())
        bought = select(order_lines.c.product_id, households).group_by(order_lines.c.product_id)
        buyers = {product_id: count for product_id, count in connection.execute(bought)}  # noqa: C416
        goods = set(connection.scalars(select(products.c.product_id).where(products.c.recommendable)))
    assert len(rows) == report.kept["promotions"] > 0
    assert {row.placement for row in rows} == {"display"}
    assert {row.product_id for row in rows} <= goods
    assert min(buyers[row.product_id] for row in rows) >= LEAST_BUYERS
    assert {row.ends_at for row in rows} == {datetime(2026, 7, 1, tzinfo=UTC)}
    assert 0 <= (datetime(2026, 6, 3, tzinfo=UTC) - rows[0].starts_at).days < 14
    assert SqlPromotions(database).running(rows[0].store_id, at=datetime(2026, 6, 20, tzinfo=UTC))
    assert any("promotions" in note and "28 days" in note for note in report.notes)


def test_without_moving_dates_the_displays_keep_their_week(sqlite_database: Database) -> None:
    report = import_complete_journey(
        sqlite_database, anchor=date(2026, 6, 3), shift=False, currency="USD", progress=lambda *_: None, households=40
    )
    with sqlite_database.read() as connection:
        times = {tuple(row) for row in connection.execute(select(promotions.c.starts_at, promotions.c.ends_at))}
    assert times == {(datetime(2017, 12, 25, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC))}
    assert not any("28 days" in note for note in report.notes)


def test_the_last_week_of_the_demo_data_is_the_one_that_is_read() -> None:
    weeks = pl.scan_parquet(complete_journey._folder() / "transactions.parquet").select(
        pl.max("week"), pl.col("transaction_timestamp").filter(pl.col("week") == pl.max("week")).min().alias("starts")
    )
    last = weeks.collect().row(0, named=True)
    assert last["week"] == complete_journey.LAST_WEEK
    assert complete_journey.LAST_WEEK_STARTS <= last["starts"].date() <= complete_journey.LAST_DAY
