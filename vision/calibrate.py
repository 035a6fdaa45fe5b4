"""Choose what `vision.calibration` holds, on labelled pictures: `aisle vision calibrate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from vision.calibration import Calibration, ExpressionScale, Recognition
from vision.engines import FaceEngine
from vision.evaluation import COVERAGE, Progress, ece, embed
from vision.expression import ExpressionModel, four
from vision.faces import Template
from vision.labelled import COLLAPSED, EvaluationError, portrait, read
from vision.several import ABOVE, FOLDS


def calibrated(
    before: Calibration, engine: FaceEngine, model: ExpressionModel, *, faces: Path | None, expressions: Path | None,
    seed: int, progress: Progress,
) -> Calibration:  # fmt: skip
    """Return the calibration with what the given folders tell; EvaluationError when they do not hold it."""
    rng = np.random.default_rng(seed)
    made: dict[str, Any] = {**before.made, "at": datetime.now(UTC).date().isoformat(), "seed": seed}
    recognition, scale = dict(before.recognition), before.expression
    if faces is not None:
        labelled = read(faces)
        people = {row["image"]: row["person"] for row in labelled.people}
        templates = embed(labelled.images, sorted(people), engine, progress)
        recognition[engine.name], made["faces"] = threshold(people, templates, rng)
    if expressions is not None:
        scale, made["expressions"] = expression_scale(expressions, engine, model, rng, progress)
    return replace(before, recognition=recognition, expression=scale, made=made)


def threshold(
    people: Mapping[str, str], templates: Mapping[str, Template], rng: np.random.Generator
) -> tuple[Recognition, dict[str, Any]]:
    """Return the threshold just above the most alike strangers, its rates, and those on people who had no part in choosing it.

    Cross-validated over people: a fold's pairs are of people none of whom was in the others. The bound of the false accept
    rate counts pairs of people, not of pictures (rule of three): pictures of the same two are no new evidence.
    """
    names = sorted(templates)
    if len({people[name] for name in names}) < 2 * FOLDS:
        raise EvaluationError(f"pictures of {2 * FOLDS} people or more are needed")
    who = np.array([people[name] for name in names])
    vectors = np.stack([templates[name] for name in names])
    first, second = np.triu_indices(len(names), 1)
    alike = (vectors @ vectors.T)[first, second]
    same = who[first] == who[second]
    everybody = np.unique(who)
    fold_of = dict(zip(everybody, rng.permutation(len(everybody)) % FOLDS, strict=True))
    fold = np.array([fold_of[name] for name in who])
    accepted, wrong, matched, pairs = 0, 0, 0, 0
    for number in range(FOLDS):
        train = (fold[first] != number) & (fold[second] != number)
        test = (fold[first] == number) & (fold[second] == number)
        least = float(alike[train & ~same].max()) + ABOVE
        wrong += int((alike[test & ~same] >= least).sum())
        accepted += int((test & ~same).sum())
        matched += int((alike[test & same] >= least).sum())
        pairs += int((test & same).sum())
    least = round(float(alike[~same].max()) + ABOVE, 3)
    between = len(everybody) * (len(everybody) - 1) / 2
    found = Recognition(
        least,
        far=float((alike[~same] >= least).mean()),
        far_at_most=round(3 / between, 6),
        tar=round(float((alike[same] >= least).mean()), 4),
    )
    told = {
        "people": len(everybody), "pictures": len(names), "held_out_far": wrong / accepted, "held_out_tar": round(matched / pairs, 4),
        "folds": FOLDS,
    }  # fmt: skip
    return found, told


def expression_scale(
    folder: Path, engine: FaceEngine, model: ExpressionModel, rng: np.random.Generator, progress: Progress
) -> tuple[ExpressionScale, dict[str, Any]]:
    """Return the temperature with the least log loss (Guo et al. 2017), and the calibration error on folds that had no part in it."""
    labelled = read(folder)
    looks, truth = [], []
    for number, row in enumerate(labelled.labels, 1):
        if (shown := portrait(labelled.images / row["image"], engine)) is not None:
            looks.append(model.look(*shown))
            truth.append(COLLAPSED[row["expression"]])
        progress(number, len(labelled.labels))
    if len(looks) < 10 * FOLDS:
        raise EvaluationError(f"{folder} needs {10 * FOLDS} faces or more")
    logits, labels = np.stack(looks), np.array(truth)
    fold = rng.permutation(len(labels)) % FOLDS
    held_out = np.zeros((len(labels), 4))
    for number in range(FOLDS):
        rest = fold != number
        held_out[~rest] = four(logits[~rest], _temperature(logits[rest], labels[rest]))
    temperature = _temperature(logits, labels)
    sure = four(logits, temperature).max(axis=1)
    least = round(float(np.quantile(sure, 1 - COVERAGE)), 3)
    told = {
        "faces": len(labels), "held_out_ece": round(ece(held_out.max(axis=1), held_out.argmax(axis=1) == labels), 4),
        "uncalibrated_ece": round(_raw_ece(logits, labels), 4), "folds": FOLDS,
    }  # fmt: skip
    return ExpressionScale(round(temperature, 3), least), told


def _temperature(logits: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    def loss(log_temperature: float) -> float:
        chances = four(logits, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(chances[np.arange(len(labels)), labels], 1e-9)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.0, 3.0), method="bounded").x))


def _raw_ece(logits: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    raw = four(logits, 1.0)
    return ece(raw.max(axis=1), raw.argmax(axis=1) == labels)
