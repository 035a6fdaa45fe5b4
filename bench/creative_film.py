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
from personalization.creative.film import film_design, frames, make_film, plan_film
from personalization.creative.picture import drawing
from personalization.creative.stage import Stage
from personalization.creative.studio import Design, designs
from personalization.creative.tune import tune
from personalization.creative.words import Facts

RUNS = 3
SECONDS = 10.0
PARTS = ("mp4", "webm", "gif", "all", "listen", "draw")


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield how long a film of a drawing that ships takes; `quick` makes it once, as MP4 alone."""
    facts, picture, brand = Facts("Golden Honey", "$4.99"), drawing("honey-pot"), BrandKit("Corner Market", 155)
    design, _ = designs(facts, picture, brand, aspect="9:16", count=1)[0]
    progress(f"a film of {SECONDS:g} s")
    yield from video10s(design, runs=1 if quick else RUNS, parts=("mp4",) if quick else PARTS)


def video10s(design: Design, *, runs: int = RUNS, parts: Sequence[str] = PARTS) -> Iterator[Metric]:
    """Yield `creative.video10s_s` of a design, with what listening, planning, drawing and each format take, in seconds.

    Every run listens to the track anew; librosa is loaded before, as in a worker that has made a film.
    """
    track = replace(tune(0), beats=(), digest="bench")
    beats_of(track)
    taken: dict[str, list[float]] = {}
    for _ in range(runs):
        listening.forget()
        for name, value in _once(design, track, parts).items():
            taken.setdefault(name, []).append(value)
    told: dict[str, Any] = {
        "n": runs,
        "seed": 0,
        "data": "720 by 1280, 30 frames a second, H.264 and AAC, a drawing that ships, a made track; spread is least and most",
    }
    for name in parts:
        found, whole = taken[name], "" if name == "mp4" else f"_{name}"
        yield Metric(
            f"creative.video10s{whole}_s", round(median(found), 3), "s", ci=(round(min(found), 3), round(max(found), 3)), **told
        )  # fmt: skip


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
    if "listen" in wanted:
        listening.forget()
        begun = time.perf_counter()
        beats_of(track)
        taken["listen"] = time.perf_counter() - begun
    if "draw" in wanted:
        stage = Stage(plan_film(film_design(design), track, SECONDS), design.material.picture, 1280)
        begun = time.perf_counter()
        for _ in frames(stage):
            pass
        taken["draw"] = time.perf_counter() - begun
    return taken
