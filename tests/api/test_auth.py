"""Who may do what."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import access
from api.access import RateLimit, TooManyError
from api.app import create_app
from api.errors import ProblemError
from api.shoppers import TOKEN_LIFETIME, Visitor, WidgetTokens
from personalization.types import VisitorId
from tests.api.conftest import ORIGIN, Api


def test_a_device_key_in_an_address_works_on_and_whoever_sends_it_is_told_of_a_better_way(api: Api) -> None:
    made = api.client.post("/v1/kiosks", json={"name": "door", "store_id": "s1"}, headers=api.headers()).json()
    address, key = f"/v1/kiosks/{made['kiosk_id']}/gallery", made["device_key"]
    proper = api.client.get(address, headers=api.headers(key))
    older = api.client.get(address, params={"key": key})
    assert (proper.status_code, older.status_code) == (200, 200)
    assert "Deprecation" not in proper.headers
    assert older.headers["Deprecation"].startswith("@")
    assert 'rel="deprecation"' in older.headers["Link"]


def test_a_revoked_key_stops_working_at_once(api: Api) -> None:
    secret = api.make_key("members:read")
    assert api.client.get("/v1/members", headers=api.headers(secret)).status_code == 200
    key = api.services.keys.find(secret)
    assert key is not None
    api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
    assert api.client.get("/v1/members", headers=api.headers(secret)).status_code == 401


def test_a_widget_token_ends_after_fifteen_minutes_and_cannot_be_forged() -> None:
    tokens, visitor, now = WidgetTokens(b"a" * 32), Visitor(VisitorId("v"), None, "k", "s"), datetime.now(UTC)
    with pytest.raises(ProblemError, match="too old"):
        tokens.read(tokens.issue(visitor, expires_at=now - timedelta(seconds=1)))
    good = tokens.issue(visitor, expires_at=now + TOKEN_LIFETIME)
    with pytest.raises(ProblemError, match="does not work"):
        WidgetTokens(b"b" * 32).read(good)
    assert tokens.read(good) == visitor


def test_a_token_speaks_for_its_own_visitor_only(api: Api) -> None:
    one, two = api.token("pets-1"), api.token("pets-2")
    conversation = api.client.post("/v1/conversations", headers=api.headers(one["token"])).json()["conversation_id"]
    own, other = api.headers(one["token"]), api.headers(two["token"])
    assert api.client.get(f"/v1/conversations/{conversation}", headers=own).status_code == 200
    assert api.client.get(f"/v1/conversations/{conversation}", headers=other).status_code == 404
    assert (
        api.client.post(f"/v1/conversations/{conversation}/messages", json={"text": "hi"}, headers=other).status_code
        == 404
    )
    decision = api.client.post("/v1/recommendations", json={}, headers=own).json()["decision_id"]
    assert api.client.get(f"/v1/decisions/{decision}", headers=other).status_code == 404
    consent = {
        "purpose": "marketing",
        "granted": False,
        "text_version": "t",
        "member_id": api.member("pets-1").member_id,
    }
    assert api.client.post("/v1/consents", json=consent, headers=other).status_code == 403
    assert api.client.get("/v1/members", headers=own).status_code == 401


def test_members_who_share_a_browser_do_not_see_each_others_talks_and_decisions(api: Api) -> None:
    first = api.headers(api.token("pets-1", visitor="tablet")["token"])
    second = api.headers(api.token("pets-2", visitor="tablet")["token"])
    signed_out = api.headers(api.token(visitor="tablet")["token"])
    talk = api.client.post("/v1/conversations", headers=first).json()["conversation_id"]
    decision = api.client.post("/v1/recommendations", json={}, headers=first).json()["decision_id"]
    for path in (f"/v1/conversations/{talk}", f"/v1/decisions/{decision}"):
        assert api.client.get(path, headers=first).status_code == 200
        assert api.client.get(path, headers=second).status_code == 404
        assert api.client.get(path, headers=signed_out).status_code == 404
    before = api.client.post("/v1/conversations", headers=signed_out).json()["conversation_id"]
    kept = api.client.get(f"/v1/conversations/{before}", headers=first)
    assert kept.status_code == 200, "what was said before signing in is still theirs"


def test_a_member_goes_on_with_a_conversation_on_another_device(api: Api) -> None:
    phone = api.headers(api.token("pets-1", visitor="phone")["token"])
    laptop = api.headers(api.token("pets-1", visitor="laptop")["token"])
    assert api.client.get("/v1/me/conversation", headers=laptop).json() == {"conversation_id": None}
    talk = api.client.post("/v1/conversations", headers=phone).json()["conversation_id"]
    assert api.client.get("/v1/me/conversation", headers=laptop).json() == {"conversation_id": talk}
    assert api.client.get(f"/v1/conversations/{talk}", headers=laptop).status_code == 200
    stranger = api.headers(api.token("pets-2", visitor="laptop")["token"])
    assert api.client.get("/v1/me/conversation", headers=stranger).json() == {"conversation_id": None}
    assert api.client.get(f"/v1/conversations/{talk}", headers=stranger).status_code == 404


def test_a_widget_token_may_not_claim_a_purchase_nor_speak_of_another_member(api: Api) -> None:
    token, now = api.token("pets-1"), datetime.now(UTC).isoformat()
    events = [
        {"event_id": "e1", "type": "bought", "at": now, "payload": {"lines": [{"product_id": "milk-1"}]}},
        {
            "event_id": "e2",
            "type": "clicked",
            "at": now,
            "product_id": "milk-1",
            "member_id": api.member("baby-1").member_id,
        },
    ]
    answer = api.client.post("/v1/events", json={"events": events}, headers=api.headers(token["token"])).json()
    assert answer["accepted"] == 1
    assert answer["rejected"] == [{"index": 0, "reason": "a widget token may not report bought"}]
    exported = api.client.get(f"/v1/members/{api.member('baby-1').member_id}/export", headers=api.headers()).json()
    assert "e2" not in {event["event_id"] for event in exported["data"]["events"]}


def test_a_device_key_opens_only_its_own_kiosk(api: Api) -> None:
    one = api.client.post("/v1/kiosks", json={"name": "one"}, headers=api.headers()).json()
    two = api.client.post("/v1/kiosks", json={"name": "two"}, headers=api.headers()).json()
    key = api.headers(one["device_key"])
    assert api.client.get(f"/v1/kiosks/{one['kiosk_id']}/gallery", headers=key).status_code == 200
    assert api.client.get("/v1/kiosks/one/gallery", headers=key).status_code == 200
    assert api.client.get(f"/v1/kiosks/{two['kiosk_id']}/gallery", headers=key).status_code == 403
    assert "device_key" not in api.client.get("/v1/kiosks", headers=api.headers()).text


def test_cors_lets_a_keys_own_origins_through_and_no_others(api: Api) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = api.client.options("/v1/conversations", headers={"Origin": ORIGIN, **ask})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert api.client.options("/v1/conversations", headers={"Origin": "https://evil.example", **ask}).status_code == 403
    token = api.headers(api.token()["token"])
    assert (
        api.client.post("/v1/conversations", headers={**token, "Origin": ORIGIN}).headers["access-control-allow-origin"]
        == ORIGIN
    )
    stranger = api.client.post("/v1/conversations", headers={**token, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_a_page_may_read_that_its_token_is_too_old_so_that_it_can_renew_it(api: Api) -> None:
    key = api.services.keys.find(api.key)
    assert key is not None
    old, *_ = api.services.shoppers.start(
        Visitor(VisitorId("v"), None, key.key_id), now=datetime.now(UTC) - timedelta(hours=1)
    )
    answer = api.client.post("/v1/conversations", headers={**api.headers(old), "Origin": ORIGIN})
    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["www-authenticate"] == "Bearer"
    elsewhere = api.client.post("/v1/conversations", headers={**api.headers(old), "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in elsewhere.headers


def test_one_keys_origin_does_not_open_another_key(api: Api) -> None:
    other = "https://other.example"
    _, secret = api.services.keys.create("api", "other", at=datetime.now(UTC), scopes=["recommend"], origins=[other])
    for origin, allowed in ((other, True), (ORIGIN, False)):
        answer = api.client.post("/v1/recommendations", json={}, headers={**api.headers(secret), "Origin": origin})
        assert ("access-control-allow-origin" in answer.headers) is allowed


def test_the_action_endpoint_is_rasas_own(api: Api) -> None:
    body = {"next_action": "action_greet", "tracker": {}, "domain": {}}
    assert api.client.post("/internal/rasa/actions", json=body).status_code == 403
    for headers in ({"X-Aisle-Action-Token": "wrong"}, {"X-Aisle-Action-Token": ""}):
        assert api.client.post("/internal/rasa/actions", json=body, headers=headers).status_code == 403
    in_address = {"token": api.services.action_token}  # where a log may hold it
    assert api.client.post("/internal/rasa/actions", params=in_address, json=body).status_code == 403


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    clock = [0.0]
    limit = RateLimit(2, 0.5, clock=lambda: clock[0])
    assert limit.take("v").headers == {"RateLimit-Policy": '"default";q=2;w=4', "RateLimit": '"default";r=1;t=2'}
    assert limit.take("v").headers["RateLimit"] == '"default";r=0;t=4'
    with pytest.raises(TooManyError) as caught:
        limit.take("v")
    assert caught.value.wait_s == 2
    limit.take("somebody else")
    clock[0] = 2.0
    limit.take("v")


def test_many_callers_give_nobody_a_new_quota_and_are_forgotten_when_theirs_are_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access, "REMEMBERED", 10)
    monkeypatch.setattr(access, "MOST_REMEMBERED", 20)
    clock = [0.0]
    limit = RateLimit(1, 0.5, clock=lambda: clock[0])
    limit.take("v")
    for number in range(15):
        limit.take(f"w{number}")
    with pytest.raises(TooManyError):
        limit.take("v")
    clock[0] = 2.0  # all of them are whole again
    limit.take("x")
    assert len(limit._buckets) == 10
    for number in range(30):
        limit.take(f"y{number}")
    assert len(limit._buckets) == 20, "whoever comes with ever new names fills no memory"


def test_every_answer_tells_browsers_to_guess_nothing_and_the_api_to_keep_nothing(api: Api) -> None:
    answers = [
        api.client.get("/v1/members", headers=api.headers()), api.client.get("/v1/members"), api.client.get("/v1/nothing"),
        api.client.post("/v1/events", content=b" " * 4_000_001, headers=api.headers()),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 401, 404, 413]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers, "this server is reached by http"
    picture = api.client.get("/v1/products/milk-1/picture.svg")
    assert picture.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert picture.headers["cache-control"] == "public, max-age=86400"


def test_nobody_may_frame_anything_but_the_kiosk_and_the_docs_run_nothing_from_elsewhere(api: Api) -> None:
    for path in (
        "/",
        "/docs",
        "/openapi.json",
        "/widget.js",
        "/healthz",
        "/metrics",
        "/v1/products/milk-1/picture.svg",
        "/x",
    ):
        policy = api.client.get(path, follow_redirects=False).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, path
    docs = api.client.get("/docs")
    nonce = docs.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}">' in docs.text
    assert "https://" not in docs.text
    for file in re.findall(r'(?:src|href)="(/assets/[^"]+)"', docs.text):
        assert api.client.get(file).status_code == 200, file
    assert api.client.get("/docs").headers["content-security-policy"] != docs.headers["content-security-policy"]


def test_a_page_that_a_browser_has_already_keeps_its_policy(api: Api) -> None:
    """The fields of a 304 replace those of the stored page: one that lets data do nothing would leave the page blank at a reload."""
    first = api.client.get("/widget.js")
    again = api.client.get("/widget.js", headers={"If-None-Match": first.headers["etag"]})
    own = first.headers["content-security-policy"]
    assert (again.status_code, again.headers.get("content-security-policy", own)) == (304, own)


def test_a_shop_that_is_reached_by_https_is_reached_by_nothing_else_for_a_year(api: Api) -> None:
    settings = api.services.settings.model_copy(update={"public_url": "https://aisle.shop.example"})
    with TestClient(create_app(settings, api.services)) as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31622400"


def test_a_refused_request_is_logged_with_the_start_of_its_key_and_never_with_the_key(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr("api.log.log", SimpleNamespace(warning=lambda _, **told: lines.append(told)))
    secret = api.make_key("members:read")
    api.client.get("/v1/webhook-endpoints?name=somebody", headers=api.headers(secret))
    api.client.get("/v1/webhook-endpoints")
    assert [(line["status"], line.get("key")) for line in lines] == [(403, secret[:8]), (401, None)]
    assert secret not in str(lines)
    assert "somebody" not in str(lines)
