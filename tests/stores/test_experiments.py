"""Experiments in the database: stick across channels and processes, and count what came of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from personalization.experiments.spec import Arm, Experiment
from personalization.types import Channel, EventType, MemberId, Purpose, Subject, VisitorId
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database
from stores.erasure import erase_member
from stores.errors import ConflictError, NotFoundError
from stores.events import Event, append
from stores.experiment_traffic import SqlExperimentTraffic
from stores.experiment_units import SqlExperimentUnits
from stores.experiments import SqlExperiments
from stores.members import SqlMembers
from stores.merges import SqlMerges
from stores.tables import conversations, exposures, order_lines, profiles

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FRESH_PROFILE = {"state": b"", "seq": 0, "updated_at": NOW}
PUSH = Experiment(
    "push", "Personal pushes sell more.", (Arm("uniform", 0.5, personalize=False), Arm("profile", 0.5)), window_days=28
)


def started(db: Database, experiment: Experiment = PUSH) -> SqlExperiments:
    store = SqlExperiments(db)
    store.create(experiment, at=NOW)
    store.start(experiment.experiment_id, at=NOW)
    return store


def person(db: Database, key: str = "pets-1") -> MemberId:
    found = SqlMembers(db).by_external_id(key)
    assert found is not None
    return MemberId(found.member_id)


def test_a_draft_starts_once_and_ends_once(database: Database) -> None:
    store = SqlExperiments(database)
    store.create(PUSH, at=NOW)
    with pytest.raises(ConflictError, match="already"):
        store.create(PUSH, at=NOW)
    assert store.running() == []
    with pytest.raises(ConflictError, match="is draft, not running"):
        store.end("push", at=NOW)
    assert store.start("push", at=NOW).started_at == NOW
    with pytest.raises(ConflictError, match="is running, not draft"):
        store.start("push", at=NOW)
    assert store.running() == [PUSH]
    assert store.end("push", at=NOW + timedelta(days=1)).status == "ended"
    assert store.running() == []
    assert [one.experiment for one in store.all()] == [PUSH]
    with pytest.raises(NotFoundError):
        store.get("other")


def test_a_member_has_one_arm_on_every_channel_and_in_every_process(small_shop: Database) -> None:
    here, there = started(small_shop), SqlExperiments(small_shop)
    member = Subject(person(small_shop))
    arms = {
        store.expose([PUSH], member, at=NOW + timedelta(hours=n), channel=channel)[0].arm.name
        for n, channel in enumerate(Channel)
        for store in (here, there)
    }
    assert len(arms) == 1
    with small_shop.read() as connection:
        [row] = connection.execute(exposures.select()).all()
    assert (row.at, row.channel, row.arm) == (NOW, next(iter(Channel)).value, arms.pop())


def test_a_visitor_who_turns_out_to_be_a_member_keeps_the_arm(small_shop: Database) -> None:
    store, member = started(small_shop), person(small_shop)
    mine = PUSH.assign(member)
    visitor = next(f"v{n}" for n in range(100) if PUSH.assign(f"v{n}") != mine)
    [anonymous] = store.expose([PUSH], Subject(None, VisitorId(visitor)), at=NOW, channel=Channel.WIDGET)
    [known] = store.expose([PUSH], Subject(member, VisitorId(visitor)), at=NOW, channel=Channel.WIDGET)
    assert known.arm == anonymous.arm != mine
    [later] = SqlExperiments(small_shop).expose([PUSH], Subject(member), at=NOW, channel=Channel.KIOSK)
    assert later.arm == anonymous.arm


def units_of(db: Database) -> list[tuple[str, str, datetime, str | None]]:
    with db.read() as connection:
        return [(row.unit_id, row.arm, row.at, row.visitor_id) for row in connection.execute(exposures.select())]


def test_a_shopper_who_signs_in_is_one_unit_from_the_first_exposure_on(small_shop: Database) -> None:
    store, member = started(small_shop), person(small_shop)
    mine = PUSH.assign(member)
    visitor = next(f"v{n}" for n in range(100) if PUSH.assign(f"v{n}") != mine)
    alone, known = Subject(None, VisitorId(visitor)), Subject(member, VisitorId(visitor))
    later = [NOW + timedelta(days=n) for n in range(4)]
    [shown] = store.expose([PUSH], alone, at=later[0], channel=Channel.WIDGET)
    store.expose([PUSH], known, at=later[1], channel=Channel.WIDGET)
    for again in (store, SqlExperiments(small_shop)):  # signed out and in again, also elsewhere
        for number, subject in enumerate((alone, known, Subject(member)), 1):
            [found] = again.expose([PUSH], subject, at=later[number], channel=Channel.WIDGET)
            assert found.arm == shown.arm
    assert units_of(small_shop) == [(member, shown.arm.name, NOW, visitor)]


def test_the_own_exposure_of_a_member_stands_and_another_on_the_same_device_has_their_own(small_shop: Database) -> None:
    store, member, other = started(small_shop), person(small_shop), person(small_shop, "pets-2")
    visitor = VisitorId("v1")
    store.expose([PUSH], Subject(member), at=NOW, channel=Channel.KIOSK)
    store.expose([PUSH], Subject(None, visitor), at=NOW + timedelta(days=1), channel=Channel.WIDGET)
    assert len(units_of(small_shop)) == 2
    store.expose([PUSH], Subject(member, visitor), at=NOW + timedelta(days=2), channel=Channel.WIDGET)
    own = PUSH.assign(member)
    assert own is not None
    assert units_of(small_shop) == [(member, own.name, NOW, None)]
    store.expose([PUSH], Subject(other, visitor), at=NOW + timedelta(days=3), channel=Channel.WIDGET)
    assert {unit for unit, *_ in units_of(small_shop)} == {member, other}


def test_a_merge_makes_the_visitors_exposure_the_members(small_shop: Database) -> None:
    store, member = started(small_shop), person(small_shop)
    store.expose([PUSH], Subject(None, VisitorId("v1")), at=NOW, channel=Channel.WIDGET)
    SqlMerges(small_shop).merge("v1", member, at=NOW + timedelta(days=1), source="crm")
    assert [(unit, at) for unit, _, at, _ in units_of(small_shop)] == [(member, NOW)]


def test_an_undone_merge_gives_the_visitors_exposure_back_and_the_member_is_a_unit_of_their_own(
    small_shop: Database,
) -> None:
    """At once in the figures that are kept, and in a process that knew the member's arm."""
    store, member = started(small_shop), person(small_shop)
    merges, units, after = SqlMerges(small_shop), SqlExperimentUnits(small_shop, store), NOW + timedelta(days=60)
    own = PUSH.assign(member)
    visitor = next(f"v{n}" for n in range(100) if PUSH.assign(f"v{n}") != own)
    [anonymous] = store.expose(store.running(), Subject(None, VisitorId(visitor)), at=NOW, channel=Channel.WIDGET)
    made = merges.merge(visitor, member, at=NOW + timedelta(days=1), source="crm")
    assert made is not None
    assert units.gather("push", now=after)
    [taken] = store.expose(store.running(), Subject(member), at=NOW + timedelta(days=1), channel=Channel.KIOSK)
    assert taken.arm == anonymous.arm != own
    merges.undo(made.merge_id, at=NOW + timedelta(days=2), by="Ana")
    kept = units.kept("push", at=after)
    assert kept is not None
    assert kept.is_empty()
    assert store.outcomes("push", at=after)["unit_id"].to_list() == [visitor]
    store.forget_running()
    [later] = store.expose(store.running(), Subject(member), at=NOW + timedelta(days=3), channel=Channel.KIOSK)
    assert later.arm == own
    assert own is not None
    assert sorted(units_of(small_shop)) == sorted(
        [(visitor, anonymous.arm.name, NOW, None), (member, own.name, NOW + timedelta(days=3), None)]
    )


def test_what_a_shopper_did_before_and_after_signing_in_counts_once(small_shop: Database) -> None:
    store, member, stranger = started(small_shop), person(small_shop), VisitorId("v2")
    visitor = VisitorId("v1")
    store.expose([PUSH], Subject(None, visitor), at=NOW, channel=Channel.WIDGET)
    store.expose([PUSH], Subject(member, visitor), at=NOW + timedelta(days=1), channel=Channel.WIDGET)
    store.expose([PUSH], Subject(None, stranger), at=NOW, channel=Channel.WIDGET)
    who = [(None, visitor), (member, visitor), (member, None), (member, stranger), (None, stranger)]
    clicks = [
        Event(f"e{n}", EventType.CLICKED, NOW + timedelta(days=2), "widget", one, other, None, "milk-1")
        for n, (one, other) in enumerate(who)
    ]
    with small_shop.write() as connection:
        append(connection, clicks, received_at=NOW)
    found = store.outcomes("push", at=NOW + timedelta(days=60))
    told = {row["unit_id"]: (row["engagement"], row["member"]) for row in found.iter_rows(named=True)}
    assert told == {member: (4, 1), stranger: (1, 0)}


def test_a_unit_stays_in_the_cluster_of_its_first_exposure(small_shop: Database) -> None:
    store, member, traffic = started(small_shop), person(small_shop), SqlExperimentTraffic(small_shop)

    def moves_to(cluster: str) -> None:
        row = {"member_id": member, "segment_id": cluster}
        with small_shop.write() as connection:
            if not connection.execute(update(profiles).where(profiles.c.member_id == member).values(row)).rowcount:
                connection.execute(insert(profiles), [row | FRESH_PROFILE])

    moves_to("c1")
    store.expose([PUSH], Subject(member), at=NOW, channel=Channel.WIDGET)
    moves_to("c2")
    store.expose([PUSH], Subject(member), at=NOW + timedelta(days=1), channel=Channel.WIDGET)
    assert traffic.segments("push", "cluster").rows() == [(member, "c1")]
    SqlConsents(small_shop).record([ConsentEntry(member, Purpose.PROFILING, False, datetime.now(UTC), "api", "1")])
    assert traffic.segments("push", "cluster").rows() == [], "a profile's cluster goes with the consent to profiling"


def test_two_who_expose_the_same_member_at_once_log_it_once(small_shop: Database) -> None:
    started(small_shop)
    member = Subject(person(small_shop))
    stores = [SqlExperiments(small_shop) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda store: store.expose([PUSH], member, at=NOW, channel=Channel.API), stores))
    assert sum(stores[0].counts("push").values()) == 1


def order(member: str, number: str, days: float, amount: int, discount: int = 0) -> dict[str, Any]:
    return {
        "order_id": number, "line_no": 1, "member_id": member, "product_id": "milk-1", "at": NOW + timedelta(days=days), "quantity": 1,
        "amount_minor": amount, "discount_minor": discount, "coupon_minor": 0, "currency": "USD", "channel": "store", "store_id": None,
    }  # fmt: skip


def test_what_happened_in_the_window_is_counted_and_nothing_else(small_shop: Database) -> None:
    store, member = started(small_shop), person(small_shop)
    store.expose([PUSH], Subject(member), at=NOW, channel=Channel.WIDGET)
    bought = [
        order(member, "x1", -57, 1), order(member, "x2", -55, 700), order(member, "x3", 0, 100, 10), order(member, "x4", 15, 200, 5),
        order(member, "x5", 28, 9_999),
    ]  # fmt: skip
    with small_shop.write() as connection:
        connection.execute(order_lines.delete().where(order_lines.c.member_id == member))
        connection.execute(insert(order_lines), bought)
        talk = {"visitor_id": "v", "member_id": member, "created_at": NOW + timedelta(days=2), "handoff": True}
        connection.execute(insert(conversations), [{"conversation_id": "t1", **talk}])
    clicks = [
        Event(f"e{n}", EventType.CLICKED, NOW + timedelta(days=day), "widget", member, "v", None, "milk-1")
        for n, day in enumerate((-1, 3, 5, 40))
    ]
    with small_shop.write() as connection:
        append(connection, clicks, received_at=NOW)
    assert store.outcomes("push", at=NOW + timedelta(days=27)).is_empty()
    [row] = store.outcomes("push", at=NOW + timedelta(days=28)).iter_rows(named=True)
    wanted = {
        "unit_id": member, "spend": 300, "orders": 2, "conversion": 1, "retention": 1, "discount": 15, "engagement": 2, "handoffs": 1,
        "spend_before": 700, "orders_before": 1,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted


def test_who_withdraws_consent_or_is_erased_is_not_in_the_results(small_shop: Database) -> None:
    store, people = started(small_shop), [person(small_shop, f"pets-{n}") for n in range(3)]
    for member in people:
        store.expose([PUSH], Subject(member), at=NOW, channel=Channel.WIDGET)
    SqlConsents(small_shop).record([ConsentEntry(people[0], Purpose.PROFILING, False, datetime.now(UTC), "api", "1")])
    erase_member(small_shop, people[1], at=NOW)
    found = store.outcomes("push", at=NOW + timedelta(days=60))
    assert found["unit_id"].to_list() == [people[2]]
    assert sum(store.counts("push").values()) == 2


def test_a_spec_is_read_as_it_was_written(database: Database) -> None:
    full = Experiment(
        "full", "x", (Arm("a", 0.25, creative=False), Arm("b", 0.75)), "retention", {"discount": 0.1}, 0.4, 14
    )
    SqlExperiments(database).create(full, at=NOW)
    assert SqlExperiments(database).get("full").experiment == full


def test_sizes_are_worked_out_from_who_came_before_the_window_and_agrees(small_shop: Database) -> None:
    traffic, at = SqlExperimentTraffic(small_shop), datetime.now(UTC)
    earlier, new, silent = (person(small_shop, f"pets-{n}") for n in range(3))
    with small_shop.write() as connection:
        connection.execute(order_lines.delete())
        days = {earlier: -40, new: -3, silent: -40}
        lines = [
            order(member, f"o-{member}", 0, 100) | {"at": at + timedelta(days=day)} for member, day in days.items()
        ]
        connection.execute(
            insert(order_lines), [*lines, order(silent, "o-late", 0, 100) | {"at": at - timedelta(days=2)}]
        )
    SqlConsents(small_shop).record([ConsentEntry(silent, Purpose.PROFILING, False, at, "api", "1")])
    found = traffic.past(window_days=28, at=at)
    assert found["unit_id"].to_list() == [earlier], (
        "who came in the window only is no part of the rate that is measured in it"
    )
    assert traffic.reached(at=at)[-1] == 1, "only the new one came lately and agrees"
