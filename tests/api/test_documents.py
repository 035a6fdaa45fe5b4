"""What /docs promises: generated requests get documented answers, and never a bare error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Api

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = {"/v1/kiosks/{kiosk_id}/display", "/v1/agents/stream", "/v1/overview/stream"}


def operations(api: Api) -> Iterator[Any]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.client.app)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in ENDLESS:
            yield operation


def test_no_generated_request_gets_an_undocumented_answer(api: Api) -> None:
    kiosk = api.client.post("/v1/kiosks", json={"name": "door"}, headers=api.headers()).json()
    known = {"kiosk_id": kiosk["kiosk_id"], "member_id": api.member("pets-2").member_id, "product_id": "milk-1"}
    asked: list[int] = []
    token = api.token("pets-4")["token"]

    def credential(path: str) -> str:
        if "{kiosk_id}" in path:
            return str(kiosk["device_key"])
        return token if "/me/" in path or "conversations" in path or "renew" in path else api.key

    def try_out(operation: Any, headers: dict[str, str]) -> None:
        @hypothesis.settings(
            max_examples=5, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            api.services.rate_limit.forget()
            api.services.fraud._until.clear()
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)
            asked.append(answer.status_code)

        one()

    for operation in operations(api):
        try_out(operation, api.headers(credential(operation.path)))
    assert len(asked) > 200
    assert {200, 201, 404, 422} <= set(asked)


def test_the_document_has_no_tuples_which_generators_of_clients_do_not_know(api: Api) -> None:
    assert "prefixItems" not in json.dumps(api.client.app.openapi())  # type: ignore[attr-defined]


@pytest.mark.parametrize("nasty", ["\0", "\ud800", "a" * 100_000, "🛒" * 500, "' OR 1=1 --", "{{7*7}}", "\u202e"])
def test_odd_characters_are_data_or_a_clear_refusal_everywhere(api: Api, nasty: str) -> None:

    token = api.token()["token"]
    bodies = {
        "/v1/recommendations": {"query": nasty},
        "/v1/members": {"external_id": nasty, "display_name": nasty, "email": nasty},
        "/v1/widget-tokens": {"visitor_id": nasty},
        "/v1/coupons": {"member_id": nasty},
        "/v1/coupons/X/redeem": {"order_id": nasty},
        "/v1/consents": {"member_id": "m", "purpose": "marketing", "granted": True, "text_version": nasty},
        "/v1/events": {"events": [{"event_id": "e", "type": "viewed", "at": "2026-01-01T00:00:00Z", "product_id": nasty,
                                   "payload": {nasty: {"deep": [nasty]}}}]},
    }  # fmt: skip
    for path, body in bodies.items():
        answer = api.client.post(path, content=json.dumps(body), headers=api.headers())
        assert answer.status_code in {200, 201, 404, 422}, (path, answer.text)
    conversation = api.client.post("/v1/conversations", headers=api.headers(token)).json()["conversation_id"]
    said = api.client.post(f"/v1/conversations/{conversation}/messages", content=json.dumps({"text": nasty}),
                           headers=api.headers(token))  # fmt: skip
    assert said.status_code in {200, 422}
    history = api.client.get(f"/v1/conversations/{conversation}", headers=api.headers(token)).json()["messages"]
    assert [m["text"] for m in history if m["role"] == "user"] == ([nasty] if said.status_code == 200 else [])


def test_an_address_with_a_nul_character_is_not_found(api: Api) -> None:
    for path in ("/v1/members/%00", "/v1/coupons/a%00b", "/v1/members?name=%00", "/v1/products/%00/picture.svg"):
        assert api.client.get(path, headers=api.headers()).status_code == 404, path


def test_an_event_that_no_database_can_hold_is_rejected_and_its_neighbours_are_kept(api: Api) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    odd = [{"type": "bought", "payload": {"lines": deep}}, {"type": "page_viewed", "payload": {"page": "y" * 70_000}},
           {"at": "0001-01-01T00:00:00+14:00"}, {"at": "9999-12-31T23:59:59-12:00"},
           {"type": "bought", "payload": {"order_id": "\0"}},
           {"type": "redeemed"}, {"type": "alerted", "payload": {"kind": "lapse_risk"}}, {"type": "located"},
           {"type": "mentioned", "payload": {"sentiment": 7}}]  # fmt: skip
    events = [{"event_id": f"e{n}", "type": "viewed", "at": "2026-01-01T00:00:00Z", **one} for n, one in enumerate(odd)]
    good = {"event_id": "good", "type": "viewed", "at": "2026-01-01T00:00:00Z", "payload": {"nobody asked": deep}}
    answer = api.client.post("/v1/events", json={"events": [*events, good]}, headers=api.headers()).json()
    assert answer["accepted"] == 1
    assert [rejected["index"] for rejected in answer["rejected"]] == list(range(len(odd)))


def test_a_body_that_is_too_large_is_refused_before_and_while_it_is_read(api: Api) -> None:
    announced = api.client.post("/v1/events", content=b" " * 4_000_001, headers=api.headers())
    streamed = api.client.post("/v1/events", content=(b" " * 500_000 for _ in range(9)), headers=api.headers())
    assert [answer.json()["code"] for answer in (announced, streamed)] == ["too-large", "too-large"]
    assert {announced.status_code, streamed.status_code} == {413}
