"""The kiosk as a visitor has it: an observation's way to the screen, and people before the camera of a real browser."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import create_engine, text

from bench.beside import Beside
from bench.report import Metric, percentile_with_ci, progress
from bench.skeleton import copy_state
from bench.stack import ApiAlone, StackError
from bench.vision_page import Browser, BrowserMissingError, KioskPage
from bench.vision_scenes import (
    NEGATIVE,
    Frame,
    aisle,
    frontal,
    head,
    jpeg,
    photograph,
    portraits,
    present,
    standing,
    turns,
    unhappy,
)
from stores.database import new_id
from vision.labelled import EvaluationError

SEED = 7
WELCOME_S, LEFT_S, CALM_S, REFUSED_AFTER_S, NEVER_S = 5.0, 10.0, 12.0, 8.0, 10.0
ENROLLED_WITH = 3
TIMED = {
    "observation_to_display_p95_ms": "ms", "observation_to_display_cold_ms": "ms", "welcome_p95_s": "s", "welcome_share": "share",
    "leave_to_attract_p95_s": "s", "calm_p95_s": "s", "calm_share": "share",
}  # fmt: skip
STILLS = {"photos_refused": "share", "heads_accepted": "share"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each."""

    observations: int
    members: int
    visits: int
    unhappy: int
    photos: int


QUICK, FULL = Sizes(8, 2, 2, 0, 0), Sizes(100, 12, 12, 10, 4)


def without(names: dict[str, str], reason: str) -> Iterator[Metric]:
    """Yield these metrics without a value."""
    for name, unit in names.items():
        yield Metric(f"vision.{name}", None, unit, 0, "", reason=reason)


class Shop:
    """The demo shop's kiosk and members, as its own server and its devices see them."""

    def __init__(self, api: ApiAlone) -> None:
        page = httpx.get(f"{api.url}/demo/kiosk", timeout=60).json()["url"]
        self.page = f"{api.url}{page[page.index('/kiosk/') :]}"
        [(self.kiosk, self.key)] = re.findall(r"/kiosk/([^?#]+).*#key=(.+)", page)
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
        headers = {"Authorization": f"Bearer {session['token']}"}
        code = self.client.post("/me/link-codes", headers=headers).json()["code"]
        files = [("frames", (f"{number}.jpg", jpeg(frame), "image/jpeg")) for number, frame in enumerate(frames)]
        form = {"code": code, "consent_text_version": "bench", "consents": "face_recognition"}
        while True:
            address = f"/kiosks/{self.kiosk}/enrolments"
            answer = self.client.post(address, headers=self.device, data=form, files=files)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            time.sleep(float(answer.headers.get("retry-after", "5")))
        return str(answer.json()["first_name"]) if answer.is_success else None


@dataclass(frozen=True, slots=True)
class Visitor:
    """An enrolled member: the first name, and pictures that were not enrolled."""

    name: str
    views: Sequence[Frame]


class Prepared:
    """A copy of the demo shop with an api that runs, members who agreed and members who enrolled; made on a thread of its own.

    A context manager. `ready` waits until it is, StackError when it will not be.
    """

    def __init__(self, state: Path, data: Path | None, sizes: Sizes) -> None:
        self.state, self.data, self.sizes = state, data, sizes
        self.faces = data is not None and (data / "faces").is_dir()
        self.visitors: list[Visitor] = []
        self.background: list[Frame] = []
        self.shop: Shop
        self.copy: Path
        self._ending, self._failed = ExitStack(), list[Exception]()
        self._thread = threading.Thread(target=self._prepare)

    def __enter__(self) -> Prepared:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._ending.close()

    def wait(self) -> None:
        """Wait until it is ready, or will not be."""
        self._thread.join()

    def ready(self) -> Prepared:
        """Wait until it is."""
        self.wait()
        if self._failed:
            raise StackError(str(self._failed[0]))
        return self

    def restarted(self, **environment: str) -> Shop:
        """Start the api anew on the same copy, with other settings."""
        self._ending.pop_all().close()
        return Shop(self._ending.enter_context(ApiAlone(self.copy, environment=environment)))

    def _prepare(self) -> None:
        try:
            if not (self.state / "artifacts" / "manifest.json").exists():
                raise StackError("nothing is set up here; run `make demo` once")
            folder = Path(tempfile.mkdtemp())
            self.copy = copy_state(self.state, folder)
            self.shop = Shop(self._ending.enter_context(ApiAlone(self.copy)))
            for member_id in self.shop.members[: self.sizes.observations]:
                self.shop.agree(member_id, "face_recognition", "profiling")
            if self.data is not None and self.faces:
                self.background = aisle(self.data)
                with suppress(EvaluationError):  # told with the figures of that folder
                    self._enrol(self.data)
        except Exception as error:  # noqa: BLE001  told on the thread that waits for it
            self._failed.append(error)

    def _enrol(self, data: Path) -> None:
        members = iter(self.shop.members[1000:])
        for views in portraits(data, ENROLLED_WITH + 1):
            if len(self.visitors) == self.sizes.members:
                break
            pictures = [standing(view, self.background[0]) for view in views[:ENROLLED_WITH]]
            name = self.shop.enrol(next(members), pictures)
            if name is not None:
                self.visitors.append(Visitor(name, views[ENROLLED_WITH:]))


def timed(prepared: Prepared) -> Iterator[Metric]:
    """Yield how soon a screen follows an observation, and how a browser's kiosk treats those who come, leave, and look unhappy."""
    left = dict(TIMED)
    try:
        prepared.ready()
        with Browser() as browser:
            for part in (_displays, _visits):
                for metric in part(prepared, browser):
                    left.pop(metric.metric.removeprefix("vision."), None)
                    yield metric
    except (StackError, BrowserMissingError) as error:
        yield from without(left, str(error).splitlines()[0])


def _displays(prepared: Prepared, browser: Browser) -> Iterator[Metric]:
    progress("a screen behind an observation")
    shop, found = prepared.shop, list[dict[str, float]]()
    address = f"/v1/kiosks/{shop.kiosk}/observations"
    with browser.kiosk(shop.page.replace("?camera=on", "")) as page:
        page.wait(0.0, "attract", "", 20)
        page.settle(20)
        beside = Beside()
        for number, member_id in enumerate(shop.members[: prepared.sizes.observations]):
            for who in (None, member_id) if number else (member_id,):
                person = {"track_id": 2 * number + (who is not None), "member_id": who, "similarity": 0.8}
                body = {"observation_id": new_id(), "people": [person], "at": datetime.now(UTC).isoformat()}
                took = page.tell(address, shop.key, body, "welcome" if who else "attract", NEVER_S)
                if who is not None:
                    found.append(took)
        told = beside.told()
    samples = [one["painted"] for one in found]
    value, ci = percentile_with_ci(samples, 95, seed=SEED)
    about = (
        "from the camera's request to the new screen, drawn, in Chromium, 1080x1920 without a graphics card; "
        f"each time another member, of whom this api has not heard; the first after its start is among them; {told}"
    )
    more = {
        "p50_ms": round(float(np.median(samples)), 1), "most_ms": round(max(samples), 1),
        "page_changed_p95_ms": round(float(np.percentile([one["changed"] for one in found], 95)), 1),
    }  # fmt: skip
    name = "vision.observation_to_display"
    yield Metric(f"{name}_p95_ms", value, "ms", len(samples), about, ci, more, SEED, samples=samples)
    yield Metric(f"{name}_cold_ms", round(samples[0], 1), "ms", 1, "the first after the api's start")


def _visits(prepared: Prepared, browser: Browser) -> Iterator[Metric]:
    names = {name: unit for name, unit in TIMED.items() if not name.startswith("observation")}
    if prepared.data is None or not prepared.faces:
        yield from without(names, "there is no faces folder in the data")
        return
    if not prepared.visitors:
        yield from without(names, "no picture of the faces folder would do to enrol with")
        return
    progress("people before a kiosk's camera, in a browser")
    background, beside = prepared.background, Beside()
    welcomed, calmed, left = list[float | None](), list[float | None](), list[float | None]()
    with browser.kiosk(prepared.shop.page) as page:
        page.load("nobody", background)
        page.wait(0.0, "attract", "", 20)

        def visit(scene: str, view: Frame, mode: str, words: str, within_s: float) -> float | None:
            page.load(scene, present(view, background))
            took = page.until_shown(scene, mode, words, within_s)
            if took is not None:
                left.append(page.until_shown("nobody", "attract", "", LEFT_S))
            else:
                page.empty()
            return took

        for number in range(prepared.sizes.visits):
            visitor = prepared.visitors[number % len(prepared.visitors)]
            view = visitor.views[number // len(prepared.visitors) % len(visitor.views)]
            welcomed.append(visit("member", view, "welcome", visitor.name, WELCOME_S))
        faces = unhappy(prepared.data, prepared.sizes.unhappy)
        calmed += [visit("unhappy", view, "calm", "", CALM_S) for view in faces]
    about = f"other pictures than they enrolled with; of those who were recognised; {beside.told()}"
    yield from _timed("welcome_p95_s", welcomed, f"from entering the picture to their name on the page; {about}")
    about = f"visits of {len(prepared.visitors)} enrolled members, each with another picture, greeted by name within {WELCOME_S:.0f} s"
    yield _share("welcome_share", welcomed, about)
    yield from _timed("leave_to_attract_p95_s", left, "from leaving the picture to the posters")
    if not calmed:
        reason = (
            "measured by the full run" if prepared.sizes.unhappy == 0 else "there is no expression folder in the data"
        )
        yield from without({"calm_p95_s": "s", "calm_share": "share"}, reason)
        return
    about = "from entering with an unhappy face; it has to last two seconds first; of those who were read so"
    yield from _timed("calm_p95_s", calmed, about)
    yield _share("calm_share", calmed, f"faces labelled {', '.join(sorted(NEGATIVE))}, calm within {CALM_S:.0f} s")


def _timed(name: str, taken: Sequence[float | None], about: str) -> Iterator[Metric]:
    good = [value for value in taken if value is not None]
    if not good:
        yield Metric(f"vision.{name}", None, "s", len(taken), about, reason="it did not happen once")
        return
    digits = [round(value, 3) for value in good]
    low, high = percentile_with_ci([1000 * one for one in digits], 95, seed=SEED)[1]
    told = {"p50_s": round(float(np.median(digits)), 2), "most_s": max(digits)}
    value = round(float(np.percentile(digits, 95)), 2)
    ci = low / 1000, high / 1000
    yield Metric(f"vision.{name}", value, "s", len(good), about, ci, told, SEED, samples=digits)


def _share(name: str, happened: Sequence[Any], about: str) -> Metric:
    count = sum(one is not None and one is not False for one in happened)
    return Metric(f"vision.{name}", round(count / len(happened), 3), "share", len(happened), about, None, None, SEED)


def stills(prepared: Prepared) -> Iterator[Metric]:
    """Yield what becomes of photographs of members, held still and tilted, and of people who turn their heads, where a living face is asked for."""
    left = dict(STILLS)
    try:
        prepared.ready()
        if not prepared.sizes.photos:
            yield from without(left, "measured by the full run")
        elif prepared.data is None or not prepared.visitors or not (prepared.data / "video").is_dir():
            yield from without(left, "there is no faces or no video folder in the data")
        else:
            progress("photographs and turning heads before a kiosk that asks for a living face")
            shop = prepared.restarted(AISLE_VISION_LIVENESS="turn")
            with Browser() as browser, browser.kiosk(shop.page) as page:
                yield from _pictures(prepared, shop, page, prepared.data)
    except (StackError, BrowserMissingError) as error:
        yield from without(left, str(error).splitlines()[0])


def _pictures(prepared: Prepared, shop: Shop, page: KioskPage, data: Path) -> Iterator[Metric]:
    background, count = prepared.background, prepared.sizes.photos
    refused, accepted = list[bool](), list[bool]()
    page.load("nobody", background)
    page.wait(0.0, "attract", "", 20)
    for number, visitor in enumerate(prepared.visitors[:count]):
        page.load("photo", photograph(visitor.views[0], background, tilt=number / max(count - 1, 1)))
        refused.append(page.until_shown("photo", "welcome", visitor.name, REFUSED_AFTER_S) is None)
        page.empty()
    clips = [head(clip) for clip in sorted((data / "video").glob("head-pose*"))]
    turning = [frames for frames in clips if turns(frames, prepared.state / "models")]
    for number, frames in enumerate(turning):
        views = frontal(frames, prepared.state / "models")
        name = shop.enrol(shop.members[-1 - number], views) if len(views) >= ENROLLED_WITH else None
        if name is not None:
            page.load("head", frames[:300])
            accepted.append(page.until_shown("head", "welcome", name, 30.0) is not None)
            page.empty()
    about = f"printed stills of members, from held still to tilted by 45°, each for {REFUSED_AFTER_S:.0f} s"
    yield _share("photos_refused", refused, about)
    if accepted:
        kept = len(clips) - len(turning)
        told = "films of members who turn their heads, welcomed within 30 s"
        yield _share("heads_accepted", accepted, f"{told}; {kept} more in which the head keeps still" if kept else told)
    else:
        yield from without({"heads_accepted": "share"}, "nobody in the films could be enrolled")


class Later:
    """Metrics that are made on a thread, beside others that take no time."""

    def __init__(self, make: Callable[[], Iterator[Metric]]) -> None:
        self._found: list[Metric] = []
        self._thread = threading.Thread(target=lambda: self._found.extend(make()), daemon=True)
        self._thread.start()

    def metrics(self) -> list[Metric]:
        """Wait for them."""
        self._thread.join()
        return self._found
