"""Weeks of what members were shown, worked out once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from personalization.decisions import Decision
from personalization.types import CandidateSet, Channel, Context, DecisionId, MemberId, ProductId, Subject
from stores import variety as module
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.group_tables import variety
from stores.tables import candidate_sets
from stores.variety import SqlVariety, forget_weeks, monday
from tests.small_shop import NOW

LAST_WEEK = monday(NOW) - timedelta(days=3)


def shown(db: Database, member: str, *products: str, weeks: int = 0) -> None:
    at = LAST_WEEK - timedelta(weeks=weeks)
    decision = Decision(
        DecisionId(new_id()),
        at,
        Subject(MemberId(member)),
        Context(Channel.WIDGET, at),
        (),
        None,
        None,
        None,
        "",
        (),
        (),
        (),
        {},
        1.0,
    )
    found = CandidateSet(
        tuple(map(ProductId, products)), (), tuple(() for _ in products), tuple(0.0 for _ in products), "t"
    )
    SqlDecisions(db).append(replace(decision, candidates=found))
    with db.write() as connection:
        mine = candidate_sets.c.decision_id == decision.decision_id
        connection.execute(candidate_sets.update().where(mine).values(shown=list(products)))


def test_who_sees_one_kind_of_thing_again_and_again_is_shown_more_next_week(database: Database) -> None:
    store, category = SqlVariety(database), {f"p{n}": f"c{n}" for n in range(9)}
    for _ in range(4):
        shown(database, "narrow", "p1", "p1")
        shown(database, "broad", *category)
    shown(database, "narrow", "p1", weeks=1)
    assert store.work_out(category, now=NOW) == 1
    assert store.work_out(category, now=NOW) is None, "once a week"
    assert store.narrow(at=NOW) == 1, "an alarm stands for the week, whoever works it out"
    for member, widened in (("narrow", True), ("broad", False), ("nobody", False)):
        assert store.widened(Subject(MemberId(member)), at=NOW) is widened
    assert not store.widened(Subject(MemberId("narrow")), at=NOW + timedelta(weeks=1)), "until the next week is known"
    later = NOW + timedelta(weeks=1)
    assert store.work_out(category, now=later) == store.narrow(at=later) == 0, "and ends with it"
    with database.read() as connection:
        rows = {row.member_id: row for row in connection.execute(select(variety))}
    assert (rows["broad"].slates, rows["broad"].diversity, rows["broad"].novelty) == (4, 1.0, 1.0)
    assert rows["narrow"].novelty == 0.0
    with database.write() as connection:
        forget_weeks(connection, "narrow")
    assert not store.widened(Subject(MemberId("narrow")), at=NOW)


def test_the_shop_reads_its_weeks_as_a_whole(database: Database) -> None:
    store, category = SqlVariety(database), {f"p{n}": f"c{n}" for n in range(9)}
    assert store.shop() == []
    for _ in range(4):
        shown(database, "narrow", "p1", "p1")
        shown(database, "broad", *category)
    shown(database, "narrow", "p1", weeks=1)
    shown(database, "once", "p1", "p1")
    store.work_out(category, now=NOW)
    (week,) = store.shop()
    assert (week.week, week.members, week.narrow) == ((monday(NOW) - timedelta(weeks=1)).date(), 3, 1)
    assert week.share == pytest.approx(1 / 3)
    assert (week.diversity, week.novelty) == (0.5, 0.5), "who saw a single slate tells nothing"
    with database.write() as connection:
        connection.execute(variety.update().values(slates=1))
    assert store.shop()[0].entropy is None


def test_a_worker_that_stopped_half_way_is_gone_on_with(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEMBERS", 1)
    store, real, written = SqlVariety(database), module.upsert, list[str]()
    for member in ("a", "b", "c"):
        shown(database, member, "p1")

    def upsert(connection: Any, table: Any, rows: Any) -> None:
        if len(written) == 2:
            written.append("stopped")
            raise OSError("the power is gone")
        real(connection, table, rows)
        written.extend(row.get("member_id", "end") for row in rows)

    monkeypatch.setattr(module, "upsert", upsert)
    with pytest.raises(OSError, match="power"):
        store.work_out({"p1": "c1"}, now=NOW)
    for _ in range(2):
        store.work_out({"p1": "c1"}, now=NOW)
    assert written == ["a", "b", "stopped", "c", "end"]
