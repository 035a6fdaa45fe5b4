"""Erasure that really erases, and export that is complete."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from personalization.types import CampaignId, MemberId, Subject, VisitorId
from stores.conversations import SqlConversations
from stores.database import Database
from stores.decisions import SqlDecisions
from stores.dialogue_erasures import SqlDialogueErasures
from stores.erasure import erase_member, erase_templates, export_member
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from stores.tables import candidate_sets, conversations, metadata
from tests.small_shop import NOW
from tests.stores.traces import DEVICE, SECRET, WORDS, decide, lived_in, talk


def every_value(db: Database) -> str:
    """Return every column of every row of every table."""
    with db.read() as connection:
        return "\n".join(
            repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
        )


def everything_in_files(db: Database) -> bytes:
    folder = Path(str(db.url.database)).parent
    return b"".join(path.read_bytes() for path in sorted(folder.glob("aisle.db*")))


def rasa_forgot(db: Database) -> None:
    """What the worker does once Rasa has confirmed: until then it has to know which conversations are meant."""
    left = SqlDialogueErasures(db)
    left.done(left.due(99), before=NOW)
    db.scrub(["dialogue_erasures"])


def test_after_erasure_no_column_of_any_table_holds_anything_that_leads_to_the_member(small_shop: Database) -> None:
    traces = lived_in(small_shop)
    before = every_value(small_shop)
    assert [trace for trace in traces.identifiers if trace not in before] == [WORDS], "words are sealed everywhere"
    receipt = erase_member(small_shop, traces.member.member_id, at=NOW)
    rasa_forgot(small_shop)
    after = every_value(small_shop)
    assert [trace for trace in traces.identifiers if trace in after] == []
    assert receipt["deleted"]["templates"] == 1
    assert receipt["deleted"]["messages"] == 4
    assert receipt["deleted"]["attachments"] == 2
    assert receipt["files_scrubbed"]
    assert [trace for trace in traces.identifiers if trace in repr(receipt)] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_after_erasure_no_byte_in_the_files_leads_to_the_member(small_shop: Database) -> None:
    traces = lived_in(small_shop)
    before = everything_in_files(small_shop)
    assert [trace for trace in traces.identifiers if trace.encode() not in before] == [WORDS]
    erase_member(small_shop, traces.member.member_id, at=NOW)
    rasa_forgot(small_shop)
    after = everything_in_files(small_shop)
    assert [trace for trace in traces.identifiers if trace.encode() in after] == []


def test_erasure_deletes_what_was_compared_for_the_member_known_and_before_sign_in(small_shop: Database) -> None:
    traces = lived_in(small_shop)
    stranger = decide(small_shop, Subject(visitor_id=VisitorId("another device")))
    receipt = erase_member(small_shop, traces.member.member_id, at=NOW)
    assert receipt["deleted"]["candidate_sets"] == receipt["deleted"]["decisions"] == 2
    with small_shop.read() as connection:
        assert connection.scalars(select(candidate_sets.c.decision_id)).all() == [stranger]


def test_erasure_keeps_the_budgets_figures_and_the_promise(small_shop: Database) -> None:
    ledger, traces = SqlLedger(small_shop), lived_in(small_shop)
    before = ledger.state(CampaignId("c1"))
    erase_member(small_shop, traces.member.member_id, at=NOW)
    assert ledger.state(CampaignId("c1")) == before
    assert ledger.redeem("MINE", at=NOW).member_id is None


def test_erasing_twice_finds_nothing_the_second_time(small_shop: Database) -> None:
    member = lived_in(small_shop).member.member_id
    erase_member(small_shop, member, at=NOW)
    again = erase_member(small_shop, member, at=NOW)
    assert set(again["deleted"].values()) == {0}


def test_who_shares_a_device_with_an_erased_member_keeps_their_own(small_shop: Database) -> None:
    traces, other = lived_in(small_shop), SqlMembers(small_shop).by_external_id("pets-1")
    assert other is not None
    decision = decide(small_shop, Subject(other.member_id, VisitorId(DEVICE)))
    chat = talk(small_shop, other.member_id, decision)
    erase_member(small_shop, traces.member.member_id, at=NOW)
    assert len(SqlConversations(small_shop).messages(chat)) == 2
    assert SqlDecisions(small_shop).get(decision) is not None
    assert SqlDecisions(small_shop).candidates(decision) is not None
    assert SqlConversations(small_shop).get(traces.before_sign_in) is None


def test_the_export_holds_orders_consents_messages_and_coupons_in_the_clear(small_shop: Database) -> None:
    member = lived_in(small_shop).member.member_id
    data = json.loads(json.dumps(export_member(small_shop, member)))["data"]
    assert data["members"][0]["email"] == "cheese-13@example.org"
    assert [entry["text"] for entry in data["messages"]] == [SECRET, "Here you are."] * 2
    assert [base64.b64decode(entry["base64"]).decode() for entry in data["attachments"]] == [SECRET] * 2
    assert len(data["order_lines"]) > 20
    assert {entry["purpose"] for entry in data["consents"]} == {"profiling", "marketing", "face_recognition"}
    assert {entry["code"] for entry in data["coupons"]} == {"MINE", "ANON", "USED"}
    assert [entry["order_id"] for entry in data["redemptions"]] == ["cheese-13-at-the-till"]
    assert len(data["decisions"]) == 2
    assert [row["body"]["product_ids"] for row in data["candidate_sets"]] == [["milk-1"]] * 2
    assert len(data["face_templates"]) == 1


def test_the_export_has_every_row_of_every_table_that_names_members(small_shop: Database) -> None:
    member = lived_in(small_shop).member.member_id
    data = export_member(small_shop, member)["data"]
    for table in metadata.sorted_tables:
        if "member_id" not in table.columns:
            continue
        with small_shop.read() as connection:
            mine = select(func.count()).select_from(table).where(table.c.member_id == member)
            stored = connection.scalar(mine) or 0
        rows = data["face_templates" if table.name == "templates" else table.name]
        assert len([row for row in rows if row["member_id"] == member]) == stored > 0, table.name


def test_what_somebody_did_anonymously_on_a_shared_device_is_not_shown_to_either(small_shop: Database) -> None:
    traces, other = lived_in(small_shop), SqlMembers(small_shop).by_external_id("pets-1")
    assert other is not None
    own = SqlConversations(small_shop).start(DEVICE, other.member_id, at=NOW)
    shown = export_member(small_shop, traces.member.member_id)["data"]["conversations"]
    assert traces.before_sign_in not in {row["conversation_id"] for row in shown}
    assert own.conversation_id not in {row["conversation_id"] for row in shown}
    assert len(shown) == 1


def test_the_export_of_a_stranger_is_empty(small_shop: Database) -> None:
    assert not any(export_member(small_shop, MemberId("nobody"))["data"].values())


def test_while_a_reader_keeps_old_pages_the_receipt_says_so_and_the_next_scrub_finishes(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.database.SCRUB_TRIES", 1)
    monkeypatch.setattr("stores.database.SCRUB_TRY_MS", 1)
    member = SqlMembers(sqlite_database).create(external_id=None, display_name="Face", email=None, at=NOW).member_id
    with sqlite_database.read() as reader:
        reader.execute(select(conversations)).all()
        assert not erase_templates(sqlite_database, member, at=NOW)["files_scrubbed"]
    wal = Path(f"{sqlite_database.url.database}-wal")
    assert wal.stat().st_size > 0
    sqlite_database.finish_scrub()
    assert wal.stat().st_size == 0
