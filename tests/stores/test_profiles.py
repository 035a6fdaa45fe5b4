"""Living profiles in the database: folded once, replayable, consent-bound, vetoed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from sqlalchemy import select

from personalization.profiling.labels import RuleLabels, ToldLabels, load_rules
from personalization.trust.retention import Schedule
from personalization.types import EventType, MemberId, Purpose
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database, new_id
from stores.events import Event, SqlEvents, withdraw
from stores.labels import SqlLabels
from stores.members import SqlMembers
from stores.scheduled import enforce
from stores.tables import events
from tests.small_shop import NOW
from tests.stores.log import consume_all, fill_log, profiles_of

ROOT = Path(__file__).resolve().parents[2]


def member_of(db: Database, key: str = "pets-4") -> MemberId:
    found = SqlMembers(db).by_external_id(key)
    assert found is not None
    return found.member_id


def agree(db: Database, member_id: MemberId, purpose: Purpose, granted: bool = True) -> None:
    SqlConsents(db).record([ConsentEntry(member_id, purpose, granted, datetime.now(UTC), "api", "t")])


def say(db: Database, member_id: MemberId, *valences: float) -> None:
    made = [Event(new_id(), EventType.MESSAGE_SENT, NOW, "widget", member_id, payload={"valence": v}) for v in valences]
    SqlEvents(db).append_batch(made, received_at=NOW)


def names(db: Database, member_id: MemberId) -> set[str]:
    return {label.name for label in SqlLabels(db).of_member(member_id, at=NOW)}


def test_events_become_features_and_labels(small_shop: Database) -> None:
    profiles, member = profiles_of(small_shop, RuleLabels(load_rules())), member_of(small_shop)
    say(small_shop, member, -0.9, -0.8)
    consume_all(profiles)
    view = profiles.view(member, at=NOW)
    assert view is not None
    assert view.features["orders"] >= 20
    assert view.features["messages_28d"] == 2
    [mood] = [label for label in SqlLabels(small_shop).of_member(member, at=NOW) if label.name == "mood"]
    assert mood.value == "unhappy"
    assert mood.evidence["text_valence_28d"] == -0.85
    assert "shopping_rhythm" in names(small_shop, member)
    assert profiles.backlog() == 0


def test_an_attribute_avoids_becomes_the_label_and_the_newest_one_counts(small_shop: Database) -> None:
    profiles, member = profiles_of(small_shop, ToldLabels()), member_of(small_shop)
    for days, value in ((0, "nuts;pork"), (1, "milk")):
        payload = {"name": "avoids", "value": value}
        event = Event(new_id(), EventType.ATTRIBUTE_SET, NOW - timedelta(days=days), "api", member, payload=payload)
        SqlEvents(small_shop).append_batch([event], received_at=NOW)
        consume_all(profiles)
    [label] = SqlLabels(small_shop).of_member(member, at=NOW)
    assert (label.name, label.value) == ("avoids", "nuts;pork")
    assert label.sentence == "You told us that you avoid nuts and pork."


def test_a_replay_gives_what_the_worker_gave_however_it_was_cut_into_passes(small_shop: Database) -> None:
    profiles = profiles_of(small_shop)
    consume_all(profiles, limit=37)
    live = profiles.fingerprint()
    profiles.replay(now=NOW)
    assert profiles.fingerprint() == live


def test_a_replay_beside_a_running_worker_loses_and_doubles_nothing(small_shop: Database) -> None:
    profiles = profiles_of(small_shop)
    worker = Thread(target=consume_all, args=(profiles, 50))
    worker.start()
    profiles.replay(now=NOW)
    worker.join()
    consume_all(profiles)
    before = profiles.fingerprint()
    profiles.replay(now=NOW)
    assert profiles.fingerprint() == before


def test_two_workers_at_once_double_nothing(small_shop: Database) -> None:
    both = [Thread(target=consume_all, args=(profiles_of(small_shop), 20)) for _ in range(2)]
    for worker in both:
        worker.start()
    for worker in both:
        worker.join()
    profiles = profiles_of(small_shop)
    before = profiles.fingerprint()
    profiles.replay(now=NOW)
    assert profiles.fingerprint() == before


def test_a_million_events_replay_to_the_same_hash(sqlite_database: Database) -> None:
    fill_log(sqlite_database, 1_000_000, 2_500)
    profiles = profiles_of(sqlite_database)
    consume_all(profiles, limit=60_000)
    live = profiles.fingerprint()
    assert profiles.replay(now=NOW) == 1_000_000
    assert profiles.fingerprint() == live


def test_a_worker_that_is_killed_loses_and_doubles_nothing(sqlite_database: Database) -> None:
    fill_log(sqlite_database, 2_000, 30)
    code = (
        "import sys; from stores.database import Database; from tests.stores.log import *\n"
        "p = profiles_of(Database(sys.argv[1], bytes(range(32))))\n"
        "print('ready', flush=True)\n"
        "while p.consume(now=NOW, limit=7): print('pass', flush=True)"
    )
    for kill_after in (1, 2, 5, 9):
        running = subprocess.Popen(
            [sys.executable, "-c", code, str(sqlite_database.url)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert running.stdout is not None
        for _ in range(kill_after):
            running.stdout.readline()
        running.send_signal(signal.SIGKILL)
        running.communicate()
    profiles = profiles_of(sqlite_database)
    assert profiles.backlog() > 0
    consume_all(profiles)
    after_kills = profiles.fingerprint()
    profiles.replay(now=NOW)
    assert profiles.fingerprint() == after_kills


def test_nothing_is_folded_without_consent_and_withdrawing_it_takes_the_profile_away(small_shop: Database) -> None:
    profiles, member = profiles_of(small_shop, RuleLabels(load_rules())), member_of(small_shop)
    consume_all(profiles)
    assert names(small_shop, member)
    agree(small_shop, member, Purpose.PROFILING, granted=False)
    profiles.rebuild([member], now=NOW)
    assert profiles.state(member) is None
    assert profiles.view(member, at=NOW) is None
    assert names(small_shop, member) == set()
    agree(small_shop, member, Purpose.PROFILING)
    profiles.rebuild([member], now=NOW)
    assert "shopping_rhythm" in names(small_shop, member)


def test_an_event_whose_purpose_is_not_agreed_to_does_not_name_the_member(small_shop: Database) -> None:
    member, log = member_of(small_shop), SqlEvents(small_shop)
    located = Event(new_id(), EventType.LOCATED, NOW, "api", member, payload={"store_id": "s1", "lat": 1.0})
    log.append_batch([located], received_at=NOW)
    agree(small_shop, member, Purpose.LOCATION)
    again = Event(new_id(), EventType.LOCATED, NOW, "api", member, payload={"store_id": "s1", "lat": 1.0})
    log.append_batch([again], received_at=NOW)
    with small_shop.read() as connection:
        rows = connection.execute(select(events).where(events.c.type == "located").order_by(events.c.seq)).all()
    assert [row.member_id for row in rows] == [None, member]
    assert [row.payload for row in rows] == [{"store_id": "s1"}] * 2


def test_withdrawing_a_purpose_deletes_what_only_it_allowed(small_shop: Database) -> None:
    member, log = member_of(small_shop), SqlEvents(small_shop)
    agree(small_shop, member, Purpose.LOCATION)
    log.append_batch(
        [Event(new_id(), EventType.LOCATED, NOW, "api", member, payload={"store_id": "s1"})], received_at=NOW
    )
    say(small_shop, member, 0.5)
    with small_shop.write() as connection:
        withdraw(connection, member, {Purpose.LOCATION, Purpose.PROFILING})
        columns = (events.c.type, events.c.member_id, events.c.payload)
        left = connection.execute(select(*columns).where(events.c.type != "bought")).all()
    assert [tuple(row) for row in left] == [("message_sent", None, {})]


def test_how_a_message_sounded_is_logged_only_of_who_agreed_or_is_nobodys(small_shop: Database) -> None:
    agreed, other = member_of(small_shop), member_of(small_shop, "pets-5")
    agree(small_shop, agreed, Purpose.PROFILING)
    agree(small_shop, other, Purpose.PROFILING, granted=False)
    felt = {"valence": -0.5, "arousal": 0.5, "label": "anger"}
    made = [
        Event(new_id(), EventType.MESSAGE_SENT, NOW, "widget", who, "v1", payload=felt) for who in (agreed, other, None)
    ]
    SqlEvents(small_shop).append_batch(made, received_at=NOW)
    with small_shop.read() as connection:
        query = select(events.c.member_id, events.c.payload).where(events.c.type == "message_sent")
        assert [tuple(row) for row in connection.execute(query.order_by(events.c.seq))] == [
            (agreed, felt), (None, {}), (None, felt)
        ]  # fmt: skip


def test_a_vetoed_label_goes_and_does_not_come_back_until_the_veto_is_lifted(small_shop: Database) -> None:
    profiles, labels, member = (
        profiles_of(small_shop, RuleLabels(load_rules())),
        SqlLabels(small_shop),
        member_of(small_shop),
    )
    consume_all(profiles)
    labels.veto(member, "shopping_rhythm", by="member", at=NOW)
    say(small_shop, member, 0.1)
    consume_all(profiles)
    assert "shopping_rhythm" not in names(small_shop, member)
    assert not labels.lift(member, "shopping_rhythm", by="staff")
    labels.veto(member, "shopping_rhythm", by="staff", at=NOW)
    assert [veto.by for veto in labels.vetoes(member)] == ["member"]
    assert labels.lift(member, "shopping_rhythm", by="member")
    profiles.relabel([member], now=NOW)
    assert "shopping_rhythm" in names(small_shop, member)


def test_a_label_that_still_holds_keeps_its_birthday_and_one_that_lapsed_is_not_shown(small_shop: Database) -> None:
    profiles, member = profiles_of(small_shop, RuleLabels(load_rules())), member_of(small_shop)
    consume_all(profiles)
    later = NOW + timedelta(days=3)
    profiles.relabel([member], now=later)
    [rhythm] = [label for label in SqlLabels(small_shop).of_member(member, at=later) if label.name == "shopping_rhythm"]
    assert rhythm.created_at == NOW
    assert rhythm.expires_at == later + timedelta(days=60)
    assert SqlLabels(small_shop).of_member(member, at=later + timedelta(days=61)) == []


def test_events_past_their_retention_are_deleted_and_orders_stay(small_shop: Database) -> None:
    member = member_of(small_shop)
    say(small_shop, member, 0.2)
    schedule = Schedule((), {}, {}, "")
    assert enforce(small_shop, schedule, now=NOW + timedelta(days=89)) == []
    [done] = enforce(small_shop, schedule, now=NOW + timedelta(days=91))
    assert done["deleted"] == {"events": 1}
    assert done["proof"]["due_and_left"]["events"] == 0
    with small_shop.read() as connection:
        assert set(connection.scalars(select(events.c.type))) == {"bought"}
