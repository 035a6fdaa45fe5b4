"""Face templates go when their time is over, for each store by its own terms, with a record in numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from personalization.types import MemberId, Purpose
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database, new_id
from stores.retention import purge_templates
from stores.switches import SqlSwitches, Terms, Use
from stores.tables import erasures, templates
from stores.templates import Kind, SqlTemplates
from tests.small_shop import NOW
from tests.stores.test_templates import files_hold, sealed
from tests.stores.traces import face

TERMS = Terms(frozenset({Use.RECOGNITION}), "Greet members.", 100, "A camera recognises members who agreed.")
DAY = timedelta(days=1)


def enrolled(
    db: Database, number: int, *, store: str | None = "s1", at: datetime = NOW, agreed: bool = True
) -> MemberId:
    member = MemberId(new_id())
    if agreed:
        SqlConsents(db).record([ConsentEntry(member, Purpose.FACE_RECOGNITION, True, at, "kiosk", "k1")])
    SqlTemplates(db).add(member, face(number), model="m", at=at, store_id=store)
    return member


def switch_on(db: Database, store: str = "s1", days: int = 100, at: datetime = NOW) -> None:
    SqlSwitches(db).enable(store, replace(TERMS, retention_days=days), by="Ana", at=at)


def left(db: Database, *members: MemberId) -> list[int]:
    return [SqlTemplates(db).count(member) for member in members]


def test_who_did_not_come_for_the_stores_retention_is_forgotten_and_who_came_is_not(database: Database) -> None:
    switch_on(database)
    gone, came = enrolled(database, 1), enrolled(database, 2)
    SqlTemplates(database).seen(came, at=NOW + 60 * DAY)
    assert purge_templates(database, now=NOW + 100 * DAY) is None
    done = purge_templates(database, now=NOW + 101 * DAY)
    assert done is not None
    assert (done["scope"], done["deleted"]["no visit for the retention"]) == ("retention", 1)
    assert left(database, gone, came) == [0, 1]
    purge_templates(database, now=NOW + 161 * DAY)
    assert left(database, came) == [0]


def test_the_record_has_numbers_and_no_names(database: Database) -> None:
    switch_on(database)
    member = enrolled(database, 1)
    purge_templates(database, now=NOW + 101 * DAY)
    purge_templates(database, now=NOW + 102 * DAY)
    with database.read() as connection:
        [row] = connection.execute(select(erasures)).all()
    assert (row.scope, sum(row.counts.values())) == ("retention", 1)
    assert member not in str(row)


def test_every_store_has_its_own_term_and_the_newest_word_counts(database: Database) -> None:
    switch_on(database, "s1", 100)
    switch_on(database, "s2", 10)
    here, there = enrolled(database, 1), enrolled(database, 2, store="s2")
    nowhere = enrolled(database, 3, store=None)
    purge_templates(database, now=NOW + 11 * DAY)
    assert left(database, here, there, nowhere) == [1, 0, 0], "of which no store is known, the strictest term holds"
    switch_on(database, "s1", 5, at=NOW + 12 * DAY)
    purge_templates(database, now=NOW + 12 * DAY)
    assert left(database, here) == [0]


def test_without_any_term_three_years_are_the_longest(database: Database) -> None:
    member = enrolled(database, 1, store=None)
    purge_templates(database, now=NOW + 1095 * DAY)
    assert left(database, member) == [1]
    purge_templates(database, now=NOW + 1096 * DAY)
    assert left(database, member) == [0]


def test_a_year_after_cameras_were_switched_off_nothing_is_left_however_long_the_term_was(database: Database) -> None:
    switch_on(database, days=1000)
    member = enrolled(database, 1)
    SqlTemplates(database).seen(member, at=NOW + 200 * DAY)
    SqlSwitches(database).disable("s1", by="Ana", at=NOW + 210 * DAY)
    purge_templates(database, now=NOW + 574 * DAY)
    assert left(database, member) == [1]
    purge_templates(database, now=NOW + 575 * DAY)
    assert left(database, member) == [0]


def test_what_has_no_consent_or_no_enrolled_template_behind_it_is_deleted(database: Database) -> None:
    switch_on(database)
    without, withdrawn = enrolled(database, 1, agreed=False), enrolled(database, 2)
    entry = ConsentEntry(withdrawn, Purpose.FACE_RECOGNITION, False, NOW + DAY, "widget", "w")
    SqlConsents(database).record([entry])
    done = purge_templates(database, now=NOW + 2 * DAY)
    assert done is not None
    assert done["deleted"] == {
        "no visit for the retention": 0, "cameras off for a year": 0, "no consent": 2, "adapted without enrolled": 0,
    }  # fmt: skip
    assert left(database, without, withdrawn) == [0, 0]


def test_what_retention_deletes_is_gone_from_the_files_too(sqlite_database: Database) -> None:
    switch_on(sqlite_database)
    member = enrolled(sqlite_database, 1)
    [cipher] = [sealed(sqlite_database, one) for one in template_ids(sqlite_database)]
    assert files_hold(sqlite_database, [cipher]) == [cipher]
    done = purge_templates(sqlite_database, now=NOW + 101 * DAY)
    assert done is not None
    assert done["files_scrubbed"]
    assert files_hold(sqlite_database, [cipher, cipher[40:80]]) == []
    assert left(sqlite_database, member) == [0]


def template_ids(db: Database) -> list[str]:

    with db.read() as connection:
        return list(connection.scalars(select(templates.c.template_id)))


def test_a_member_has_five_enrolled_templates_at_most_and_three_adapted_ones_kept_apart(database: Database) -> None:
    store, member = SqlTemplates(database), enrolled(database, 0)
    for number in range(1, 6):
        store.add(member, face(number), model="m", at=NOW + number * DAY, store_id="s1")
    assert [one.created_at for one in store.of_member(member, "m")] == [NOW + number * DAY for number in range(1, 6)]
    taken = [
        store.adapt(member, face(10 + day), model="m", at=NOW + (10 + day) * DAY, store_id="s1") for day in range(5)
    ]
    assert taken == [True] * 5
    kept = store.of_member(member, "m")
    assert [one.kind for one in kept] == [Kind.ENROLLED] * 5 + [Kind.ADAPTED] * 3
    assert [one.created_at for one in kept[5:]] == [NOW + day * DAY for day in (12, 13, 14)]
    assert len(store.gallery("m")) == 8


def test_a_template_is_adapted_once_a_day_and_never_without_an_enrolled_one(database: Database) -> None:
    store, member = SqlTemplates(database), enrolled(database, 0)
    assert store.adapt(member, face(1), model="m", at=NOW, store_id="s1")
    assert not store.adapt(member, face(2), model="m", at=NOW + timedelta(hours=23), store_id="s1")
    assert not store.adapt(MemberId(new_id()), face(3), model="m", at=NOW, store_id="s1")
    assert not store.adapt(member, face(3), model="another", at=NOW, store_id="s1")


def test_a_new_enrolment_begins_anew(database: Database) -> None:
    store, member = SqlTemplates(database), enrolled(database, 0)
    store.adapt(member, face(1), model="m", at=NOW, store_id="s1")
    store.add(member, face(2), model="m", at=NOW + DAY, store_id="s1")
    assert [one.kind for one in store.of_member(member, "m")] == [Kind.ENROLLED, Kind.ENROLLED]


@pytest.mark.parametrize("hours", [0, 2])
def test_a_visit_is_noted_without_writing_every_minute(database: Database, hours: int) -> None:
    store, member = SqlTemplates(database), enrolled(database, 0)
    store.seen(member, at=NOW + timedelta(hours=hours, minutes=1))

    with database.read() as connection:
        seen = connection.scalar(select(templates.c.seen_at))
    assert seen == NOW + timedelta(hours=hours, minutes=1) if hours else seen == NOW
