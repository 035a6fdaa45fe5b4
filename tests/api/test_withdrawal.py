"""A withdrawal is whole: what the database holds goes with the ledger's line, and what a crash left is finished later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

import api.services.privacy as privacy_module
from api.services.privacy import Privacy
from api.worker import Worker
from personalization.types import EventType, MemberId, Purpose, Subject
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database, new_id
from stores.events import Event
from stores.importing.files import import_folder
from stores.outbox import Topic
from stores.outbox_tables import webhook_deliveries
from stores.tables import events, withdrawals_due
from tests.api.conftest import Api

BOTH = {Purpose.PROFILING: False, Purpose.FACE_RECOGNITION: False}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores has both."""
    return sqlite_database


class Killed(BaseException):
    """The process ends here."""


def left(api: Api) -> list[str]:
    with api.services.db.read() as connection:
        return sorted(connection.scalars(select(withdrawals_due.c.purpose)))


def clicks(api: Api, member_id: str) -> int:
    mine = (events.c.member_id == member_id, events.c.type == EventType.CLICKED.value)
    with api.services.db.read() as connection:
        return connection.scalar(select(func.count()).select_from(events).where(*mine)) or 0


def enrolled(api: Api, external_id: str) -> MemberId:
    member_id, now = api.member(external_id).member_id, datetime.now(UTC)
    Privacy(api.services, lambda _: None).record(
        member_id, {Purpose.FACE_RECOGNITION: True}, channel="api", text_version="t"
    )
    event = Event(new_id(), EventType.CLICKED, now, "api", member_id, product_id="milk-1")
    api.services.events.append_batch([event], received_at=now)
    assert clicks(api, member_id) == 1
    return member_id


def test_a_withdrawal_that_is_done_with_leaves_nothing_to_finish(api: Api) -> None:
    member_id = enrolled(api, "pets-1")
    Privacy(api.services, lambda _: None).record(member_id, BOTH, channel="api", text_version="t")
    assert (left(api), clicks(api, member_id)) == ([], 0)


def test_what_a_crash_left_of_a_withdrawal_the_worker_finishes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = enrolled(api, "pets-1")
    erased = list[MemberId]()
    real = privacy_module.erase_templates
    monkeypatch.setattr(
        privacy_module, "erase_templates", lambda db, who, *, at: (erased.append(who), real(db, who, at=at))[1]
    )

    def killed(*_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        Privacy(api.services, killed).record(member_id, BOTH, channel="api", text_version="t")
    assert clicks(api, member_id) == 0, "what the database holds goes with the ledger's line"
    assert left(api) == ["face_recognition", "profiling"]
    privacy, now = Privacy(api.services, lambda _: None), datetime.now(UTC)
    assert privacy.finish(now=now) == 0, "somebody may still work at it"
    assert erased == []
    assert privacy.finish(now=now + timedelta(minutes=1)) == 1
    assert (erased, left(api)) == ([member_id], [])


def test_the_workers_housekeeping_looks_for_what_was_left(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[datetime]()
    monkeypatch.setattr(Privacy, "finish", lambda self, *, now: looked.append(now) or 0)
    Worker(api.services)._keep_house()
    assert len(looked) == 1


def test_a_face_that_was_agreed_to_again_meanwhile_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = enrolled(api, "pets-1")

    def killed(*_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        Privacy(api.services, killed).record(member_id, BOTH, channel="api", text_version="t")
    Privacy(api.services, lambda _: None).record(
        member_id, {Purpose.FACE_RECOGNITION: True}, channel="api", text_version="t"
    )
    erased = list[MemberId]()
    monkeypatch.setattr(privacy_module, "erase_templates", lambda db, who, *, at: erased.append(who))
    assert Privacy(api.services, lambda _: None).finish(now=datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert erased == []


def test_who_agrees_anew_while_old_consents_are_ended_keeps_consent_and_face(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy, now, found = Privacy(api.services, lambda _: None), datetime.now(UTC), SqlConsents.expired
    renewed, silent = (api.member(name).member_id for name in ("pets-1", "pets-2"))
    old, over = now - timedelta(days=366), now - timedelta(days=1)
    face = Purpose.FACE_RECOGNITION
    for one in (renewed, silent):
        api.services.consents.record([ConsentEntry(one, face, True, old, "kiosk", "t", over)])
        api.services.templates.add(one, np.ones(128, np.float32), model="m", at=now)

    def and_then_one_renews(self: SqlConsents, *, now: datetime) -> dict[MemberId, frozenset[Purpose]]:
        due = found(self, now=now)
        privacy.record(renewed, {face: True}, channel="kiosk", text_version="t")
        return due

    monkeypatch.setattr(SqlConsents, "expired", and_then_one_renews)
    assert privacy.expire(now=now) == 1
    agreed = {one: api.services.consents.granted(Subject(one), at=datetime.now(UTC)) for one in (renewed, silent)}
    assert (face in agreed[renewed], face in agreed[silent]) == (True, False)
    assert [api.services.templates.count(one) for one in (renewed, silent)] == [1, 0]
    assert api.services.consents.history(renewed)[-1].channel == "kiosk"


def test_a_purpose_that_a_file_takes_back_is_withdrawn_whole_as_by_the_member(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, now, forgotten = api.services.db, datetime.now(UTC), list[MemberId]()
    people, agreed = tmp_path / "members.csv", "profiling;marketing;face_recognition"

    def file(consents: str) -> None:
        people.write_text(f"external_id,consents\npets-1,{consents}\n")
        import_folder(db, tmp_path, currency="USD", progress=lambda *_: None)

    file(agreed)
    member_id = api.member("pets-1").member_id
    event = Event(new_id(), EventType.CLICKED, now, "api", member_id, product_id="milk-1")
    api.services.events.append_batch([event], received_at=now)
    api.services.templates.add(member_id, np.ones(128, np.float32), model="m", at=now)
    api.services.webhooks.create("CRM", "https://crm.example/", [Topic.CONSENT_CHANGED], at=now)
    version = api.services.templates.version()
    file("marketing")
    assert clicks(api, member_id) == 0, "what the database holds goes with the ledger's line"
    assert api.services.templates.version() > version, "cameras fetch whom they may know anew"
    assert api.services.consents.granted(Subject(member_id), at=now) == {Purpose.MARKETING}
    with db.read() as connection:
        told = connection.scalar(select(func.count()).select_from(webhook_deliveries))
    assert (told, left(api)) == (2, ["face_recognition", "profiling"]), "a killed import leaves them to the worker"
    privacy = Privacy(api.services, forgotten.append)
    assert privacy.finish(now=datetime.now(UTC), left=timedelta(0)) == 1
    assert (forgotten, left(api), api.services.templates.count(member_id)) == ([member_id], [], 0)
