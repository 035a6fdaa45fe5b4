"""A camera's process, watched from outside: every byte that it hands to the system, every socket that it opens."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from bench.report import Metric, progress
from bench.vision_camera import people
from vision import privacy
from vision.privacy import THIS_MACHINE, Watched


def metrics(models: Path, *, quick: bool) -> Iterator[Metric]:
    """Yield how many bytes that are no observation left a camera's process."""
    progress("what a camera's process writes")
    yield _written("vision.image_bytes_written", traced(models, seconds=4 if quick else 60))
    if not quick:
        trace = traced(models, seconds=30, preview=True)
        strangers = [one for one in trace["machines"] if one != THIS_MACHINE]
        about = f"beside {trace['pictures']} pictures to the installer's page on the same machine; other machines: {len(strangers)}"
        yield _written("vision.image_bytes_elsewhere_with_preview", trace, about)


def _written(name: str, trace: dict[str, Any], about: str = "") -> Metric:
    told = f"{trace['frames']} frames of {trace['frame_bytes']:,} bytes; {trace['observations']} observations, {trace['sent_bytes']:,} bytes of JSON"
    value = trace["file_bytes"] + trace["other_bytes"]
    return Metric(name, value, "bytes", trace["frames"], f"{told}; {about}" if about else told)


def traced(models: Path, *, seconds: float, preview: bool = False) -> dict[str, Any]:
    """Run an agent beside a film of three people, one of whom is a member (see `vision.privacy`). With `preview` a browser looks at its page."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.avi"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
        for frame in people(50):
            writer.write(frame)
        writer.release()
        watched = Watched(str(film), str(models), seconds, preview=preview)
        return privacy.traced(watched, _gallery(models), browse=_browse if preview else None)


def _browse(url: str, seconds: float) -> int:
    """Look at the preview for most of the time; return how many pictures came."""
    with httpx.Client(timeout=seconds + 5) as browser:
        browser.get(url, follow_redirects=True).raise_for_status()
        until, found = time.monotonic() + seconds * 0.6, 0
        with browser.stream("GET", str(httpx.URL(url).join("/preview/frames"))) as stream:
            for part in stream.iter_raw():
                found += part.count(b"Content-Type: image/jpeg")
                if time.monotonic() > until:
                    return found
    return found


def _gallery(models: Path) -> dict[str, Any]:
    """Return a gallery in which the first of the three is a member, the others nobody."""
    import base64

    from vision.engines.opencv import OpenCvEngine
    from vision.enrol import make_template

    engine = OpenCvEngine(models)
    template = make_template(
        engine, [np.asarray(cv2.resize(frame[:, :213], (426, 960)), np.uint8) for frame in people(8)]
    )
    one = {
        "member_id": "member-1",
        "vector": base64.b64encode(template.astype("<f4").tobytes()).decode(),
        "expression": True,
    }
    return {"model": engine.name, "threshold": 0.45, "expression_notice": False, "templates": [one]}
