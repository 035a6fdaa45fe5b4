"""Passkeys of staff: made while signed in, signed in with, and refused where anything is not as it was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from api.access import RateLimit
from api.passkeys import Passkeys
from api.sessions import COOKIE
from stores.staff_account_tables import staff_accounts
from tests.api.authenticator import Authenticator
from tests.api.conftest import Api
from tests.api.test_staff_accounts import OWN, account, console, sign_in

__all__ = ("console",)
HOME = "http://localhost:8080"


def made(api: Api, device: Authenticator, *, name: str = "My phone") -> Any:
    options = api.client.post("/v1/session/passkeys/options", headers=OWN)
    assert options.status_code == 200
    body = {"name": name, "credential": device.make(options.json())}
    return api.client.post("/v1/session/passkeys", json=body, headers=OWN)


def shown(api: Api, device: Authenticator) -> Any:
    options = api.client.post("/v1/session/passkeys/challenge", headers=OWN).json()
    return api.client.post("/v1/session/passkeys/sign-in", json=device.show(options), headers=OWN)


def test_a_passkey_signs_in_whoever_made_it(console: Api) -> None:
    account_id, device = account(console, "auditor"), Authenticator(HOME, "localhost")
    sign_in(console)
    kept = made(console, device)
    assert (kept.status_code, kept.json()["transports"]) == (201, ["internal"])
    console.client.cookies.clear()
    found = shown(console, device)
    assert (found.status_code, found.json()["account_id"], found.json()["way"]) == (200, account_id, "passkey")
    assert console.client.get("/v1/session").json()["roles"] == ["auditor"]
    assert console.client.get("/v1/session/passkeys").json()["passkeys"][0]["used_at"] is not None
    line = console.services.audit.entries()[-1]
    assert (line.action, line.target, line.detail["way"]) == ("sign-in", account_id, "passkey")


def test_a_challenge_counts_once_and_not_for_long(console: Api) -> None:
    account(console)
    device = Authenticator(HOME, "localhost")
    sign_in(console)
    made(console, device)
    options = console.client.post("/v1/session/passkeys/challenge", headers=OWN).json()
    signed = device.show(options)
    answers = [console.client.post("/v1/session/passkeys/sign-in", json=signed, headers=OWN) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    services, now = console.services, datetime.now(UTC)
    old = services.passkey_ceremonies.challenge(now=now - timedelta(minutes=5, seconds=1))
    answer = console.client.post("/v1/session/passkeys/sign-in", json=device.show(old), headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong-passkey")
    own = device.show({"challenge": "bWFkZSB1cA"})
    assert console.client.post("/v1/session/passkeys/sign-in", json=own, headers=OWN).status_code == 401


def test_who_asks_for_challenges_without_end_is_stopped(console: Api) -> None:
    console.services.ceremony_limit = RateLimit(2, 0.01)
    answers = [console.client.post("/v1/session/passkeys/challenge", headers=OWN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"verified": False}, {"count": -1}]
)
def test_what_is_not_as_it_was_asked_for_is_refused(console: Api, wrong: dict[str, Any]) -> None:
    account(console)
    device = Authenticator(HOME, "localhost")
    sign_in(console)
    made(console, device)
    console.client.cookies.clear()
    key = device._key
    other = replace(device, **wrong)
    other._key = key
    assert shown(console, other).status_code == 401
    assert console.client.get("/v1/session").status_code == 401
    assert shown(console, Authenticator(HOME, "localhost")).status_code == 401, "a passkey of nobody"
    stranger = replace(device, count=100)  # the same id, another key
    assert shown(console, stranger).status_code == 401


def test_a_registration_must_answer_ones_own_challenge_and_be_verified(console: Api) -> None:
    account(console)
    account(console, email="ben@shop.example")
    sign_in(console, "ben@shop.example")
    bens = console.client.post("/v1/session/passkeys/options", headers=OWN).json()
    sign_in(console)
    body = {"name": "x", "credential": Authenticator(HOME, "localhost").make(bens)}
    assert console.client.post("/v1/session/passkeys", json=body, headers=OWN).status_code == 422
    assert made(console, Authenticator(HOME, "localhost", verified=False)).status_code == 422
    for credential in ({}, {"response": {"clientDataJSON": 7}}, {"response": {"clientDataJSON": "e30"}}):
        body = {"name": "x", "credential": credential}
        assert console.client.post("/v1/session/passkeys", json=body, headers=OWN).status_code == 422


def test_an_old_session_makes_nobody_a_way_in(console: Api) -> None:
    account_id = account(console)
    earlier = datetime.now(UTC) - timedelta(minutes=16)
    secret, _ = console.services.sessions.start(account_id, "password", browser="b", at=earlier)
    headers = {**OWN, "Cookie": f"{COOKIE}={secret}"}
    answer = console.client.post("/v1/session/passkeys/options", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "sign-in-again")


def test_passkeys_end_with_their_deletion_but_for_the_last_way_in(console: Api) -> None:
    account(console)
    device = Authenticator(HOME, "localhost")
    sign_in(console)
    passkey = made(console, device).json()["passkey_id"]
    other = made(console, Authenticator(HOME, "localhost")).json()["passkey_id"]
    assert console.client.delete(f"/v1/session/passkeys/{other}", headers=OWN).status_code == 200
    assert made(console, device).status_code == 409, "the same one again"
    with console.services.db.write() as connection:  # as of somebody who has only ever had passkeys
        connection.execute(update(staff_accounts).values(password_hash=None))
    answer = console.client.delete(f"/v1/session/passkeys/{passkey}", headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (409, "last-way-in")
    assert console.client.delete("/v1/session/passkeys/nobodys", headers=OWN).status_code == 404


def test_of_two_deletions_at_once_one_leaves_a_way_in(console: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    account_id = account(console)
    sign_in(console)
    one, two = (made(console, Authenticator(HOME, "localhost")).json()["passkey_id"] for _ in range(2))
    with console.services.db.write() as connection:
        connection.execute(update(staff_accounts).values(password_hash=None))
    kept, both = console.services.passkeys, console.services.passkeys.of(account_id)
    monkeypatch.setattr(type(kept), "of", lambda *_: both)  # what each of the two has seen before
    answers = [console.client.delete(f"/v1/session/passkeys/{which}", headers=OWN).status_code for which in (one, two)]
    assert answers == [200, 409]
    assert kept.counts([account_id]) == {account_id: 1}


@pytest.mark.parametrize(
    ("url", "possible"),
    [("https://aisle.shop.example", True), ("http://127.0.0.1:8080", True), ("http://localhost:9", True),
     ("http://shop.local", False), ("https://10.0.0.7", False), ("http://10.0.0.7:8080", False)],
)  # fmt: skip
def test_passkeys_are_offered_where_browsers_give_them(console: Api, url: str, possible: bool) -> None:
    services = console.services
    services.passkey_ceremonies = Passkeys(services.passkeys, services.ceremonies, url, "Shop")
    assert console.client.get("/v1/session/ways").json()["passkey"] is possible
    assert console.client.post("/v1/session/passkeys/challenge", headers=OWN).status_code == (200 if possible else 503)
