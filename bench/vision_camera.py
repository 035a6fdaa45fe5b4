"""The pipeline on one core: its times, its rate, its memory over half an hour of video."""

from __future__ import annotations

import os
import resource
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from vision.observation import Observation

FPS, MEMORY_SAMPLES = 10.0, 60
Frame = np.ndarray


def people(count: int, size: tuple[int, int] = (640, 480)) -> list[Frame]:
    """Return frames of three people who sway before the camera: the astronaut, and two that the insightface package brings along."""
    import insightface
    import skimage.data

    samples = Path(insightface.__file__).parent / "data" / "images"
    shown = [cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[:300, 100:400]]
    shown.append(cv2.imread(str(samples / "Tom_Hanks_54745.png")))
    group = cv2.imread(str(samples / "t1.jpg"))
    shown.append(group[180:520, 60:400] if group is not None else np.ascontiguousarray(shown[0][:, ::-1]))
    width, height = size
    side = width // 3
    tiles = [np.asarray(cv2.resize(one, (side, side)), np.uint8) for one in shown]
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), 150, np.uint8)
        for place, tile in enumerate(tiles):
            top = round(height / 4 + 30 * np.sin(number / 9 + place))
            left = place * side
            frame[top : top + side, left : left + side] = tile
        frames.append(frame)
    return frames


def one_core(models: str, frames: int, word: Any, queue: Any) -> None:
    """Run the pipeline on one core as fast as it goes once it has the word, and put its times (ms), of clock and processor, and its rate into `queue`."""
    watch = _Watch(models, core=0)
    taken: dict[str, list[float]] = defaultdict(list)
    word.wait()
    begun = time.perf_counter()
    for _ in range(frames):
        started, spent = time.perf_counter(), time.process_time()
        found = watch.next()
        taken["frame_to_observation"].append((time.perf_counter() - started) * 1000)
        taken["processor"].append((time.process_time() - spent) * 1000)
        taken["detect"].append(found.stages_ms["detect"] + found.stages_ms["track"])
        if found.stages_ms["recognise"] > 1:
            taken["recognise"].append(found.stages_ms["recognise"])
        if len(found.people) == 3 and found.stages_ms["expression"] > 1:
            taken["expression"].append(found.stages_ms["expression"] / len(found.people))
    rate = frames / (time.perf_counter() - begun)
    if not taken["recognise"]:
        taken["recognise"].append(float("nan"))
    queue.put({**taken, "fps": rate})


def memory(models: str, seconds: float, word: Any, queue: Any) -> None:
    """Watch looped video at FPS frames a second for so long, out of the way of others; put (minutes, MiB) once in a while into `queue`."""
    os.nice(19)
    watch = _Watch(models, core=-1)
    word.wait()
    samples, begun, frames, late = [(0.0, _rss_mib())], time.monotonic(), 0, 0
    while (now := time.monotonic() - begun) < seconds:
        if now / seconds * MEMORY_SAMPLES >= len(samples):
            samples.append((round(now / 60, 2), _rss_mib()))
        watch.next()
        frames += 1
        ahead = frames / FPS - (time.monotonic() - begun)
        late += ahead < 0
        time.sleep(max(0.0, ahead))
    samples.append((round(seconds / 60, 2), _rss_mib()))
    queue.put({"samples": samples, "frames": frames, "late": late})


class _Watch:
    """A pipeline on one core, and three people who come again and again."""

    def __init__(self, models: str, *, core: int) -> None:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})
        cv2.setNumThreads(1)
        from vision.engines.opencv import OpenCvEngine
        from vision.enrol import make_template
        from vision.expression import ExpressionModel
        from vision.gallery import Gallery

        self._engine, self._expression = OpenCvEngine(Path(models)), ExpressionModel(Path(models))
        self._film, self._number = people(120), 0
        first = [np.asarray(cv2.resize(frame[:, :213], (426, 960)), np.uint8) for frame in self._film[:8]]
        self._gallery = Gallery([("member", make_template(self._engine, first))], 0.45)
        self._come()
        for _ in range(20):
            self.next()

    def _come(self) -> None:
        from vision.pipeline import Pipeline

        self._pipeline = Pipeline(self._engine, self._expression, lambda _member: True)

    def next(self) -> Observation:
        """Look at the next frame; every minute of the film they leave and others come, so that recognition is asked again."""
        self._number += 1
        if self._number % 600 == 0:
            self._come()
        frame = self._film[self._number % len(self._film)]
        return self._pipeline.observe(frame, self._gallery, at=self._number / FPS)


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
