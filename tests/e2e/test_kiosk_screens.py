"""Every screen and sheet of a kiosk, in light and dark: axe finds nothing serious, fingers hit, and nothing is out of sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.axe import serious
from stores.database import Database
from tests.e2e.kiosk_walk import Walk
from tests.e2e.small_server import Shop, opened
from tests.small_shop import fill

pytestmark = pytest.mark.e2e
PORTRAIT = {"width": 1080, "height": 1920}
TABLETS = [(820, 1180), (1180, 820), (800, 1280), (1024, 768)]
FINGER_PX = 80
IDLE_MS = 61_000
# what can be touched and is too small, and what a screen's own buttons hide below its edge
TOUCHED = """() => [...document.querySelectorAll("#kiosk :is(button, a, input, select)")]
  .filter((one) => one.getClientRects().length)
  .map((one) => ({ one, box: one.getBoundingClientRect() }))
  .map(({ one, box }) => ({ name: one.dataset.testid ?? one.className, width: box.width, height: box.height,
    inSight: box.left >= 0 && box.right <= innerWidth + 1 && box.top >= 0 && box.bottom <= innerHeight + 1 }))"""
WIDER = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path, models_dir: Path) -> Iterator[Shop]:
    fill(sqlite_database)
    with opened(sqlite_database, tmp_path / "shop", models_dir) as running:
        yield running


@pytest.fixture
def kiosk(open_browser: Callable[..., Browser]) -> Page:
    context = open_browser().new_context(
        viewport=PORTRAIT,  # type: ignore[arg-type]
        reduced_motion="reduce",
        bypass_csp=True,
    )
    return context.new_page()


def out_of_reach(page: Page) -> list[str]:
    """Return what is too small for a finger or not in sight, and whether the page is wider than the screen."""
    found = page.evaluate(TOUCHED)
    hidden = [f"{one['name']} is out of sight" for one in found if not one["inSight"]]
    return [*hidden, *(["the page is too wide"] if page.evaluate(WIDER) > 0 else [])]


def too_small(page: Page) -> list[str]:
    return [
        f"{one['name']}: {one['width']:.0f} x {one['height']:.0f}"
        for one in page.evaluate(TOUCHED)
        if min(one["width"], one["height"]) < FINGER_PX
    ]


def test_axe_finds_nothing_serious_and_fingers_hit_on_every_screen_and_sheet(shop: Shop, kiosk: Page) -> None:
    found: dict[str, list[str]] = {}
    for name in Walk(kiosk, shop).screens():
        for theme in ("dark", "light"):
            kiosk.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            found[f"{name}, {theme}"] = serious(kiosk, rest_ms=0)
        found[f"{name}, fingers"] = too_small(kiosk)
        for width, height in TABLETS:
            kiosk.set_viewport_size({"width": width, "height": height})
            found[f"{name}, {width}x{height}"] = out_of_reach(kiosk)
        kiosk.set_viewport_size(PORTRAIT)  # type: ignore[arg-type]
        found[f"{name}, portrait"] = out_of_reach(kiosk)
    assert {screen: wrong for screen, wrong in found.items() if wrong} == {}


def test_a_language_and_a_half_open_consent_go_with_who_chose_them(shop: Shop, kiosk: Page) -> None:
    walk = Walk(kiosk, shop, lang="de")
    usual = kiosk.get_by_test_id("kiosk-enrol").inner_text()
    walk.press("kiosk-language", "language-ar")
    expect(kiosk.locator("html")).to_have_attribute("dir", "rtl")
    expect(kiosk.get_by_test_id("kiosk-enrol")).not_to_have_text(usual)
    walk.press("kiosk-enrol", "consent-yes", "keypad-1")
    kiosk.clock.fast_forward(IDLE_MS)
    walk.screen("attract")
    expect(kiosk.locator("html")).to_have_attribute("lang", "de")
    expect(kiosk.locator("html")).to_have_attribute("dir", "ltr")
    expect(kiosk.get_by_test_id("kiosk-enrol")).to_have_text(usual)
