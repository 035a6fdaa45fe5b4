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
from tests.api.test_api import enrol, post
from tests.api.test_displays import observation, somebody
from tests.vision.fake_camera import astronaut, person


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


def test_the_log_says_which_key_made_renamed_and_merged_whom_by_segments_messages(api: Api) -> None:
    who = {"userId": "crm-1", "traits": {"name": "Ada Lovelace", "email": "ada@example.org"}}
    post(api, "/v1/identify", {**who, "messageId": "m-1"})
    post(api, "/v1/identify", {**who, "messageId": "m-1"})
    post(api, "/v1/identify", {**who, "messageId": "m-2"})
    made, pets = api.member("crm-1").member_id, api.member("pets-1").member_id
    post(api, "/v1/alias", {"userId": "pets-1", "previousId": "a-device"})
    post(api, "/v1/alias", {"userId": "pets-1", "previousId": "a-device"})
    bought = {"type": "track", "userId": "pets-1", "event": "Product Viewed", "properties": {"sku": "milk-1"}}
    renamed = {"type": "identify", **who, "traits": {"name": "Ada King"}}
    other = {"type": "identify", "userId": "crm-2", "traits": {"name": "Bea"}, "anonymousId": "another"}
    post(api, "/v1/batch", {"batch": [bought, renamed, other]})
    entries, hashed = api.services.audit.entries(), api.services.audit.of_member
    assert [(one.action, one.target, one.detail["changed"]) for one in entries] == [
        ("POST /v1/identify", hashed(made), ["created"]),
        ("POST /v1/alias", hashed(pets), ["merged"]),
        ("POST /v1/batch", hashed(made), ["display_name"]),
        ("POST /v1/batch", hashed(api.member("crm-2").member_id), ["created"]),
    ]
    assert all(one.actor.startswith("key ak_") for one in entries)
    assert not any(word in repr(entries) for word in ("Ada", "example.org", "crm-1", made))


def test_events_alone_leave_no_line_by_any_of_segments_routes(api: Api) -> None:
    viewed = {"userId": "pets-1", "event": "Product Viewed", "properties": {"sku": "milk-1"}}
    assert post(api, "/v1/track", viewed).status_code == 200
    assert post(api, "/v1/page", {"userId": "pets-1", "name": "Dairy"}).status_code == 200
    assert post(api, "/v1/batch", {"batch": [{"type": "track", **viewed}]}).status_code == 200
    assert post(api, "/v1/identify", {"userId": "pets-1", "traits": {"tier": "gold"}}).status_code == 200
    assert api.services.audit.entries() == []


def test_the_log_says_which_key_a_members_token_came_from_and_what_was_taken_out_with_it(api: Api) -> None:
    member = api.member("pets-1").member_id
    key = api.make_key("widget-tokens")
    made = post(api, "/v1/widget-tokens", {"member_id": member}, key).json()["token"]
    post(api, "/v1/widget-tokens", {"visitor_id": "a-device"}, key)
    post(api, "/v1/recommendations", {}, made)
    assert api.client.get("/v1/me/export", headers=api.headers(made)).status_code == 200
    assert post(api, "/v1/me/erase", token=made).status_code == 200
    entries = api.services.audit.entries()
    assert [one.action for one in entries] == ["POST /v1/widget-tokens", "GET /v1/me/export", "POST /v1/me/erase"]
    assert {one.target for one in entries} == {api.services.audit.of_member(member)}
    assert {one.actor for one in entries} == {f"key {key[:8]}… test"}
    assert member not in repr(entries)


def test_the_log_says_which_kiosk_enrolled_forgot_and_learned_whose_face(api: Api) -> None:
    kiosk, member = post(api, "/v1/kiosks", {"name": "door", "store_id": "s1"}).json(), api.member("pets-1").member_id
    code, _ = api.services.link_codes.issue(member, at=datetime.now(UTC))
    address, key = f"/v1/kiosks/{kiosk['kiosk_id']}", kiosk["device_key"]
    assert enrol(api, kiosk, code, person(astronaut())).status_code == 201
    assert post(api, f"{address}/forget-me", token=key).json() == {"forgotten": 0}
    assert post(api, f"{address}/observations", observation(somebody(member_id=member)), key).status_code == 202
    assert post(api, f"{address}/forget-me", token=key).json() == {"forgotten": 1}
    entries = [one for one in api.services.audit.entries() if one.action != "POST /v1/kiosks"]
    assert [one.action.rpartition("/")[2] for one in entries] == ["enrolments", "forget-me"]
    assert {one.target for one in entries} == {api.services.audit.of_member(member)}
    assert all(one.actor.startswith("device dk_") and one.actor.endswith("kiosk door") for one in entries)
    assert entries[0].detail["purposes"] == ["face_recognition"]
    assert entries[0].detail["kiosk_id"] == kiosk["kiosk_id"]


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
