"""`aisle vision run` and `aisle vision doctor`, beside a made-up api."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.settings import settings
from bench.stack import free_port
from tests.vision.fake_camera import HEIGHT, WIDTH, astronaut, person, visit
from vision.calibration import shipped
from vision.capture import Capture
from vision.doctor import examine
from vision.errors import AgentError

PATIENCE_S = 30.0


class Door(ThreadingHTTPServer):
    """The api, as a camera's key opens it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[int] = []
        self.clock_s = 0.0
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        one = {
            "member_id": "m", "vector": base64.b64encode(np.eye(128, dtype="<f4")[0].tobytes()).decode(), "expression": False
        }  # fmt: skip
        body = {"model": "opencv-sface", "threshold": 0.45, "expression_notice": True, "templates": [one]}
        self._answer(403 if self.server.refuses else 200, body)

    def do_POST(self) -> None:
        self.server.told.append(len(json.loads(self.rfile.read(int(self.headers["content-length"])))["people"]))
        self._answer(202, {"changed": False})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.server.clock_s, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    writer = cv2.VideoWriter(str(tmp_path / "door.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    for frame in visit(astronaut(), there_s=3, gone_s=0, fps=10):
        writer.write(frame)
    writer.release()
    return tmp_path / "door.avi"


@pytest.fixture
def state(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings whose models are there."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "models").symlink_to(models_dir.resolve())
    monkeypatch.setenv("AISLE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("api.log.configure", lambda _format: None)  # it would log to the runner's output for ever
    settings.cache_clear()
    yield
    settings.cache_clear()


@contextmanager
def asked_meanwhile(address: str) -> Iterator[list[str]]:
    """Ask for a page again and again; what it said last is in the list."""
    said, over = [""], threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                said[0] = httpx.get(address, timeout=1).text
            except httpx.HTTPError:
                time.sleep(0.01)

    asking = threading.Thread(target=ask)
    asking.start()
    yield said
    over.set()
    asking.join()


@pytest.mark.usefixtures("state")
def test_an_agent_tells_prometheus_how_it_goes_and_an_installer_where_to_look(door: Door, film: Path) -> None:
    port = free_port()
    options = ["--source", str(film), "--kiosk", "door", "--key", "dk_x", "--api", door.url, "--fps", "10"]
    with asked_meanwhile(f"http://127.0.0.1:{port}/metrics") as said:
        done = CliRunner().invoke(app, ["vision", "run", *options, "--metrics", str(port), "--preview"])
    assert done.exit_code == 0, done.output
    assert f"http://127.0.0.1:{port}/metrics" in done.output
    assert "for setting up only" in done.output
    assert "/preview?token=" in done.output
    assert "1 there, 0 known" in done.output
    assert set(door.told) == {0, 1}
    assert "aisle_camera_frames_seen_total" in said[0]
    assert "aisle_camera_observations_lost_total 0.0" in said[0]


@pytest.mark.usefixtures("state")
def test_without_being_asked_an_agent_listens_nowhere(door: Door, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AgentError("nobody asked for a page")

    monkeypatch.setattr("vision.local_page.LocalPages.__init__", refuse)
    options = ["--source", str(film), "--kiosk", "door", "--key", "dk_x", "--api", door.url]
    done = CliRunner().invoke(app, ["vision", "run", *options])
    assert done.exit_code == 0, done.output
    assert "preview" not in done.output.lower()


def found(door: Door, models: Path, source: str = "") -> dict[str, tuple[bool, str]]:
    with httpx.Client(base_url=door.url) as client:
        checks = examine("opencv", models, "", source, link=(client, "door"))
        return {check.what: (check.good, f"{check.found} {check.advice}") for check in checks}


def test_the_doctor_asks_the_api_whether_this_camera_may_work_for_it(door: Door, models_dir: Path) -> None:
    said = found(door, models_dir)
    assert said["api"][0]
    assert "members who may be known: 1; strangers' expressions may be read" in said["api"][1]
    assert said["clock"][0]
    assert f"{shipped().threshold('opencv-sface'):.3f}" in said["matches"][1]
    door.clock_s = 90
    good, words = found(door, models_dir)["clock"]
    assert not good
    assert "NTP" in words
    door.refuses = True
    good, words = found(door, models_dir)["api"]
    assert not good
    assert "--key" in words


def test_the_doctor_says_what_a_camera_gives_and_what_to_change(door: Door, models_dir: Path, tmp_path: Path) -> None:
    dark = tmp_path / "dark.avi"
    writer = cv2.VideoWriter(str(dark), cv2.VideoWriter.fourcc(*"MJPG"), 4, (320, 240))
    for _ in range(16):
        writer.write(cv2.resize((person(astronaut()) * 0.15).astype(np.uint8), (320, 240)))
    writer.release()
    said = found(door, models_dir, str(dark))
    assert [name for name in ("camera", "frame rate", "light") if said[name][0]] == []
    assert "320x240" in said["camera"][1]
    assert "4 per second" in said["frame rate"][1] or "5 per second" in said["frame rate"][1]
    assert said["broken pictures"][0]
    assert "frames per second" in said["a look"][1]
    assert not found(door, models_dir, str(tmp_path / "none.avi"))["camera"][0]


def test_the_doctor_says_of_a_liveness_that_is_not_proven_that_it_is_not(models_dir: Path) -> None:
    said = {check.what: check.found for check in examine("opencv", models_dir, "", "", liveness="turn")}
    assert "experimental" in said["liveness"]
    assert "liveness" not in {check.what for check in examine("opencv", models_dir, "", "")}


def test_the_doctor_goes_by_the_operators_own_threshold(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {check.what: check.found for check in examine("opencv", models_dir, "", "", threshold=0.611)}
    assert "0.611" in own["matches"]
    monkeypatch.setattr("vision.doctor.shipped", lambda: replace(shipped(), recognition={}))
    [never] = [check for check in examine("opencv", models_dir, "", "") if check.what == "matches"]
    [given] = [check for check in examine("opencv", models_dir, "", "", threshold=0.6) if check.what == "matches"]
    assert (never.good, given.good) == (False, True)


def test_a_film_ends_when_it_is_over(film: Path) -> None:
    capture, frames = Capture(str(film)), 0
    while not capture.ended:
        frames += capture.newest(PATIENCE_S) is not None
    capture.close()
    assert 1 <= frames <= 30
    assert capture.given == 30
