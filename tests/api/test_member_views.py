"""Members in the console: found by what is known, one page each, a timeline, labels that staff set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from api.services.privacy import Privacy
from personalization.types import EventType, Purpose
from stores.consents import ConsentEntry
from stores.database import new_id
from stores.events import Event
from stores.group_tables import variety
from stores.tables import members
from tests.api.conftest import Api


@pytest.fixture
def shop(api: Api) -> Api:
    while api.services.profiles.consume(now=datetime.now(UTC)):
        pass
    return api


def call(api: Api, path: str, method: str = "GET", body: Any = None, **parameters: Any) -> Any:
    return api.client.request(method, f"/v1/members{path}", json=body, params=parameters, headers=api.headers())


def found(api: Api, **parameters: Any) -> list[str]:
    return [one["external_id"] for one in call(api, "/search", **parameters).json()["members"]]


def withdraw(api: Api, member_id: str, purpose: str = "profiling") -> None:
    body = {"member_id": member_id, "purpose": purpose, "granted": False, "text_version": "t"}
    assert api.client.post("/v1/consents", json=body, headers=api.headers()).status_code == 201


def tell(api: Api, member_id: str, kind: EventType, channel: str = "widget", **payload: Any) -> None:
    now = datetime.now(UTC)
    api.services.events.append_batch([Event(new_id(), kind, now, channel, member_id, payload=payload)], received_at=now)


def test_members_are_found_by_id_key_name_and_whole_address(shop: Api) -> None:
    member = shop.member("pets-3")
    for text in (member.member_id, "pets-3", "PETS-3", " pets-3@EXAMPLE.org ", "pets-3 t"):
        assert found(shop, q=text) == ["pets-3"], text
    assert found(shop, q="pets-3@example") == [], "a part of an address finds nobody: addresses are sealed"
    assert set(found(shop, q="test", limit=200)) == {
        f"{kind}-{n}" for kind in ("pets", "baby", "cheese") for n in range(20)
    }
    assert found(shop, q="100%") == []


def test_addresses_of_before_they_could_be_found_become_findable(shop: Api) -> None:
    with shop.services.db.write() as connection:
        connection.execute(members.update().values(email_hash=None))
    assert found(shop, q="baby-1@example.org") == []
    assert shop.services.members.hash_emails(1000) == 60
    assert shop.services.members.hash_emails(1000) == 0
    assert found(shop, q="baby-1@example.org") == ["baby-1"]


def test_pages_show_each_member_once(shop: Api) -> None:
    seen, cursor = list[str](), None
    while True:
        page = call(shop, "/search", limit=25, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["member_id"] for one in page["members"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 60
    assert seen == sorted(seen, reverse=True)
    assert call(shop, "/search", cursor="bm9uc2Vuc2U=").status_code == 422


def test_members_are_found_by_segment_label_and_risk(shop: Api) -> None:
    rule = {"conditions": [{"kind": "label", "name": "weekend_shopper", "how": "is"}]}
    made = shop.client.post("/v1/segments", json={"name": "W", "rule": rule}, headers=shop.headers()).json()
    some = found(shop, segment=made["segment_id"], limit=200)
    assert len(some) == made["members"]
    assert set(found(shop, label="weekend_shopper", limit=200)) == set(some)
    assert found(shop, churn="high") == []
    assert call(shop, "/search", segment="s99").status_code == 404


def test_who_does_not_agree_is_listed_without_conclusions(shop: Api) -> None:
    member = shop.member("pets-5")
    withdraw(shop, member.member_id)
    [row] = call(shop, "/search", q="pets-5").json()["members"]
    assert (row["consented"], row["orders"], row["segment"], row["risk"]) == (False, None, None, None)
    page = call(shop, f"/{member.member_id}/overview").json()
    assert (page["consented"], page["labels"], page["segments"], page["affect"]) == (False, [], [], [])
    assert any("profiling" in why for why in page["affect_withheld"])
    assert "profiling" in call(shop, f"/{member.member_id}/risk").json()["why_not"]
    kinds = {
        one["facts"].get("type")
        for one in call(shop, f"/{member.member_id}/timeline", kind="event", limit=200).json()["moments"]
    }
    assert kinds == {"bought"}


def test_a_members_page(shop: Api) -> None:
    member = shop.member("cheese-2")
    for valence in (0.5, -0.1):
        tell(shop, member.member_id, EventType.MESSAGE_SENT, valence=valence, arousal=0.1)
    week = {"week": datetime(2026, 11, 16, tzinfo=UTC), "slates": 4, "diversity": 0.25, "novelty": 0.5, "entropy": 0.8}
    with shop.services.db.write() as connection:
        connection.execute(insert(variety).values(member_id=member.member_id, widened=True, why="x", **week))
    page = call(shop, f"/{member.member_id}/overview").json()
    assert page["variety"] == [{"week": "2026-11-16", "slates": 4, "diversity": 0.25, "novelty": 0.5, "widened": True}]
    assert page["worth"]["orders"] >= 20
    assert page["email"] == "cheese-2@example.org"
    assert {one["name"] for one in page["labels"]} >= {"shopping_rhythm"}
    assert [(one["channel"], one["mean"]) for one in page["affect"]] == [("widget", 0.2)]
    assert {one["purpose"]: one["granted"] for one in page["consents"]}["marketing"] is True
    assert {one["purpose"]: one["granted"] for one in page["consents"]}[Purpose.SENSORS.value] is False
    assert call(shop, "/nobody/overview").status_code == 404


def test_the_timeline_goes_back_without_gaps_or_repetition(shop: Api) -> None:
    member = shop.member("baby-7")
    shop.client.post("/v1/recommendations", json={"member_id": member.member_id}, headers=shop.headers())
    tell(shop, member.member_id, EventType.CLICKED)
    whole = call(shop, f"/{member.member_id}/timeline", limit=200).json()
    assert whole["next_cursor"] is None
    assert {one["kind"] for one in whole["moments"]} >= {"event", "decision", "consent"}
    assert [one["at"] for one in whole["moments"]] == sorted((one["at"] for one in whole["moments"]), reverse=True)
    seen, cursor = list[str](), None
    while True:
        page = call(shop, f"/{member.member_id}/timeline", limit=7, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["moments"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [one["id"] for one in whole["moments"]]
    only = call(shop, f"/{member.member_id}/timeline", kind="decision").json()["moments"]
    assert [one["kind"] for one in only] == ["decision"]
    for wrong in ("MTJ8eA==", "MjAyNi0wMS0wMXx4", "%%", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHx4"):
        assert call(shop, f"/{member.member_id}/timeline", cursor=wrong).status_code == 422, wrong


def test_staff_set_a_label_with_a_reason_and_take_it_back(shop: Api) -> None:
    member = shop.member("pets-8").member_id
    body = {"value": "daily", "reason": "Said so at the till.", "days": 30}
    told = call(shop, f"/{member}/labels/shopping_rhythm", "PUT", body).json()
    label = next(one for one in told["labels"] if one["name"] == "shopping_rhythm")
    assert (label["value"], label["source"]) == ("daily", "staff")
    assert "Said so at the till." in label["sentence"]
    shop.services.profiles.relabel([member], now=datetime.now(UTC))
    edited = call(shop, f"/{member}/overview").json()["edited"]
    assert [(one["name"], one["reason"], one["by"]) for one in edited] == [
        ("shopping_rhythm", "Said so at the till.", "test")
    ]
    entry = shop.services.audit.entries(limit=1000)[-1]
    assert entry.action == "PUT /v1/members/{member_id}/labels/{name}"
    told = call(shop, f"/{member}/labels/shopping_rhythm", "DELETE").json()
    assert next(one for one in told["labels"] if one["name"] == "shopping_rhythm")["value"] == "weekly"
    assert call(shop, f"/{member}/labels/shopping_rhythm", "DELETE").status_code == 404


def test_a_withdrawal_of_profiling_takes_along_what_staff_said_and_what_the_member_is_worth(shop: Api) -> None:
    member = shop.member("cheese-2")
    body = {"value": "gold", "reason": "said so at the till", "days": 30}
    set_ = shop.client.put(f"/v1/members/{member.member_id}/labels/tier", json=body, headers=shop.headers())
    assert set_.status_code == 200, set_.text
    page = call(shop, f"/{member.member_id}/overview").json()
    assert [one["value"] for one in page["edited"]] == ["gold"]
    assert page["worth"]["orders"] > 0
    entry = ConsentEntry(member.member_id, Purpose.PROFILING, False, datetime.now(UTC), "api", "t")
    shop.services.consents.record([entry])  # the ledger alone: what is read asks it
    page = call(shop, f"/{member.member_id}/overview").json()
    assert (page["edited"], page["worth"]) == ([], None)
    Privacy(shop.services, lambda _: None).record(
        member.member_id, {Purpose.PROFILING: False}, channel="api", text_version="t"
    )
    assert shop.services.labels.edits(member.member_id) == []


def test_a_set_label_ends_by_itself(shop: Api) -> None:
    member, now = shop.member("pets-9").member_id, datetime.now(UTC)
    call(shop, f"/{member}/labels/vip", "PUT", {"value": True, "reason": "A regular for years.", "days": 1})
    assert "vip" in {one.name for one in shop.services.labels.of_member(member, at=now)}
    assert shop.services.labels.forget_expired(now=now + timedelta(days=2)) == 1
    shop.services.profiles.relabel([member], now=now)
    assert "vip" not in {one.name for one in shop.services.labels.of_member(member, at=now)}


def test_what_the_member_said_goes_before_what_staff_say(shop: Api) -> None:
    member = shop.member("cheese-9").member_id
    token = shop.token("cheese-9")["token"]
    assert shop.client.put("/v1/me/labels/explorer/veto", headers=shop.headers(token)).status_code == 200
    answer = call(shop, f"/{member}/labels/explorer", "PUT", {"value": True, "reason": "I think so."})
    assert answer.json()["code"] == "members_veto"
    withdraw(shop, member)
    assert (
        call(shop, f"/{member}/labels/vip", "PUT", {"value": True, "reason": "I think so."}).json()["code"]
        == "no-consent"
    )


def test_a_veto_keeps_its_reason(shop: Api) -> None:
    member = shop.member("baby-3").member_id
    call(shop, f"/{member}/labels/shopping_rhythm/veto", "PUT", {"reason": "Shops for two families."})
    [vetoed] = call(shop, f"/{member}/labels").json()["vetoed"]
    assert (vetoed["by"], vetoed["reason"]) == ("staff", "Shops for two families.")
