"""Answers kept under an `Idempotency-Key` go with whom they tell of."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np

from stores.erasure import erase_conversation
from tests.api.conftest import Api
from tests.api.test_api import jpeg
from tests.api.test_coupons import issue
from tests.api.test_creative_campaigns import CAMPAIGN
from tests.api.test_experiments import DRAFT
from tests.api.test_idempotency import add, add_kiosk
from tests.vision.fake_camera import astronaut, person


def test_an_answer_goes_with_whom_it_tells_of_and_is_not_done_again(api: Api) -> None:
    body = {"external_id": "crm-1", "display_name": "Ann Lee", "email": "ann@example.org"}

    def send(path: str, body: object, key: str) -> Any:
        return api.client.post(path, json=body, headers={**api.headers(), "Idempotency-Key": key})

    made = send("/v1/members", body, "k1").json()["member_id"]
    agreed = {"member_id": made, "purpose": "marketing", "granted": True, "text_version": "t"}
    assert send("/v1/consents", agreed, "k2").status_code == 201
    other = add(api, "crm-2", "k3").json()
    send(f"/v1/members/{made}/erase", None, "k4")
    for path, asked, key in (("/v1/members", body, "k1"), ("/v1/consents", agreed, "k2")):
        again = send(path, asked, key)
        assert (again.status_code, again.json()["code"]) == (409, "idempotency-answer-erased")
        assert "ann" not in again.text.lower()
    assert api.services.members.by_external_id("crm-1") is None, "nobody comes back by a request that is sent again"
    assert add(api, "crm-2", "k3").json() == other, "others' answers stay"


def tells_of_a_member(api: Api) -> set[str]:
    """Return the routes that are sent a member's id or a coupon's code, by the OpenAPI document."""
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    found = set[str]()
    for path, methods in document["paths"].items():
        for asked in (methods[name] for name in ("post", "put", "patch", "delete") if name in methods):
            content = asked.get("requestBody", {}).get("content", {}).get("application/json", {})
            refers = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            body = document["components"]["schemas"].get(refers, {}).get("properties", {})
            if {"member_id", "codes"} & body.keys() or "{code}" in path:
                found.add(path)
    return found


def test_whatever_tells_of_a_member_is_not_told_again_after_their_erasure(api: Api) -> None:
    door = add_kiosk(api)
    api.client.post("/v1/experiments", json=DRAFT, headers=api.headers())
    api.client.post("/v1/experiments/personal-push/start", headers=api.headers())
    api.client.post("/v1/creative-campaigns", json=CAMPAIGN, headers=api.headers())
    member, code = api.member("pets-1"), issue(api)
    link, _ = api.services.link_codes.issue(member.member_id, at=datetime.now(UTC))
    whom: dict[str, Any] = {"member_id": member.member_id}
    vector = base64.b64encode(np.eye(1, 128, dtype="<f4")[0].tobytes()).decode()
    lines = [{"product_id": "milk-1", "amount_minor": 2_000}]
    asked: dict[str, dict[str, Any]] = {
        "/v1/recommendations": {"json": whom},
        "/v1/consents": {"json": {**whom, "purpose": "research", "granted": True, "text_version": "t"}},
        "/v1/coupons": {"json": whom},
        "/v1/coupons/validate": {"json": {"lines": lines, "codes": [code]}},
        "/v1/coupons/{code}/redeem": {"json": {"order_id": "o-1", "amount_minor": 1}},
        "/v1/coupons/{code}/rollback": {"json": {"order_id": "o-1"}},
        "/v1/widget-tokens": {"json": whom},
        "/v1/experiments/{experiment_id}/exposures": {"json": whom},
        "/v1/creative-campaigns/{campaign_id}/placements": {"json": {**whom, "decision_id": "d-1", "channel": "widget"}},
        "/v1/kiosks/{kiosk_id}/adaptations": {"json": {**whom, "model": "m", "vector": vector, "quality": 0.9, "live": None}},
    }  # fmt: skip
    assert asked.keys() == tells_of_a_member(api), "a new route is asked here, too"
    asked |= {
        "/v1/kiosks/{kiosk_id}/enrolments": {
            "data": {"code": link, "consent_text_version": "k1", "consents": "face_recognition"},
            "files": [("frames", (f"{n}.jpg", jpeg(person(astronaut())), "image/jpeg")) for n in range(3)],
        },
        "/v1/identify": {"json": {"userId": "pets-1", "messageId": "m-1", "traits": {"name": "Ann Lee"}}},
    }
    names = {
        "{code}": code, "{experiment_id}": "personal-push", "{campaign_id}": "spring", "{kiosk_id}": door["kiosk_id"],
    }  # fmt: skip

    def send(path: str) -> Any:
        key, address = door["device_key"] if "kiosks" in path else api.key, path
        for name, value in names.items():
            address = address.replace(name, value)
        return api.client.post(address, headers={**api.headers(key), "Idempotency-Key": f"for-{path}"}, **asked[path])

    first = {path: send(path) for path in asked}
    strange = {path: one.text for path, one in first.items() if one.status_code not in {200, 201, 202, 409}}
    assert not strange
    assert send("/v1/identify").headers["idempotent-replayed"] == "true"
    assert api.client.post(f"/v1/members/{member.member_id}/erase", headers=api.headers()).status_code == 200
    again = {path: send(path).json().get("code") for path in asked}
    assert again == dict.fromkeys(asked, "idempotency-answer-erased")


def test_what_was_concluded_is_not_told_again_after_a_withdrawal_and_the_withdrawal_is(api: Api) -> None:
    def send(path: str, body: object, key: str) -> Any:
        return api.client.post(path, json=body, headers={**api.headers(), "Idempotency-Key": key})

    asked, other = ({"member_id": api.member(who).member_id} for who in ("pets-1", "pets-2"))
    told = send("/v1/recommendations", asked, "k1").json()
    assert told["items"][0]["score"] is not None
    theirs = send("/v1/recommendations", other, "k2").json()
    withdrawal = {**asked, "purpose": "profiling", "granted": False, "text_version": "t"}
    first = send("/v1/consents", withdrawal, "k3")
    assert first.status_code == 201
    again = send("/v1/recommendations", asked, "k1")
    assert (again.status_code, again.json()["code"]) == (409, "idempotency-answer-erased")
    assert not {"items", "segment", "allotment", "decision_id"} & again.json().keys()
    repeated = send("/v1/consents", withdrawal, "k3")
    assert (repeated.status_code, repeated.headers["idempotent-replayed"]) == (201, "true")
    assert repeated.json() == first.json()
    assert send("/v1/recommendations", other, "k2").json() == theirs, "others' answers stay"
    agreed = {**asked, "purpose": "research", "granted": True, "text_version": "t"}
    assert send("/v1/recommendations", asked, "k4").status_code == 200
    assert send("/v1/consents", agreed, "k5").status_code == 201
    assert send("/v1/recommendations", asked, "k4").status_code == 200, "who agrees to more takes nothing back"


def test_an_answer_in_a_chat_goes_with_the_chat(api: Api) -> None:
    token = api.token(None, "device-1")["token"]

    def send(path: str, body: object, key: str) -> Any:
        return api.client.post(path, json=body, headers={**api.headers(token), "Idempotency-Key": key})

    talk = send("/v1/conversations", None, "k1").json()["conversation_id"]
    message = f"/v1/conversations/{talk}/messages"
    assert send(message, {"text": "hello"}, "k2").status_code < 300
    erase_conversation(api.services.db, talk, at=datetime.now(UTC))
    assert send(message, {"text": "hello"}, "k2").json()["code"] == "idempotency-answer-erased"
