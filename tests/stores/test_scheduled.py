"""Consents that expire and cannot be changed, and a schedule that deletes what is over and proves it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import DatabaseError

from personalization.experiments.spec import Arm, Experiment
from personalization.trust.retention import RetentionError, read_schedule
from personalization.types import Channel, EventType, MemberId, ProductId, Purpose, Subject, VisitorId
from stores import scheduled
from stores import staff as staff_store
from stores.baskets import SqlBaskets
from stores.consents import ConsentEntry, SqlConsents, granted_to
from stores.console_tables import experiment_gatherings, experiment_units
from stores.conversations import SqlConversations
from stores.coupon_tables import coupons
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.erasure import erase_member, identifiers
from stores.errors import NotFoundError, PastTermError
from stores.events import Event, SqlEvents
from stores.experiment_units import SqlExperimentUnits
from stores.experiments import SqlExperiments
from stores.members import SqlMembers
from stores.merge_tables import merges as merge_rows
from stores.merges import SqlMerges
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.orders import SqlOrderBook
from stores.scheduled import enforce
from stores.staff import Consent, SqlStaff
from stores.tables import consents, conversations, decisions, dialogue_erasures, erasures, events, exposures, messages
from tests.small_shop import NOW
from tests.stores.test_leaving import paused, together
from tests.stores.traces import SECRET, face, lived_in

DAY = timedelta(days=1)
SCHEDULE = read_schedule(["gdpr", "us-il", "us-tx"])


def test_nobody_changes_or_deletes_an_entry_and_an_erasure_does(small_shop: Database) -> None:
    member = lived_in(small_shop).member.member_id
    for statement in ("UPDATE consents SET granted = NOT granted", "DELETE FROM consents"):
        with pytest.raises(DatabaseError, match="append-only"), small_shop.write() as connection:
            connection.execute(text(statement))
    erase_member(small_shop, member, at=NOW)
    assert SqlConsents(small_shop).history(member) == []
    with pytest.raises(DatabaseError, match="append-only"), small_shop.write() as connection:
        connection.execute(text("DELETE FROM consents"))


def test_a_consent_ends_when_its_time_is_over_wherever_it_is_asked_for(small_shop: Database) -> None:
    ledger, member, now = SqlConsents(small_shop), MemberId("m"), datetime.now(UTC)
    ends = {"past": now - DAY, "future": now + DAY}
    for purpose, end in ((Purpose.PROFILING, "past"), (Purpose.MARKETING, "future")):
        ledger.record([ConsentEntry(member, purpose, True, now - 9 * DAY, "widget", "t1", ends[end])])
    assert ledger.granted(Subject(member), at=now) == {Purpose.MARKETING}
    assert ledger.granted(Subject(member), at=now - 2 * DAY) == {Purpose.PROFILING, Purpose.MARKETING}
    with small_shop.read() as connection:
        assert granted_to(connection, [member]) == {member: frozenset({Purpose.MARKETING})}
    assert member not in ledger.members_with(Purpose.PROFILING)
    assert member in ledger.members_with(Purpose.MARKETING)
    assert ledger.expired(now=now) == {member: frozenset({Purpose.PROFILING})}
    ledger.record([ConsentEntry(member, Purpose.PROFILING, True, now, "widget", "t2")])
    assert ledger.expired(now=now) == {}
    assert Purpose.PROFILING in ledger.granted(Subject(member), at=now)


def test_what_is_over_is_deleted_with_a_proof_and_what_is_not_stays(small_shop: Database) -> None:
    traces = lived_in(small_shop)
    member, chat = traces.member.member_id, traces.before_sign_in
    assert [one["scope"] for one in enforce(small_shop, SCHEDULE, now=NOW)] == []
    done = enforce(small_shop, SCHEDULE, now=NOW + 366 * DAY)
    [proved] = [one for one in done if one["scope"] == "schedule"]
    assert proved["deleted"]["conversations"] == 2
    assert proved["deleted"]["affect"] == 1
    assert "decisions" not in proved["deleted"], "two years, not one"
    assert set(proved["proof"]["due_and_left"].values()) == {0}
    assert proved["proof"]["schedule"] == SCHEDULE.digest
    assert SqlConversations(small_shop).get(chat) is None
    with small_shop.read() as connection:
        assert connection.scalar(select(func.count()).select_from(messages)) == 0
        stored = connection.execute(select(erasures).where(erasures.c.scope == "schedule")).one()
        assert stored.proof == proved["proof"]
        assert member not in repr(stored)
    [later] = [one for one in enforce(small_shop, SCHEDULE, now=NOW + 733 * DAY) if one["scope"] == "schedule"]
    assert later["deleted"]["decisions"] == 2
    with small_shop.read() as connection:
        assert connection.scalars(select(coupons.c.decision_id)).all() == [None] * 3
        assert connection.scalar(select(func.count()).select_from(consents).where(consents.c.member_id == member))
    assert enforce(small_shop, SCHEDULE, now=NOW + 733 * DAY) == [], "once is enough"


def test_a_conversation_that_is_over_leaves_its_words_nowhere(small_shop: Database) -> None:
    lived_in(small_shop)
    log = SqlDecisions(small_shop)
    with small_shop.read() as connection:
        made = connection.scalars(select(decisions.c.decision_id)).all()
        talks = set(connection.scalars(select(conversations.c.conversation_id)))
    assert {kept.context.query for one in made if (kept := log.get(one))} == {SECRET}
    enforce(small_shop, SCHEDULE, now=NOW + 366 * DAY)
    assert [kept.context.query for one in made if (kept := log.get(one))] == [None, None]
    assert [log.candidates(one) for one in made] == [None, None]
    with small_shop.read() as connection:
        assert set(connection.scalars(select(dialogue_erasures.c.sender_id))) == talks


def test_files_events_baskets_and_groups_are_in_the_same_receipt(small_shop: Database) -> None:
    lived_in(small_shop)
    schedule, deleted = read_schedule(["gdpr"], files_days=30), []
    for days in (30, 31, 181, 366, 1096):
        done = [one for one in enforce(small_shop, schedule, now=NOW + days * DAY) if one["scope"] == "schedule"]
        deleted.append({kind: count for one in done for kind, count in one["deleted"].items()})
        assert all(not any(one["proof"]["due_and_left"].values()) for one in done)
    at_30, at_31, at_181, at_366, at_1096 = deleted
    assert "files" not in at_30
    assert (at_31["files"], at_181["events"], at_366["baskets"], at_1096["groups"]) == (2, 2, 2, 1)


def orders_of(db: Database) -> list[int]:
    with db.read() as connection:
        tables = (service_orders, order_changes, customer_accounts)
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_what_the_order_service_knows_goes_three_years_after_its_import_or_change(small_shop: Database) -> None:
    lived_in(small_shop)
    enforce(small_shop, SCHEDULE, now=NOW + 1095 * DAY)
    assert orders_of(small_shop) == [1, 1, 1]
    [done] = [one for one in enforce(small_shop, SCHEDULE, now=NOW + 1096 * DAY) if one["scope"] == "schedule"]
    assert {kind: done["deleted"][kind] for kind in ("service_orders", "order_changes", "accounts")} == {
        "service_orders": 1, "order_changes": 1, "accounts": 1,
    }  # fmt: skip
    assert set(done["proof"]["due_and_left"].values()) == {0}
    assert orders_of(small_shop) == [0, 0, 0]


def test_an_account_stays_as_long_as_an_order_of_it(small_shop: Database) -> None:
    lived_in(small_shop)
    with small_shop.write() as connection:
        connection.execute(update(service_orders).values(at=NOW + DAY))
    enforce(small_shop, SCHEDULE, now=NOW + 1096 * DAY)
    assert orders_of(small_shop) == [1, 0, 1]
    enforce(small_shop, SCHEDULE, now=NOW + 1097 * DAY)
    assert orders_of(small_shop) == [0, 0, 0]


def test_a_change_of_an_order_begins_its_term_anew(small_shop: Database) -> None:
    lived_in(small_shop)
    with small_shop.read() as connection:
        [row] = connection.execute(select(service_orders)).all()
    with SqlOrderBook(small_shop).change(row.member_id) as draft:
        order = draft.order(row.order_id)
        assert order is not None
        draft.save_order(order)
    with small_shop.read() as connection:
        assert connection.scalar(select(service_orders.c.at)) > NOW


def test_faces_of_the_staff_go_three_years_after_their_consent_and_a_newer_one_keeps_them(
    sqlite_database: Database,
) -> None:
    staff = SqlStaff(sqlite_database)
    for name, days in (("Ana", 0), ("Ben", 0), ("Ben", 400)):
        staff.add(name, face(1), model="m", consent=Consent("staff-2", NOW + days * DAY, "key ak_1 crm"))
    assert enforce(sqlite_database, SCHEDULE, now=NOW + 1095 * DAY) == []
    [done] = enforce(sqlite_database, SCHEDULE, now=NOW + 1096 * DAY)
    assert (done["scope"], done["deleted"], done["proof"]["due_and_left"]["staff"]) == ("schedule", {"staff": 1}, 0)
    assert [(one.name, one.templates) for one in staff.all()] == [("Ben", 2)]
    assert len(staff.templates("m")) == 2


def agreed(db: Database, days: int) -> None:
    SqlStaff(db).add("Ana", face(days), model="m", consent=Consent("staff-2", NOW + days * DAY, "key ak_1 crm"))


def test_a_consent_of_the_staff_that_is_renewed_during_retention_keeps_their_faces(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(database, 0)
    there, go_on = paused(monkeypatch, staff_store, "bump_gallery")  # the last of adding a template
    kept: list[object] = []
    together(
        lambda: agreed(database, 1095),
        lambda: kept.extend(enforce(database, SCHEDULE, now=NOW + 1096 * DAY)),
        there,
        go_on,
    )
    assert [(one.name, one.templates) for one in SqlStaff(database).all()] == [("Ana", 2)]
    assert kept == [], "nothing was deleted, and no record says that anything was"


def test_a_consent_of_the_staff_that_is_given_while_the_old_one_is_deleted_is_a_new_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(database, 0)
    there, go_on = paused(monkeypatch, scheduled, "bump_gallery")
    together(
        lambda: enforce(database, SCHEDULE, now=NOW + 1096 * DAY),
        lambda: agreed(database, 1095),
        there,
        go_on,
    )
    assert [(one.name, one.templates) for one in SqlStaff(database).all()] == [("Ana", 1)]


def test_who_is_removed_while_a_template_of_theirs_is_added_is_gone_with_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(database, 0)
    there, go_on = paused(monkeypatch, staff_store, "insert")
    together(lambda: agreed(database, 1), lambda: SqlStaff(database).remove("Ana", at=NOW), there, go_on)
    assert SqlStaff(database).all() == []
    assert SqlStaff(database).templates("m") == []


def visitors_of_merges(db: Database) -> list[str]:
    return [one.visitor_id for one in SqlMerges(db).page()]


def test_a_merge_past_its_term_goes_and_what_it_named_stays_the_members(small_shop: Database) -> None:
    member = lived_in(small_shop).member.member_id
    with small_shop.write() as connection:
        connection.execute(update(merge_rows).values(visitor_id="left-alone"))
    [merge] = SqlMerges(small_shop).page()
    with small_shop.write() as connection:
        named = connection.execute(
            update(events).where(events.c.member_id == member).values(merge_id=merge.merge_id)
        ).rowcount
    short = replace(SCHEDULE, data={"merges": SCHEDULE.data["merges"].model_copy(update={"days": 10})})
    assert enforce(small_shop, short, now=NOW + 10 * DAY) == []
    [done] = [one for one in enforce(small_shop, short, now=NOW + 11 * DAY) if one["scope"] == "schedule"]
    assert (done["deleted"]["merges"], done["proof"]["due_and_left"]["merges"]) == (1, 0)
    assert visitors_of_merges(small_shop) == []
    with small_shop.read() as connection:
        theirs = connection.execute(select(events.c.merge_id).where(events.c.member_id == member)).all()
    assert theirs == [(None,)] * named
    assert named > 0


def shared_by_two(db: Database, later: timedelta = timedelta()) -> MemberId:
    """Let two members use the device "shared"; return the first, and let the other one come `later`."""
    members = [SqlMembers(db).by_external_id(name) for name in ("cheese-13", "cheese-14")]
    for member, at in zip(members, (NOW, NOW + later), strict=True):
        assert member is not None
        assert SqlMerges(db).merge("shared", member.member_id, at=at, source="identify")
    assert members[0] is not None
    return members[0].member_id


def test_merges_of_a_shared_device_go_together_so_that_it_never_stands_for_one_of_them(small_shop: Database) -> None:
    shared_by_two(small_shop, 300 * DAY)
    merges = SqlMerges(small_shop)
    enforce(small_shop, SCHEDULE, now=NOW + 800 * DAY)
    assert visitors_of_merges(small_shop) == ["shared", "shared"]
    assert merges.member_of(["shared"]) == {}
    enforce(small_shop, SCHEDULE, now=NOW + 1031 * DAY)
    assert visitors_of_merges(small_shop) == []


def use(db: Database, member_id: MemberId | None, at: datetime) -> None:
    clicked = Event(new_id(), EventType.CLICKED, at, "widget", member_id, "shared")
    SqlEvents(db).append_batch([clicked], received_at=at)


def test_a_shared_device_in_use_stays_shared_and_what_nobody_is_named_in_nobodys(small_shop: Database) -> None:
    first, merges = shared_by_two(small_shop), SqlMerges(small_shop)
    use(small_shop, None, NOW + 730 * DAY)
    enforce(small_shop, SCHEDULE, now=NOW + 731 * DAY)
    assert merges.member_of(["shared"]) == {}
    again = merges.merge("shared", first, at=NOW + 731 * DAY, source="identify")
    assert again is not None
    assert (again.events, again.at) == (0, NOW)
    assert "shared" not in identifiers(small_shop, first)
    with small_shop.read() as connection:
        mine = select(events.c.member_id).where(events.c.visitor_id == "shared")
        assert connection.scalars(mine).all() == [None]
    enforce(small_shop, SCHEDULE, now=NOW + 1461 * DAY)
    assert visitors_of_merges(small_shop) == [], "left alone for as long as a merge is kept"


def test_a_shared_device_stays_shared_where_whoever_uses_it_signs_in(small_shop: Database) -> None:
    first = shared_by_two(small_shop)
    use(small_shop, first, NOW + 730 * DAY)
    enforce(small_shop, SCHEDULE, now=NOW + 731 * DAY)
    assert visitors_of_merges(small_shop) == ["shared", "shared"]


def test_a_shared_device_stays_shared_as_long_as_anything_of_nobodys_is_kept_of_it(small_shop: Database) -> None:
    short = replace(SCHEDULE, data={"merges": SCHEDULE.data["merges"].model_copy(update={"days": 10})})
    first = shared_by_two(small_shop)
    SqlBaskets(small_shop).add(Subject(visitor_id=VisitorId("shared")), ProductId("milk-2"), 1, at=NOW)
    enforce(small_shop, short, now=NOW + 11 * DAY)
    assert "shared" not in identifiers(small_shop, first)
    assert visitors_of_merges(small_shop) == ["shared", "shared"]


def test_a_process_that_dies_between_two_bites_leaves_no_device_half_merged(
    small_shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_by_two(small_shop)
    monkeypatch.setattr(scheduled, "BITE", 1)
    bites = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM merges"):
            bites.append(statement)
            if len(bites) > 1:
                raise KeyboardInterrupt

    event.listen(small_shop.engine, "before_cursor_execute", die)
    with suppress(KeyboardInterrupt):
        enforce(small_shop, SCHEDULE, now=NOW + 731 * DAY)
    event.remove(small_shop.engine, "before_cursor_execute", die)
    assert SqlMerges(small_shop).member_of(["shared"]) == {}
    with small_shop.read() as connection:
        [counts] = connection.scalars(select(erasures.c.counts).where(erasures.c.scope == "schedule"))
    assert counts["merges"] == 2


def test_a_merge_that_was_undone_lately_is_remembered_so_that_it_is_not_made_again(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("cheese-13")
    assert member is not None
    made = SqlMerges(small_shop).merge("v", member.member_id, at=NOW, source="identify")
    assert made is not None
    SqlMerges(small_shop).undo(made.merge_id, at=NOW + 700 * DAY, by="Ana", kept_days=730)
    enforce(small_shop, SCHEDULE, now=NOW + 800 * DAY)
    assert visitors_of_merges(small_shop) == ["v"]
    enforce(small_shop, SCHEDULE, now=NOW + 1431 * DAY)
    assert visitors_of_merges(small_shop) == []


def test_a_merge_past_its_term_cannot_be_undone_before_and_after_it_is_deleted(small_shop: Database) -> None:
    member = SqlMembers(small_shop).by_external_id("cheese-13")
    assert member is not None
    merges, now = SqlMerges(small_shop), datetime.now(UTC)
    made = merges.merge("v", member.member_id, at=now, source="identify")
    assert made is not None
    later = now + 731 * DAY
    with pytest.raises(PastTermError, match="kept for 730 days"):
        merges.undo(made.merge_id, at=later, by="Ana", kept_days=730)
    enforce(small_shop, SCHEDULE, now=later)
    assert visitors_of_merges(small_shop) == []
    with pytest.raises(PastTermError, match="cannot be undone any more"):
        merges.undo(made.merge_id, at=later, by="Ana", kept_days=730)
    with pytest.raises(NotFoundError):
        merges.undo("never-was", at=later, by="Ana", kept_days=730)


def test_the_shops_term_for_files_counts_where_it_is_shorter() -> None:
    assert [read_schedule(["gdpr"], files_days=days).data["files"].days for days in (30, 400)] == [30, 365]


def test_much_that_is_over_goes_in_bites(small_shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lived_in(small_shop)
    monkeypatch.setattr(scheduled, "BITE", 1)
    done = {one["scope"]: one for one in enforce(small_shop, SCHEDULE, now=NOW + 733 * DAY)}
    assert (done["schedule"]["deleted"]["conversations"], done["schedule"]["deleted"]["decisions"]) == (2, 2)
    assert set(done["schedule"]["proof"]["due_and_left"].values()) == {0}


def test_what_is_due_is_found_by_an_index(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        for table, column in (
            ("decisions", "at"),
            ("exposures", "at"),
            ("labels", "expires_at"),
            ("merges", "at"),
            ("service_orders", "at"),
        ):
            query = f"EXPLAIN QUERY PLAN SELECT count(*) FROM {table} WHERE {column} < '2026-01-01'"
            assert "USING COVERING INDEX" in str(connection.execute(text(query)).all())


def test_of_several_laws_the_shortest_term_counts() -> None:
    assert SCHEDULE.data["templates"].days == 365
    assert SCHEDULE.data["templates"].law.startswith("§ 503.001")
    assert read_schedule(["gdpr", "us-il"]).data["templates"].days == 1095
    assert SCHEDULE.expiry(Purpose.FACE_RECOGNITION, at=NOW) == NOW + 365 * DAY


@pytest.mark.parametrize(
    "wrong",
    ["gdpr: {about: x, data: {passwords: {days: 1, purpose: p, since: s}}}", "gdpr: {about: x, consents: {breathing: 1}}", "gdpr: [", "eu: {about: x}"],
)  # fmt: skip
def test_a_schedule_that_cannot_be_used_is_told(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "retention.yml"
    file.write_text(wrong)
    with pytest.raises(RetentionError):
        read_schedule(["gdpr"], file)


def test_outcomes_per_person_go_with_the_exposures(small_shop: Database) -> None:
    arms = (Arm("off", 0.5, coupons=False), Arm("on", 0.5))
    own = Experiment("e", "x", arms, window_days=7)
    store, units = SqlExperiments(small_shop), ("old", "new")
    store.create(own, at=NOW)
    store.start("e", at=NOW)
    for unit, at in zip(units, (NOW, NOW + 100 * DAY), strict=True):
        store.expose([own], Subject(None, VisitorId(unit)), at=at, channel=Channel.WIDGET)
    kept = SqlExperimentUnits(small_shop, store)
    assert kept.gather("e", now=NOW + 200 * DAY)
    enforce(small_shop, SCHEDULE, now=NOW + 731 * DAY)
    with small_shop.read() as connection:
        for table in (exposures, experiment_units):
            assert list(connection.scalars(select(table.c.unit_id))) == ["new"]
    store.end("e", at=NOW + 201 * DAY)
    kept.keep(now=NOW + 202 * DAY)
    with small_shop.read() as connection:
        assert connection.scalar(select(func.count()).select_from(experiment_units)) == 1, "its windows are open yet"
    kept.keep(now=NOW + 300 * DAY)
    with small_shop.read() as connection:
        for table in (experiment_units, experiment_gatherings):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
