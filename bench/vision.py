"""`aisle bench vision`: recognition and expression on labelled pictures, the port, one core's speed, memory, and what leaves a camera."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench import vision_camera, vision_kiosk, vision_port, vision_trace
from bench.beside import Beside
from bench.page import Bar, write_page
from bench.plot import points_svg
from bench.report import ROOT, Metric, percentile_with_ci, progress
from vision.engines.opencv import OpenCvEngine
from vision.errors import ModelError
from vision.evaluation import f1, measure
from vision.expression import SCALE, ExpressionModel, four
from vision.expression_net import SIDE
from vision.faces import upright
from vision.labelled import COLLAPSED, EvaluationError, Labelled, portrait, read

SEED = 7
BARS = {
    "vision.pairs_auc": Bar(0.99, least=True), "vision.pairs_eer": Bar(0.025), "vision.far_at_threshold": Bar(0),
    "vision.tar_at_threshold": Bar(None), "vision.tar_at_far_0.001": Bar(None), "vision.rank1": Bar(0.98, least=True),
    "vision.open_set_missed": Bar(None), "vision.open_set_taken": Bar(None), "vision.expression4_f1": Bar(None, least=True, baseline="original"),
    "vision.expression_ece": Bar(0.05), "vision.expression_acc_at_60": Bar(0.75, least=True), "vision.port_max_abs_diff": Bar(1e-4),
    "vision.detect_p95_ms": Bar(35), "vision.recognise_p95_ms": Bar(40), "vision.expression_p95_ms": Bar(8),
    "vision.frame_to_observation_p95_ms": Bar(120), "vision.observation_to_display_p95_ms": Bar(150),
    "vision.fps_one_core": Bar(10, least=True), "vision.rss_growth_mib": Bar(None), "vision.image_bytes_written": Bar(0),
    "vision.image_bytes_elsewhere_with_preview": Bar(0), "vision.welcome_p95_s": Bar(1.5), "vision.leave_to_attract_p95_s": Bar(5),
    "vision.photos_refused": Bar(1, least=True),
}  # fmt: skip
FIGURES = {
    "ROC-AUC": "pairs_auc", "EER": "pairs_eer", "FAR at the threshold": "far_at_threshold", "TAR at the threshold": "tar_at_threshold",
    "TAR at FAR 0.001": "tar_at_far_0.001", "rank-1": "rank1", "open set: members missed or mistaken": "open_set_missed",
    "open set: strangers taken for a member": "open_set_taken", "expression: macro-F1": "expression4_f1",
    "expression: ECE": "expression_ece", "expression: accuracy of the surest 60 %": "expression_acc_at_60",
}  # fmt: skip
TITLES = {
    "vision.frame_to_observation_p95_ms": "How long does one core need for a frame with three people?",
    "vision.observation_to_display_p95_ms": "How soon does a display follow what a camera saw?",
    "vision.welcome_p95_s": "How soon does the page greet an enrolled member by name?",
}
NOTES = [
    "**Beside.** What other work took of the machine meanwhile stands in the column of the data: it lengthens times.",
    "",
    "**In the browser.** Chromium in portrait on the kiosk's page; its camera shows what the benchmark draws, 30 frames a second: photographs of",
    "`faces/` and `expression/` before a film of an aisle, swaying a little. Members enrol through the api with three pictures and come with a fourth.",
    "Times are on the page's own clock, from the first frame with somebody in it to the page that shows it. Frames go to the api five times a second.",
]
BASELINES: dict[str, dict[str, float | str]] = {
    "pairs_auc": {"published_start": 0.9944}, "pairs_eer": {"published_start": 0.015},
}  # fmt: skip
QUICK_PEOPLE, QUICK_FACES, PORTED_FACES = 40, 140, 100
QUICK_FRAMES, FRAMES = 100, 1_200
HALF_AN_HOUR_S, MEMORY_PLOT = 1_800, "vision-rss.svg"


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of the cameras. Without `quick` the full protocol runs and docs/benchmarks/vision.md is written."""
    found: list[Metric] = []
    for metric in _all(quick, data):
        metric.print()
        found.append(metric)
    if not quick:
        plot = f"![Memory over half an hour]({MEMORY_PLOT})"
        write_page("vision", "Vision", BARS, found, seed=SEED, titles=TITLES, after=[plot, "", *NOTES])


def models() -> Path:
    """Return the folder with the models."""
    return Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var")) / "models"


def _all(quick: bool, data: Path | None) -> Iterator[Metric]:
    try:
        engine, expression = OpenCvEngine(models()), ExpressionModel(models())
    except ModelError as error:
        for name in BARS:
            yield Metric(name, None, "", 0, "", reason=str(error))
        return
    looped = _Looped(quick)
    sizes = vision_kiosk.QUICK if quick else vision_kiosk.FULL
    with vision_kiosk.Prepared(models().parent, data, sizes) as kiosk, _one_core(quick) as core:
        if quick:  # what takes no time, while the shop gets ready
            traced = vision_kiosk.Later(lambda: vision_trace.metrics(models(), quick=quick))
            yield from labelled(engine, expression, quick, data)
            yield from port(engine, expression, quick, data)
            yield from traced.metrics()
        kiosk.wait()
        progress("the timed part begins")
        yield from speed(core, quick)
        yield from vision_kiosk.timed(kiosk)
        progress("the timed part is over")
        looped.begin()  # out of the way of the others
        yield from vision_kiosk.stills(kiosk)
        if not quick:
            yield from labelled(engine, expression, quick, data)
            yield from port(engine, expression, quick, data)
            yield from vision_trace.metrics(models(), quick=quick)
        yield looped.metric()


def labelled(engine: OpenCvEngine, expression: ExpressionModel, quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield the figures of the labelled folders; with `quick`, of the first people and pictures of each."""
    for folder in ("faces", "expression"):
        about = [name for name in FIGURES.values() if name.startswith("expression") == (folder == "expression")]
        try:
            if data is None or not (data / folder).is_dir():
                raise EvaluationError(f"there is no {folder} folder in the data")
            progress(f"the pictures in {folder}")
            chosen = read(data / folder)
            if quick:
                chosen = chosen.part(QUICK_PEOPLE, QUICK_FACES, np.random.default_rng(SEED))
            figures = measure(chosen, engine, expression, group="", seed=SEED, progress=lambda *_: None)
            baselines = dict(BASELINES)
            if chosen.labels and not quick:
                baselines["expression4_f1"] = {"original": round(original_f1(chosen, engine, expression), 4)}
        except EvaluationError as error:
            yield from (Metric(f"vision.{name}", None, "share", 0, "", reason=str(error)) for name in about)
            continue
        for one in figures:
            if one["figure"] in FIGURES:
                name = FIGURES[one["figure"]]
                about.remove(name)
                ci = None if one["ci"] is None else tuple(one["ci"])
                told = f"{folder}{', a part' if quick else ''}" + (
                    f", threshold {one['threshold']}" if "threshold" in one else ""
                )
                yield Metric(
                    f"vision.{name}",
                    one["value"],
                    "share",
                    one["n"],
                    told,
                    ci,
                    baselines.get(name),
                    SEED,
                    one.get("reason"),
                )
        for name in about:
            yield Metric(f"vision.{name}", None, "share", 0, "", reason=f"the {folder} folder holds nothing for it")


def port(engine: OpenCvEngine, expression: ExpressionModel, quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield the largest difference from the original network's logits: recorded ones, or, in full, its own code run now on faces, too."""
    pictures, found = vision_port.pictures(), 0
    if quick or shutil.which("npm") is None:
        theirs, told = (
            np.array(json.loads(vision_port.RECORD.read_text())["logits"]),
            "recorded outputs of the original",
        )
    else:
        progress("the original expression network, in Node")
        if data is not None and (data / "faces" / "images").is_dir():
            crops = vision_port.faces(data / "faces" / "images", engine, PORTED_FACES)
            pictures, found = [*pictures, *crops], len(crops)
        try:
            with tempfile.TemporaryDirectory() as folder:
                theirs, told = (
                    vision_port.original(vision_port.fetch(Path(folder)), pictures),
                    f"{vision_port.PACKAGE}, run now; {found} of them crops of faces",
                )
        except subprocess.CalledProcessError as error:
            yield Metric("vision.port_max_abs_diff", None, "", 0, "", reason=f"the original did not run: {error}")
            return
    ours = np.stack([expression.logits(np.ascontiguousarray(picture[:, :, ::-1])) for picture in pictures])
    yield Metric("vision.port_max_abs_diff", float(np.abs(ours - theirs).max()), "logit", len(pictures), told)


def original_f1(chosen: Labelled, engine: OpenCvEngine, expression: ExpressionModel) -> float:
    """Return the macro F1 of the original: the same crops and four labels, not mirrored, not scaled. `port` says that it is the original."""
    chances, truth = [], []
    for row in chosen.labels:
        if (shown := portrait(chosen.images / row["image"], engine)) is not None:
            chances.append(four(expression.logits(upright(*shown, SIDE, SCALE)), 1.0))
            truth.append(COLLAPSED[row["expression"]])
    return f1(np.array(truth), np.stack(chances).argmax(axis=1))


@contextmanager
def _one_core(quick: bool) -> Iterator[_Child]:
    """Start a process that watches on one core when it is told to."""
    child = _Child(vision_camera.one_core, str(models()), QUICK_FRAMES if quick else FRAMES)
    try:
        yield child
    finally:
        child.end()


def speed(core: _Child, quick: bool) -> Iterator[Metric]:
    """Yield the stages' times and the frames per second of a process that may use one core."""
    progress("one core, three people")
    beside, frames = Beside(), QUICK_FRAMES if quick else FRAMES
    measured = core.result()
    told = f"640x480, three people, one core, {frames} frames; {beside.told()}"
    for name in ("detect", "recognise", "expression", "frame_to_observation"):
        samples = measured[name]
        value, ci = percentile_with_ci(samples, 95, seed=SEED)
        more = {"p50_ms": round(float(np.median(samples)), 1)}
        if name == "frame_to_observation":
            more["processor_p95_ms"] = round(float(np.percentile(measured["processor"], 95)), 1)
        yield Metric(f"vision.{name}_p95_ms", value, "ms", len(samples), told, ci, more, SEED, samples=samples)
    by_processor = {"by_processor_time": round(1000 * frames / sum(measured["processor"]), 1)}
    yield Metric("vision.fps_one_core", round(measured["fps"], 1), "frames/s", frames, told, None, by_processor)


class _Looped:
    """A process that watches looped video, with the least priority: with `quick` for some seconds, else for half an hour."""

    def __init__(self, quick: bool) -> None:
        self._quick, self._beside = quick, Beside()
        self._child = _Child(vision_camera.memory, str(models()), 3 if quick else HALF_AN_HOUR_S)

    def begin(self) -> None:
        """Let it watch."""
        self._beside = Beside()
        self._child.go()

    def metric(self) -> Metric:
        """Return how much it has grown; without `quick` the plot is drawn, too."""
        progress("looped video, to its end")
        measured = self._child.result()
        points = measured["samples"]
        minutes, held = np.array(points).T
        slope = np.polyfit(minutes[len(minutes) // 2 :], held[len(held) // 2 :], 1)[0] if len(minutes) > 3 else 0.0
        told = f"{minutes[-1]:.2f} minutes of looped video, at most {vision_camera.FPS:.0f} frames/s, with the least priority; {self._beside.told()}"
        if self._quick:
            told += "; the full run takes half an hour"
        else:
            title = "How much memory does a camera's process hold over half an hour?"
            plot = points_svg(title, {"MiB": [(x, y, "") for x, y in points]}, "minutes", "MiB", joined={"MiB"})
            (ROOT / "docs" / "benchmarks" / MEMORY_PLOT).write_text(plot)
        more = {"at_start_mib": round(held[0], 1), "second_half_mib_per_hour": round(float(slope) * 60, 2)}
        return Metric(
            "vision.rss_growth_mib", round(float(held[-1] - held[0]), 1), "MiB", measured["frames"], told, None, more
        )


class _Child:
    """A process that runs `target`, which gets ready, waits for the word, and puts one result into its queue."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue()
        self._word: Any = context.Event()
        self._process = context.Process(target=target, args=(*arguments, self._word, self._queue), daemon=True)
        self._process.start()

    def go(self) -> None:
        """Give the word."""
        self._word.set()

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()

    def result(self) -> dict[str, Any]:
        """Give the word, if nobody has, and wait for what it found."""
        self.go()
        found: dict[str, Any] = self._queue.get(timeout=2 * HALF_AN_HOUR_S)
        self._process.join()
        return found


if __name__ == "__main__":
    alone = _Looped(quick=False)  # the half hour alone
    alone.begin()
    alone.metric().print()
