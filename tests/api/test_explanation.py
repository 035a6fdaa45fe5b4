"""Opening a decision over the API: all of it for the shop, without the budget for the shopper, nothing of another's."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api
from tests.api.test_api import post


def test_the_shop_sees_all_and_the_shopper_sees_no_price_of_money(api: Api) -> None:
    token = api.token("pets-1", "their-device")["token"]
    decision = post(api, "/v1/recommendations", {"wants_coupon": True}, token).json()
    address = f"/v1/decisions/{decision['decision_id']}/explanation"
    whole = api.client.get(address, headers=api.headers()).json()
    own = api.client.get(address, headers=api.headers(token)).json()
    assert whole["facts"]["coupon"]["total"] == 2_000
    assert whole["facts"]["inputs_used"] == decision["inputs_used"]
    assert {section["title"] for section in whole["panel"]} >= {"Inputs", "Coupon", "Models"}
    assert (own["panel"], own["facts"]["coupon"], own["facts"]["fallbacks"]) == ([], None, [])
    assert own["sentence"] == whole["sentence"] != ""
    other = api.token("pets-2", "another-device")["token"]
    assert api.client.get(address, headers=api.headers(other)).status_code == 404
    assert api.client.get("/v1/decisions/none/explanation", headers=api.headers()).status_code == 404
    assert api.client.get(address, headers=api.headers(api.make_key("recommend"))).status_code == 403


def withdraw(api: Api, member_id: str) -> None:
    body = {"member_id": member_id, "purpose": "profiling", "granted": False, "text_version": "t"}
    assert post(api, "/v1/consents", body).status_code == 201


def test_what_was_concluded_is_not_read_any_more_once_profiling_is_withdrawn(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, token = api.member("pets-1").member_id, api.token("pets-1", "their-device")["token"]
    whole = post(api, "/v1/recommendations", {"wants_coupon": True}, token).json()
    address, shop = f"/v1/decisions/{whole['decision_id']}", api.headers()
    before = api.client.get(f"{address}/explanation", headers=shop).json()
    reasons = {item["reason"] for item in whole["items"]} | {before["sentence"]}
    assert "purchase history" in whole["inputs_used"]
    assert api.client.get(address, headers=shop).json()["allotment"] is not None
    withdraw(api, member)
    monkeypatch.setattr(api.services.decisions, "candidates", None)  # what was compared is not even read
    for headers in (shop, api.headers(token)):
        read = api.client.get(address, headers=headers).json()
        assert (read["segment"], read["allotment"]) == (None, None)
        assert "purchase history" not in read["inputs_used"]
        assert "purchase history (no consent to profiling now)" in read["inputs_withheld"]
        assert {item["reason_code"] for item in read["items"]} == {"withheld"}
        assert [item["product_id"] for item in read["items"]] == [item["product_id"] for item in whole["items"]]
        told = api.client.get(f"{address}/explanation", headers=headers)
        assert not [one for one in reasons if one in told.text or one in str(read)]
        assert told.json()["facts"]["coupon"] is None
        assert told.json()["facts"]["compared"] == 0
    moments = api.client.get(f"/v1/members/{member}/timeline", params={"kind": "decision"}, headers=shop).json()[
        "moments"
    ]
    assert [(one["id"], one["facts"]["sentence"]) for one in moments] == [(whole["decision_id"], None)]


def test_a_decision_that_used_nothing_of_the_member_stays_whole(api: Api) -> None:
    member = api.member("pets-1").member_id
    withdraw(api, member)
    made = post(api, "/v1/recommendations", {"member_id": member}).json()
    read = api.client.get(f"/v1/decisions/{made['decision_id']}", headers=api.headers()).json()
    assert [item["reason"] for item in read["items"]] == [item["reason"] for item in made["items"]]
    assert made["items"][0]["reason_code"] != "withheld"
