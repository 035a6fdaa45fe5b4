"""API keys are exchanged for access tokens with some of their scopes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access import LIFETIME
from tests.api.conftest import Api


def ask(api: Api, secret: str, **form: str) -> Any:
    key = api.services.keys.find(secret)
    told = {"client_id": key.key_id if key else "nobody", "client_secret": secret, "grant_type": "client_credentials"}
    return api.client.post("/v1/oauth/token", data={**told, **form})


def test_a_token_may_do_what_was_asked_for_and_no_more(api: Api) -> None:
    answer = ask(api, api.key, scope="members:read")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()["access_token"]
    assert api.client.get("/v1/members", headers=api.headers(token)).status_code == 200
    body = {"external_id": "crm-1", "display_name": "Ann"}
    assert api.client.post("/v1/members", json=body, headers=api.headers(token)).status_code == 403


def test_basic_credentials_are_taken_as_well(api: Api) -> None:
    key = api.services.keys.find(api.key)
    assert key is not None
    form = {"grant_type": "client_credentials"}
    answer = api.client.post("/v1/oauth/token", data=form, auth=(key.key_id, api.key))
    assert (answer.status_code, answer.json()["scope"].split()) == (200, sorted(key.scopes))


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "ak_wrong"}, 401, "invalid_client"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_refusals_are_oauths_own(api: Api, form: dict[str, str], status: int, error: str) -> None:
    answer = ask(api, api.key, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_ends_with_its_time_its_key_and_its_scopes(api: Api) -> None:
    secret = api.make_key("members:read")
    key = api.services.keys.find(secret)
    assert key is not None
    old = api.services.access.issue(key, key.scopes, now=datetime.now(UTC) - LIFETIME - timedelta(seconds=1))
    assert api.client.get("/v1/members", headers=api.headers(old)).status_code == 401
    more = api.services.access.issue(key, frozenset({"members:read", "erase"}))
    found = api.services.access.find(more)
    assert found is not None
    assert found.scopes == {"members:read"}, "a scope that the key does not have is none of the token's"
    token = ask(api, secret).json()["access_token"]
    api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
    assert api.client.get("/v1/members", headers=api.headers(token)).status_code == 401


def test_a_widget_token_is_no_access_token_and_the_other_way_round(api: Api) -> None:
    widget, token = api.token()["token"], ask(api, api.key).json()["access_token"]
    assert api.client.get("/v1/members", headers=api.headers(widget)).status_code == 401
    assert api.client.post("/v1/conversations", headers=api.headers(token)).status_code == 401


def test_answers_tell_what_is_left_of_the_quota(api: Api) -> None:
    one, two = (api.client.get("/v1/members", headers=api.headers()) for _ in range(2))
    assert one.headers["ratelimit-policy"] == two.headers["ratelimit-policy"] == '"key";q=2000;w=10'
    assert all(answer.headers["ratelimit"].startswith('"key";r=199') for answer in (one, two))
    found = api.client.get("/.well-known/oauth-authorization-server").json()
    assert found["token_endpoint"].endswith("/v1/oauth/token")
