"""Pages of lists: each leads to the next, none is told twice or left out, and a cursor that no page gave is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.test_creative_campaigns import CAMPAIGN, PROPOSED
from tests.api.test_segments import MANY

BOUNDED = {
    "/v1/agents/handoffs/{handoff_id}": "one conversation",
    "/v1/agents/handoffs/{handoff_id}/suggestions": "a few of each kind",
    "/v1/agents/inbox": "what is open now, and who is there",
    "/v1/agents/service-level": "a line for each agent",
    "/v1/basket": "200 lines at most",
    "/v1/campaign-choices": "what a form offers",
    "/v1/campaign-products": "what a search finds first",
    "/v1/campaigns/{campaign_id}/creatives": "one campaign's",
    "/v1/campaigns/{campaign_id}": "one campaign's rungs and moves",
    "/v1/campaigns/{campaign_id}/pacing": "a point for each hour or day",
    "/v1/campaigns/{campaign_id}/results": "one campaign's rungs",
    "/v1/coupons/{code}": "one coupon's redemptions",
    "/v1/creative-campaigns/{campaign_id}/performance": "the audiences there are",
    "/v1/creatives/{creative_id}": "what one creative was made of",
    "/v1/decisions/{decision_id}": "one slate",
    "/v1/decisions/{decision_id}/explanation": "one slate",
    "/v1/experiments/{experiment_id}": "one experiment's arms",
    "/v1/experiments/{experiment_id}/results": "one experiment's arms and days",
    "/v1/experiments/{experiment_id}/segments": "one experiment's segments",
    "/v1/figures/definitions": "what the code defines",
    "/v1/fleet": "a glance at every kiosk; GET /v1/kiosks has pages",
    "/v1/kiosks/{kiosk_id}/gallery": "an agent needs all of it",
    "/v1/me/labels": "the labels there are",
    "/v1/members/{member_id}/labels": "the labels there are",
    "/v1/members/{member_id}/overview": "one member's page",
    "/v1/members/{member_id}/profile": "the labels and the largest shares",
    "/v1/members/{member_id}/risk": "a point for each week",
    "/v1/overview": "what the code defines, and the newest alerts",
    "/v1/segments/compare": "the features and labels there are",
    "/v1/segments/map": "2,500 points",
    "/v1/segments/vocabulary": "the features and labels there are",
    "/v1/session/others": "one person's browsers",
    "/v1/session/passkeys": "one person's passkeys",
    "/v1/session/ways": "the ways there are",
    "/v1/stores/{store_id}/cameras": "who switched one store's cameras, which a notice tells of as a whole",
    "/v1/trust/consents": "days of a period of 800 days at most",
    "/v1/trust/models": "the models there are",
    "/v1/trust/retention": "the terms there are",
    "/v1/trust/variety": "the weeks that a trend is read from",
    "/v1/tuning": "the dials there are",
    "/v1/webhook-endpoints": "100 at most",
}
"""Lists that do not grow, and why: of parts of one thing, or of what has a limit."""


def _pages(api: Api, path: str, name: str, *, limit: int, key: str | None = None) -> list[list[Any]]:
    pages, cursor = list[list[Any]](), None
    while True:
        found = api.client.get(
            f"/v1{path}", params={"limit": limit} | ({"cursor": cursor} if cursor else {}), headers=api.headers(key)
        )
        assert found.status_code == 200, found.text
        pages.append(found.json()[name])
        cursor = found.json()["next_cursor"]
        if cursor is None:
            return pages


def _names(pages: list[list[Any]], field: str) -> list[str]:
    assert all(len(page) <= len(pages[0]) for page in pages)
    return [one[field] for page in pages for one in page]


def test_kiosks_cameras_and_canned_answers_come_in_pages(api: Api) -> None:
    for n in (3, 1, 2, 5, 4):
        body = {"name": f"kiosk-{n}", "store_id": f"s{n}"}
        assert api.client.post("/v1/kiosks", json=body, headers=api.headers()).status_code == 201
        words = {"title": f"Title {n}", "text": "We are open.", "language": "en"}
        api.client.post("/v1/agents/canned-answers", json=words, headers=api.headers())
    kiosks = _pages(api, "/kiosks", "kiosks", limit=2)
    assert (len(kiosks), _names(kiosks, "name")) == (3, ["entrance", *(f"kiosk-{n}" for n in (1, 2, 3, 4, 5))])
    assert _names(_pages(api, "/stores/cameras", "stores", limit=3), "store_id") == ["s1", "s2", "s3", "s4", "s5"]
    titles = _names(_pages(api, "/agents/canned-answers", "answers", limit=2), "title")
    assert titles == [f"Title {n}" for n in (1, 2, 3, 4, 5)]


def test_creative_campaigns_variants_and_approvals_come_in_pages(api: Api) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    for n in range(5):
        body = CAMPAIGN | {"campaign_id": f"c{n}", "starts_at": (began + timedelta(minutes=n // 2)).isoformat()}
        assert api.client.post("/v1/creative-campaigns", json=body, headers=api.headers()).status_code == 201
    campaigns = _names(_pages(api, "/creative-campaigns", "campaigns", limit=2), "campaign_id")
    assert campaigns == ["c0", "c1", "c2", "c3", "c4"]
    api.client.post("/v1/creative-campaigns/c0/variants", json=PROPOSED, headers=api.headers())
    proposed = [one["variant_id"] for one in PROPOSED["variants"]]  # type: ignore[index]
    assert _names(_pages(api, "/creative-campaigns/c0/variants", "variants", limit=2), "variant_id") == proposed
    steps = _pages(api, "/creative-campaigns/c0/approvals", "steps", limit=3)
    assert _names(steps, "subject") == _names(
        _pages(api, "/creative-campaigns/c0/approvals", "steps", limit=500), "subject"
    )


def test_own_segments_come_in_pages_and_what_is_made_meanwhile_moves_nothing(api: Api) -> None:
    def make(name: str) -> None:
        body = {"name": name, "rule": MANY}
        assert api.client.post("/v1/segments", json=body, headers=api.headers()).status_code == 201

    for n in range(4):
        make(f"own {n}")
    first = api.client.get("/v1/segments?limit=2", headers=api.headers()).json()
    make("own 4")
    second = api.client.get("/v1/segments", params={"limit": 2, "cursor": first["next_cursor"]}, headers=api.headers())
    assert [one["name"] for one in first["segments"]] == ["own 3", "own 2"]
    assert ([one["name"] for one in second.json()["segments"]], second.json()["next_cursor"]) == (
        ["own 1", "own 0"],
        None,
    )


def test_a_conversation_and_a_ledger_of_consents_are_read_back_to_the_beginning(api: Api) -> None:
    token = api.token("pets-1")["token"]
    made = api.client.post("/v1/conversations", headers=api.headers(token)).json()
    path = f"/conversations/{made['conversation_id']}"
    for n in range(3):
        api.client.post(f"/v1{path}/messages", json={"text": f"hello {n}"}, headers=api.headers(token))
    whole = api.client.get(f"/v1{path}", headers=api.headers(token)).json()["messages"]
    pages = _pages(api, path, "messages", limit=2, key=token)
    assert [one for page in reversed(pages) for one in page] == whole
    assert len(pages) > 2
    member = api.member("pets-1").member_id
    for granted in (True, False, True):
        body = {"member_id": member, "purpose": "marketing", "granted": granted, "text_version": "crm-1"}
        api.client.post("/v1/consents", json=body, headers=api.headers())
    entries = _pages(api, f"/consents?member_id={member}", "history", limit=2, key=token)
    assert [one["granted"] for page in entries for one in page if one["text_version"] == "crm-1"] == [True, False, True]


def test_members_come_in_pages_and_the_older_names_of_a_place_work_and_say_that_they_are_older(api: Api) -> None:
    every = _names(_pages(api, "/members", "members", limit=200), "member_id")
    assert _names(_pages(api, "/members", "members", limit=2), "member_id") == every
    first = api.client.get("/v1/members?limit=2", headers=api.headers())
    assert "deprecation" not in first.headers
    older = api.client.get("/v1/members", params={"limit": 2, "after": first.json()["next"]}, headers=api.headers())
    assert [one["member_id"] for one in older.json()["members"]] == every[2:4]
    assert older.headers["deprecation"] == f"@{int(datetime(2026, 11, 27, tzinfo=UTC).timestamp())}"
    assert 'rel="deprecation"' in older.headers["link"]


def test_the_document_names_what_is_older_and_the_field_that_says_so(api: Api) -> None:
    paths = api.client.app.openapi()["paths"]  # type: ignore[attr-defined]
    told = dict[str, set[str]]()
    for path, methods in paths.items():
        for operation in methods.values():
            parameters = operation.get("parameters", ())
            for name in (one["name"] for one in parameters if one.get("deprecated")):
                told.setdefault(name, set()).add(path)
                assert all("Deprecation" in one["headers"] for at, one in operation["responses"].items() if at < "3")
                assert name != "after" or "cursor" in {one["name"] for one in parameters}
    assert told["after"] == {"/v1/members", "/v1/merges", "/v1/webhook-endpoints/{endpoint_id}/deliveries"}
    assert told["token"] == {"/v1/conversations/{conversation_id}/stream"}
    assert {path.split("/")[2] for path in told["key"]} == {"kiosks"}
    assert told.keys() == {"after", "token", "key"}


@pytest.mark.parametrize(
    "cursor",
    ["x", "", "e30=", "ä", "A" * 999, base64.urlsafe_b64encode(b'["a\\u0000","b"]').decode(),
     base64.urlsafe_b64encode(b'["\\ud800","b"]').decode(), base64.urlsafe_b64encode(b"[" * 700).decode(),
     base64.urlsafe_b64encode(b'["yesterday","b"]').decode()],
)  # fmt: skip
def test_a_cursor_that_no_page_gave_is_refused(api: Api, cursor: str) -> None:
    member = api.member("pets-1").member_id
    for path in ("/campaigns", "/experiments", "/members/search", f"/members/{member}/timeline", "/staff", "/segments"):
        answer = api.client.get(f"/v1{path}", params={"cursor": cursor}, headers=api.headers())
        if answer.status_code == 200:  # a place, though none that a page gave
            assert path == "/staff"
        else:
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_every_list_that_can_grow_has_pages(api: Api) -> None:
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    shapes, whole = document["components"]["schemas"], set[str]()
    for path, methods in document["paths"].items():
        told = methods.get("get", {})
        content = told.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        shape = shapes.get(content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {})
        lists = [name for name, field in shape.get("properties", {}).items() if "$ref" in field.get("items", {})]
        asked = {one["name"] for one in told.get("parameters", [])}
        if lists and path.startswith("/v1/") and not asked & {"cursor", "after"}:
            whole.add(path)
    assert whole == set(BOUNDED)
