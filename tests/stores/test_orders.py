"""Orders in the database: found again, changed in one transaction, sealed, and erased with their member."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from personalization.orders import Address
from personalization.types import MemberId
from stores.database import Database
from stores.erasure import erase_member, export_member
from stores.errors import ImportFileError, NotFoundError
from stores.importing.tau2 import import_tau2
from stores.members import SqlMembers
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.orders import SqlOrderBook
from tests.small_shop import NOW

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "order_service"
ELSEWHERE = Address("5 Elm Street", "", "Salem", "OR", "97301", "USA")


def imported(db: Database) -> SqlOrderBook:
    import_tau2(db, FOLDER, currency="USD", progress=lambda *_: None)
    return SqlOrderBook(db)


def move(book: SqlOrderBook, customer_id: str, order_id: str, token: str) -> None:
    from dataclasses import replace

    from personalization.orders import Change

    with book.change(customer_id) as draft:
        order = draft.order(order_id)
        assert order is not None
        draft.save_order(replace(order, address=ELSEWHERE))
        draft.record(Change(token, "change_address", customer_id, order_id, NOW, "", {"line1": "5 Elm Street"}))


def test_the_imported_shop_is_found_by_email_and_by_name(sqlite_database: Database) -> None:
    book = imported(sqlite_database)
    nora = book.find_by_email(" Nora.Fields@example.com")
    assert nora is not None
    assert nora == book.find_by_name("nora", "FIELDS", "97201")
    assert book.find_by_name("nora", "fields", "11111") is None
    assert SqlMembers(sqlite_database).get(nora) == SqlMembers(sqlite_database).by_external_id("nora_fields_1001")
    assert [order.order_id for order in book.orders(nora)] == ["#A100001", "#A100002", "#A100003"]
    assert str(book.orders(nora)[0].total) == "$103.90"
    assert len(book.variants("1000002")) == 6
    assert book.products()["1000004"] == "Enamel Mug"


def test_a_change_is_stored_with_its_audit_entry_or_not_at_all(database: Database) -> None:
    book = imported(database)
    nora = str(book.find_by_email("nora.fields@example.com"))
    move(book, nora, "#A100001", "t-1")
    assert book.orders(nora)[0].address == ELSEWHERE
    assert book.orders(nora)[0].version == 1
    assert [change.token for change in book.changes(nora)] == ["t-1"]
    with pytest.raises(Exception, match=r"(?i)unique"):
        move(book, nora, "#A100001", "t-1")
    assert book.orders(nora)[0].version == 1


def test_the_order_of_another_customer_cannot_be_reached(sqlite_database: Database) -> None:
    book = imported(sqlite_database)
    nora = str(book.find_by_email("nora.fields@example.com"))
    with book.change(nora) as draft:
        assert draft.order("#A100004") is None
    with pytest.raises(NotFoundError), book.change("nobody"):
        pass


def test_two_who_change_the_same_customer_wait_for_each_other(database: Database) -> None:
    book = imported(database)
    nora = str(book.find_by_email("nora.fields@example.com"))
    threads = [threading.Thread(target=move, args=(book, nora, "#A100001", f"t-{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.orders(nora)[0].version == 6
    assert len(book.changes(nora)) == 6


def test_nothing_personal_is_in_the_clear_and_all_of_it_goes_with_the_member(sqlite_database: Database) -> None:
    book = imported(sqlite_database)
    nora = MemberId(str(book.find_by_email("nora.fields@example.com")))
    move(book, nora, "#A100001", "t-1")
    tables = (customer_accounts, service_orders, order_changes)
    with sqlite_database.read() as connection:
        raw = repr([connection.execute(select(table)).all() for table in tables])
    assert [word for word in ("Nora", "Fields", "Harbor", "Elm Street", "example.com", "4242") if word in raw] == []
    told = export_member(sqlite_database, nora)["data"]
    assert told["customer_accounts"][0]["address"]["line1"] == "12 Harbor Lane"
    assert told["service_orders"][0]["order_id"] == "#A100001"
    assert told["order_changes"][0]["details"] == {"line1": "5 Elm Street"}
    receipt = erase_member(sqlite_database, nora, at=NOW)
    assert [receipt["deleted"][table.name] for table in tables] == [1, 3, 1]
    assert book.find_by_email("nora.fields@example.com") is None
    assert book.orders(nora) == []


def test_importing_again_brings_the_file_back_and_outdates_what_was_proposed(sqlite_database: Database) -> None:
    book = imported(sqlite_database)
    nora = str(book.find_by_email("nora.fields@example.com"))
    move(book, nora, "#A100001", "t-1")
    again = imported(sqlite_database)
    assert again.orders(nora)[0].address.city == "Portland"
    assert again.orders(nora)[0].version == 2


def test_a_folder_without_a_shop_is_told_of_and_nothing_is_written(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"db\.json"):
        import_tau2(sqlite_database, tmp_path, currency="USD", progress=lambda *_: None)
    (tmp_path / "db.json").write_text('{"products": {}, "users": {"u": {}}, "orders": {}}')
    with pytest.raises(ImportFileError, match="format"):
        import_tau2(sqlite_database, tmp_path, currency="USD", progress=lambda *_: None)
    assert not SqlOrderBook(sqlite_database).manages_orders()
