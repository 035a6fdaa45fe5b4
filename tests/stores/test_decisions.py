"""The decision log with what was compared, and the frequency cap that follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.event import listen

from personalization.decisions import Decision
from personalization.types import (
    CandidateSet,
    Channel,
    Context,
    DecisionId,
    EventType,
    MemberId,
    Money,
    Product,
    ProductId,
    Reason,
    SlateItem,
    Subject,
    VisitorId,
)
from stores.database import Database, new_id
from stores.decisions import MOST_SHOWN, NEWEST, WINDOW, SqlDecisions, SqlExposures
from stores.events import Event, SqlEvents
from stores.members import SqlMembers
from stores.tables import candidate_sets, decisions
from tests.small_shop import NOW

VISITOR = Subject(visitor_id=VisitorId("v"))
SET = CandidateSet(
    (ProductId("a"), ProductId("b")), ("clicked", "bought"), ((0.1, 0.2), (0.3, float("1e-9"))), (1.5, -2.25), "emer"
)


def item(product_id: str) -> SlateItem:
    product = Product(ProductId(product_id), product_id, "", "Milk", "", Money(100, "USD"))
    return SlateItem(product, 1, 0.0, Reason("popular", "Many shoppers buy this."), ("popular",))


def shown(
    db: Database, *products: str, subject: Subject = VISITOR, at: datetime = NOW, found: CandidateSet | None = SET
) -> DecisionId:
    made = DecisionId(new_id())
    slate = tuple(map(item, products))
    decision = Decision(
        made, at, subject, Context(Channel.WIDGET, at), slate, None, None, None, "", (), (), (), {}, 1.0
    )
    SqlDecisions(db).append(replace(decision, candidates=found))
    return made


def tell(db: Database, type_: EventType, subject: Subject = VISITOR, at: datetime = NOW, **more: Any) -> None:
    event = Event(new_id(), type_, at, "widget", subject.member_id, subject.visitor_id, **more)
    SqlEvents(db).append_batch([event], received_at=NOW)


def worn_out(db: Database, subject: Subject = VISITOR, at: datetime = NOW) -> set[str]:
    return set(SqlExposures(db).worn_out(subject, at=at))


def test_what_was_compared_is_kept_beside_the_decision_and_not_in_its_body(database: Database) -> None:
    made, store = shown(database, "a"), SqlDecisions(database)
    found = store.candidates(made)
    assert found is not None
    assert (found.product_ids, found.objectives, found.stage) == (SET.product_ids, SET.objectives, SET.stage)
    assert found.scores == SET.scores
    np.testing.assert_allclose(found.predictions, SET.predictions, rtol=1e-6)
    decision = store.get(made)
    assert decision is not None
    assert decision.candidates is None
    with database.read() as connection:
        assert "candidates" not in (connection.scalar(select(decisions.c.body)) or {})
        assert connection.scalar(select(candidate_sets.c.shown)) == ["a"]


def test_a_set_without_predictions_and_a_decision_without_a_set_can_be_read(sqlite_database: Database) -> None:
    bare = CandidateSet((ProductId("a"),), (), ((),), (0.5,), "weights")
    assert SqlDecisions(sqlite_database).candidates(shown(sqlite_database, "a", found=bare)) == bare
    assert SqlDecisions(sqlite_database).candidates(shown(sqlite_database, "a", found=None)) is None
    assert SqlDecisions(sqlite_database).candidates(DecisionId("unknown")) is None


def test_five_hundred_candidates_take_a_few_kilobytes(sqlite_database: Database) -> None:
    rng = np.random.default_rng(1)
    ids = tuple(ProductId(str(1_000_000 + n)) for n in range(500))
    predictions = tuple(map(tuple, rng.random((500, 4)).round(5).tolist()))
    shown(sqlite_database, "a", found=CandidateSet(ids, ("a", "b", "c", "d"), predictions, (0.5,) * 500, "emer"))
    with sqlite_database.read() as connection:
        body = connection.scalar(select(candidate_sets.c.body))
    assert len(body or b"") < 500 * 20


def test_an_item_is_worn_out_at_the_sixth_time_in_seven_days(database: Database) -> None:
    for _ in range(MOST_SHOWN - 1):
        shown(database, "a", "b")
    assert worn_out(database) == set()
    shown(database, "a")
    assert worn_out(database) == {"a"}
    assert worn_out(database, at=NOW + WINDOW) == set()
    assert worn_out(database, at=NOW - timedelta(seconds=1)) == set()


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        (EventType.CLICKED, {"product_id": "a"}),
        (EventType.ADDED_TO_BASKET, {"product_id": "a"}),
        (EventType.BOUGHT, {"product_id": "a"}),
        (EventType.BOUGHT, {"payload": {"lines": [{"product_id": "z"}, {"product_id": "a"}]}}),
    ],
)
def test_a_response_keeps_an_item_from_wearing_out(
    sqlite_database: Database, type_: EventType, more: dict[str, Any]
) -> None:
    for _ in range(MOST_SHOWN):
        shown(sqlite_database, "a", "b")
    tell(sqlite_database, type_, at=NOW - WINDOW, **more)
    tell(sqlite_database, EventType.VIEWED, product_id="a")
    tell(sqlite_database, type_, Subject(visitor_id=VisitorId("another")), **more)
    assert worn_out(sqlite_database) == {"a", "b"}
    tell(sqlite_database, type_, at=NOW - timedelta(days=1), **more)
    assert worn_out(sqlite_database) == {"b"}


def test_a_member_is_one_person_on_every_device_and_a_visitor_is_not_the_member_on_theirs(small_shop: Database) -> None:
    found = SqlMembers(small_shop).by_external_id("pets-1")
    assert found is not None
    for number in range(MOST_SHOWN):
        shown(small_shop, "a", "b", subject=Subject(found.member_id, VisitorId(f"v{number % 2}")))
    tell(small_shop, EventType.CLICKED, Subject(found.member_id), product_id="b")
    assert worn_out(small_shop, Subject(found.member_id)) == {"a"}
    assert worn_out(small_shop, Subject(MemberId("other"), VisitorId("v0"))) == set()
    assert worn_out(small_shop, Subject(visitor_id=VisitorId("v0"))) == set()


def test_only_the_newest_slates_are_looked_at(sqlite_database: Database) -> None:
    for _ in range(MOST_SHOWN):
        shown(sqlite_database, "old", at=NOW - timedelta(days=1))
    for number in range(NEWEST):
        shown(sqlite_database, f"p{number}")
    assert worn_out(sqlite_database) == set()


@pytest.mark.parametrize("name", ["member_id", "visitor_id"])
def test_slates_and_responses_of_a_subject_are_found_by_index(sqlite_database: Database, name: str) -> None:
    subject = VISITOR if name == "visitor_id" else Subject(MemberId("m"))
    for _ in range(MOST_SHOWN):
        shown(sqlite_database, "a", subject=subject)
    asked: list[tuple[str, Any]] = []
    listen(sqlite_database.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    assert worn_out(sqlite_database, subject) == {"a"}
    slates, responses = (call for call in list(asked) if call[0].startswith("SELECT"))
    assert f"INDEX ix_candidate_sets_{name}_at ({name}=? AND at>? AND at<?)" in plan(sqlite_database, *slates)
    assert f"INDEX ix_events_{name} ({name}=?)" in plan(sqlite_database, *responses)


def plan(db: Database, statement: str, values: Any) -> str:
    with db.read() as connection:
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
