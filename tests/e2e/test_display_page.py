"""The display policy's page: what a marketer does with mouse or keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api import passwords
from bench.axe import serious
from stores.database import Database
from tests.e2e.small_server import Shop, opened
from tests.small_shop import fill

pytestmark = pytest.mark.e2e
PATIENCE_MS = 20_000


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    fill(sqlite_database)
    with opened(sqlite_database, tmp_path / "shop", models_dir) as running:
        yield running


def enter(browser: Browser, shop: Shop, name: str, scheme: str = "light") -> Page:
    email, password = f"{name.lower()}@shop.example", "a long enough secret"
    account = shop.services.staff_accounts.add(email, name, ["marketer"], at=datetime.now(UTC))
    shop.services.staff_accounts.set_password(account.account_id, passwords.accept(password), at=datetime.now(UTC))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    answer = page.goto(f"{shop.url}/console/display")
    assert answer is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("display-timeline")).to_be_visible(timeout=PATIENCE_MS)
    return page


def press(page: Page, place: str, key: str, times: int) -> None:
    page.get_by_test_id(f"slider-{place}").focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_a_marketer_tries_saves_and_takes_back_with_the_keyboard_alone(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    page = enter(open_browser(), shop, "Ana")
    before = page.get_by_test_id("display-timeline").get_attribute("aria-label") or ""
    assert "Calm" in before
    expect(page.get_by_test_id("display-flickers")).to_contain_text("No screen flickers")
    expect(page.get_by_test_id("display-save")).to_be_disabled()
    expect(page.get_by_test_id("display-empty")).to_be_visible()
    press(page, "calm.below", "Home", 1)  # nobody looks that unhappy
    expect(page.get_by_test_id("display-timeline")).not_to_have_attribute("aria-label", before)
    assert "Calm" not in (page.get_by_test_id("display-timeline").get_attribute("aria-label") or "")
    page.get_by_test_id("display-note").focus()
    page.keyboard.type("Nobody wants calm")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("display-done")).to_contain_text("Version 1 is saved")
    press(page, "leaving", "ArrowRight", 2)
    page.get_by_test_id("display-note").fill("A little longer")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("display-done")).to_contain_text("Version 2 is saved")
    page.get_by_test_id("restore-1").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Version 3 is saved")
    expect(page.get_by_role("region", name="What was saved before?").locator("tbody tr").first).to_contain_text(
        "as version 1"
    )
    newest = shop.services.display_policies.newest()
    assert newest is not None
    assert (newest.version, newest.policy.calm_below, newest.policy.leaving, newest.author) == (3, -1.0, 1.0, "Ana")


def test_values_that_do_not_go_together_are_told_at_their_slider_and_cannot_be_saved(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    page = enter(open_browser(), shop, "Ana")
    press(page, "calm.until", "Home", 1)
    expect(page.get_by_role("alert")).to_contain_text("has to be above -0.35")
    expect(page.get_by_test_id("slider-calm.until")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("display-save")).to_be_disabled()
    page.get_by_test_id("display-undo").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_test_id("display-visit").select_option("a restless face")
    for place in ("calm.after", "calm.for", "inspire.after", "shortest"):
        press(page, place, "Home", 1)
    expect(page.get_by_test_id("display-flickers")).to_contain_text("flicker")
    expect(page.get_by_test_id("display-flickers")).not_to_contain_text("No screen")


def test_what_somebody_else_saved_meanwhile_is_not_lost_and_neither_is_mine(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    browser = open_browser()
    ana, ben = enter(browser, shop, "Ana"), enter(browser, shop, "Ben")
    for page, place in ((ana, "leaving"), (ben, "shortest")):
        press(page, place, "ArrowRight", 2)
        page.get_by_test_id("display-note").fill("mine")
        page.keyboard.press("Enter")
        if page is ana:  # else Ben's may be the first to arrive
            expect(ana.get_by_test_id("display-done")).to_contain_text("Version 1 is saved")
    expect(ben.get_by_role("alert")).to_contain_text("Ana")
    expect(ben.get_by_role("alert")).to_contain_text("changed this while you had it open")
    assert serious(ben) == []
    ben.get_by_role("button", name="Keep mine").click()
    expect(ben.get_by_test_id("display-note")).to_be_focused()
    ben.keyboard.press("Enter")
    expect(ben.get_by_test_id("display-done")).to_contain_text("Version 2 is saved")
