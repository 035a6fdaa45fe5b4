"""The whole product as processes, on the demo data, and a real browser."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from bench.report import ROOT
from bench.stack import Stack
from tests.e2e.widget_page import MockApi

CHROMIUM = os.environ.get("AISLE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
HOUSEHOLDS = "800"
AISLE = str(Path(sys.executable).with_name("aisle"))


def _prepared() -> Path:
    """A state folder with a third of the demo data imported and trained on; made once per version of what makes it."""
    state = Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var"))
    digest = hashlib.sha256()
    for pattern in (
        "stores/importing/*.py",
        "stores/tables.py",
        "personalization/training.py",
        "personalization/artifacts.py",
        "personalization/profiling/**/*.py",
        "personalization/ranking/**/*.py",
    ):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    folder = state / "test-cache" / f"demo-{digest.hexdigest()[:12]}"
    if not (folder / "artifacts" / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        for arguments in (["import", "complete-journey", "--households", HOUSEHOLDS], ["train", "--profile", "demo"]):
            environment = {**os.environ, "AISLE_STATE_DIR": str(folder), "AISLE_DATABASE_URL": ""}
            subprocess.run([AISLE, *arguments], env=environment, check=True, capture_output=True)
    return folder


PATIENCE_MS = 20_000


@pytest.fixture(autouse=True)
def patience() -> None:
    """A busy machine is slow at starting pages."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def demo_state(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A copy that the tests may change."""
    state = tmp_path_factory.mktemp("state") / "var"
    shutil.copytree(_prepared(), state)
    (state / "models").symlink_to(models_dir.resolve())
    (state / "rasa").symlink_to((models_dir.parent / "rasa").resolve())
    return state


@pytest.fixture(scope="session")
def stack(demo_state: Path) -> Iterator[Stack]:
    # a chance that withholds a coupon would fail a test once in a hundred runs
    # the other half of the tests shares the cores: slow is not away
    with Stack(demo_state, environment={"AISLE_COUPONS_EXPLORED": "0", "AISLE_RASA_TIMEOUT_S": "15"}) as running:
        yield running


@pytest.fixture(scope="module")  # its event loop must not run on beside other tests
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture
def open_browser(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Start browsers, each with a camera that plays `video`, and close them."""
    opened: list[Browser] = []

    def launch(video: Path | None = None) -> Browser:
        extra = [f"--use-file-for-fake-video-capture={video}"] if video else []
        opened.append(playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *extra]))
        return opened[-1]

    yield launch
    for browser in opened:
        browser.close()


@pytest.fixture
def page(open_browser: Callable[..., Browser]) -> Page:
    return open_browser().new_page(viewport={"width": 1280, "height": 900})


@pytest.fixture(scope="module")
def shared_mock() -> Iterator[MockApi]:
    with MockApi() as running:
        yield running


@pytest.fixture
def mock_api(shared_mock: MockApi) -> Iterator[MockApi]:
    """The made-up api, reachable again after each test."""
    yield shared_mock
    shared_mock.reachable(True)
