"""Entity tags: nobody overwrites what they have not seen, and what has not changed is not sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.test_creative_campaigns import CAMPAIGN, PROPOSED
from tests.api.test_experiments import DRAFT
from tests.api.test_segments import FEW, MANY
from tests.api.test_staff_accounts import OWN, account, console, sign_in

__all__ = ("console",)

NO_TAG = {
    **dict.fromkeys(
        (
            "/v1/me/session",
            "/v1/me/sessions",
            "/v1/me/sessions/{session_id}",
            "/v1/members/{member_id}/sessions",
            "/v1/members/{member_id}/sessions/{session_id}",
        ),
        "ending what is signed in is right whatever became of it",
    ),
    "/v1/agents/notes/{note_id}": "written once, deleted by its author alone",
    "/v1/conversations/{conversation_id}": "forgotten as a whole, whatever is in it",
    "/v1/films/{film_id}": "cancelled; 409 once it is made",
    "/v1/kiosks/{kiosk_id}/zones": "told whole by who stands before the camera",
    "/v1/products/{product_id}/picture": "sent whole by who keeps the catalogue, as an import does",
    "/v1/session": "signing out",
    "/v1/session/others": "signing out",
    "/v1/session/others/{session_id}": "signing out",
    "/v1/session/passkeys/{passkey_id}": "made once, deleted by its owner alone",
    "/v1/staff/{staff_id}": "a right of the person: deleted whatever was added meanwhile",
}
"""What can be deleted or changed without a tag, and why nobody's work is lost by that."""


@dataclass
class Thing:
    """Something that two people may change: where it is read, and what each of them asks for."""

    read: str
    method: str
    write: str
    first: Any = None
    second: Any = None


def _call(api: Api, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return api.client.request(method, f"/v1{path}", json=body, headers=api.headers() | headers)


def _made(api: Api, path: str, body: Any) -> dict[str, Any]:
    answer = _call(api, "POST", path, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _endpoint(api: Api) -> Thing:
    body = {"name": "CRM", "url": "https://9.9.9.9/hook", "topics": ["member.updated"]}
    path = f"/webhook-endpoints/{_made(api, '/webhook-endpoints', body)['endpoint_id']}"
    return Thing(path, "PATCH", path, {"name": "CRM 1"}, {"name": "CRM 2"})


def _segment(api: Api) -> Thing:
    path = f"/segments/{_made(api, '/segments', {'name': 'All', 'rule': MANY})['segment_id']}"
    return Thing(path, "PUT", path, {"name": "Busy", "rule": MANY}, {"name": "Weekdays", "rule": FEW})


def _account(api: Api) -> Thing:
    body = {"email": "ana@shop.example", "name": "Ana", "roles": ["marketer"]}
    path = f"/accounts/{_made(api, '/accounts', body)['account_id']}"
    return Thing(path, "PATCH", path, {"roles": ["agent"]}, {"roles": ["auditor"]})


def _cameras(api: Api) -> Thing:
    path, terms = "/stores/318/cameras", {"uses": ["recognition"], "retention_days": 30, "purpose": "Greet."}
    return Thing(path, "PUT", path, terms | {"notice": "A camera greets."}, terms | {"notice": "A camera looks."})


def _member(api: Api) -> Thing:
    path = f"/members/{api.member('pets-1').member_id}"
    return Thing(path, "PATCH", path, {"display_name": "Ana"}, {"display_name": "Ben"})


def _labels(api: Api) -> Thing:
    while api.services.profiles.consume(now=datetime.now(UTC)):
        pass
    path = f"/members/{api.member('pets-1').member_id}"
    body = {"value": "a", "reason": "they told us so", "days": 30}
    return Thing(f"{path}/overview", "PUT", f"{path}/labels/likes", body, body | {"value": "b"})


def _veto(api: Api) -> Thing:
    path = f"/members/{api.member('pets-1').member_id}/labels"
    return Thing(path, "PUT", f"{path}/likes/veto", {"reason": "they told us so"}, {"reason": "they wrote us so"})


def _experiment(api: Api) -> Thing:
    _made(api, "/experiments", DRAFT)
    return Thing("/experiments/personal-push", "POST", "/experiments/personal-push/start")


def _approvals(api: Api) -> Thing:
    _made(api, "/creative-campaigns", CAMPAIGN | {"approval": "each"})
    _made(api, "/creative-campaigns/spring/variants", PROPOSED)
    body = {"subject": PROPOSED["variants"][0]["variant_id"], "by": "Ana", "state": "approved"}  # type: ignore[index]
    other = body | {"subject": PROPOSED["variants"][1]["variant_id"], "by": "Ben"}  # type: ignore[index]
    return Thing("/creative-campaigns/spring", "POST", "/creative-campaigns/spring/approvals", body, other)


THINGS: list[Callable[[Api], Thing]] = [
    _endpoint, _segment, _account, _cameras, _member, _labels, _veto, _experiment, _approvals,
]  # fmt: skip


@pytest.mark.parametrize("of", THINGS)
def test_who_was_slower_changes_nothing_and_is_told(api: Api, of: Callable[[Api], Thing]) -> None:
    thing = of(api)
    seen = _call(api, "GET", thing.read).headers["ETag"]
    assert _call(api, "GET", thing.read).headers["ETag"].split(".")[0] == seen.split(".")[0], "reading changes nothing"
    first = _call(api, thing.method, thing.write, thing.first, **{"If-Match": seen})
    assert first.status_code < 300, first.text
    stands = _call(api, "GET", thing.read)
    late = _call(api, thing.method, thing.write, thing.second, **{"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    now = _call(api, "GET", thing.read)
    assert now.headers["ETag"].split(".")[0] == stands.headers["ETag"].split(".")[0] == late.headers["ETag"].rstrip('"')
    if thing.second is not None:
        again = _call(
            api, thing.method, thing.write, thing.second, **{"If-Match": f'"other-1", W/{late.headers["ETag"]}'}
        )
        assert again.status_code < 300, again.text


@pytest.mark.parametrize("of", [_segment, _labels, _account, _endpoint])
def test_of_writers_at_once_who_saw_the_same_one_is_first(api: Api, of: Callable[[Api], Thing]) -> None:
    thing, codes = of(api), list[int]()
    seen = _call(api, "GET", thing.read).headers["ETag"]

    def write(body: Any) -> None:
        codes.append(_call(api, thing.method, thing.write, body, **{"If-Match": seen}).status_code)

    threads = [threading.Thread(target=write, args=[body]) for body in (thing.first, thing.second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 412]


def test_a_basket_that_another_device_has_changed_is_not_emptied(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token('pets-1')['token']}"}
    api.client.put("/v1/basket/lines/milk-1", json={"quantity": 1}, headers=headers)
    seen = api.client.get("/v1/basket", headers=headers).headers["ETag"]
    api.client.put("/v1/basket/lines/milk-1", json={"quantity": 3}, headers=headers)
    late = api.client.delete("/v1/basket", headers={**headers, "If-Match": seen})
    assert late.status_code == 412
    assert api.client.get("/v1/basket", headers=headers).json()["lines"][0]["quantity"] == 3
    assert api.client.delete("/v1/basket", headers={**headers, "If-Match": "*"}).status_code == 200


def test_a_canned_answer_may_be_held_against_its_tag_as_well_as_its_version(api: Api) -> None:
    agent = {**api.headers(), "X-Agent-Id": "ana", "X-Agent-Name": "Ana"}
    words = {"title": "Hours", "text": "We are open.", "language": "en"}
    made = api.client.post("/v1/agents/canned-answers", json=words, headers=agent)
    path, seen = f"/v1/agents/canned-answers/{made.json()['answer_id']}", made.headers["ETag"]
    changed = api.client.put(path, json=words | {"text": "We are closed."}, headers={**agent, "If-Match": seen})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert api.client.put(path, json=words, headers={**agent, "If-Match": seen}).status_code == 412
    assert api.client.delete(path, headers={**agent, "If-Match": seen}).status_code == 412
    assert api.client.delete(path, headers={**agent, "If-Match": changed.headers["ETag"]}).status_code == 200


def test_what_is_deleted_was_seen(api: Api) -> None:
    for thing in (_segment(api), _endpoint(api), _account(api)):
        seen = _call(api, "GET", thing.read).headers["ETag"]
        assert _call(api, thing.method, thing.write, thing.first).status_code == 200, "without a tag nothing is asked"
        assert _call(api, "DELETE", thing.write, **{"If-Match": seen}).status_code == 412
        seen = _call(api, "GET", thing.read).headers["ETag"]
        assert _call(api, "DELETE", thing.write, **{"If-Match": seen}).status_code in {200, 204}


def test_an_answer_that_is_known_is_not_sent_again_and_a_count_that_moved_is(api: Api) -> None:
    thing = _endpoint(api)
    first = _call(api, "GET", thing.read)
    same = _call(api, "GET", thing.read, **{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert same.headers["Cache-Control"] == "no-store"
    api.services.members.rename(api.member("pets-1").member_id, "Ana")
    moved = _call(api, "GET", thing.read, **{"If-None-Match": f'"x", {first.headers["ETag"]}'})
    assert (moved.status_code, moved.json()["deliveries"]["pending"]) == (200, 1)
    kept = _call(api, thing.method, thing.write, thing.first, **{"If-Match": first.headers["ETag"]})
    assert kept.status_code == 200, "a count that moves is nobody's change"


def test_lists_have_tags_too_and_refusals_have_none(api: Api) -> None:
    first = _call(api, "GET", "/members?limit=3")
    assert _call(api, "GET", "/members?limit=3", **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert _call(api, "GET", "/members?limit=3", **{"If-None-Match": "*"}).status_code == 304
    refused = _call(api, "GET", "/members/nobody", **{"If-None-Match": "*"})
    assert (refused.status_code, "ETag" in refused.headers) == (404, False)
    assert _call(api, "PATCH", f"/members/{api.member('pets-1').member_id}", {"display_name": "A"}, **{"If-Match": "what"}).status_code == 412  # fmt: skip


def test_whatever_can_be_changed_can_be_held_against_what_was_seen(api: Api) -> None:
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    without = {
        path
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if method in {"put", "patch", "delete"}
        and "if-match" not in {one["name"] for one in told.get("parameters", [])}
    }
    assert without == set(NO_TAG)


def test_a_profile_of_ones_own_is_held_against_what_was_seen_too(console: Api) -> None:
    mine = account(console)
    sign_in(console)
    seen = console.client.get("/v1/session", headers=OWN).headers["ETag"]
    for name, status in (("Ana D.", 200), ("Ana", 412)):
        answer = console.client.patch("/v1/session", json={"name": name}, headers={**OWN, "If-Match": seen})
        assert answer.status_code == status
    assert console.services.staff_accounts.get(mine).name == "Ana D."


def test_a_list_of_experiments_tells_by_what_each_is_started(api: Api) -> None:
    _made(api, "/experiments", DRAFT)
    [listed] = _call(api, "GET", "/experiments").json()["experiments"]
    results = _call(api, "GET", "/experiments/personal-push/results").json()
    assert listed["etag"] == results["etag"]
    begun = _call(api, "POST", "/experiments/personal-push/start", **{"If-Match": listed["etag"]})
    assert (begun.status_code, begun.json()["status"]) == (200, "running")
    late = _call(api, "POST", "/experiments/personal-push/end", **{"If-Match": results["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert begun.json()["etag"] == late.headers["ETag"]
