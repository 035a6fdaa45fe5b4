"""Is everything there that a camera needs? Models, speed, and, where they are named, the camera and the api."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from vision.calibration import shipped
from vision.capture import Capture
from vision.engines import FaceEngine, make_engine
from vision.errors import AgentError, ModelError, VisionError
from vision.expression import ExpressionModel
from vision.faces import Face, Frame
from vision.feed import Feed
from vision.liveness import make_liveness
from vision.models import missing, vision_files
from vision.pipeline import EMPTY, Pipeline, fitting
from vision.quality import LEAST, judge

DETECT_MS, RECOGNISE_MS, EXPRESSION_MS = 60.0, 60.0, 15.0
LEAST_FPS, LEAST_SIDE, DARK, BRIGHT = 8.0, 360, 60.0, 200.0
MOST_BROKEN = 0.02
MOST_SKEW_S = 2.0
"""What a camera tells more than five seconds late is shown to nobody; a clock that is wrong makes everything late."""
TURN = "experimental; it was tried on one film of a head that turns, which it accepted, so try it in your light before you rely on it"
_WATCHED_S, _KEPT, _TIMES = 3.0, 5, 9


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `advice` says what to change when it is not good."""

    what: str
    good: bool
    found: str
    advice: str = ""


def examine(
    engine_name: str,
    models: Path,
    pack: str,
    source: str,
    *,
    liveness: str = "none",
    threshold: float | None = None,
    link: tuple[httpx.Client, str] | None = None,
) -> Iterator[Check]:
    """Yield one check after the other. No `source`: the camera is left out; no `link` (client with key, kiosk): the api is.

    `threshold`: the operator's own least similarity of a match, if there is one.
    """
    bad = [file.name for file in missing(models, vision_files())]
    yield Check(
        "models",
        not bad,
        "all there, intact" if not bad else f"missing or damaged: {', '.join(bad)}",
        "Run `aisle models pull`.",
    )
    try:
        engine = make_engine(engine_name, models, pack)
        expression = ExpressionModel(models)
        make_liveness(liveness, models)
    except VisionError as error:
        yield Check("engine", good=False, found=str(error), advice="Nothing else can be looked at before this.")
        return
    yield _threshold(engine, threshold)
    if liveness == "turn":
        yield Check("liveness", good=True, found=f"turn: {TURN}")
    yield from _speeds(engine, expression)
    if source:
        yield from _camera(source, engine)
    if link is not None:
        yield from _api(*link, engine)


def _threshold(engine: FaceEngine, own: float | None) -> Check:
    if own is not None:
        found = f"{engine.name}, from your own similarity of {own:.3f} (AISLE_VISION_MATCH_THRESHOLD)"
        return Check("matches", good=True, found=f"{found}; `aisle vision evaluate` says what it costs")
    try:
        match = shipped().recognition[engine.name]
    except KeyError:
        advice = "Run `aisle vision calibrate --faces DIR` on labelled pictures, or set AISLE_VISION_MATCH_THRESHOLD."
        return Check("matches", good=False, found=f"{engine.name} was never calibrated", advice=advice)
    strangers = f"at most 1 in {1 / match.far_at_most:,.0f} strangers is taken for a given member"
    return Check("matches", good=True, found=f"{engine.name}, from a similarity of {match.threshold:.3f}; {strangers}")


def _speeds(engine: FaceEngine, expression: ExpressionModel) -> Iterator[Check]:
    frame = np.full((480, 640, 3), 128, np.uint8)
    points = np.array([[290, 200], [350, 200], [320, 240], [295, 275], [345, 275]], np.float32)
    raw = np.concatenate([np.array([260, 150, 120, 160], np.float32), points.ravel(), np.array([1.0], np.float32)])
    face = Face((260.0, 150.0, 120.0, 160.0), points, 1.0, raw)
    for what, most, run in (
        ("detection, one frame", DETECT_MS, lambda: engine.detect(frame)),
        ("recognition, one face", RECOGNISE_MS, lambda: engine.embed(frame, face)),
        ("expression, one face", EXPRESSION_MS, lambda: expression.predict(frame, face)),
    ):
        took = _median_ms(run)
        yield Check(
            what,
            took <= most,
            f"{took:.1f} ms",
            f"More than {most:.0f} ms: use a faster machine, or fewer frames with --fps.",
        )


def _median_ms(run: Callable[[], object], times: int = _TIMES) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append((time.perf_counter() - started) * 1000)
    return float(np.median(taken))


def _camera(source: str, engine: FaceEngine) -> Iterator[Check]:
    try:
        capture = Capture(source)
    except VisionError as error:
        yield Check("camera", good=False, found=str(error), advice="Try another --source.")
        return
    frames: list[Frame] = []
    count, until = 0, time.monotonic() + _WATCHED_S
    try:
        while time.monotonic() < until and (shot := capture.newest(timeout_s=2.0)) is not None:
            count += 1
            frames = [*frames[1 - _KEPT :], shot.frame]
    finally:
        capture.close()
    if not frames:
        yield Check("camera", good=False, found="it gives no picture", advice="Check its cable, address and password.")
        return
    yield from _picture(frames[-1], count / _WATCHED_S)
    broken = capture.broken / (capture.broken + count)
    yield Check("broken pictures", broken <= MOST_BROKEN, f"{broken:.0%}", "Check the cable, the hub and the network.")
    yield from _people(frames, engine)


def _picture(frame: Frame, rate: float) -> Iterator[Check]:
    height, width = frame.shape[:2]
    light = float(frame.mean())
    yield Check(
        "camera",
        min(width, height) >= LEAST_SIDE,
        f"{width}x{height}",
        "Choose 640x480 or more in the camera's settings.",
    )
    yield Check(
        "frame rate", rate >= LEAST_FPS, f"{rate:.0f} per second", "Light it better, or lower the camera's resolution."
    )
    yield Check(
        "light",
        DARK <= light <= BRIGHT,
        f"{light:.0f} of 255",
        "Avoid a window behind people; add light from the front.",
    )


def _people(frames: list[Frame], engine: FaceEngine) -> Iterator[Check]:
    """Say how long it takes to look at these pictures, and whether a face in them would do. Nobody is recognised, nor read."""
    pipeline, number = Pipeline(engine, None, lambda _member: False), itertools.count()
    took = _median_ms(lambda: [pipeline.observe(frame, EMPTY, at=next(number) / 10) for frame in frames]) / len(frames)
    yield Check(
        "a look", took <= 1000 / LEAST_FPS, f"{took:.0f} ms, so up to {1000 / took:.0f} frames per second",
        "Lower the camera's resolution, or use a faster machine.",
    )  # fmt: skip
    last = fitting(frames[-1])
    faces = engine.detect(last)
    if faces:
        quality = judge(last, faces[0])
        yield Check(
            "a face", quality.score >= LEAST, f"quality {quality.score:.2f} of 1, {LEAST} is needed", f"Its {quality.worst} costs most."
        )  # fmt: skip


def _api(client: httpx.Client, kiosk: str, engine: FaceEngine) -> Iterator[Check]:
    feed = Feed(client, kiosk, engine.name)
    try:
        feed.connect()
    except (AgentError, ModelError) as error:
        yield Check("api", good=False, found=str(error), advice="Without it nothing of what is seen is shown.")
        return
    known = feed.known
    notice = "strangers' expressions may be read" if known.expression_notice else "no strangers' expressions"
    yield Check("api", good=True, found=f"it answers; members who may be known: {len(known.gallery.members)}; {notice}")
    yield Check(
        "clock", abs(feed.skew_s) <= MOST_SKEW_S, f"{abs(feed.skew_s):.0f} s from the api's",
        "Let both machines set their clocks from the network (NTP): what seems late is shown to nobody.",
    )  # fmt: skip
