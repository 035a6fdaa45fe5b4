"""How long a film takes: 10 s of 720 × 1280 as MP4, the median of three, and the parts of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Metric, progress
from personalization.creative import beats as listening
from personalization.creative.beats import beats_of
from personalization.creative.brand import BrandKit
from personalization.creative.film import frames, make_film, plan_film
from personalization.creative.picture import drawing
from personalization.creative.stage import Stage
from personalization.creative.studio import Design, designs
from personalization.creative.tune import tune
from personalization.creative.words import Facts

RUNS = 3
SECONDS = 10.0


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield how long a film of a drawing that ships takes; `quick` makes it once, as MP4 alone."""
    facts, picture, brand = Facts("Golden Honey", "$4.99"), drawing("honey-pot"), BrandKit("Corner Market", 155)
    design, _ = designs(facts, picture, brand, aspect="9:16", count=1)[0]
    progress(f"a film of {SECONDS:g} s")
    yield from video10s(design, runs=1 if quick else RUNS, formats=("mp4",) if quick else ("mp4", "webm", "gif", "all"))


def video10s(
    design: Design, *, runs: int = RUNS, formats: Sequence[str] = ("mp4", "webm", "gif", "all")
) -> Iterator[Metric]:
    """Yield `creative.video10s_s` of a design, with what listening, planning, drawing and each format take, in seconds.

    Every run listens to the track anew; librosa is loaded before, as in a worker that has made a film.
    """
    track = replace(tune(0), beats=(), digest="bench")
    beats_of(track)
    parts: dict[str, list[float]] = {}
    for _ in range(runs):
        listening.forget()
        for name, value in _once(design, track, formats).items():
            parts.setdefault(name, []).append(value)
    told: dict[str, Any] = {"n": runs, "seed": 0, "data": "drawings that ship, a made track"}
    yield Metric("creative.video10s_s", median(parts["mp4"]), "s", ci=(min(parts["mp4"]), max(parts["mp4"])), **told)
    for name in ("listen", "draw", *formats[1:]):
        yield Metric(
            f"creative.video10s_{name}_s", median(parts[name]), "s", ci=(min(parts[name]), max(parts[name])), **told
        )


def _once(design: Design, track: Any, wanted: Sequence[str]) -> dict[str, float]:
    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, formats in (
            ("mp4", ("mp4", "vtt", "jpg")),
            ("webm", ("webm",)),
            ("gif", ("gif",)),
            ("all", ("mp4", "webm", "gif", "vtt", "jpg")),
        ):
            if name not in wanted:
                continue
            listening.forget()
            begun = time.perf_counter()
            make_film(design, Path(folder), track=track, seconds=SECONDS, formats=formats)
            taken[name] = time.perf_counter() - begun
    listening.forget()
    begun = time.perf_counter()
    beats_of(track)
    taken["listen"] = time.perf_counter() - begun
    stage = Stage(plan_film(design, track, SECONDS), design.material.picture, 1280)
    begun = time.perf_counter()
    for _ in frames(stage):
        pass
    taken["draw"] = time.perf_counter() - begun
    return taken
