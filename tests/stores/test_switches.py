"""What cameras may do in a store: nothing before somebody switches it on, and a record that nobody can change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from stores.camera_tables import vision_switches
from stores.database import Database
from stores.errors import ConflictError
from stores.switches import SqlSwitches, Terms, Use
from stores.templates import SqlTemplates
from tests.small_shop import NOW

TERMS = Terms(frozenset({Use.RECOGNITION}), "Greet members.", 365, "A camera recognises members who agreed.")


def test_nothing_is_on_before_somebody_switches_it_on_and_then_only_in_that_store(database: Database) -> None:
    switches = SqlSwitches(database)
    assert (switches.latest("s1"), switches.uses("s1"), switches.uses(None)) == (None, frozenset(), frozenset())
    switches.enable("s1", TERMS, by="Ana", at=NOW)
    assert (switches.uses("s1"), switches.uses("s2"), switches.uses(None)) == (
        {Use.RECOGNITION},
        frozenset(),
        frozenset(),
    )
    switches.disable("s1", by="Ben", at=NOW + timedelta(hours=1))
    assert switches.uses("s1") == frozenset()
    assert switches.disable("s2", by="Ben", at=NOW) is None


def test_the_record_tells_who_switched_on_what_when_and_under_which_notice(database: Database) -> None:
    switches = SqlSwitches(database)
    other = replace(TERMS, notice="A camera also reads expressions.", uses=frozenset(Use))
    longer = replace(other, retention_days=400)
    for hour, terms in enumerate((TERMS, TERMS, other, None, None, longer)):
        at = NOW + timedelta(hours=hour)
        if terms is None:
            switches.disable("s1", by="Ben", at=at)
        else:
            switches.enable("s1", terms, by="Ana", at=at)
    history = switches.history("s1")
    told = [(one.number, one.terms, one.notice_version, one.by, (one.at - NOW).seconds // 3600) for one in history]
    assert told == [(1, TERMS, 1, "Ana", 0), (2, other, 2, "Ana", 2), (3, None, 2, "Ben", 3), (4, longer, 2, "Ana", 5)]
    assert switches.all() == [history[-1]]


def test_nobody_can_change_or_delete_a_line_of_the_record(database: Database) -> None:
    switches = SqlSwitches(database)
    switches.enable("s1", TERMS, by="Ana", at=NOW)
    for statement in (update(vision_switches).values(by="nobody"), delete(vision_switches)):
        with pytest.raises(DatabaseError, match="append-only"), database.write() as connection:
            connection.execute(statement)
    assert [one.by for one in switches.history("s1")] == ["Ana"]


def test_every_switch_tells_cameras_that_their_gallery_is_stale(database: Database) -> None:
    switches, templates = SqlSwitches(database), SqlTemplates(database)
    versions = [templates.version()]
    switches.enable("s1", TERMS, by="Ana", at=NOW)
    versions.append(templates.version())
    switches.disable("s1", by="Ana", at=NOW)
    versions.append(templates.version())
    assert len(set(versions)) == 3


def test_two_operators_at_once_leave_one_numbered_record(database: Database) -> None:
    switches = SqlSwitches(database)

    def switch(number: int) -> bool:
        try:
            switches.enable("s1", replace(TERMS, notice=f"notice {number}"), by=f"operator {number}", at=NOW)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(switch, range(8)))
    history = switches.history("s1")
    assert any(done)
    assert [one.number for one in history] == list(range(1, sum(done) + 1))
    assert [one.notice_version for one in history] == [one.number for one in history]
