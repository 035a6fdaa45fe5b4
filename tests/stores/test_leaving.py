"""Who withdraws or is erased at the very moment at which something of theirs is written down is not in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from personalization.coupons.campaign_plan import AudienceKind, AudienceSpec
from personalization.experiments.spec import METRICS, Arm, Experiment
from personalization.types import Purpose
from stores import campaign_plans, consents, experiment_units
from stores.campaign_plans import SqlCampaignPlans
from stores.consents import ConsentEntry, SqlConsents
from stores.console_tables import experiment_gatherings, experiment_leavers
from stores.console_tables import experiment_units as kept_units
from stores.coupon_tables import campaign_audience
from stores.database import Database, new_id
from stores.erasure import erase_member
from stores.experiment_outcomes import TIME
from stores.experiment_units import ABANDONED, SqlExperimentUnits, let_go
from stores.experiments import SqlExperiments
from stores.members import SqlMembers
from tests.small_shop import NOW
from tests.stores.test_campaign_plans import LIMIT, PEOPLE, plan

UNITS = [f"unit-{n}" for n in range(7)]


class People:
    """Who is there, and what can happen to them while something else goes on."""

    def __init__(self, db: Database) -> None:
        self.db, self.there, self.gone = db, dict.fromkeys(UNITS, 0), set[str]()
        self.due: list[tuple[str, bool]] = []

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        rows = [
            {"unit_id": unit, "arm": "a", "at": at, "member": 1, **self._did(did)} for unit, did in self.there.items()
        ]
        schema = {
            "unit_id": pl.String,
            "arm": pl.String,
            "at": TIME,
            "member": pl.Int64,
            **dict.fromkeys(self._did(0), pl.Int64),
        }
        return pl.DataFrame(rows, schema=schema)

    def happen(self) -> None:
        """Let the next thing happen that is due: a unit leaves, or does something."""
        if not self.due:
            return
        unit, leaves = self.due.pop(0)
        if not leaves:
            if unit in self.there:
                self.there[unit] += 1
            return
        with self.db.write() as connection:
            let_go(connection, [unit])
        self.there.pop(unit, None)
        self.gone.add(unit)

    def nobody_who_left_is_kept(self) -> None:
        with self.db.read() as connection:
            assert self.gone.isdisjoint(connection.scalars(select(kept_units.c.unit_id)))

    @staticmethod
    def _did(times: int) -> dict[str, int]:
        return dict.fromkeys((*METRICS, "spend_before", "orders_before"), times)


class Interrupted:
    """The database, and what happens before each of its transactions."""

    def __init__(self, db: Database, between: Callable[[], None]) -> None:
        self._db, self._between = db, between

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._between()
        with self._db.write() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._between()
        with self._db.read() as connection:
            yield connection


@pytest.fixture
def running(database: Database) -> Database:
    SqlExperiments(database).create(Experiment("leaving", "x", (Arm("a", 0.5), Arm("b", 0.5)), "spend"), at=NOW)
    return database


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(due=st.lists(st.tuples(st.sampled_from(UNITS), st.booleans()), max_size=25), rounds=st.integers(1, 3))
def test_whenever_somebody_leaves_nothing_of_them_stays_and_every_gathering_comes_to_its_end(
    running: Database, due: list[tuple[str, bool]], rounds: int
) -> None:
    with running.write() as connection:
        for table in (kept_units, experiment_gatherings, experiment_leavers):
            connection.execute(delete(table))
    people = People(running)
    people.due = list(due)

    def between() -> None:
        people.happen()
        people.nobody_who_left_is_kept()

    units = SqlExperimentUnits(Interrupted(running, between), people)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment_units, "_AT_ONCE", 2)
        for n in range(rounds):
            assert units.gather("leaving", now=NOW + timedelta(minutes=n))
            people.nobody_who_left_is_kept()
    people.due.clear()
    last = NOW + timedelta(minutes=rounds)
    assert units.gather("leaving", now=last)
    found = units.kept("leaving", at=last)
    assert found is not None
    assert dict(zip(found["unit_id"], found["spend"], strict=True)) == people.there
    with running.read() as connection:
        assert connection.execute(select(experiment_leavers)).all() == []


def test_people_who_leave_one_after_the_other_stop_no_gathering_of_another_thread(
    running: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_units, "_AT_ONCE", 2)
    people = People(running)
    people.due = [(unit, True) for unit in UNITS[:-1]]
    done, units = threading.Event(), SqlExperimentUnits(running, people)

    def gather() -> int:
        gathered = 0
        while True:  # once at least: everybody may have left before this thread begins
            assert units.gather("leaving", now=NOW)
            gathered += 1
            if done.is_set():
                return gathered

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(gather)
        while people.due:
            people.happen()
            people.nobody_who_left_is_kept()
        done.set()
        assert worker.result(timeout=60) > 0
    people.nobody_who_left_is_kept()


def test_two_who_gather_the_same_do_not_keep_each_other_from_it(running: Database) -> None:
    people = People(running)
    other = SqlExperimentUnits(running, people)
    answers = list[bool]()

    class Slow(People):
        def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
            answers.append(other.gather(experiment_id, now=at))
            return people.outcomes(experiment_id, at=at)

    assert SqlExperimentUnits(running, Slow(running)).gather("leaving", now=NOW)
    assert answers == [False]
    assert other.gather("leaving", now=NOW), "it is nobody's any more"


def test_a_gathering_whose_process_was_killed_is_taken_over_and_writes_nothing_more(running: Database) -> None:
    people, answers = People(running), list[bool]()
    other = SqlExperimentUnits(running, people)

    class Killed(People):
        def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
            found = people.outcomes(experiment_id, at=at)
            answers.append(other.gather(experiment_id, now=at + ABANDONED))
            with running.write() as connection:
                let_go(connection, [UNITS[0]])  # after the other has ended, so that nobody is told
            return found

    assert not SqlExperimentUnits(running, Killed(running)).gather("leaving", now=NOW)
    assert answers == [True]
    with running.read() as connection:
        assert UNITS[0] not in set(connection.scalars(select(kept_units.c.unit_id)))


def test_a_gathering_that_fails_can_be_tried_again_at_once(running: Database) -> None:
    class Broken(People):
        def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SqlExperimentUnits(running, Broken(running)).gather("leaving", now=NOW)
    assert SqlExperimentUnits(running, People(running)).gather("leaving", now=NOW)


def agreeing(db: Database, *purposes: Purpose) -> list[str]:
    """Return three new members who agree to something."""
    store, at = SqlMembers(db), datetime.now(UTC)
    made = [store.create(external_id=new_id(), display_name="x", email=None, at=at).member_id for _ in range(3)]
    SqlConsents(db).record([ConsentEntry(one, purpose, True, at, "api", "1") for one in made for purpose in purposes])
    return [str(one) for one in made]


def approved(db: Database, kind: AudienceKind) -> str:
    store, own = SqlCampaignPlans(db), new_id()
    of = {"of": "x"} if kind is not AudienceKind.LIST else {}
    store.create(replace(plan(own), audience=AudienceSpec(kind, **of)), (), by=PEOPLE[0], at=NOW)
    store.approve(own, version=1, above=LIMIT, by=PEOPLE[0], at=NOW)
    return own


def launch(db: Database, own: str, members: list[str]) -> None:
    SqlCampaignPlans(db).launch(own, members, version=2, by=PEOPLE[0], at=NOW)


def audience(db: Database, own: str) -> set[str]:
    with db.read() as connection:
        rows = select(campaign_audience.c.member_id).where(campaign_audience.c.campaign_id == own)
        return set(connection.scalars(rows))


def withdraw(db: Database, member: str, purpose: Purpose) -> None:
    SqlConsents(db).record([ConsentEntry(member, purpose, False, datetime.now(UTC), "api", "1")])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "purpose", "stays"),
    [
        (AudienceKind.SEGMENT, Purpose.PROFILING, False), (AudienceKind.SEGMENT, Purpose.MARKETING, False),
        (AudienceKind.LIST, Purpose.MARKETING, False), (AudienceKind.LIST, Purpose.PROFILING, True),
    ],
)  # fmt: skip
def test_who_withdrew_after_the_audience_was_looked_up_is_not_in_it(
    database: Database, kind: AudienceKind, purpose: Purpose, stays: bool
) -> None:
    one, two, three = agreeing(database, Purpose.PROFILING, Purpose.MARKETING)
    own = approved(database, kind)
    withdraw(database, one, purpose)
    erase_member(database, two, at=NOW)  # type: ignore[arg-type]
    launch(database, own, [one, two, three])
    assert audience(database, own) == ({one, three} if stays else {three})


def paused(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> tuple[threading.Event, threading.Event]:
    """Stop whoever calls a function inside their transaction; return what tells that they are there, and what lets them go on."""
    there, go_on, real = threading.Event(), threading.Event(), getattr(module, name)

    def stop(*args: Any, **more: Any) -> Any:
        there.set()
        assert go_on.wait(60)
        return real(*args, **more)

    monkeypatch.setattr(module, name, stop)
    return there, go_on


def together(
    first: Callable[[], object], second: Callable[[], object], there: threading.Event, go_on: threading.Event
) -> None:
    """Start `second` while `first` is in the middle, and let that one go on once the other waits for it, or has overtaken it."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert there.wait(60)
        two = pool.submit(second)
        wait([two], timeout=1)
        go_on.set()
        one.result(timeout=60)
        two.result(timeout=60)


def test_a_launch_waits_for_who_is_just_withdrawing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, _ = members = agreeing(database, Purpose.PROFILING, Purpose.MARKETING)
    own = approved(database, AudienceKind.LIST)
    there, go_on = paused(monkeypatch, consents, "tell")  # the last of a withdrawal
    together(lambda: withdraw(database, one, Purpose.MARKETING), lambda: launch(database, own, members), there, go_on)
    assert audience(database, own) == {*members} - {one}
    assert two in audience(database, own)


def test_who_withdraws_during_a_launch_waits_for_it_and_is_taken_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = members = agreeing(database, Purpose.PROFILING, Purpose.MARKETING)
    own = approved(database, AudienceKind.LIST)
    there, go_on = paused(monkeypatch, campaign_plans, "_write")  # the last of a launch
    together(lambda: launch(database, own, members), lambda: withdraw(database, one, Purpose.MARKETING), there, go_on)
    assert audience(database, own) == {*members} - {one}
