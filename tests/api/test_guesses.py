"""Credentials that do not work are counted where they come from, and nobody honest pays for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access import RateLimit, TooManyError
from api.guesses import GUESSES, GUESSES_PER_S, Guesses
from api.shoppers import TOKEN_LIFETIME, WidgetTokens
from stores.database import new_id
from stores.staff_sessions import ACCOUNT
from tests.api.conftest import ORIGIN, Api

READ = "/v1/members"


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> list[float]:
    """Stand still, so that a slow machine gives nobody another try; a test may turn it."""
    now = [0.0]
    if "api" in request.fixturenames:
        services = request.getfixturevalue("api").services
        services.guesses = Guesses(RateLimit(GUESSES, GUESSES_PER_S, name="attempts", clock=lambda: now[0]))
    return now


def guess(api: Api, times: int, path: str = READ, kind: str = "ak_") -> list[httpx.Response]:
    return [api.client.get(path, headers=api.headers(f"{kind}{new_id()}")) for _ in range(times)]


@contextmanager
def looked_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    asked, find = list[str](), api.services.keys.find
    with monkeypatch.context() as patch:
        patch.setattr(api.services.keys, "find", lambda secret: asked.append(secret) or find(secret))
        yield asked


def test_an_address_that_guesses_keys_waits_and_is_told_for_how_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before = guess(api, GUESSES)
    assert {answer.status_code for answer in before} == {401}
    assert before[0].headers["ratelimit"] == f'"attempts";r={GUESSES - 1};t=3'
    assert before[0].headers["ratelimit-policy"] == f'"attempts";q={GUESSES};w={3 * GUESSES}'
    with looked_up(api, monkeypatch) as asked:
        [waits] = guess(api, 1)
        with_page = api.client.post(READ, json={}, headers=api.headers("ak_new") | {"Origin": ORIGIN})
        again = api.client.post(READ, json={}, headers=api.headers("ak_new") | {"Idempotency-Key": new_id()})
    assert asked == [], "what is not looked up cannot be found"
    for answer in (waits, with_page, again):
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-attempts")
        assert 0 < int(answer.headers["retry-after"]) <= 3
        assert answer.headers["ratelimit"].startswith('"attempts";r=0;t=')
    assert with_page.headers["access-control-allow-origin"] == ORIGIN, "a page may read why"


def test_a_key_that_has_worked_goes_on_at_an_address_where_others_guess(api: Api) -> None:
    assert api.client.get(READ, headers=api.headers()).status_code == 200
    shopper = api.token()
    assert guess(api, GUESSES + 5)[-1].status_code == 429
    assert api.client.get(READ, headers=api.headers()).status_code == 200
    assert api.client.get("/v1/basket", headers=api.headers(shopper["token"])).status_code == 200
    late = api.token()
    assert api.client.get("/v1/basket", headers=api.headers(late["token"])).status_code == 200, "signed, so no guess"


def test_a_key_that_was_not_seen_before_waits_its_turn_there_and_no_longer(api: Api, clock: list[float]) -> None:
    honest = api.make_key("members:read")
    guess(api, GUESSES)
    assert api.client.get(READ, headers=api.headers(honest)).headers["retry-after"] == "3"
    clock[0] = 3.0
    assert api.client.get(READ, headers=api.headers(honest)).status_code == 200
    guess(api, 1)
    assert api.client.get(READ, headers=api.headers(honest)).status_code == 200


def test_one_wrong_key_that_is_sent_for_ever_uses_nothing_up(api: Api) -> None:
    key = api.services.keys.find(revoked := api.make_key("members:read"))
    assert key is not None
    api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
    for secret in [revoked, "ak_misspelt"] * (GUESSES + 1):
        assert api.client.get(READ, headers=api.headers(secret)).status_code == 401
    assert guess(api, GUESSES - 1)[-1].status_code == 401, "only the misspelt one counted, once"
    assert guess(api, 1)[0].status_code == 429


@pytest.mark.parametrize("what", ["device", "forged", "junk", "oauth"])
def test_every_kind_of_credential_counts(api: Api, what: str) -> None:
    now, forger = datetime.now(UTC), WidgetTokens(b"f" * 32)
    real = api.services.tokens.read(api.token()["token"])

    def ask(n: int) -> Any:
        if what == "oauth":
            form = {"grant_type": "client_credentials", "client_id": new_id(), "client_secret": f"ak_{new_id()}"}
            return api.client.post("/v1/oauth/token", data=form)
        if what == "device":
            return api.client.get("/v1/kiosks/door/gallery", headers=api.headers(f"dk_{new_id()}"))
        if what == "forged":
            token = forger.issue(real, expires_at=now + TOKEN_LIFETIME + timedelta(seconds=n))
            return api.client.get("/v1/basket", headers=api.headers(token))
        return api.client.get(READ, headers=api.headers(new_id()))

    answers = [ask(n) for n in range(GUESSES + 1)]
    assert [one.status_code for one in answers] == [401] * GUESSES + [429]


def test_tokens_that_ran_out_are_no_guesses(api: Api) -> None:
    key = api.services.keys.find(api.key)
    assert key is not None
    hour = timedelta(hours=1)
    for n in range(GUESSES + 1):
        then = datetime.now(UTC) - hour - timedelta(seconds=n)
        old = api.services.access.issue(key, frozenset({"members:read"}), now=then)
        assert api.client.get(READ, headers=api.headers(old)).status_code == 401
        signed_out = api.token()
        api.services.widget_sessions.end(signed_out["session_id"])
        assert api.client.get("/v1/basket", headers=api.headers(signed_out["token"])).status_code == 401
    assert guess(api, 1)[0].headers["ratelimit"] == f'"attempts";r={GUESSES - 1};t=3'


def test_addresses_do_not_pay_for_each_other(api: Api) -> None:
    assert guess(api, GUESSES + 1)[-1].status_code == 429
    with TestClient(api.client.app, client=("192.0.2.7", 1)) as elsewhere:
        assert elsewhere.get(READ, headers=api.headers("ak_elsewhere")).status_code == 401


def test_who_fails_to_sign_in_is_told_in_the_same_fields(api: Api) -> None:
    body = {"email": "nobody@shop.example", "password": "not the password"}
    answers = [api.client.post("/v1/session", json=body) for _ in range(ACCOUNT.free + 2)]
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "too-many-attempts")
    assert last.headers["ratelimit-policy"] == f'"attempts";q={ACCOUNT.free};w=86400'
    assert last.headers["ratelimit"] == f'"attempts";r=0;t={last.headers["retry-after"]}'


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["guess", "honest", "stuck", "wait"]), st.integers(0, 3)), max_size=60))
def test_no_order_of_tries_locks_out_who_has_worked_or_finds_more_than_the_quota(
    tries: list[tuple[str, int]],
) -> None:
    clock, fresh = [0.0], 0
    guesses, looked = Guesses(RateLimit(3, 1.0, clock=lambda: clock[0])), 0
    guesses.worked("ak_honest")
    for what, n in tries:
        if what == "wait":
            clock[0] += n
            continue
        fresh += what == "guess"
        secret = {"guess": f"ak_{fresh}", "honest": "ak_honest", "stuck": "ak_stuck"}[what]
        try:
            guesses.check("a", secret)
        except TooManyError:
            assert what != "honest"
            continue
        if what == "guess":
            looked += 1
        if what != "honest":
            guesses.failed("a", secret)
    assert looked <= 3 + clock[0]
