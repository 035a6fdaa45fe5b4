"""Signing in by the company's own OpenID provider, against one that answers over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api import oidc
from api.access import RateLimit
from api.oidc import Oidc, OidcError, Provider, mapped
from stores.errors import ConflictError
from stores.staff_sessions import ADDRESS
from tests.api.conftest import Api
from tests.api.openid_provider import CLIENT, SECRET, OpenIdProvider, serving
from tests.api.test_staff_accounts import OWN, account, console

__all__ = ("console",)
ANA = {"sub": "ana-1", "email": "ana@shop.example", "email_verified": True, "name": "Ana Diaz", "groups": ["staff"]}


@pytest.fixture
def provider(console: Api) -> Iterator[OpenIdProvider]:
    with serving(OpenIdProvider(claims=dict(ANA))) as found:
        settings = console.services.settings
        settings.oidc_issuer, settings.oidc_client_id = found.issuer, CLIENT
        settings.oidc_client_secret, settings.oidc_name = SecretStr(SECRET), "Shop & Co"
        vars(console.services).pop("oidc", None)
        yield found


def come_back(api: Api, provider: OpenIdProvider, **instead: str) -> Any:
    gone = api.client.get("/v1/session/oidc", follow_redirects=False)
    assert gone.status_code == 303
    back = {**provider.authorize(gone.headers["location"]), **instead}
    return api.client.get("/v1/session/oidc/callback", params=back, follow_redirects=False)


def failed(answer: Any) -> str:
    assert answer.status_code == 303
    assert "aisle_session" not in answer.headers.get("set-cookie", "")
    return str(answer.headers["location"]).partition("failed=")[2]


def test_who_has_an_account_comes_in_by_a_verified_address(console: Api, provider: OpenIdProvider) -> None:
    ana = account(console, "marketer")
    assert console.client.get("/v1/session/ways").json()["oidc"] == "Shop & Co"
    answer = come_back(console, provider)
    assert answer.headers["location"] == "/console/"
    me = console.client.get("/v1/session").json()
    assert (me["account_id"], me["way"], me["roles"]) == (ana, "oidc", ["marketer"])
    assert provider.asked[0]["grant_type"] == "authorization_code"
    provider.claims |= {"email": "ana.diaz@shop.example"}  # the address changed there; who she is did not
    assert come_back(console, provider).headers["location"] == "/console/"
    assert console.client.get("/v1/session").json()["account_id"] == ana


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email": "nobody@shop.example"},
        {"email": None},
        {"email_verified": None},
        {"email_verified": ["true"]},
    ],
)
def test_nobody_else_comes_in(console: Api, provider: OpenIdProvider, claims: dict[str, Any]) -> None:
    account(console)
    provider.claims |= claims
    assert failed(come_back(console, provider)) == "oidc-no-account"
    assert console.services.staff_accounts.count() == 1


def test_an_address_that_was_given_to_somebody_else_opens_no_account(console: Api, provider: OpenIdProvider) -> None:
    account(console)
    come_back(console, provider)
    provider.claims |= {"sub": "another person"}
    assert failed(come_back(console, provider)) == "oidc-no-account"


def test_a_disabled_account_stays_closed(console: Api, provider: OpenIdProvider) -> None:
    ana = account(console)
    console.services.staff_accounts.change(ana, now=datetime.now(UTC), disabled=True)
    assert failed(come_back(console, provider)) == "oidc-no-account"


@pytest.mark.parametrize(
    "wrong",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"aud": [CLIENT, "another"]}, {"azp": "another"}, {"nonce": "another"},
     {"exp": 1_000_000_000}, {"iat": 99_999_999_999}, {"sub": None}],
)  # fmt: skip
def test_a_token_of_another_sign_in_client_or_time_is_refused(
    console: Api, provider: OpenIdProvider, wrong: dict[str, Any]
) -> None:
    account(console)
    provider.wrong = wrong
    assert failed(come_back(console, provider)) == "oidc-failed"


@pytest.mark.parametrize("signer", ["none", "HS256", "another key"])
def test_only_the_providers_own_key_signs(console: Api, provider: OpenIdProvider, signer: str) -> None:
    account(console)
    provider.signer = signer
    assert failed(come_back(console, provider)) == "oidc-failed"


def test_a_key_that_is_new_there_is_read_and_strange_names_of_keys_are_not_asked_for_each_time(
    console: Api, provider: OpenIdProvider
) -> None:
    account(console)
    come_back(console, provider)
    known = console.services.oidc
    assert known is not None
    assert known._keys is not None
    known._keys = (known._keys[0] - 60, known._keys[1])
    provider.new_key()
    assert come_back(console, provider).headers["location"] == "/console/"
    provider.kid = "made up"
    read = provider.keys_read
    for _ in range(3):
        assert failed(come_back(console, provider)) == "oidc-failed"
    assert provider.keys_read == read


def test_a_sign_in_comes_back_once_to_the_browser_that_began_it(console: Api, provider: OpenIdProvider) -> None:
    account(console)
    gone = console.client.get("/v1/session/oidc", follow_redirects=False)
    back = provider.authorize(gone.headers["location"])
    assert "HttpOnly" in gone.headers["set-cookie"]
    cookies = dict(console.client.cookies)
    console.client.cookies.clear()

    def ask() -> Any:
        return console.client.get("/v1/session/oidc/callback", params=back, follow_redirects=False)

    assert failed(ask()) == "oidc-expired", "another browser, made to follow the link"
    console.client.cookies.update(cookies)
    assert ask().headers["location"] == "/console/"
    console.client.cookies.clear()
    console.client.cookies.update(cookies)
    assert failed(ask()) == "oidc-expired", "a second time"
    console.client.cookies.clear()
    assert failed(come_back(console, provider, iss="https://evil.example")) == "oidc-failed"
    assert failed(come_back(console, provider, error="access_denied")) == "oidc-refused"
    assert failed(come_back(console, provider, code="made up")) == "oidc-failed"


def test_roles_follow_the_providers_groups_where_the_settings_map_them(console: Api, provider: OpenIdProvider) -> None:
    account(console, "admin", email="root@shop.example")
    console.services.settings.oidc_roles = "staff=agent, shop-admins=admin"
    vars(console.services).pop("oidc", None)
    come_back(console, provider)
    ana = console.client.get("/v1/session").json()
    assert (ana["name"], ana["roles"], ana["has_password"]) == ("Ana Diaz", ["agent"], False)
    provider.claims["groups"] = ["staff", "shop-admins", "golf"]
    come_back(console, provider)
    assert console.client.get("/v1/session").json()["roles"] == ["admin", "agent"]
    provider.claims["groups"] = "golf"
    assert failed(come_back(console, provider)) == "oidc-no-role"
    provider.claims |= {"sub": "eve", "email": "eve@shop.example"}
    assert failed(come_back(console, provider)) == "oidc-no-account"
    assert console.services.staff_accounts.by_email("eve@shop.example") is None


def test_where_the_provider_is_away_the_page_says_so(console: Api) -> None:
    assert console.client.get("/v1/session/oidc", headers=OWN).status_code == 404
    console.services.settings.oidc_issuer = "http://127.0.0.1:9"
    vars(console.services).pop("oidc", None)
    gone = console.client.get("/v1/session/oidc", follow_redirects=False)
    assert failed(gone) == "oidc-unavailable"


def test_a_provider_that_hangs_is_not_waited_for_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def hang(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        raise httpx.ReadTimeout("nothing came")

    http = httpx.Client(transport=httpx.MockTransport(hang))
    found = Oidc(Provider("https://login.shop.example", CLIENT, SECRET, "groups", {}), http)
    for _ in range(3):
        with pytest.raises(OidcError) as told:
            found.begin("https://shop.example/back")
        assert told.value.code == "oidc-unavailable"
    assert len(asked) == 1
    monkeypatch.setattr(oidc, "AWAY_S", 0.0)
    with pytest.raises(OidcError):
        found.begin("https://shop.example/back")
    assert len(asked) == 2


def test_a_page_that_sends_browsers_back_locks_nobody_out_and_fills_no_log(
    console: Api, provider: OpenIdProvider
) -> None:
    account(console)
    before = len(console.services.audit.entries())
    for _ in range(ADDRESS.free + 3):
        made_up = console.client.get(
            "/v1/session/oidc/callback", params={"state": "x", "code": "y"}, follow_redirects=False
        )
        assert failed(made_up) == "oidc-expired"
    assert len(console.services.audit.entries()) == before
    assert come_back(console, provider).headers["location"] == "/console/"


def test_codes_that_the_provider_does_not_know_are_counted(console: Api, provider: OpenIdProvider) -> None:
    account(console)
    for _ in range(ADDRESS.free + 1):
        answer = come_back(console, provider, code="made up")
        assert answer.status_code in {303, 429}
    assert come_back(console, provider).status_code == 429


def test_who_begins_without_end_is_stopped(console: Api, provider: OpenIdProvider) -> None:
    console.services.ceremony_limit = RateLimit(2, 0.01)
    answers = [console.client.get("/v1/session/oidc", follow_redirects=False).status_code for _ in range(3)]
    assert answers == [303, 303, 429]


@pytest.mark.parametrize("taken", ["add", "bind"])
def test_who_signs_in_twice_at_once_is_told_on_the_page(
    console: Api, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    console.services.settings.oidc_roles = "staff=agent"
    vars(console.services).pop("oidc", None)

    def conflict(*_: Any, **__: Any) -> None:
        raise ConflictError("it is there by now")

    monkeypatch.setattr(console.services.staff_accounts, taken, conflict)
    assert failed(come_back(console, provider)) == "oidc-failed"


def test_settings_that_cannot_be_meant_are_told_at_the_start() -> None:
    with pytest.raises(OidcError, match="not https"):
        Oidc(Provider("http://login.shop.example", CLIENT, SECRET, "groups", {}))
    with pytest.raises(OidcError, match="value=role"):
        mapped("admins=king")
    assert mapped("a=b=admin, crm=marketer,") == {"a=b": "admin", "crm": "marketer"}
