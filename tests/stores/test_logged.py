"""Past decisions as training reads them: in order, with what came of them, and only of who agrees now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.event import listen

from personalization.decisions import Decision, LoggedRequest
from personalization.types import (
    FACE,
    TEXT,
    Affect,
    Channel,
    Context,
    DecisionId,
    EventType,
    MemberId,
    ProductId,
    Purpose,
    StoreId,
    Subject,
    VisitorId,
)
from stores import logged
from stores.consents import ConsentEntry, SqlConsents
from stores.conversations import SqlConversations
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.events import Event, SqlEvents
from stores.logged_moods import logged_conversations
from stores.members import SqlMembers
from stores.purchases import SqlTrainingSource
from stores.words import UNREAD
from tests.small_shop import NOW
from tests.stores.test_decisions import SET, item

VIEWED, CLICKED = EventType.VIEWED, EventType.CLICKED
LATER = NOW + timedelta(seconds=10)


def member(db: Database, *purposes: Purpose) -> Subject:
    member_id = SqlMembers(db).create(external_id=None, display_name="Test", email=None, at=NOW).member_id
    agree(db, member_id, *purposes)
    return Subject(member_id, VisitorId("v"))


def agree(db: Database, member_id: MemberId, *purposes: Purpose, granted: bool = True) -> None:
    SqlConsents(db).record([ConsentEntry(member_id, purpose, granted, NOW, "api", "1") for purpose in purposes])


def decide(db: Database, subject: Subject, at: datetime = NOW, **context: Any) -> DecisionId:
    made = DecisionId(new_id())
    where = replace(Context(Channel.WIDGET, at), **context)
    decision = Decision(made, at, subject, where, (item("b"), item("a")), None, None, None, "", (), (), (), {}, 1.0)
    SqlDecisions(db).append(replace(decision, candidates=SET))
    return made


def tell(db: Database, decision: DecisionId, subject: Subject, kind: EventType = CLICKED, at: datetime = LATER, **more: Any) -> None:  # fmt: skip
    event = Event(
        new_id(), kind, at, "widget", subject.member_id, subject.visitor_id, decision, **({"product_id": "a"} | more)
    )
    SqlEvents(db).append_batch([event], received_at=at)


def read(db: Database, *, since: datetime = NOW - timedelta(days=1), most: int = 100) -> list[LoggedRequest]:
    return list(SqlTrainingSource(db).logged_requests(since=since, most=most))


def test_a_decision_is_read_with_all_that_was_compared_and_what_came_of_it(database: Database) -> None:
    who = member(database, Purpose.PROFILING)
    made = decide(database, who, query="milk")
    tell(database, made, who, VIEWED, NOW + timedelta(seconds=2))
    tell(database, made, who, CLICKED, NOW + timedelta(seconds=9))
    tell(database, made, who, CLICKED, NOW + timedelta(seconds=5))
    order = {"order_id": "1", "lines": [{"product_id": "a"}, {"product_id": "z"}]}
    tell(database, made, who, EventType.BOUGHT, NOW + timedelta(minutes=5), product_id=None, payload=order)
    tell(database, made, who, EventType.PAGE_VIEWED)
    [found] = read(database)
    assert found.decision_id == made
    assert found.member_id == who.member_id
    assert found.shown == ("b", "a")
    assert found.context.query == UNREAD, "that something was asked is learned from, what was asked is not"
    assert found.context.at == NOW
    assert found.candidates.product_ids == SET.product_ids
    assert found.candidates.objectives == SET.objectives
    assert found.outcomes == {
        "a": {VIEWED: 2.0, CLICKED: 5.0, EventType.BOUGHT: 300.0}, "z": {EventType.BOUGHT: 300.0},
    }  # fmt: skip


def test_only_who_agrees_to_profiling_now_is_read(database: Database) -> None:
    yes, no, changed = member(database, Purpose.PROFILING), member(database, Purpose.MARKETING), member(database, Purpose.PROFILING)  # fmt: skip
    visitor = Subject(visitor_id=VisitorId("nobody"))
    for who in (yes, no, changed, visitor):
        tell(database, decide(database, who), who)
    assert {found.member_id for found in read(database)} == {yes.member_id, changed.member_id}
    assert changed.member_id is not None
    agree(database, changed.member_id, Purpose.PROFILING, granted=False)
    assert {found.member_id for found in read(database)} == {yes.member_id}


def test_the_context_is_cut_down_to_what_is_agreed_to_now(database: Database) -> None:
    who = member(database, Purpose.PROFILING)
    face = Affect(-0.5, 0.2, source="face")
    tell(database, decide(database, who, affect=face, store_id=StoreId("s1")), who)
    [found] = read(database)
    assert found.context.affect is None
    assert found.context.store_id is None
    assert who.member_id is not None
    agree(database, who.member_id, Purpose.EXPRESSION, Purpose.LOCATION)
    [found] = read(database)
    assert found.context.affect == face
    assert found.context.store_id == "s1"


def test_what_nobody_told_of_and_what_somebody_else_told_of_teaches_nothing(database: Database) -> None:
    who, other = member(database, Purpose.PROFILING), member(database, Purpose.PROFILING)
    decide(database, who)
    tell(database, decide(database, who), other)
    assert read(database) == []
    tell(database, decide(database, who), Subject(visitor_id=VisitorId("v")))
    assert len(read(database)) == 1


def test_the_newest_come_in_the_order_of_time_page_by_page(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several pages; what was asked for first is there before the last page is read."""
    monkeypatch.setattr(logged, "PAGE", 2)
    who = member(database, Purpose.PROFILING)
    minutes = [5, 1, 4, 1, 3, 0, 2]
    made = {decide(database, who, NOW + timedelta(minutes=m)): m for m in minutes}
    for decision in made:
        tell(database, decision, who, at=NOW + timedelta(hours=1))
    assert [made[found.decision_id] for found in read(database)] == sorted(minutes)
    assert [made[found.decision_id] for found in read(database, most=3)] == [3, 4, 5]
    assert [made[found.decision_id] for found in read(database, since=NOW + timedelta(minutes=2))] == [2, 3, 4, 5]
    bodies: list[str] = []
    listen(database.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: bodies.append(sql) if "candidate_sets.body" in sql else None)  # fmt: skip
    stream = SqlTrainingSource(database).logged_requests(since=NOW, most=100)
    assert made[next(stream).decision_id] == 0
    assert len(bodies) == 1
    assert len([next(stream) for _ in range(6)]) == 6
    assert len(bodies) == 4
    assert ProductId("a") in next(iter(read(database))).outcomes


def talk(db: Database, member_id: MemberId | None, valence: float, source: str = TEXT) -> None:
    """Say one thing that leaves the mood at `valence`."""
    store, mood = SqlConversations(db), {"valence": valence, "state": "fine"}
    here = store.start("v", member_id, at=NOW).conversation_id
    received = store.receive(here, {"text": "hm"}, client_message_id=None, at=NOW)
    store.felt(here, {**mood, "source": source}, at=NOW)
    store.answer(here, received.message_id, [], {"affect": mood, "fallen": 0.0, "engine": "rasa"}, at=NOW)


def moods(db: Database) -> list[float]:
    found = logged_conversations(db, since=NOW - timedelta(days=1), most=100)
    return sorted(turn.valence for turns in found for turn in turns)


def test_moods_of_conversations_are_read_only_as_far_as_their_members_agree_now(database: Database) -> None:
    yes, no = member(database, Purpose.PROFILING).member_id, member(database, Purpose.MARKETING).member_id
    assert yes is not None
    for who, valence, source in ((None, -0.1, TEXT), (yes, -0.2, TEXT), (yes, -0.3, FACE), (no, -0.4, TEXT)):
        talk(database, who, valence, source)
    assert moods(database) == [-0.2, -0.1]
    agree(database, yes, Purpose.EXPRESSION)
    assert moods(database) == [-0.3, -0.2, -0.1]
    agree(database, yes, Purpose.PROFILING, granted=False)
    assert moods(database) == [-0.1]
