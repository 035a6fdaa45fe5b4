"""A kiosk's page in a real browser, whose camera shows what the benchmark draws."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.vision_scenes import Frame, jpeg

PATIENCE_MS, GONE_MS = 120_000, 5_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
]
CAMERA = (Path(__file__).with_name("vision_kiosk.js")).read_text()


class BrowserMissingError(RuntimeError):
    """There is no browser to measure with; the message says what to install."""


class KioskPage:
    """A kiosk page whose camera shows what the benchmark draws."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def load(self, scene: str, frames: Sequence[Frame]) -> None:
        """Hand the browser the frames of a scene."""
        pictures = [base64.b64encode(jpeg(frame)).decode() for frame in frames]
        self.page.evaluate("([scene, pictures]) => bench.load(scene, pictures)", [scene, pictures])

    def show(self, scene: str) -> float:
        """Let the camera see a scene from now on; return when that is, in seconds of the page."""
        return float(self.page.evaluate("scene => bench.show(scene)", scene)) / 1000

    def settle(self, timeout_s: float) -> None:
        """Wait until it has all its posters."""
        self.page.evaluate("patience => bench.settled(patience)", timeout_s * 1000)

    def empty(self) -> None:
        """Let whoever was there leave, and wait until they are forgotten."""
        self.show("nobody")
        self.page.wait_for_timeout(GONE_MS)

    def tell(self, address: str, key: str, body: Mapping[str, Any], mode: str, timeout_s: float) -> dict[str, float]:
        """Send an observation from the page; return after how many milliseconds it had changed to this mode, and that was drawn.

        It returns when the pictures are there, too: nobody else comes before.
        """
        found: dict[str, float] = self.page.evaluate(
            "([address, key, body, mode, wait]) => bench.tell(address, key, body, mode, wait)",
            [address, key, dict(body), mode, timeout_s * 1000],
        )
        return found

    def until_shown(self, scene: str, mode: str, words: str, timeout_s: float) -> float | None:
        """Show a scene; return how many seconds passed until the page was in this mode with these words, or None."""
        return self.wait(self.show(scene), mode, words, timeout_s)

    def wait(self, since: float, mode: str, words: str, timeout_s: float) -> float | None:
        """Return how long after `since` the page was so, or None when it was not in time."""
        found = self.page.evaluate(
            "([since, mode, words, wait]) => bench.wait(since, mode, words, wait)",
            [since * 1000, mode, words, timeout_s * 1000],
        )
        return None if found is None else found / 1000 - since


class Browser:
    """Chromium; a context manager. BrowserMissingError where there is none."""

    def __init__(self) -> None:
        self._ending = ExitStack()
        self._browser: Any = None

    def __enter__(self) -> Browser:
        program = os.environ.get("AISLE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise BrowserMissingError("playwright is not installed; install the `dev` extra") from error
        if not Path(program).exists():
            raise BrowserMissingError("there is no Chromium; install it, or name it in AISLE_CHROMIUM")
        player = self._ending.enter_context(sync_playwright())
        self._browser = player.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        self._ending.callback(self._browser.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @contextmanager
    def kiosk(self, address: str) -> Iterator[KioskPage]:
        """Open a kiosk's page, in portrait."""
        page = self._browser.new_page(viewport={"width": 1080, "height": 1920})
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(CAMERA)
        opened = page.goto(address, wait_until="domcontentloaded")
        if opened is None or not opened.ok:
            raise BrowserMissingError("the kiosk's page is not built; run `make web`")
        try:
            yield KioskPage(page)
        finally:
            page.close()
