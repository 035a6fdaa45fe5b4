"""A film: a spec, facts, a picture, a brand and a track become MP4, WebM, GIF, subtitles and a still. The same inputs, the same frames."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import skia

from personalization.creative.audio import Track, cut
from personalization.creative.beats import beats_of
from personalization.creative.encode import Gif, Lane, Movie, canvas_frame, converted
from personalization.creative.errors import CreativeError
from personalization.creative.space import DIMENSIONS, MOVING, Space
from personalization.creative.stage import Stage, captions, still
from personalization.creative.storyboard import Storyboard, long_enough, storyboard
from personalization.creative.studio import Design, inputs_of
from personalization.creative.timeline import FPS
from personalization.creative.tune import tune

VERSION = "film-1"
FORMATS = ("mp4", "webm", "gif", "vtt", "jpg")
HEIGHTS = {"9:16": 1280, "kiosk": 1280, "1:1": 720, "4:5": 900, "16:9": 720}
"""Pixels of a film's height by its shape; the shorter side is 720."""
SECONDS = 10.0

SIGNED = {"mp4", "gif", "jpg"}
"""Formats that carry content credentials; WebM and WebVTT cannot."""
Progress = Callable[[float], None]
Sign = Callable[[bytes, str, Design, Track], bytes]


class FilmCancelledError(CreativeError):
    """Somebody wanted the film no more; nothing of it is left."""

    def __init__(self) -> None:
        super().__init__("cancelled", "The film was cancelled.")


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was made: its id, files by format, and what it shows when."""

    film_id: str
    files: dict[str, Path]
    board: Storyboard
    width: int
    height: int


def film_design(design: Design, seed: int = 0, wanted: Mapping[str, str] | None = None) -> Design:
    """Return the design with a motion, an easing and a rhythm where it stands still: those `wanted`, others by chance from its spec and `seed`."""
    if design.spec["motion"] != "still":
        return design
    of = design.material
    space = Space(replace(inputs_of(of.facts, of.picture, of.brand, (), film=True), messages=(design.spec["message"],)))
    given = {name: option for name, option in design.spec.choices.items() if name not in MOVING}
    given |= {
        name: option
        for name, option in (wanted or {}).items()
        if name in MOVING and option in DIMENSIONS[name] and option != "still"
    }
    return replace(design, spec=space.sample(np.random.default_rng([design.spec.seed, seed]), given=given))


def film_id(design: Design, track: Track, seconds: float, height: int, approved_by: str = "") -> str:
    """Name a film by all that makes it, and by who approved it, whom its files name."""
    told = json.dumps(
        [VERSION, design.creative_id, track.digest, round(seconds, 2), height, *([approved_by] if approved_by else [])]
    )
    return str(UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=5))


def make_film(
    design: Design,
    out: Path,
    *,
    track: Track | None = None,
    seconds: float = SECONDS,
    height: int | None = None,
    formats: Sequence[str] = FORMATS,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    kept_in: Path | None = None,
    sign: Sign | None = None,
) -> Film:
    """Make a film of 6 to 15 s in the folder `out`, as `ID.mp4` and so on; files appear there only when all are whole.

    Without a `track` one is made. `progress` hears shares from 0 to 1; `cancelled` is asked before every frame, and what was begun is deleted then.
    `kept_in` is a folder where the beats of tracks are kept; `sign` gives a file its content credentials where its format can carry them. Raises CreativeError when it cannot be made, and FilmCancelledError.
    """
    if unknown := set(formats) - set(FORMATS):
        raise CreativeError("bad-format", f"There is no format {min(unknown)!r}; there are {', '.join(FORMATS)}.")
    design = film_design(design)
    track = track or tune(design.spec.seed % 64)
    told, stop = progress or (lambda _: None), cancelled or (lambda: False)
    told(0.0)
    board = plan_film(design, track, seconds, kept_in)
    size = height or HEIGHTS[design.spec["aspect"]]
    named = film_id(design, track, seconds, size)
    told(0.03)
    stage = Stage(board, design.material.picture, size)
    told(0.06)
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / f".{named}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _written(stage, board, unfinished, named, formats, told, stop)
        files = {kind: out / f"{named}.{kind}" for kind in formats}
        if sign is not None:
            for kind in SIGNED & set(formats):
                whole = unfinished / files[kind].name
                whole.write_bytes(sign(whole.read_bytes(), kind, design, track))
        for path in files.values():
            (unfinished / path.name).replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    told(1.0)
    return Film(named, files, board, stage.width, stage.height)


def plan_film(design: Design, track: Track, seconds: float, kept_in: Path | None = None) -> Storyboard:
    """Return what is shown when, without drawing it."""
    track, beats = long_enough(track, beats_of(track, kept_in), seconds)
    return storyboard(design.spec, design.material, track, beats, seconds)


def _written(
    stage: Stage,
    board: Storyboard,
    folder: Path,
    named: str,
    formats: Sequence[str],
    told: Progress,
    stop: Callable[[], bool],
) -> None:
    size = (stage.width, stage.height)
    if "vtt" in formats:
        (folder / f"{named}.vtt").write_text(captions(board), encoding="utf-8")
    if "jpg" in formats:
        image = still(board.shots[-1].poster, *size)
        (folder / f"{named}.jpg").write_bytes(bytes(image.encodeToData(skia.kJPEG, 88)))
    moving = [kind for kind in ("mp4", "webm", "gif") if kind in formats]
    if not moving:
        return
    sound = cut(board.track, board.time.start, board.time.frames / FPS)
    lanes = [
        Lane(Gif(folder / f"{named}.gif", size) if kind == "gif" else Movie(folder / f"{named}.{kind}", size, sound))
        for kind in moving
    ]
    try:
        for pts, frame in enumerate(frames(stage)):
            if stop():
                raise FilmCancelledError
            for lane in lanes:
                lane.add(frame)
            told(0.06 + 0.92 * (pts + 1) / board.time.frames)
    except BaseException:
        for lane in lanes:
            lane.abandon()
        raise
    for lane in lanes:
        lane.close()


def frames(stage: Stage) -> Any:
    """Yield a film's frames, ready to be encoded."""
    pixels, shared = canvas_frame((stage.width, stage.height))
    surface = skia.Surface(pixels, colorType=skia.kBGRA_8888_ColorType)
    canvas = surface.getCanvas()
    for pts in range(stage.board.time.frames):
        stage.draw(canvas, pts)
        surface.flushAndSubmit()
        yield converted(shared, pts)


def draw_frame(stage: Stage, frame: int) -> Any:
    """Return one frame as an image."""
    surface = skia.Surface(stage.width, stage.height)
    stage.draw(surface.getCanvas(), frame)
    return surface.makeImageSnapshot()
