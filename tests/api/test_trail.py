"""What keys do to people and to the shop is written down; what shoppers and tills do is not, and no member is named."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.manage import rotate
from api.opening import master_keys
from api.settings import settings
from api.trail import TRAFFIC
from api.wiring import Services, build_services
from personalization.types import MemberId
from stores.crypto import KeyRing
from stores.database import Database
from stores.errors import KeyMaterialError
from stores.members import SqlMembers
from tests.api.conftest import Api
from tests.api.test_api import post


def test_a_keys_actions_are_written_down_before_they_are_answered(api: Api) -> None:
    member = api.member("pets-3").member_id
    api.client.get(f"/v1/members/{member}/export", headers=api.headers())
    post(api, "/v1/kiosks", {"name": "door", "store_id": "s1"})
    post(api, "/v1/recommendations", {"member_id": member})
    api.client.get(f"/v1/members/{member}", headers=api.headers())
    post(api, "/v1/members", {"external_id": "pets-1", "display_name": "Taken"})
    post(api, f"/v1/members/{member}/erase")
    entries = api.services.audit.entries()
    assert [one.action for one in entries] == [
        "GET /v1/members/{member_id}/export", "POST /v1/kiosks", "POST /v1/members/{member_id}/erase",
    ]  # fmt: skip
    assert entries[0].target == entries[2].target == api.services.audit.of_member(member)
    assert member not in repr(entries)
    assert all(one.actor.startswith("key ak_") for one in entries)
    assert api.services.audit.verify() == []


def test_the_log_says_about_whom_a_consent_was_recorded_and_a_member_made(api: Api) -> None:
    made = post(api, "/v1/members", {"external_id": "new-1", "display_name": "Nora New"}).json()["member_id"]
    post(
        api,
        "/v1/consents",
        {"member_id": made, "purpose": "marketing", "granted": True, "text_version": "t1", "channel": "till"},
    )
    added, agreed = api.services.audit.entries()
    assert added.target == agreed.target == api.services.audit.of_member(made)
    assert agreed.detail.items() >= {"purpose": "marketing", "granted": True, "channel": "till"}.items()
    assert api.services.consents.history(MemberId(made))[-1].channel == "till"
    assert made not in repr((added, agreed))


def test_what_is_left_out_of_the_log_is_a_route_and_trying_out_is_left_out(api: Api) -> None:
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    posted = {path for path, methods in document["paths"].items() if "post" in methods}
    assert posted >= TRAFFIC, TRAFFIC - posted
    previews = {path for path in posted if path.endswith(("/preview", "/count", "/typing", "/read"))}
    of_keys = {path for path in previews if not path.startswith("/v1/conversations/")}
    assert of_keys <= TRAFFIC, of_keys - TRAFFIC


def test_whatever_only_reports_events_is_left_out_of_the_log(api: Api) -> None:
    """A shop's pages send them all day; the event log is their record."""
    reporter, nobody = api.headers(api.make_key("events:write")), api.headers(api.make_key())

    def refused(path: str, headers: dict[str, str]) -> bool:
        api.services.key_limit.forget()
        return api.client.post(re.sub(r"{\w+}", "x", path), json={}, headers=headers).status_code == 403

    document = api.client.app.openapi()  # type: ignore[attr-defined]
    posted = [path for path, methods in document["paths"].items() if "post" in methods]
    reports = {path for path in posted if refused(path, nobody) and not refused(path, reporter)}
    assert {"/v1/events", "/v1/batch", "/v1/alias"} <= reports
    assert reports <= TRAFFIC, reports - TRAFFIC


@pytest.fixture
def shop(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setenv("AISLE_STATE_DIR", str(tmp_path))
    settings.cache_clear()
    monkeypatch.chdir(tmp_path)
    made = build_services(settings())
    yield made
    made.db.dispose()
    settings.cache_clear()


def test_a_rotated_master_key_opens_everything_while_others_go_on_and_the_old_one_can_go(shop: Services) -> None:
    members, now = SqlMembers(shop.db), datetime.now(UTC)
    one = members.create(external_id="a", display_name="A", email="a@example.org", at=now)
    old, token = master_keys(settings()), shop.tokens
    other = Database(str(shop.db.url), KeyRing(lambda: master_keys(settings())))
    rotate(retire=False)
    assert master_keys(settings())[1:] == old
    assert SqlMembers(other).get(one.member_id).email == "a@example.org", "a process that has unwrapped nothing yet"
    two = members.create(external_id="b", display_name="B", email="b@example.org", at=now)
    shop.db.seal("a purpose that nobody had", b"x", "y")
    rotate(retire=True)
    assert old[0] not in master_keys(settings())
    fresh = build_services(settings())
    assert {fresh.members.get(which.member_id).email for which in (one, two)} == {"a@example.org", "b@example.org"}
    assert token is not None
    assert [entry.action for entry in fresh.audit.entries()] == ["keys rotate", "keys rotate"]
    assert fresh.audit.verify() == []
    late = Database(str(shop.db.url), KeyRing(lambda: old))
    with pytest.raises(KeyMaterialError):
        SqlMembers(late).get(one.member_id)
    for db in (other, fresh.db, late):
        db.dispose()


def test_the_journal_of_erasures_survives_a_rotation(shop: Services, tmp_path: Path) -> None:
    journal = shop.db.journal
    assert journal is not None
    line = journal.add("somebody", ["device"], at=datetime.now(UTC))
    rotate(retire=False)
    rotate(retire=True)
    again = build_services(settings())
    assert again.db.journal is not None
    assert again.db.journal.hashed("somebody") == line.member
    assert [one.receipt_id for one in again.db.journal.lines()] == [line.receipt_id]
    again.db.dispose()
    shutil.rmtree(tmp_path / "erasures")
