"""The kiosk page with a camera in a real browser: strangers, members, people who look unhappy, and photographs of members."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import uvicorn
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from api.settings import Settings
from api.wiring import Services
from personalization.types import Purpose
from stores.database import Database
from tests.small_shop import fill
from tests.vision.fake_camera import astronaut, person, shelf, visit, write_mjpeg
from vision.engines.opencv import OpenCvEngine
from vision.enrol import make_template
from vision.faces import Frame

pytestmark = pytest.mark.e2e
PATIENCE_MS = 30_000
FPS = 30


def unhappy() -> Frame:
    """A man at a camera, from scikit-image, CC0; he looks strained."""
    return np.asarray(cv2.cvtColor(skimage.data.camera(), cv2.COLOR_GRAY2BGR), np.uint8)


class Shop:
    """The app on a small shop, without Rasa, on a real socket."""

    def __init__(self, services: Services, url: str) -> None:
        self.services, self.url = services, url

    def kiosk(self, name: str, *, expression_notice: bool = False) -> str:
        now = datetime.now(UTC)
        made = self.services.kiosks.create(name, store_id="s1", expression_notice=expression_notice, at=now)
        _, secret = self.services.keys.create("device", name, at=now, kiosk_id=made.kiosk_id)
        return f"{self.url}/kiosk/{name}?key={secret}&camera=on"

    def enrol(self, external_id: str, face: Frame, models: Path) -> str:
        member = self.services.members.by_external_id(external_id)
        assert member is not None
        self.app.state.privacy.record(
            member.member_id, {Purpose.FACE_RECOGNITION: True}, channel="test", text_version="t"
        )
        engine = OpenCvEngine(models)
        template = make_template(engine, [person(face, shift) for shift in (-12, 0, 12)])
        self.services.templates.add(member.member_id, template, model=engine.name, at=datetime.now(UTC))
        return member.first_name

    app: Any = None


@contextmanager
def opened(database: Database, state: Path, models: Path, **settings: Any) -> Iterator[Shop]:
    state.mkdir()
    (state / "models").symlink_to(models.resolve())
    services = Services(
        Settings(state_dir=state, rasa_url="http://127.0.0.1:9", worker="external", **settings), database
    )
    app = create_app(services.settings, services)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    shop = Shop(services, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    shop.app = app
    try:
        yield shop
    finally:
        server.should_exit = True
        thread.join()


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


def test_a_stranger_who_looks_unhappy_finds_a_calm_screen_where_a_notice_says_so(
    database: Database, tmp_path: Path, models_dir: Path, open_kiosk: Opened
) -> None:
    with opened(database, tmp_path / "state", models_dir) as shop:
        address = shop.kiosk("door", expression_notice=True)
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
