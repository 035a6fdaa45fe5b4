"""Campaigns, dials and experiments in the console, by what its pages say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from api.sessions import COOKIE
from bench.axe import serious
from bench.console_walk import first_campaign
from stores.coupon_tables import budgets, campaigns
from stores.database import Database
from tests.e2e.small_server import Shop, opened
from tests.small_shop import fill

pytestmark = pytest.mark.e2e
NOW = datetime.now(UTC)


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    fill(sqlite_database)
    with opened(sqlite_database, tmp_path / "shop", models_dir) as running:
        yield running


def enter(browser: Browser, shop: Shop, name: str, scheme: str = "light", width: int = 1440) -> Page:
    """Sign a marketer in."""
    made = shop.services.staff_accounts.add(f"{name}@shop.example".lower(), name, ("marketer",), at=NOW)
    secret, _ = shop.services.sessions.start(made.account_id, "password", browser="test", at=datetime.now(UTC))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    context.add_cookies([{"name": COOKIE, "value": secret, "url": shop.url, "httpOnly": True, "sameSite": "Strict"}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def test_somebody_new_launches_a_first_campaign_within_three_minutes(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    page = enter(open_browser(), shop, "Ana")
    walk = first_campaign(page, shop.url)
    assert walk.human_s < 180, walk
    assert walk.seconds < 180, walk
    with shop.services.db.read() as connection:
        live = connection.execute(select(campaigns).where(campaigns.c.campaign_id != "c1")).one()
        money = connection.execute(select(budgets).where(budgets.c.campaign_id == live.campaign_id)).one()
    assert (live.name, live.objective, money.total, money.paused) == ("Autumn coffee", "revenue", 15_000, False)
    assert shop.services.experiments.get(f"holdout-{live.campaign_id}").status == "running"
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("It is paused: no coupon is given", exact=False).first).to_be_visible()
    page.get_by_role("tab", name="Results").click()
    expect(page.get_by_text("Nothing can be said yet", exact=False)).to_be_visible()
    page.get_by_role("button", name="End").click()
    page.get_by_role("alertdialog").get_by_role("button", name="End").click()
    expect(page.get_by_text("It has ended", exact=False).first).to_be_visible()
    page.get_by_role("link", name="All campaigns").click()
    expect(page.get_by_role("cell", name="Ended")).to_be_visible()
    assert not serious(page)


def test_a_large_campaign_waits_for_a_second_person(open_browser: Callable[..., Browser], shop: Shop) -> None:
    browser = open_browser()
    page, other = enter(browser, shop, "Ana"), enter(browser, shop, "Bo")
    page.goto(f"{shop.url}/console/campaigns/new")
    page.get_by_role("textbox", name="Name", exact=True).fill("Large")
    for _ in range(4):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("textbox", name="Budget", exact=True).fill("900")
    page.get_by_role("textbox", name="Budget", exact=True).press("Tab")
    page.get_by_role("button", name="Save and simulate").click()
    expect(page.get_by_text("Its budget needs a second person", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_text("Expected cost")).to_be_visible(timeout=60_000)
    assert not serious(page)
    other.goto(page.url)
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_role("button", name="Launch")).to_be_visible()
    other.get_by_role("tab", name="Plan").click()
    expect(other.get_by_text("Approved by")).to_be_visible()


def test_a_campaign_brings_its_own_posters_which_somebody_approves(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    page = enter(open_browser(), shop, "Ana")
    page.goto(f"{shop.url}/console/campaigns/new")
    page.get_by_role("textbox", name="Name", exact=True).fill("Coffee days")
    for _ in range(3):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("searchbox", name="Draw posters for a product").fill("coffee")
    page.get_by_role("list", name="Products").get_by_role("button").first.click()
    expect(page.get_by_text("are drawn once you save", exact=False)).to_be_visible()
    assert not serious(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save and simulate").click()
    expect(page.get_by_text("None of the 6 posters", exact=False)).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Approve posters").first.click()
    page.get_by_role("button", name="Approve: ", exact=False).first.click()
    expect(page.get_by_text("Running (1)")).to_be_visible()
    page.get_by_role("link", name="Open the campaign").click()
    expect(page.get_by_text("Posters approved, which start with the launch: 1.", exact=False)).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("It is running.", exact=False)).to_be_visible()
    page.get_by_role("tab", name="Posters").click()
    expect(page.get_by_role("cell", name="1 of 6")).to_be_visible()
    assert not serious(page)
    [posters] = shop.services.creative_campaigns.page()
    assert (posters.held, posters.owner is None) == (False, False)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("cell", name="Wait for the campaign")).to_be_visible()
    assert shop.services.creative_campaigns.page()[0].held


def test_a_dial_is_turned_proposed_applied_by_a_second_person_and_taken_back(
    open_browser: Callable[..., Browser], shop: Shop
) -> None:
    browser = open_browser()
    page, other = enter(browser, shop, "Ana", scheme="dark"), enter(browser, shop, "Bo", width=390)
    page.goto(f"{shop.url}/console/tuning")
    expect(page.get_by_text("Nobody has turned a dial yet")).to_be_visible()
    slider = page.get_by_role("slider", name="Deepest discount")
    slider.focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("needs a second person", exact=False)).to_be_visible()
    expect(page.get_by_text("6 of 6 sample shoppers would see something else.", exact=False)).to_be_visible()
    page.get_by_role("textbox", name="Why?").fill("Smaller coupons")
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_role("cell", name="Smaller coupons")).to_be_visible()
    expect(page.get_by_role("button", name="Apply", exact=True)).to_have_count(0)
    assert not serious(page)
    other.goto(f"{shop.url}/console/tuning")
    other.get_by_role("button", name="Apply", exact=True).click()
    expect(other.get_by_text("Counts now")).to_be_visible()
    assert shop.services.tunings.applied().policy.discounts.deepest == pytest.approx(0.05)
    assert not serious(other)
    other.get_by_role("button", name="Back to how it ships").click()
    other.get_by_role("alertdialog").get_by_role("button", name="Go back to this").click()
    expect(other.get_by_role("cell", name="Counts now")).to_be_visible()
    expect(other.get_by_role("slider", name="Deepest discount")).to_have_value("0.5")
    assert shop.services.tunings.applied().restored == 0


def test_an_experiment_is_sized_started_and_read(open_browser: Callable[..., Browser], shop: Shop) -> None:
    page = enter(open_browser(), shop, "Ana", width=1024)
    page.goto(f"{shop.url}/console/experiments")
    page.get_by_role("link", name="Plan your first experiment").click()
    expect(page.get_by_text("people in all show a change", exact=False)).to_be_visible()
    page.get_by_role("textbox", name="What do you expect?").fill("Coupons bring more orders.")
    page.get_by_text("Read it once").click()
    expect(page.get_by_role("heading", name="How many people come?")).to_be_visible()
    assert not serious(page)
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("It is running.", exact=False)).to_be_visible()
    expect(page.get_by_text("Nothing can be said yet", exact=False)).to_be_visible()
    found = shop.services.experiments.get("coupons-bring-more-orders").experiment
    assert found.design == "fixed"
    assert found.planned_units > 0
    page.get_by_role("tab", name="By segment").click()
    expect(page.get_by_text("nothing below is a find yet", exact=False)).to_be_visible()
    assert not serious(page)
