"""Is everything there that a camera needs? Models, speed, and, with a source, picture, light and frame rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.capture import Capture
from vision.engines import FaceEngine, make_engine
from vision.errors import VisionError
from vision.expression import ExpressionModel
from vision.faces import Face, Frame
from vision.models import missing, vision_files
from vision.quality import judge

DETECT_MS, RECOGNISE_MS, EXPRESSION_MS = 60.0, 60.0, 15.0
LEAST_FPS, DARK, BRIGHT = 8.0, 60.0, 200.0
_WATCHED_S = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `advice` says what to change when it is not good."""

    what: str
    good: bool
    found: str
    advice: str = ""


def examine(engine_name: str, models: Path, pack: str, source: str) -> Iterator[Check]:
    """Yield one check after the other; with no `source` the camera is left out."""
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
    except VisionError as error:
        yield Check("engine", good=False, found=str(error), advice="Nothing else can be looked at before this.")
        return
    yield from _speeds(engine, expression)
    if source:
        yield from _camera(source, engine)


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


def _median_ms(run: Callable[[], object], times: int = 9) -> float:
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
        while time.monotonic() < until and (frame := capture.newest(timeout_s=2.0)) is not None:
            count += 1
            frames = [*frames[-4:], frame]
    finally:
        capture.close()
    if not frames:
        yield Check("camera", good=False, found="it gives no picture", advice="Check its cable, address and password.")
        return
    height, width = frames[-1].shape[:2]
    rate, light = count / _WATCHED_S, float(frames[-1].mean())
    yield Check(
        "camera", min(width, height) >= 360, f"{width}x{height}", "Choose 640x480 or more in the camera's settings."
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
    faces = [face for frame in frames for face in engine.detect(frame)[:1]]
    if faces:
        quality = judge(frames[-1], faces[-1])
        yield Check(
            "a face", quality.score > 0, f"quality {quality.score:.2f} of 1", f"Its {quality.worst} costs most."
        )
