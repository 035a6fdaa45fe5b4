"""The kiosk as a visitor has it: an observation's way to the display, and people before the camera of a real browser."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from sqlalchemy import create_engine, text

from bench.beside import Beside
from bench.report import Metric, percentile_with_ci, progress
from bench.skeleton import copy_state
from bench.stack import ApiAlone, StackError
from stores.database import new_id
from vision.engines.opencv import OpenCvEngine

SEED = 7
PATIENCE_MS = 120_000
SIZE = (640, 480)
FACE, SWAY, VIEWS = 330, 10, 24
WELCOME_S, LEFT_S, CALM_S, REFUSED_AFTER_S, NEVER_S = 5.0, 10.0, 12.0, 8.0, 10.0
NAMES = {
    "observation_to_display_p95_ms": "ms", "observation_to_display_cold_ms": "ms", "welcome_p95_s": "s", "welcome_share": "share",
    "leave_to_attract_p95_s": "s", "calm_p95_s": "s", "calm_share": "share", "photos_refused": "share", "heads_accepted": "share",
}  # fmt: skip
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
]
CAMERA = (Path(__file__).with_name("vision_kiosk.js")).read_text()
NEGATIVE = frozenset({"anger", "sadness", "disgust", "fear"})
Frame = np.ndarray


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each."""

    observations: int
    visits: int
    unhappy: int
    photos: int


QUICK, FULL = Sizes(40, 2, 1, 0), Sizes(300, 16, 12, 4)


def metrics(state: Path, data: Path | None, *, quick: bool) -> Iterator[Metric]:
    """Yield how soon a display follows an observation, and how a browser's kiosk treats those who come, leave, and look unhappy."""
    sizes = QUICK if quick else FULL
    if not (state / "artifacts" / "manifest.json").exists():
        yield from _without(NAMES, "nothing is set up here; run `make demo` once")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_state(state, Path(folder))
        try:
            with ApiAlone(copy) as api:
                yield from _displays(api, sizes)
                yield from _visits(api, data, sizes)
            if sizes.photos:
                with ApiAlone(copy, environment={"AISLE_VISION_LIVENESS": "turn"}) as api:
                    yield from _pictures(api, data, sizes)
            else:
                yield from _without(("photos_refused", "heads_accepted"), "measured by the full run")
        except StackError as error:
            yield from _without(NAMES, str(error).splitlines()[0])


def _without(names: Any, reason: str) -> Iterator[Metric]:
    for name in names:
        yield Metric(f"vision.{name}", None, NAMES[name], 0, "", reason=reason)


class Shop:
    """The demo shop's kiosk and members, as its own server and its devices see them."""

    def __init__(self, api: ApiAlone) -> None:
        page = httpx.get(f"{api.url}/demo/kiosk", timeout=60).json()["url"]
        self.page = f"{api.url}{page[page.index('/kiosk/') :]}"
        [(self.kiosk, self.key)] = re.findall(r"/kiosk/(.*?)\?key=(.*?)(?:&|$)", page)
        self.client = httpx.Client(base_url=f"{api.url}/v1", timeout=30)
        self.device = {"Authorization": f"Bearer {self.key}"}
        key = json.loads((api.state_dir / "keys" / "demo.json").read_text())["api_key"]
        self.server = {"Authorization": f"Bearer {key}"}
        engine = create_engine(f"sqlite:///{api.state_dir / 'aisle.db'}")
        with engine.connect() as connection:
            self.members = [
                row[0] for row in connection.execute(text("SELECT member_id FROM members ORDER BY member_id"))
            ]
        engine.dispose()
        self.members = [self.members[index] for index in np.random.default_rng(SEED).permutation(len(self.members))]

    def agree(self, member_id: str, *purposes: str) -> None:
        """Record consents, as the shop's own server would."""
        for purpose in purposes:
            body = {"member_id": member_id, "purpose": purpose, "granted": True, "text_version": "bench"}
            self.client.post("/consents", json=body, headers=self.server).raise_for_status()

    def enrol(self, member_id: str, frames: Sequence[Frame]) -> str | None:
        """Enrol a member with these pictures at the kiosk; return their first name, or None when the pictures would not do."""
        session = self.client.get(f"{str(self.client.base_url)[:-3]}demo/session", params={"member": member_id}).json()
        code = self.client.post("/me/link-codes", headers={"Authorization": f"Bearer {session['token']}"}).json()[
            "code"
        ]
        files = [("frames", (f"{number}.jpg", jpeg(frame), "image/jpeg")) for number, frame in enumerate(frames)]
        form = {"code": code, "consent_text_version": "bench", "consents": "face_recognition"}
        while True:
            address = f"/kiosks/{self.kiosk}/enrolments"
            answer = self.client.post(address, headers=self.device, data=form, files=files)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            time.sleep(float(answer.headers.get("retry-after", "5")))
        return str(answer.json()["first_name"]) if answer.is_success else None


def jpeg(frame: Frame, quality: int = 90) -> bytes:
    """Return the frame as JPEG."""
    return bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def _displays(api: ApiAlone, sizes: Sizes) -> Iterator[Metric]:
    progress("a display behind an observation")
    shop = Shop(api)
    chosen = shop.members[: sizes.observations]
    for member_id in chosen:
        shop.agree(member_id, "face_recognition", "profiling")
    samples, beside = [], Beside()
    with _following(shop) as shown:
        for number, member_id in enumerate(chosen):
            person = {"track_id": number + 1, "member_id": member_id, "similarity": 0.8}
            body = {"observation_id": new_id(), "people": [person], "at": datetime.now(UTC).isoformat()}
            before, started = shown.count, time.perf_counter()
            shop.client.post(f"/kiosks/{shop.kiosk}/observations", json=body, headers=shop.device).raise_for_status()
            while shown.count == before and time.perf_counter() - started < NEVER_S:
                time.sleep(0.0005)
            samples.append(((shown.at if shown.count > before else time.perf_counter()) - started) * 1000)
    value, ci = percentile_with_ci(samples, 95, seed=SEED)
    about = f"each time another member, of whom this api has not heard; the first after its start is among them; {beside.told()}"
    medians = {"p50_ms": round(float(np.median(samples)), 1), "most_ms": round(max(samples), 1)}
    yield Metric(
        "vision.observation_to_display_p95_ms", value, "ms", len(samples), about, ci, medians, SEED, samples=samples
    )
    yield Metric(
        "vision.observation_to_display_cold_ms", round(samples[0], 1), "ms", 1, "the first after the api's start"
    )


class _Shown:
    count, at = 0, 0.0


@contextmanager
def _following(shop: Shop) -> Iterator[_Shown]:
    """Follow the display on a thread; yields how many displays for members came, and when the last did."""
    shown, over = _Shown(), threading.Event()
    there = threading.Event()

    def follow() -> None:
        address = f"{shop.client.base_url}kiosks/{shop.kiosk}/display"
        with suppress(httpx.HTTPError), httpx.stream("GET", address, headers=shop.device, timeout=None) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    now = time.perf_counter()
                    if json.loads(line.removeprefix("data: "))["privacy"]["recognised"]:
                        shown.at, shown.count = now, shown.count + 1
                    there.set()
                if over.is_set():
                    return

    threading.Thread(target=follow, daemon=True).start()
    there.wait(20)
    try:
        yield shown
    finally:
        over.set()


def _visits(api: ApiAlone, data: Path | None, sizes: Sizes) -> Iterator[Metric]:
    names = ("welcome_p95_s", "welcome_share", "leave_to_attract_p95_s", "calm_p95_s", "calm_share")
    if data is None or not (data / "faces" / "people.csv").exists():
        yield from _without(names, "there is no faces folder in the data")
        return
    progress("people before a kiosk's camera, in a browser")
    shop, background, beside = Shop(api), aisle(data), Beside()
    enrolled = _enrolled(shop, data, background, sizes.visits)
    try:
        with kiosk_page(shop.page) as page:
            page.load("nobody", background)
            page.wait(0.0, "attract", "", 20)
            welcomed, left = [], []
            for name, view in enrolled:
                page.load("member", present(view, background))
                took = page.until_shown("member", "welcome", name, WELCOME_S)
                welcomed.append(took)
                if took is not None:
                    left.append(page.until_shown("nobody", "attract", "", LEFT_S))
                else:
                    page.show("nobody")
                    page.page.wait_for_timeout(3000)
            calmed = []
            for view in unhappy(data, sizes.unhappy):
                page.load("unhappy", present(view, background))
                calmed.append(page.until_shown("unhappy", "calm", "", CALM_S))
                if calmed[-1] is not None:
                    left.append(page.until_shown("nobody", "attract", "", LEFT_S))
                else:
                    page.show("nobody")
                    page.page.wait_for_timeout(3000)
    except BrowserMissingError as error:
        yield from _without(names, str(error))
        return
    about = f"other pictures than they enrolled with; of those who were recognised; {beside.told()}"
    yield from _timed("welcome_p95_s", welcomed, f"from entering the picture to their name on the page; {about}")
    yield _share(
        "welcome_share",
        welcomed,
        f"enrolled members, each with another picture, greeted by name within {WELCOME_S:.0f} s",
    )
    yield from _timed("leave_to_attract_p95_s", left, "from leaving the picture to the posters")
    yield from _timed(
        "calm_p95_s",
        calmed,
        "from entering with an unhappy face; it has to last two seconds first; of those who were read so",
    )
    yield _share("calm_share", calmed, f"faces labelled {', '.join(sorted(NEGATIVE))}, calm within {CALM_S:.0f} s")


def _timed(name: str, taken: Sequence[float | None], about: str) -> Iterator[Metric]:
    good = [value for value in taken if value is not None]
    if not good:
        yield Metric(f"vision.{name}", None, "s", len(taken), about, reason="it did not happen once")
        return
    digits = [round(value, 3) for value in good]
    value, ci = np.percentile(digits, 95), percentile_with_ci([1000 * one for one in digits], 95, seed=SEED)[1]
    told = {"p50_s": round(float(np.median(digits)), 2), "most_s": max(digits)}
    yield Metric(
        f"vision.{name}",
        round(float(value), 2),
        "s",
        len(good),
        about,
        (ci[0] / 1000, ci[1] / 1000),
        told,
        SEED,
        samples=digits,
    )


def _share(name: str, happened: Sequence[Any], about: str) -> Metric:
    count = sum(one is not None and one is not False for one in happened)
    return Metric(f"vision.{name}", round(count / len(happened), 3), "share", len(happened), about, None, None, SEED)


def _pictures(api: ApiAlone, data: Path | None, sizes: Sizes) -> Iterator[Metric]:
    """With the liveness plug-in: photographs of members, held still and tilted, and people who turn their heads."""
    names = ("photos_refused", "heads_accepted")
    if data is None or not (data / "video").is_dir():
        yield from _without(names, "there is no video folder in the data")
        return
    progress("photographs and turning heads before a kiosk that asks for a living face")
    shop, background = Shop(api), aisle(data)
    refused, accepted = [], []
    try:
        with kiosk_page(shop.page) as page:
            page.load("nobody", background)
            page.wait(0.0, "attract", "", 20)
            for number, (name, view) in enumerate(_enrolled(shop, data, background, sizes.photos, skip=sizes.visits)):
                page.load("photo", photograph(view, background, tilt=number / max(sizes.photos - 1, 1)))
                refused.append(page.until_shown("photo", "welcome", name, REFUSED_AFTER_S) is None)
                page.show("nobody")
                page.page.wait_for_timeout(3000)
            for number, clip in enumerate(sorted((data / "video").glob("head-pose*"))):
                frames = [cv2.resize(frame, (640, 360)) for frame in film(clip)]
                views = frontal(frames)
                first_name = shop.enrol(shop.members[-1 - number], views) if len(views) >= 3 else None
                if first_name is not None:
                    page.load("head", frames[:240])
                    accepted.append(page.until_shown("head", "welcome", first_name, 30.0) is not None)
                    page.show("nobody")
                    page.page.wait_for_timeout(3000)
    except BrowserMissingError as error:
        yield from _without(names, str(error))
        return
    yield _share(
        "photos_refused",
        refused,
        f"printed stills of members, from held still to tilted by 45°, each for {REFUSED_AFTER_S:.0f} s",
    )
    if accepted:
        yield _share("heads_accepted", accepted, "films of members who turn their heads, welcomed within 30 s")
    else:
        yield from _without(("heads_accepted",), "nobody in the films could be enrolled")


def _enrolled(
    shop: Shop, data: Path, background: Sequence[Frame], count: int, *, skip: int = 0
) -> list[tuple[str, Frame]]:
    """Enrol people with three pictures each; return their names, and a fourth picture that was not used."""
    with (data / "faces" / "people.csv").open(newline="") as file:
        pictures: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            pictures.setdefault(row["person"], []).append(row["image"])
    able = sorted(person for person, images in pictures.items() if len(images) >= 4)
    chosen = [able[index] for index in np.random.default_rng(SEED).permutation(len(able))][2 * skip :]
    found: list[tuple[str, Frame]] = []
    for number, person in enumerate(chosen):
        if len(found) == count:
            break
        views = [picture(data / "faces" / "images" / image) for image in pictures[person][:4]]
        name = shop.enrol(shop.members[1000 + skip + number], [standing(view, background[0]) for view in views[:3]])
        if name is not None:
            found.append((name, views[3]))
    return found


def unhappy(data: Path, count: int) -> list[Frame]:
    """Return pictures whose label is a negative expression, chosen by chance."""
    with (data / "expression" / "labels.csv").open(newline="") as file:
        images = sorted(row["image"] for row in csv.DictReader(file) if row["expression"] in NEGATIVE)
    chosen = np.random.default_rng(SEED).permutation(len(images))[:count]
    return [picture(data / "expression" / "images" / images[index]) for index in chosen]


def picture(path: Path) -> Frame:
    """Return a picture as BGR."""
    return np.asarray(cv2.imread(str(path)), np.uint8)


def film(path: Path) -> list[Frame]:
    """Return the frames of a clip."""
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(read[1])
    video.release()
    return frames


def aisle(data: Path) -> list[Frame]:
    """Return frames of a shop's aisle, or of a plain wall when that film is missing."""
    clip = data / "video" / "store-aisle-detection.gif"
    if not clip.exists():
        return [np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)]
    frames = film(clip)
    return [cv2.resize(frame, SIZE) for frame in frames[:: max(1, len(frames) // VIEWS)][:VIEWS]]


def standing(view: Frame, background: Frame, shift: int = 0) -> Frame:
    """Return the person of a portrait before the aisle, `shift` pixels to the right of the middle."""
    frame = background.copy()
    left, top = (SIZE[0] - FACE) // 2 + shift, SIZE[1] - FACE
    frame[top:, left : left + FACE] = cv2.resize(view, (FACE, FACE))
    return frame


def present(view: Frame, background: Sequence[Frame]) -> list[Frame]:
    """Return frames of somebody who stands there and sways."""
    shifts = np.round(SWAY * np.sin(np.linspace(0, 2 * np.pi, VIEWS, endpoint=False))).astype(int)
    return [standing(view, background[number % len(background)], int(shift)) for number, shift in enumerate(shifts)]


def photograph(view: Frame, background: Sequence[Frame], tilt: float) -> list[Frame]:
    """Return frames of a print that somebody holds up and tilts by up to 45 degrees times `tilt`."""
    print_, frames = cv2.resize(view, (FACE, FACE)), []
    corners = np.array([[0, 0], [FACE, 0], [FACE, FACE], [0, FACE]], np.float32)
    for number in range(2 * VIEWS):
        angle = np.radians(45 * tilt) * np.sin(2 * np.pi * number / (2 * VIEWS))
        half, depth = FACE / 2, 900.0
        turned = []
        for x, y in corners - half:
            far = depth + x * np.sin(angle)
            turned.append((x * np.cos(angle) * depth / far + SIZE[0] / 2, y * depth / far + SIZE[1] / 2))
        homography = cv2.getPerspectiveTransform(corners, np.array(turned, np.float32))
        frame = background[number % len(background)].copy()
        cv2.warpPerspective(print_, homography, SIZE, dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        frames.append(frame)
    return frames


def frontal(frames: Sequence[Frame]) -> list[Frame]:
    """Return up to four frames of a film in which one face looks at the camera."""
    from vision.enrol import advise

    engine = OpenCvEngine(Path(os.environ.get("AISLE_STATE_DIR", "var")) / "models")
    return [frame for frame in frames[:: max(1, len(frames) // 24)] if not advise(engine, frame)[1]][:4]


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


@contextmanager
def kiosk_page(address: str) -> Iterator[KioskPage]:
    """Open a kiosk's page, in portrait, in a browser of its own."""
    program = os.environ.get("AISLE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise BrowserMissingError("playwright is not installed; install the `dev` extra") from error
    if not Path(program).exists():
        raise BrowserMissingError("there is no Chromium; install it, or name it in AISLE_CHROMIUM")
    with ExitStack() as ending:
        player = ending.enter_context(sync_playwright())
        browser = player.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        ending.callback(browser.close)
        page = browser.new_page(viewport={"width": 1080, "height": 1920})
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(CAMERA)
        opened = page.goto(address, wait_until="domcontentloaded")
        if opened is None or not opened.ok:
            raise BrowserMissingError("the kiosk's page is not built; run `make web`")
        yield KioskPage(page)
