"""The kiosk page with a camera in a real browser: strangers, members, people who look unhappy, and photographs of members."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Browser, Page, expect

from stores.database import Database
from stores.switches import Use
from tests.e2e.small_server import opened
from tests.small_shop import fill
from tests.vision.fake_camera import astronaut, shelf, visit, write_mjpeg
from vision.faces import Frame

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
FPS = 30


def unhappy() -> Frame:
    """A man at a camera, from scikit-image, CC0; he looks strained."""
    return np.asarray(cv2.cvtColor(skimage.data.camera(), cv2.COLOR_GRAY2BGR), np.uint8)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    fill(sqlite_database)
    return sqlite_database


Opened = Callable[[str, Sequence[Frame]], Page]


@pytest.fixture
def open_kiosk(open_browser: Callable[..., Browser], tmp_path: Path) -> Opened:
    """Open the page at an address, with a camera that plays these frames over and over."""

    def opened_page(address: str, frames: Sequence[Frame]) -> Page:
        video = write_mjpeg(tmp_path / "camera.mjpeg", frames)
        page = open_browser(video).new_page(viewport={"width": 1080, "height": 1920})
        page.goto(address)
        return page

    return opened_page


def mode(page: Page, wanted: str, timeout_ms: float = PATIENCE_MS) -> None:
    expect(page.locator("#kiosk")).to_have_attribute("data-mode", wanted, timeout=timeout_ms)


def test_a_member_is_welcomed_may_ask_why_and_is_forgotten_when_they_say_so(
    database: Database, tmp_path: Path, models_dir: Path, open_kiosk: Opened
) -> None:
    with opened(database, tmp_path / "state", models_dir) as shop:
        address, name = shop.kiosk("door"), shop.enrol("pets-1", astronaut(), models_dir)
        page = open_kiosk(address, visit(astronaut(), there_s=20, gone_s=0))
        mode(page, "welcome")
        expect(page.get_by_test_id("kiosk-headline")).to_contain_text(name)
        page.get_by_test_id("kiosk-why").click()
        expect(page.get_by_test_id("why-text")).to_contain_text("You agreed")
        page.get_by_test_id("sheet-close").click()
        page.get_by_test_id("kiosk-forget").click()
        page.get_by_test_id("forget-yes").click()
        expect(page.get_by_test_id("forget-text")).to_contain_text("Forgotten")
        mode(page, "attract")
        member = shop.services.members.by_external_id("pets-1")
        assert member is not None
        assert shop.services.templates.count(member.member_id) == 0


NOTE_SCREENS = """() => {
  const kiosk = document.querySelector("#kiosk");
  window.screens = [];
  const note = () => {
    const mode = kiosk.dataset.mode, last = window.screens.at(-1);
    const words = kiosk.querySelector("[data-testid=kiosk-headline]")?.textContent ?? "";
    const known = kiosk.querySelector("[data-testid=privacy-state]")?.dataset.recognised;
    if (mode !== "waiting" && mode !== last?.mode) window.screens.push({ mode, words, known });
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true });
  note();
}"""
"""Notes every screen of the page, so that a test asks for their order and not for their time."""


def test_a_member_comes_is_welcomed_and_leaves_nothing_behind(
    database: Database, tmp_path: Path, models_dir: Path, open_kiosk: Opened
) -> None:
    with opened(database, tmp_path / "state", models_dir) as shop:
        address, name = shop.kiosk("door"), shop.enrol("pets-1", astronaut(), models_dir)
        page = open_kiosk(address, [*[shelf()] * 4 * FPS, *visit(astronaut(), there_s=8, gone_s=4)])
        page.evaluate(NOTE_SCREENS)
        mode(page, "welcome")
        mode(page, "attract")
        screens = page.evaluate("window.screens")
        first = next(number for number, one in enumerate(screens) if one["mode"] == "welcome")
        assert [one["mode"] for one in screens[: first + 2]] == ["attract", "welcome", "attract"]
        assert name in screens[first]["words"]
        assert name not in screens[first + 1]["words"]
        assert (screens[first]["known"], screens[first + 1]["known"]) == ("yes", "no")


def test_a_stranger_who_looks_unhappy_finds_a_calm_screen_where_a_notice_says_so(
    database: Database, tmp_path: Path, models_dir: Path, open_kiosk: Opened
) -> None:
    with opened(database, tmp_path / "state", models_dir) as shop:
        address = shop.kiosk("door", *Use)
        page = open_kiosk(address, [*[shelf()] * FPS, *visit(unhappy(), there_s=20, gone_s=4)])
        mode(page, "calm")
        expect(page.get_by_test_id("privacy-state")).to_have_attribute("data-recognised", "no")
        expect(page.get_by_test_id("coupon-card")).to_have_count(0)
        mode(page, "attract")  # they left


def test_a_photograph_of_a_member_is_nobody_where_a_living_face_is_asked_for(
    database: Database, tmp_path: Path, models_dir: Path, open_kiosk: Opened
) -> None:
    with opened(database, tmp_path / "state", models_dir, vision_liveness="turn") as shop:
        address = shop.kiosk("door")
        shop.enrol("pets-1", astronaut(), models_dir)
        seen: list[Any] = []
        observe = shop.app.state.displays.observe

        def noted(kiosk: Any, people: Any, **more: Any) -> bool:
            seen.append(people)
            return bool(observe(kiosk, people, **more))

        shop.app.state.displays.observe = noted
        page = open_kiosk(address, visit(astronaut(), there_s=10, gone_s=0))
        expect(page.get_by_test_id("privacy-state")).to_have_attribute("data-camera", "on", timeout=PATIENCE_MS)
        until = time.monotonic() + PATIENCE_MS / 1000
        while not any(person["live"] is False for people in list(seen) for person in people):
            assert time.monotonic() < until, "nobody was refused"
            page.wait_for_timeout(100)
        assert {person["member_id"] for people in seen for person in people} == {None}
        mode(page, "attract")
