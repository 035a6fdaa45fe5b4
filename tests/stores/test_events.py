"""The event log, and what follows from it."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from sqlalchemy import insert

from personalization.types import EventType, MemberId
from stores.database import Database, new_id
from stores.decisions import SqlResponses
from stores.erasure import erase_member
from stores.events import Event, SqlEvents, append
from stores.members import SqlMembers
from stores.projection import project_once
from stores.purchases import SqlPurchases
from stores.tables import events
from tests.small_shop import NOW


def test_an_event_counts_once_however_often_it_is_sent(database: Database) -> None:
    log, event = SqlEvents(database), Event(new_id(), EventType.CLICKED, NOW, "widget", visitor_id="v")
    assert log.append_batch([event, event], received_at=NOW) == ["accepted", "duplicate"]
    assert log.append_batch([event], received_at=NOW) == ["duplicate"]


def bought(member_id: str, order_id: str) -> Event:
    lines = [{"product_id": "milk-1", "quantity": 2, "amount_minor": 700}, {"product_id": "not in the catalogue"}]
    return Event(new_id(), EventType.BOUGHT, NOW, "api", member_id, payload={"order_id": order_id, "lines": lines})


def test_a_purchase_that_the_api_reports_is_in_the_history_once(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("pets-4")
    assert member is not None
    before = len(SqlPurchases(small_shop).of_member(member.member_id, until=NOW))
    SqlEvents(small_shop).append_batch(
        [bought(member.member_id, "new-order"), bought(member.member_id, "new-order")], received_at=NOW
    )
    while project_once(small_shop):
        pass
    after = SqlPurchases(small_shop).of_member(member.member_id, until=NOW)
    assert len(after) == before + 1
    assert after[-1].amount.minor_units == 700
    assert project_once(small_shop) == 0


def test_views_and_clicks_of_a_decision_become_responses(database: Database) -> None:
    seen = [
        Event(new_id(), kind, NOW, "widget", None, "v", "decision", "p1")
        for kind in (EventType.VIEWED, EventType.VIEWED, EventType.CLICKED)
    ]
    SqlEvents(database).append_batch(
        [*seen, Event(new_id(), EventType.VIEWED, NOW, "widget", None, "v", None, "p2")], received_at=NOW
    )
    project_once(database)
    assert SqlResponses(database).counts(["p1", "p2"]) == {"p1": (2, 1)}  # type: ignore[list-item]


def viewed() -> Event:
    return Event(new_id(), EventType.VIEWED, NOW, "widget", None, "v", "decision", "p1")


def test_an_event_of_a_transaction_that_ends_late_is_not_passed_over(postgres_database: Database) -> None:
    db = postgres_database
    other = Thread(target=lambda: SqlEvents(db).append_batch([viewed()], received_at=NOW))
    with db.write() as slow:
        append(slow, [viewed()], received_at=NOW)
        other.start()
        other.join(timeout=0.5)  # without an order of appends it would be done now, ahead of the slow one
        while project_once(db):
            pass
    other.join()
    while project_once(db):
        pass
    assert SqlResponses(db).counts(["p1"]) == {"p1": (2, 0)}  # type: ignore[list-item]


NONSENSE: list[dict[str, Any]] = [
    {"order_id": "bad", "lines": "not a list"},
    {"order_id": "bad", "lines": [{"product_id": "milk-1", "quantity": "two"}]},
    {"order_id": "bad", "lines": [{"product_id": "milk-1", "quantity": -1}]},
    {"order_id": "bad", "lines": [{"product_id": "milk-1", "amount_minor": 10**30}]},
    {"order_id": "bad", "lines": [{"product_id": "milk-1"}, {"quantity": 1}]},
    {"order_id": "bad", "lines": [{"product_id": "milk\0"}]},
    {"order_id": "x" * 65, "lines": [{"product_id": "milk-1"}]},
]


@pytest.mark.parametrize("payload", NONSENSE)
def test_an_event_that_makes_no_sense_changes_nothing_and_holds_up_nobody(
    small_shop: Database, payload: dict[str, Any]
) -> None:
    member = SqlMembers(small_shop).by_external_id("pets-4")
    assert member is not None
    before = len(SqlPurchases(small_shop).of_member(member.member_id, until=NOW))
    row = {"event_id": new_id(), "type": "bought", "at": NOW, "received_at": NOW, "channel": "api", "payload": payload}
    with small_shop.write() as connection:  # as a version that checked less would have stored it
        connection.execute(insert(events).values(member_id=member.member_id, **row))
    SqlEvents(small_shop).append_batch([bought(member.member_id, "good")], received_at=NOW)
    while project_once(small_shop):
        pass
    after = SqlPurchases(small_shop).of_member(member.member_id, until=NOW)
    assert [line.order_id for line in after[before:]] == ["good"]


def test_a_late_event_of_an_erased_member_brings_nothing_back(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("pets-4")
    assert member is not None
    erase_member(small_shop, member.member_id, at=NOW)
    SqlEvents(small_shop).append_batch([bought(member.member_id, "late")], received_at=NOW)
    while project_once(small_shop):
        pass
    assert list(SqlPurchases(small_shop).of_member(MemberId(member.member_id), until=NOW)) == []
