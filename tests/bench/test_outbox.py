"""The proof that nothing is lost or doubled: in small, and that it would notice."""

from __future__ import annotations

import json

import pytest

from bench.outbox_api import kill_the_api
from bench.outbox_consumer import Consumer, add_up
from bench.outbox_shoppers import Crowd, Shopper
from bench.trust_outbox import kill_and_count
from personalization.types import Subject, VisitorId
from stores.database import Database
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from tests.small_shop import NOW
from tests.stores.test_outbox import worth


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


def test_a_process_that_is_killed_again_and_again_tells_everything_once(sqlite_database: Database) -> None:
    report = kill_and_count(sqlite_database, kills=2, seconds=60)
    assert (report.killed, report.lost, report.doubled, report.ghosts, report.out_of_order) == (2, 0, 0, 0, 0)
    assert report.changes >= 2


def test_an_api_that_is_killed_does_nothing_twice_and_tells_everything_once() -> None:
    report, tally = kill_the_api("", kills=1, seed=1, patient=False)
    assert (report.killed, report.lost, report.doubled, report.ghosts, report.out_of_order) == (1, 0, 0, 0, 0)
    assert (tally.twice, tally.undone) == (0, 0)
    assert tally.again > 0


def test_a_request_that_was_done_twice_or_not_at_all_is_noticed(sqlite_database: Database) -> None:
    crowd, members = Crowd("http://127.0.0.1:9", ""), SqlMembers(sqlite_database)
    crowd.all = [Shopper(number) for number in range(4)]
    for number, times in ((0, 1), (1, 2), (3, 1)):
        for _ in range(times):
            members.create(external_id=None, display_name=crowd.all[number].name, email=None, at=NOW)
    for number, how in ((0, "answered"), (1, "answered"), (2, "lost")):
        crowd.all[number].done["join"] = how
    tally = crowd.add_up(sqlite_database)
    assert (tally.twice, tally.undone) == (1, 1)


def test_what_is_lost_doubled_or_made_up_is_noticed(small_shop: Database) -> None:
    ledger, made = SqlLedger(small_shop), [worth(100, "A"), worth(100, "B")]
    for coupon in made:
        assert ledger.reserve(coupon, Subject(visitor_id=VisitorId("v")), decision_id=None)
    ledger.redeem("A", at=NOW, order_id="o")
    consumer = Consumer()

    def hear(event_id: str, topic: str, coupon_id: str) -> None:
        consumer.take(event_id, json.dumps({"type": f"aisle.{topic}", "data": {"coupon_id": coupon_id}}).encode())

    first = made[0].coupon_id
    hear("1", "coupon.redeemed", first)  # before it was issued
    hear("2", "coupon.issued", first)
    hear("2", "coupon.issued", first)  # the same id again is no second effect
    hear("3", "coupon.issued", first)  # another id for the same change is
    hear("4", "coupon.issued", "never")
    report = add_up(small_shop, consumer, kills=0, between=0)
    assert (report.lost, report.doubled, report.ghosts, report.sent_again, report.out_of_order) == (1, 1, 1, 1, 1)
