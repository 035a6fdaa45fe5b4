"""The API as an integrator uses it."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import pytest
from pydantic import SecretStr

from api.errors import ProblemError
from api.services.eyes import decode
from api.services.kiosk import Kiosks
from api.services.privacy import Privacy
from stores.database import new_id
from stores.projection import project_once
from tests.api.conftest import Api
from tests.vision.fake_camera import astronaut, person, shelf


def post(api: Api, path: str, body: Any = None, token: str | None = None) -> Any:
    return api.client.post(path, json=body if body is not None else {}, headers=api.headers(token))


def test_events_are_taken_once_and_bad_ones_are_told_one_by_one(api: Api) -> None:
    now = datetime.now(UTC).isoformat()
    events = [
        {"event_id": "e1", "type": "viewed", "at": now},
        {"event_id": "e2", "type": "nonsense", "at": now},
        {"type": "viewed"},
    ]
    first = post(api, "/v1/events", {"events": events}).json()
    assert (first["accepted"], first["duplicates"], [r["index"] for r in first["rejected"]]) == (1, 0, [1, 2])
    again = post(api, "/v1/events", {"events": events[:1]}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)


def test_a_purchase_changes_the_next_decisions_inputs(api: Api) -> None:
    made = post(api, "/v1/members", {"external_id": "new", "display_name": "New Person"}).json()
    for purpose in ("profiling", "marketing"):
        post(
            api,
            "/v1/consents",
            {"member_id": made["member_id"], "purpose": purpose, "granted": True, "text_version": "web-1"},
        )
    ask = {"member_id": made["member_id"]}
    assert "purchase history" not in post(api, "/v1/recommendations", ask).json()["inputs_used"]
    event = {"event_id": "buy", "type": "bought", "at": datetime.now(UTC).isoformat(), "member_id": made["member_id"],
             "payload": {"order_id": "o", "lines": [{"product_id": "coffee-1", "quantity": 1}]}}  # fmt: skip
    assert post(api, "/v1/events", {"events": [event]}).json()["accepted"] == 1
    while project_once(api.services.db):
        pass
    assert "purchase history" in post(api, "/v1/recommendations", ask).json()["inputs_used"]


def test_a_decision_can_be_opened_again_and_tells_what_it_was_made_from(api: Api) -> None:
    decision = post(
        api,
        "/v1/recommendations",
        {"member_id": api.member("pets-1").member_id, "slate_size": 3, "wants_creative": True},
    ).json()
    assert len(decision["items"]) == 3
    opened = api.client.get(f"/v1/decisions/{decision['decision_id']}", headers=api.headers()).json()
    assert opened["items"] == decision["items"]
    assert opened["fallbacks"], "nothing was trained here, and the decision says so"
    poster = api.client.get(decision["creative"]["url"])
    assert poster.headers["content-type"] == "image/webp"
    assert poster.content.startswith(b"RIFF")
    picture = api.client.get(decision["items"][0]["picture_url"])
    assert picture.headers["content-type"].startswith("image/svg+xml")


def test_a_coupon_is_issued_looked_up_and_redeemed_once(api: Api) -> None:
    coupon = post(api, "/v1/coupons", {"member_id": api.member("pets-1").member_id})
    assert coupon.status_code == 201
    code = coupon.json()["code"]
    assert api.client.get(f"/v1/coupons/{code}/qr.svg").text.startswith("<svg")
    assert api.client.get(f"/v1/coupons/{code.lower()}", headers=api.headers()).json()["status"] == "open"
    assert post(api, f"/v1/coupons/{code}/redeem", {"order_id": "o1"}).json()["repeated"] is False
    assert post(api, f"/v1/coupons/{code}/redeem", {"order_id": "o1"}).json()["repeated"] is True
    twice = post(api, f"/v1/coupons/{code}/redeem", {"order_id": "o2"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    assert post(api, "/v1/coupons/NOPE/redeem").status_code == 404


def test_when_the_budget_is_used_up_coupons_end_with_a_clear_problem(api: Api) -> None:
    answers = [
        post(api, "/v1/coupons", {"member_id": member.member_id}) for member in api.services.members.page(limit=60)
    ]
    assert {answer.status_code for answer in answers} == {201, 409}
    assert sum(answer.status_code == 201 for answer in answers) == 20, "twenty dollars hold twenty coupons of one"
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"no-coupon"}


def test_consents_are_a_ledger_and_take_effect_with_the_next_request(api: Api) -> None:
    member_id = api.member("cheese-1").member_id
    withdrawn = post(
        api, "/v1/consents", {"member_id": member_id, "purpose": "profiling", "granted": False, "text_version": "w"}
    )
    assert withdrawn.json()["granted"] == ["marketing"]
    decision = post(api, "/v1/recommendations", {"member_id": member_id}).json()
    assert any("purchase history" in text for text in decision["inputs_withheld"])
    ledger = api.client.get("/v1/consents", params={"member_id": member_id}, headers=api.headers()).json()
    assert [entry["granted"] for entry in ledger["history"] if entry["purpose"] == "profiling"] == [True, False]


def test_a_consent_whose_time_is_over_is_withdrawn_as_by_the_member(api: Api) -> None:
    member = api.member("cheese-4").member_id
    body = {"member_id": member, "purpose": "face_recognition", "granted": True, "text_version": "k1"}
    post(api, "/v1/consents", body)
    address = {"params": {"member_id": member}, "headers": api.headers()}
    entry = api.client.get("/v1/consents", **address).json()["history"][-1]
    assert datetime.fromisoformat(entry["expires_at"]) - datetime.fromisoformat(entry["at"]) == timedelta(days=365)
    privacy = Privacy(api.services, lambda _: None)
    assert privacy.expire(now=datetime.now(UTC)) == 0
    assert privacy.expire(now=datetime.now(UTC) + timedelta(days=366)) == 1
    ledger = api.client.get("/v1/consents", **address).json()
    assert (ledger["history"][-1]["channel"], ledger["history"][-1]["granted"]) == ("expiry", False)
    assert "face_recognition" not in ledger["granted"]


def test_export_then_erase_then_nothing_is_there(api: Api) -> None:
    token = api.token("baby-3")["token"]
    export = api.client.get("/v1/me/export", headers=api.headers(token)).json()
    assert len(export["data"]["order_lines"]) > 20
    receipt = post(api, "/v1/me/erase", token=token).json()
    assert receipt["deleted"]["members"] == 1
    assert api.client.get(f"/v1/members/{export['member_id']}", headers=api.headers()).status_code == 404
    assert post(api, "/v1/recommendations", token=token).status_code == 401, "their tokens end with them"


def test_a_conversation_survives_a_reload_and_the_fallback_answers_without_rasa(api: Api) -> None:
    token = api.token("pets-5")["token"]
    started = post(api, "/v1/conversations", token=token).json()
    assert "AI assistant" in started["messages"][0]["text"]
    url = f"/v1/conversations/{started['conversation_id']}"
    answer = post(api, f"{url}/messages", {"text": "which coffee do you have"}, token).json()
    assert answer["engine"] == "fallback"
    assert "coming back" in answer["messages"][0]["text"]
    assert len(answer["messages"][0]["items"]) == 3
    angry = post(api, f"{url}/messages", {"text": "this is ridiculous, nothing works, I am so angry"}, token).json()
    assert angry["affect"]["valence"] < 0
    assert angry["messages"][0]["items"] == [], "nothing is sold to who is angry"
    history = api.client.get(url, headers=api.headers(token)).json()["messages"]
    assert [message["role"] for message in history] == ["bot", "user", "bot", "user", "bot"]
    assert post(api, f"{url}/handoff", token=token).json()["handoff"] is True


def test_bad_input_is_a_problem_document_that_says_where(api: Api) -> None:
    answer = post(api, "/v1/recommendations", {"slate_size": 0, "chanel": "kiosk"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {place["where"] for place in answer.json()["errors"]} == {"body.slate_size", "body.chanel"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert api.client.get("/v1/nothing-here").json()["code"] == "not-found"
    assert api.client.delete("/v1/members").json()["code"] == "method-not-allowed"
    assert post(api, "/v1/members", {"external_id": "pets-1", "display_name": "Again"}).json()["code"] == "conflict"


@pytest.mark.parametrize("granted", [1, "true", "yes", None])
def test_only_true_and_false_are_an_answer_to_a_question_of_consent(api: Api, granted: Any) -> None:
    asked = {
        "member_id": api.member("cheese-1").member_id,
        "purpose": "expression",
        "granted": granted,
        "text_version": "w",
    }
    answer = post(api, "/v1/consents", asked)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.granted")


def jpeg(frame: Any) -> bytes:
    good, encoded = cv2.imencode(".jpg", frame)
    assert good
    return bytes(encoded.tobytes())


@pytest.fixture
def kiosk(api: Api) -> dict[str, str]:
    return dict(post(api, "/v1/kiosks", {"name": "door", "store_id": "s1"}).json())


def enrol(api: Api, kiosk: dict[str, str], code: str, frame: Any) -> Any:
    return api.client.post(
        f"/v1/kiosks/{kiosk['kiosk_id']}/enrolments", headers=api.headers(kiosk["device_key"]),
        data={"code": code, "consent_text_version": "k1", "consents": "face_recognition"},
        files=[("frames", (f"{n}.jpg", jpeg(frame), "image/jpeg")) for n in range(3)],
    )  # fmt: skip


def show(api: Api, kiosk: dict[str, str], content: bytes) -> Any:
    headers = {**api.headers(kiosk["device_key"]), "Content-Type": "image/jpeg"}
    return api.client.post(f"/v1/kiosks/{kiosk['kiosk_id']}/frames", content=content, headers=headers)


def test_a_member_enrols_is_welcomed_and_is_a_stranger_after_withdrawal(api: Api, kiosk: dict[str, str]) -> None:
    face = person(astronaut())
    assert show(api, kiosk, jpeg(face)).json()["observation"]["recognised"] is False
    token = api.token("cheese-2")["token"]
    code = post(api, "/v1/me/link-codes", token=token).json()["code"]
    done = enrol(api, kiosk, code, face)
    assert (done.status_code, done.json()["first_name"]) == (201, "Cheese-2")
    show(api, kiosk, jpeg(face))
    assert show(api, kiosk, jpeg(face)).json()["observation"]["recognised"] is True, "two frames make a person"
    display = api.services.bus.current(kiosk["kiosk_id"])
    assert display is not None
    assert (display["mode"], display["headline"]) == ("welcome", "Welcome back, Cheese-2")
    assert display["coupon"] is not None
    assert enrol(api, kiosk, code, face).status_code == 404, "a code works once"
    withdrawal = {"purpose": "face_recognition", "granted": False, "text_version": "w"}
    assert post(api, "/v1/consents", withdrawal, token).status_code == 201
    after = api.services.bus.current(kiosk["kiosk_id"])
    assert after is not None
    assert after["mode"] == "attract"
    assert show(api, kiosk, jpeg(face)).json()["observation"]["recognised"] is False
    assert api.client.get("/v1/kiosks/door/gallery", headers=api.headers(kiosk["device_key"])).json()["templates"] == []


def test_an_enrolment_with_bad_pictures_says_what_to_do_and_keeps_the_code(api: Api, kiosk: dict[str, str]) -> None:
    code = post(api, "/v1/me/link-codes", token=api.token("pets-7")["token"]).json()["code"]
    answer = enrol(api, kiosk, code, shelf())
    assert (answer.status_code, answer.json()["code"]) == (422, "enrolment")
    assert "Look straight at the camera" in answer.json()["detail"]
    assert enrol(api, kiosk, code, person(astronaut())).status_code == 201
    assert enrol(api, kiosk, "000000", person(astronaut())).status_code == 404


def test_who_enrols_is_told_what_to_change_before_a_picture_counts(api: Api, kiosk: dict[str, str]) -> None:
    def say(frame: Any) -> dict[str, Any]:
        jpeg = cv2.imencode(".jpg", frame)[1].tobytes()
        headers = {**api.headers(kiosk["device_key"]), "content-type": "image/jpeg"}
        address = f"/v1/kiosks/{kiosk['kiosk_id']}/enrolments/looks"
        return dict(api.client.post(address, content=jpeg, headers=headers).json())

    assert say(person(astronaut())) == {"good": True, "advice": "", "code": ""}
    assert "No face" in say(shelf())["advice"]
    assert "blurred" in say(cv2.GaussianBlur(person(astronaut()), (0, 0), 8))["advice"]


def test_what_is_no_picture_and_what_is_too_large_is_refused(api: Api, kiosk: dict[str, str]) -> None:
    assert show(api, kiosk, b"not a picture").status_code == 415
    assert show(api, kiosk, b"x" * 1_000_001).status_code == 413


@pytest.mark.parametrize("size", [(60_000, 60_000), (4_097, 100), (100, 15)])
def test_a_small_file_that_tells_of_a_huge_picture_is_refused_before_it_is_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0" * 100)) + part(b"IEND", b"")
    monkeypatch.setattr("api.services.eyes.cv2.imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ProblemError) as refused:
        decode(png)
    assert (refused.value.status, refused.value.code) == (415, "not-a-picture")


def told(*people: dict[str, Any]) -> dict[str, Any]:
    return {"observation_id": new_id(), "people": people, "at": datetime.now(UTC).isoformat()}


def test_an_agent_reports_and_consent_is_checked_again_here(api: Api, kiosk: dict[str, str]) -> None:
    member_id = api.member("baby-4").member_id
    seen = {"track_id": 1, "member_id": member_id}
    url = f"/v1/kiosks/{kiosk['kiosk_id']}/observations"
    assert post(api, url, told(seen), kiosk["device_key"]).json() == {"changed": False}
    post(
        api,
        "/v1/consents",
        {"member_id": member_id, "purpose": "face_recognition", "granted": True, "text_version": "k"},
    )
    assert post(api, url, told(seen), kiosk["device_key"]).json() == {"changed": True}
    assert post(api, url, told({"track_id": 2}), kiosk["device_key"]).json() == {"changed": True}


def test_an_unhappy_face_turns_the_display_calm_only_where_that_was_announced(api: Api, kiosk: dict[str, str]) -> None:
    post(api, "/v1/kiosks", {"name": "quiet"})
    clock = [0.0]
    displays = Kiosks(api.services, clock=lambda: clock[0])
    sad = {"track_id": 1, "valence": -0.8, "expression": "negative", "certainty": 0.8}
    for name, mode in ((kiosk["name"], "calm"), ("quiet", None)):
        place = api.services.kiosks.find(name)
        assert place is not None
        for clock[0] in (0.0, 1.0, 2.0):
            displays.observe(place, [sad])
        display = api.services.bus.current(place.kiosk_id)
        assert (display and display["mode"]) == mode
    place = api.services.kiosks.find(kiosk["name"])
    assert place is not None
    calm = api.services.bus.current(place.kiosk_id)
    assert calm is not None
    assert calm["coupon"] is None


def test_the_gallery_answers_not_modified_until_it_changes(api: Api, kiosk: dict[str, str]) -> None:
    url, headers = f"/v1/kiosks/{kiosk['kiosk_id']}/gallery", api.headers(kiosk["device_key"])
    etag = api.client.get(url, headers=headers).headers["etag"]
    assert api.client.get(url, headers={**headers, "If-None-Match": etag}).status_code == 304
    code = post(api, "/v1/me/link-codes", token=api.token("pets-8")["token"]).json()["code"]
    enrol(api, kiosk, code, person(astronaut()))
    fresh = api.client.get(url, headers={**headers, "If-None-Match": etag})
    assert fresh.status_code == 200
    assert len(base64.b64decode(fresh.json()["templates"][0]["vector"])) == 128 * 4


def test_probes_and_metrics_tell_what_works(api: Api) -> None:
    ready = api.client.get("/readyz").json()
    assert ready == {
        "ready": True,
        "parts": {"database": True, "rasa": False, "artifacts": False, "vision_models": True},
    }
    post(api, "/v1/recommendations")
    text = api.client.get("/metrics").text
    assert 'aisle_decisions_total{channel="api"} 1.0' in text
    assert 'aisle_fallbacks_total{component="ranker"' in text


def test_where_figures_have_a_token_nobody_reads_them_without_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.services.settings, "metrics_token", SecretStr("for-prometheus"))
    for headers in ({}, api.headers(), api.headers("for-prometheu"), api.headers("")):
        refused = api.client.get("/metrics", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "aisle_decisions_total" in api.client.get("/metrics", headers=api.headers("for-prometheus")).text


def test_a_method_that_an_address_does_not_know_is_told_those_that_it_knows(api: Api) -> None:
    answer = api.client.post("/v1/products/milk-1/picture", headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["Allow"].split(", "))
    assert (
        api.client.options("/v1/segments/map", headers=api.headers()).headers["Allow"] == "GET"
    )  # it is no segment's id
