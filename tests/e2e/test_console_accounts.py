"""Accounts in the console: an invitation taken up, a passkey made and signed in with, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api import passwords
from api.passkeys import Passkeys
from api.sessions import COOKIE
from bench.axe import serious
from stores.database import Database
from tests.e2e.small_server import Shop, opened

pytestmark = pytest.mark.e2e
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    with opened(sqlite_database, tmp_path / "shop", models_dir) as running:
        yield running


def test_who_is_invited_comes_in_and_then_by_passkey_alone(open_browser: Callable[..., Browser], shop: Shop) -> None:
    browser, services = open_browser(), shop.services
    url = shop.url.replace("127.0.0.1", "localhost")  # browsers give passkeys to names, not to addresses
    services.passkey_ceremonies = Passkeys(services.passkeys, services.ceremonies, url, "Shop")
    admin = services.staff_accounts.add("ana@shop.example", "Ana", ["admin"], at=datetime.now(UTC))
    secret, _ = services.sessions.start(admin.account_id, "password", browser="test", at=datetime.now(UTC))
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce", locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": url, "httpOnly": True, "sameSite": "Strict"}])
    page = context.new_page()
    page.goto(f"{url}/console/accounts")
    page.get_by_role("button", name="Invite somebody").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Ben Roth")
    form.get_by_label("E-mail").fill("ben@shop.example")
    assert serious(page) == []
    form.get_by_role("button", name="Invite somebody").click()
    link = form.locator("code").inner_text()

    guest = browser.new_context(reduced_motion="reduce", locale="en-GB").new_page()
    keys = guest.context.new_cdp_session(guest)
    keys.send("WebAuthn.enable")
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    guest.goto(url + "/console/welcome" + link.partition("/console/welcome")[2])
    expect(guest.get_by_text("Hello Ben Roth")).to_be_visible()
    guest.get_by_label("New password").fill("password1234")
    guest.get_by_role("button", name="Come in").click()
    expect(guest.get_by_role("alert")).to_contain_text("tried first")
    guest.get_by_label("New password").fill("seven quiet lamps")
    guest.get_by_role("button", name="Come in").click()
    expect(guest.get_by_role("button", name="Ben Roth")).to_be_visible()

    guest.goto(f"{url}/console/account")
    guest.get_by_label("What it is called").fill("My phone")
    guest.get_by_role("button", name="Add a passkey").click()
    expect(guest.get_by_text("My phone")).to_be_visible()
    guest.get_by_role("button", name="Ben Roth").click()
    guest.get_by_role("menuitem", name="Sign out").click()
    guest.get_by_role("button", name="Sign in with a passkey").click()
    expect(guest.get_by_role("button", name="Ben Roth")).to_be_visible()
    guest.goto(f"{url}/console/account")
    expect(guest.get_by_role("row").filter(has_text="this one")).to_contain_text("passkey")

    page.reload()
    row = page.get_by_role("row").filter(has_text="Ben Roth")
    expect(row).to_contain_text("open")
    row.get_by_role("button", name="Let in no longer").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Let in no longer").click()
    expect(row).to_contain_text("disabled")
    guest.reload()
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()


def test_who_signs_in_next_is_shown_nothing_of_who_was_here(open_browser: Callable[..., Browser], shop: Shop) -> None:
    services, now = shop.services, datetime.now(UTC)
    people = [services.staff_accounts.add(f"{name}@shop.example", name, ["admin"], at=now) for name in ("Ana", "Ben")]
    services.staff_accounts.set_password(people[1].account_id, passwords.accept("seven quiet lamps"), at=now)
    secret, _ = services.sessions.start(people[0].account_id, "password", browser="test", at=now)
    context = open_browser().new_context(reduced_motion="reduce", locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": shop.url, "httpOnly": True, "sameSite": "Strict"}])
    page = context.new_page()
    page.goto(f"{shop.url}/console/accounts")
    row = page.get_by_role("row").filter(has_text="ana@shop.example")
    expect(row).to_be_visible()
    services.sessions.end(people[0].account_id)
    page.get_by_role("link", name="Customers").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.route("**/v1/accounts*", lambda _: None)  # the list is asked for anew, and has not come yet
    page.get_by_label("E-mail").fill("ben@shop.example")
    page.get_by_label("Password").fill("seven quiet lamps")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Ben")).to_be_visible()
    with page.expect_request("**/v1/accounts*"):
        page.go_back()
    expect(row).to_have_count(0)
