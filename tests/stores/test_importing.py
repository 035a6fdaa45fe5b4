"""Import of a retailer's own files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from personalization.trust.retention import read_schedule
from personalization.types import MemberId, Product, ProductId, Purpose, Subject
from stores.catalogue import SqlCatalogue
from stores.consents import ConsentEntry, SqlConsents
from stores.coupon_tables import budgets
from stores.database import Database
from stores.errors import ImportFileError
from stores.importing.complete_journey import import_complete_journey
from stores.importing.files import import_folder
from stores.importing.readable import package, product_name, pseudonym, readable
from stores.importing.report import ImportReport
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from stores.purchases import SqlPurchases, SqlTrainingSource
from stores.tables import events, members, order_lines, products
from tests.small_shop import NOW, fill, write

LATER = NOW + timedelta(hours=1)

EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"


def run(db: Database, folder: Path) -> ImportReport:
    return import_folder(db, folder, currency="USD", progress=lambda *_: None)


def count(db: Database, table: object) -> int:
    with db.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def test_good_rows_are_kept_and_bad_ones_are_told_with_line_column_and_reason(
    database: Database, tmp_path: Path
) -> None:
    write(tmp_path)
    with (tmp_path / "orders.csv").open("a") as file:
        file.write("x1,pets-1,milk-1,2026-01-01T10:00:00Z,two,3.49,s1\n")
        file.write("x2,nobody,milk-1,2026-01-01T10:00:00Z,1,3.49,s1\n")
        file.write("x3,pets-1,unicorn,2026-01-01T10:00:00Z,1,3.499,s1\n")
    last = len((tmp_path / "orders.csv").read_text().splitlines())
    report = run(database, tmp_path)
    told = [str(error) for error in report.errors]
    assert f'orders.csv line {last - 2}, column quantity: "two" is not a whole number' in told
    assert f'orders.csv line {last - 1}, column member: "nobody" is not a member that was imported' in told
    assert f'orders.csv line {last}, column amount: "3.499" is not an amount like 3.49' in told
    assert report.left_out["orders"] == 3
    assert count(database, order_lines) == report.kept["orders"] == last - 4


def test_importing_again_changes_nothing_and_keeps_a_withdrawal(database: Database) -> None:
    first = fill(database)
    member = SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    SqlConsents(database).record([ConsentEntry(member.member_id, Purpose.PROFILING, False, LATER, "test", "t")])
    second = fill(database)
    assert first.kept == second.kept
    assert count(database, members) == first.kept["members"]
    assert count(database, order_lines) == first.kept["orders"]
    again = SqlMembers(database).by_external_id("pets-1")
    assert again == member
    assert Purpose.PROFILING not in SqlConsents(database).granted(Subject(member.member_id), at=LATER)


def test_an_order_is_in_the_event_log_too(small_shop: Database) -> None:
    with small_shop.read() as connection:
        orders = connection.scalar(select(func.count(order_lines.c.order_id.distinct())))
    assert count(small_shop, events) == orders


def test_the_email_is_sealed_in_the_table_and_readable_through_the_repository(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("pets-1")
    assert member is not None
    assert member.email == "pets-1@example.org"
    with small_shop.read() as connection:
        sealed = connection.scalar(select(members.c.email).where(members.c.member_id == member.member_id))
    assert b"example.org" not in bytes(sealed or b"")


def test_training_reads_only_members_who_consented(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("baby-2")
    assert member is not None
    assert len(SqlPurchases(small_shop).of_member(member.member_id, until=NOW)) > 0
    SqlConsents(small_shop).record([ConsentEntry(member.member_id, Purpose.PROFILING, False, LATER, "test", "t")])
    lines = SqlTrainingSource(small_shop).order_lines()
    assert member.member_id not in set(lines["member_id"])
    assert lines["member_id"].n_unique() == 59
    assert lines.schema["at"] == pl.Datetime("us", "UTC")


def test_a_corrected_order_replaces_its_lines(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    orders = tmp_path / "orders.csv"
    header = "order_id,member,product_id,at,quantity,amount\n"
    line = "z,pets-1,{},2026-01-01,1,1.00\n"
    orders.write_text(header + line.format("milk-1") + line.format("milk-2"))
    run(database, tmp_path)
    orders.write_text(header + line.format("milk-2"))
    run(database, tmp_path)
    member = SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    assert [p.product_id for p in SqlPurchases(database).of_member(member.member_id, until=NOW)] == ["milk-2"]


PRODUCTS = "product_id,name,category,price{more}\n"


def product_of(db: Database, product_id: str) -> Product:
    return SqlCatalogue(db).products([ProductId(product_id)])[ProductId(product_id)]


def test_what_hard_rules_need_is_read_and_has_defaults(database: Database, tmp_path: Path) -> None:
    products = tmp_path / "products.csv"
    products.write_text(
        PRODUCTS.format(more=",in_stock,minimum_age,contains") + "a,A,Milk,1.00,no,18, Nuts ; MILK;\nb,B,Milk,1.00,,,\n"
    )
    assert run(database, tmp_path).errors == []
    found = product_of(database, "a")
    assert (found.in_stock, found.minimum_age, found.contains) == (False, 18, frozenset({"nuts", "milk"}))
    plain = product_of(database, "b")
    assert (plain.in_stock, plain.minimum_age, plain.contains) == (True, 0, frozenset())
    products.write_text(PRODUCTS.format(more="") + "c,C,Milk,1.00\n")
    run(database, tmp_path)
    plain = product_of(database, "c")
    assert (plain.in_stock, plain.minimum_age, plain.contains) == (True, 0, frozenset())


def test_stock_changes_with_products_alone(database: Database, tmp_path: Path) -> None:
    fill(database)
    products = tmp_path / "products.csv"
    for stock in ("no", "yes"):
        products.write_text(PRODUCTS.format(more=",in_stock") + f"milk-1,Milk no. 1,Milk,3.49,{stock}\n")
        assert run(database, tmp_path).kept == {"products": 1}
        assert product_of(database, "milk-1").in_stock is (stock == "yes")
        assert product_of(database, "milk-2").in_stock


def test_attributes_that_make_no_sense_are_told(database: Database, tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(
        PRODUCTS.format(more=",in_stock,minimum_age,contains") + "a,A,Milk,1.00,few,-1,;\nb,B,Milk,1.00,yes,200,nuts\n"
    )
    assert [str(error) for error in run(database, tmp_path).errors] == [
        'products.csv line 2, column in_stock: "few" is not true or false',
        'products.csv line 2, column minimum_age: "-1" is below 0',
        'products.csv line 2, column contains: ";" is not words joined by ;',
        'products.csv line 3, column minimum_age: "200" is above 120',
    ]


def test_a_history_that_was_read_before_follows_a_correction(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    run(database, tmp_path)
    purchases, member = SqlPurchases(database), SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    before = purchases.of_member(member.member_id, until=NOW)
    assert purchases.of_member(member.member_id, until=NOW) is before
    orders = tmp_path / "orders.csv"
    orders.write_text(orders.read_text().replace(",dog-food-2,", ",cheese-2,"))
    run(database, tmp_path)
    after = purchases.of_member(member.member_id, until=NOW)
    assert "dog-food-2" in {line.product_id for line in before}
    assert "dog-food-2" not in {line.product_id for line in after}


def test_one_order_of_two_members_is_told(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "orders.csv").open("a") as file:
        file.write("z,pets-1,milk-1,2026-01-01,1,1.00,s\nz,pets-2,milk-1,2026-01-01,1,1.00,s\n")
    last = len((tmp_path / "orders.csv").read_text().splitlines())
    told = [str(error) for error in run(database, tmp_path).errors]
    assert told == [f'orders.csv line {last}, column order_id: "z" is the order of another member above']


def test_a_file_takes_back_what_a_file_granted_and_nothing_else(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    run(database, tmp_path)
    member = SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    own = ConsentEntry(member.member_id, Purpose.FACE_RECOGNITION, True, NOW, "kiosk", "t")
    SqlConsents(database).record([own])
    people = tmp_path / "members.csv"
    people.write_text(people.read_text().replace("profiling;marketing", "marketing"))
    run(database, tmp_path)
    granted = SqlConsents(database).granted(Subject(member.member_id), at=LATER)
    assert granted == {Purpose.MARKETING, Purpose.FACE_RECOGNITION}
    run(database, tmp_path)
    assert len(SqlConsents(database).history(member.member_id)) == 4
    people.write_text("external_id\npets-1\n")
    run(database, tmp_path)
    assert SqlConsents(database).granted(Subject(member.member_id), at=LATER) == granted


def test_what_a_file_grants_ends_by_the_schedule_and_the_same_file_does_not_renew_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    db, schedule = sqlite_database, read_schedule(["gdpr"])
    write(tmp_path)
    for _ in range(2):
        import_folder(db, tmp_path, currency="USD", progress=lambda *_: None, schedule=schedule)
    member = SqlMembers(db).by_external_id("pets-1")
    assert member is not None
    told = SqlConsents(db).history(member.member_id)
    assert {entry.purpose for entry in told} == {Purpose.PROFILING, Purpose.MARKETING}
    assert [entry.expires_at for entry in told] == [entry.at + timedelta(days=1095) for entry in told]
    assert SqlConsents(db).granted(Subject(member.member_id), at=NOW + timedelta(days=1096)) == frozenset()


def test_a_file_grants_again_what_a_file_took_back_though_the_hosts_clock_was_set_back(
    database: Database, tmp_path: Path
) -> None:
    write(tmp_path)
    run(database, tmp_path)
    member = SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    ahead = ConsentEntry(member.member_id, Purpose.PROFILING, False, LATER, "import", "t")
    SqlConsents(database).record([ahead])
    run(database, tmp_path)
    assert Purpose.PROFILING in SqlConsents(database).granted(Subject(member.member_id), at=NOW)


def test_lines_count_as_an_editor_shows_them(sqlite_database: Database, tmp_path: Path) -> None:
    text = 'product_id,name,category,price\na,"two\nlines",X,1.00\n\nb,B,X,oops\n'
    (tmp_path / "products.csv").write_text(text)
    report = run(sqlite_database, tmp_path)
    assert [str(error) for error in report.errors] == [
        'products.csv line 5, column price: "oops" is not an amount like 3.49'
    ]
    assert report.kept["products"] == 1


def test_a_row_with_too_many_cells_is_told_and_the_others_are_kept(sqlite_database: Database, tmp_path: Path) -> None:
    text = "product_id,name,category,price\na,Salt, sea,X,1.00\nb,B,X,2.00\nc,C\n"
    (tmp_path / "products.csv").write_text(text)
    report = run(sqlite_database, tmp_path)
    assert [str(error) for error in report.errors] == [
        "products.csv line 2, column row: has 5 cells, the header has 4",
        "products.csv line 4, column category: is empty",
        "products.csv line 4, column price: is empty",
    ]
    assert report.kept["products"] == 1


BAD_CELLS = [
    ("quantity", "2.5", '"2.5" is not a whole number'),
    ("quantity", "0", '"0" is below 1'),
    ("quantity", "99999999999", '"99999999999" is above 1,000,000'),
    ("quantity", "", "is empty"),
    ("amount", "-3.00", '"-3.00" is not an amount like 3.49'),
    ("amount", "3,49 €", '"3,49 €" is not an amount like 3.49'),
    ("at", "yesterday", '"yesterday" is not a time like 2026-05-01T10:30:00Z'),
    ("at", "2026-02-30", '"2026-02-30" is not a time like 2026-05-01T10:30:00Z'),
    ("order_id", "o" * 65, "is longer than 64 characters"),
    ("store_id", "s\0", '"s\0" holds a NUL character'),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BAD_CELLS)
def test_every_kind_of_bad_cell_has_its_own_reason(
    sqlite_database: Database, tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    for name in ("members", "products"):
        (tmp_path / f"{name}.csv").write_text((EXAMPLES / f"{name}.csv").read_text())
    row = {"order_id": "o", "member": "crm-1", "product_id": "sku-1", "at": "2026-05-01", "quantity": "1",
           "amount": "1.00", "store_id": "s"}  # fmt: skip
    pl.DataFrame([{**row, column: cell}, {**row, "order_id": "fine"}]).write_csv(tmp_path / "orders.csv")
    report = run(sqlite_database, tmp_path)
    assert [str(error) for error in report.errors] == [f"orders.csv line 2, column {column}: {reason}"]
    assert report.kept["orders"] == 1


@pytest.mark.parametrize(
    "written",
    ["2026-05-01T10:30:00Z", "2026-05-01T12:30:00+02:00", "2026-05-01 10:30", "2026-05-01T10:30:00.000", "2026-05-01T10:30Z"],
)  # fmt: skip
def test_a_time_is_taken_as_people_write_it(sqlite_database: Database, tmp_path: Path, written: str) -> None:
    for name in ("members", "products"):
        (tmp_path / f"{name}.csv").write_text((EXAMPLES / f"{name}.csv").read_text())
    header = "order_id,member,product_id,at,quantity,amount\n"
    (tmp_path / "orders.csv").write_text(f"{header}o,crm-1,sku-1,{written},1,1.00\n")
    assert run(sqlite_database, tmp_path).errors == []
    member = SqlMembers(sqlite_database).by_external_id("crm-1")
    assert member is not None
    (line,) = SqlPurchases(sqlite_database).of_member(member.member_id, until=NOW + timedelta(days=9999))
    assert line.at == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)


def test_a_missing_column_a_missing_folder_and_nonsense_are_one_clear_error(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(ImportFileError, match="is not a folder"):
        run(sqlite_database, tmp_path / "nowhere")
    with pytest.raises(ImportFileError, match=r"holds none of members\.csv"):
        run(sqlite_database, tmp_path)
    (tmp_path / "members.csv").write_text("name\nMaya\n")
    with pytest.raises(ImportFileError, match=r"members\.csv has no column external_id"):
        run(sqlite_database, tmp_path)
    (tmp_path / "members.csv").unlink()
    (tmp_path / "products.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(ImportFileError, match=r"products.parquet could not be read"):
        run(sqlite_database, tmp_path)


def test_an_import_that_fails_half_way_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stores.importing.writer import BulkWriter

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(BulkWriter, "coupons", broken)
    write(tmp_path)
    with pytest.raises(OSError, match="disk is full"):
        run(database, tmp_path)
    assert count(database, members) == 0
    assert count(database, order_lines) == 0


def test_parquet_files_are_taken_like_csv(sqlite_database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    for path in list(tmp_path.glob("*.csv")):
        pl.read_csv(path).write_parquet(path.with_suffix(".parquet"))
        path.unlink()
    report = run(sqlite_database, tmp_path)
    assert report.errors == []
    assert report.kept["members"] == 60


def test_the_demo_data_imports_with_recent_dates_and_marked_synthetic_names(database: Database) -> None:
    anchor = date(2026, 6, 3)
    report = import_complete_journey(
        database, anchor=anchor, shift=True, currency="USD", progress=lambda *_: None, households=20
    )
    assert report.kept["members"] == 20
    people = SqlMembers(database).page(limit=50)
    assert all(person.name_is_synthetic for person in people)
    assert len({person.display_name for person in people}) == 20
    with database.read() as connection:
        last = connection.scalar(select(func.max(order_lines.c.at)))
    assert last is not None
    assert 0 <= (anchor - last.date()).days < 14
    state = SqlLedger(database).state("welcome")  # type: ignore[arg-type]
    assert state is not None
    assert state.total.minor_units == 2_000_000


def test_synthetic_names_differ_for_every_household() -> None:
    assert len({pseudonym(number) for number in range(1, 2501)}) == 2500


def test_a_tills_shouting_becomes_readable() -> None:
    assert readable("FRZN PIZZA/CHS") == "Frozen pizza, cheese"
    assert readable("CAN DOG FOOD (SKIPPY/PEDIGREE") == "Canned dog food"
    assert readable(None) == ""


def test_an_unknown_member_has_no_purchases(sqlite_database: Database) -> None:
    assert list(SqlPurchases(sqlite_database).of_member(MemberId("nobody"), until=NOW)) == []


def test_a_name_stands_alone() -> None:
    assert product_name(readable("TRADITIONAL"), readable("ICE CREAM/MILK/SHERBTS")) == "Traditional ice cream"
    assert product_name("Premium bread", "Bread") == "Premium bread"
    assert (package("L 8 OZ"), package("48-54 CT"), package("12 OZ OZ")) == ("8 oz", "48-54 ct", "12 oz")


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "349", 349), ("EUR", "3.49", 349), ("KWD", "3.495", 3_495)]
)
def test_prices_are_read_with_the_digits_of_the_currency(
    sqlite_database: Database, tmp_path: Path, currency: str, price: str, minor: int
) -> None:
    header = "product_id,name,department,category,brand,price\n"
    (tmp_path / "products.csv").write_text(f"{header}a,Milk,Dairy,Milk,Own,{price}\nb,Milk,Dairy,Milk,Own,{price}99\n")
    (tmp_path / "campaigns.csv").write_text(
        f"campaign_id,name,starts_at,ends_at,budget,objective,audience,caps\nc,C,2026-01-01,2027-01-01,{price},orders,everybody,store:s-1={price}\n"
    )
    report = import_folder(sqlite_database, tmp_path, currency=currency, progress=lambda *_: None)
    with sqlite_database.read() as connection:
        assert connection.scalar(select(products.c.price_minor).where(products.c.product_id == "a")) == minor
        assert set(connection.scalars(select(budgets.c.total))) == {minor}
    assert report.kept["products"] == (2 if currency == "JPY" else 1), "more digits than the currency has are refused"
