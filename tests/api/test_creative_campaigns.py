"""A campaign of creatives through the API: proposed, approved, placed, clicked, and better next time."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from api.worker import Worker
from personalization.creative import provenance
from personalization.creative.variants import Audience
from stores.database import new_id
from tests.api.conftest import Api
from tests.api.test_staff_accounts import OWN, account, console, sign_in
from tests.personalization.creative_world import VARIANTS

__all__ = ("console",)
NOW = datetime.now(UTC)
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "spring", "product_id": "milk-1", "approval": "family", "screened": 6,
    "starts_at": (NOW - timedelta(hours=1)).isoformat(), "ends_at": (NOW + timedelta(days=3)).isoformat(),
    "limits": {"per_shopper": 1000, "of_campaign": 1000},
}  # fmt: skip
PROPOSED = {
    "by": "studio",
    "variants": [
        {"variant_id": one.variant_id, "choices": dict(one.choices), "measures": {"clutter": 0.4}} for one in VARIANTS
    ],
}


def post(api: Api, path: str, body: Any, **changes: Any) -> Any:
    return api.client.post(f"/v1/creative-campaigns{path}", json={**body, **changes}, headers=api.headers())


def placed(api: Api, **who: Any) -> Any:
    body = {"decision_id": new_id(), "visitor_id": "somebody", "channel": "widget", "affect": "calm", **who}
    return post(api, "/spring/placements", body)


def read(api: Api, path: str) -> Any:
    return api.client.get(f"/v1/creative-campaigns/spring{path}", headers=api.headers())


def started(api: Api, **changes: Any) -> None:
    assert post(api, "", CAMPAIGN, **changes).status_code == 201
    assert post(api, "/spring/variants", PROPOSED).status_code == 201


def test_from_proposal_to_a_placement_that_learned(api: Api) -> None:
    started(api)
    assert post(api, "", CAMPAIGN).status_code == 409
    assert placed(api).json()["code"] == "no-creative"
    queue = read(api, "/variants?state=proposed").json()["variants"]
    assert len(queue) == len(VARIANTS)
    for family in sorted({one["family"] for one in queue}):
        decision = {"subject": family, "of_family": True, "state": "approved", "by": "mia"}
        assert post(api, "/spring/approvals", decision).status_code == 201
    worker = Worker(api.services)
    worker._place()
    for number in range(60):
        one = placed(api).json()
        assert 0 < one["propensity"] <= 1
        types = ["viewed", "clicked"] if one["choices"]["layout"] == "tall" else ["viewed"]
        events = [
            {"event_id": f"{number}-{kind}", "type": kind, "at": NOW.isoformat(), "decision_id": one["decision_id"]}
            for kind in types
        ]
        assert api.client.post("/v1/events", json={"events": events}, headers=api.headers()).status_code < 300
        worker._place()
    found = read(api, "/variants").json()["variants"]
    [told, *_] = read(api, "/performance").json()["audiences"]
    assert sum(one["shown"] for one in told["variants"]) == 60
    choices = {one["variant_id"]: one["choices"]["layout"] for one in found}
    for one in told["variants"]:
        assert one["predicted_low"] < one["predicted"] < one["predicted_high"]
        if one["shown"]:
            assert one["rate"] == (1 if choices[one["variant_id"]] == "tall" else 0)
    assert sum(one["shown"] for one in found) == read(api, "").json()["placed"] == 60
    assert sum(one["clicked"] for one in found) == sum(
        one["shown"] for one in found if one["choices"]["layout"] == "tall"
    )
    standing = api.services.creative_campaigns.running(at=datetime.now(UTC))[0].sets[
        Audience(channel="widget", affect="fine")
    ]
    assert standing is not None
    shares = zip(standing.variant_ids, standing.shares, strict=True)
    assert sum(share for name, share in shares if name.startswith("tall")) > 0.45  # a third of the designs
    steps = read(api, "/approvals").json()["steps"]
    assert {step["by"] for step in steps} == {"studio", "mia", "policy"}


def test_the_worker_moves_the_shares_when_people_click(api: Api) -> None:
    """Clicks that are told through the API move what is placed, with nobody's help but the worker's own loop."""
    started(api, approval="automatic")
    worker, audience = Worker(api.services), Audience(channel="widget", affect="fine")

    def share_above(least: float) -> float:
        """Wait until tall posters have more than this share of the audience's set; the bound is many times what it takes."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            shares = api.services.creative_campaigns.sets("spring").get(audience, {})
            share = sum(share for name, share in shares.items() if name.startswith("tall"))
            if share > least:
                return share
            worker._stop.wait(0.02)
        raise AssertionError("the shares did not move")

    worker.start()
    try:
        shown = [placed(api).json()]
        before = share_above(0.0)
        shown += [placed(api).json() for _ in range(40)]
        liked = [one["decision_id"] for one in shown if one["choices"]["layout"] == "tall"]
        clicks = [{"event_id": one, "type": "clicked", "at": NOW.isoformat(), "decision_id": one} for one in liked]
        assert api.client.post("/v1/events", json={"events": clicks}, headers=api.headers()).status_code < 300
        assert share_above(before + 0.03) > before
    finally:
        worker.stop()


def test_nobody_signs_in_the_name_of_another_or_of_the_policy(console: Api) -> None:
    started(console)
    account(console, "marketer")
    sign_in(console)
    decision = {"subject": VARIANTS[0].variant_id, "state": "approved", "by": "mia"}
    answer = console.client.post("/v1/creative-campaigns/spring/approvals", json=decision, headers=OWN)
    assert [step["by"] for step in answer.json()["steps"]] == ["Ana Diaz"]
    answer = console.client.post("/v1/creative-campaigns/spring/variants", json=PROPOSED, headers=OWN)
    assert answer.status_code == 201
    console.client.cookies.clear()
    for path, body in (("variants", PROPOSED), ("approvals", decision), ("designs", {"count": 1})):
        refused = post(console, f"/spring/{path}", {**body, "by": " Policy"})
        assert (refused.status_code, refused.json()["detail"][:3]) == (422, "by:")
    steps = read(console, "/approvals").json()["steps"]
    assert {step["by"] for step in steps if step["state"] == "approved"} == {"Ana Diaz"}


def test_the_same_decision_gets_the_same_creative(api: Api) -> None:
    started(api, approval="automatic")
    decision = new_id()
    assert placed(api, decision_id=decision).json() == placed(api, decision_id=decision).json()


@pytest.mark.parametrize("changes", [
    {"ends_at": CAMPAIGN["starts_at"]}, {"limits": {"exploration": 1.0}}, {"limits": {"floor": 0.9, "exploration": 0.5}}, {"screened": 1},
])  # fmt: skip
def test_a_campaign_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any]) -> None:
    assert post(api, "", CAMPAIGN, **changes).status_code == 422


def test_what_is_not_there_or_cannot_be_is_told(api: Api) -> None:
    assert read(api, "").status_code == 404
    assert read(api, "/approvals").status_code == 404
    assert placed(api).status_code == 404
    started(api)
    wrong = {"subject": VARIANTS[0].variant_id, "state": "retired", "by": "mia"}
    assert post(api, "/spring/approvals", wrong).status_code == 409
    assert post(api, "/spring/approvals", wrong, subject="nobody's").status_code == 404
    assert placed(api, member_id="nobody").status_code == 404
    assert placed(api, visitor_id=None).status_code == 422


def test_a_key_without_the_scope_is_refused(api: Api) -> None:
    key = api.make_key("recommend")
    answer = api.client.get("/v1/creative-campaigns/spring", headers=api.headers(key))
    assert answer.status_code == 403


def test_a_decision_s_poster_is_the_variant_that_was_placed_for_it(api: Api) -> None:
    ask = {"visitor_id": "somebody", "slate_size": 1, "wants_creative": True}
    first = api.client.post("/v1/recommendations", json=ask, headers=api.headers()).json()
    looks = {
        "layout": "arc",
        "scheme": "dark",
        "type": "lora",
        "texture": "grain",
        "motion": "rise",
        "palette": "of another grammar",
    }
    proposed = {"by": "studio", "variants": [{"variant_id": "ours", "choices": looks, "measures": {}}]}
    assert post(api, "", {**CAMPAIGN, "campaign_id": "ours", "product_id": first["items"][0]["product_id"], "approval": "automatic",
                          "starts_at": (NOW - timedelta(minutes=5)).isoformat()}).status_code == 201  # fmt: skip
    assert post(api, "/ours/variants", proposed).status_code == 201
    decision = api.client.post("/v1/recommendations", json=ask, headers=api.headers()).json()
    placement = api.services.placer.of_decision(decision["decision_id"])
    assert placement is not None
    assert placement.variant.variant_id == "ours"
    stored = api.services.creatives.get(decision["creative"]["creative_id"])
    assert stored is not None
    assert {name: stored.spec[name] for name in ("layout", "scheme", "type", "texture", "motion")} == {
        "layout": "arc", "scheme": "dark", "type": "lora", "texture": "grain", "motion": "still",
    }  # fmt: skip
    pixels = api.client.get(decision["creative"]["url"])
    assert pixels.headers["content-type"] == "image/webp"
    assert provenance.read(pixels.content, "webp")[0] == "Valid"
    assert api.client.get(decision["creative"]["url"]).content == pixels.content


def test_designs_of_the_product_are_drawn_measured_and_looked_at_before_they_are_approved(api: Api) -> None:
    assert post(api, "", CAMPAIGN).status_code == 201
    listed = api.client.get("/v1/creative-campaigns", headers=api.headers()).json()["campaigns"]
    assert [one["campaign_id"] for one in listed] == ["spring"]
    drawn = post(api, "/spring/designs", {"count": 3, "by": "mia"})
    assert drawn.status_code == 201, drawn.text
    again = post(api, "/spring/designs", {"count": 3, "by": "mia"})
    assert (len(drawn.json()["steps"]), again.json()["steps"]) == (3, [])
    queue = read(api, "/variants?state=proposed").json()["variants"]
    assert len({tuple(sorted(one["choices"].items())) for one in queue}) == 3
    for one in queue:
        assert set(one["measures"]) == {"contrast", "clutter", "colourfulness", "text_share", "warmth"}
    looks = [read(api, f"/variants/{one['variant_id']}/preview") for one in queue]
    assert all(look.content.startswith(b"RIFF") for look in looks)
    assert len({look.content for look in looks}) == 3
    [first, *_] = queue
    kiosk = read(api, f"/variants/{first['variant_id']}/preview?aspect=kiosk&language=ar")
    with Image.open(io.BytesIO(kiosk.content)) as page:
        assert page.size == (1080, 1920)
    assert read(api, f"/variants/{first['variant_id']}/preview?language=xx").json()["code"] == "no-language"
    assert read(api, "/variants/nothing/preview").status_code == 404
    assert post(api, "", CAMPAIGN, campaign_id="other", product_id="gone").status_code == 201
    assert (
        api.client.post("/v1/creative-campaigns/other/designs", json={"by": "mia"}, headers=api.headers()).status_code
        == 404
    )
