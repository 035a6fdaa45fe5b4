"""How good are recognition and expression on a labelled folder? Standard figures, with intervals, also by group."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score, roc_curve

from vision.calibration import shipped
from vision.engines import FaceEngine
from vision.errors import VisionError
from vision.expression import LABELS, ExpressionModel
from vision.faces import Face, Frame, Template

COLLAPSED = {
    "happiness": 0, "happy": 0, "positive": 0, "neutral": 1, "surprise": 2, "surprised": 2, "anger": 3, "angry": 3, "contempt": 3,
    "disgust": 3, "disgusted": 3, "fear": 3, "fearful": 3, "sadness": 3, "sad": 3, "negative": 3,
}  # fmt: skip
ROUNDS, BINS = 400, 15
COVERAGE = 0.6
Progress = Callable[[int, int], None]
Row = Mapping[str, str]


class EvaluationError(VisionError):
    """The folder is not what it should be; the message says what is missing."""


def measure(
    folder: Path, engine: FaceEngine, expression: ExpressionModel, *, group: str, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """Return the figures of whatever the folder holds; EvaluationError when it holds nothing of the kind."""
    rng = np.random.default_rng(seed)
    pairs, people, labels = (rows(folder / name, group) for name in ("pairs.csv", "people.csv", "labels.csv"))
    if not (pairs or people or labels):
        raise EvaluationError(
            f"{folder} holds none of pairs.csv, people.csv and labels.csv; see `aisle vision evaluate --help`"
        )
    found: list[dict[str, Any]] = []
    if pairs or people:
        names = sorted({row[key] for row in pairs for key in ("image_a", "image_b")} | {row["image"] for row in people})
        templates = embed(folder / "images", names, engine, progress)
        missed = len(names) - len(templates)
        found.append(figure("faces not found", missed / len(names), None, len(names)))
        if pairs:
            found += verification(pairs, templates, shipped().threshold(engine.name), rng, group)
        if people:
            found += identification(people, templates, shipped().threshold(engine.name), rng)
    if labels:
        found += expressions(folder / "images", labels, engine, expression, rng, group, progress)
    return found


def figure(what: str, value: float, ci: tuple[float, float] | None, n: int, **more: Any) -> dict[str, Any]:
    """Return one figure as it is printed."""
    return {
        "figure": what,
        "value": round(value, 5),
        "ci": None if ci is None else [round(x, 5) for x in ci],
        "n": n,
        **more,
    }


def rows(path: Path, group: str) -> list[dict[str, str]]:
    """Return a CSV's rows, none when there is no such file; EvaluationError when the group's column is missing."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    if group and found and group not in found[0]:
        raise EvaluationError(f"{path} has no column {group}; it has {', '.join(found[0])}")
    return found


def centred(engine: FaceEngine, picture: Frame) -> Face | None:
    """Return the face in the middle of a portrait, which may show others at its border."""
    height, width = picture.shape[:2]

    def off(face: Face) -> float:
        return float(np.hypot(face.centre[0] - width / 2, face.centre[1] - height / 2) - 0.3 * face.box[2])

    return min(engine.detect(picture), key=off, default=None)


def embed(folder: Path, names: Sequence[str], engine: FaceEngine, progress: Progress) -> dict[str, Template]:
    """Return the template of every picture in which a face is found."""
    found = {}
    for number, name in enumerate(names, 1):
        picture = cv2.imread(str(folder / name))
        if picture is None:
            raise EvaluationError(f"{folder / name} is no picture that can be read")
        frame = np.asarray(picture, np.uint8)
        if (face := centred(engine, frame)) is not None:
            found[name] = engine.embed(frame, face)
        progress(number, len(names))
    return found


def verification(
    pairs: Sequence[Row], templates: Mapping[str, Template], threshold: float, rng: np.random.Generator, group: str
) -> list[dict[str, Any]]:
    """Return ROC-AUC, EER, TAR at FAR 1e-3, and both rates at the threshold. Pairs without a face count as not alike."""
    scores = np.array([similarity(templates, row["image_a"], row["image_b"]) for row in pairs])
    same = np.array([row["same"] == "1" for row in pairs])
    clusters = np.array([_person(row["image_a"]) for row in pairs])

    kinds: dict[str, Callable[[NDArray[np.float64], NDArray[np.bool_]], float]] = {
        "ROC-AUC": lambda s, y: float(roc_auc_score(y, s)), "EER": eer, "TAR at FAR 0.001": lambda s, y: tar_at(s, y, 1e-3),
        "FAR at the threshold": lambda s, y: float((s[~y] >= threshold).mean()),
        "TAR at the threshold": lambda s, y: float((s[y] >= threshold).mean()),
    }  # fmt: skip
    found = [
        figure(name, of(scores, same), _interval(of, scores, same, clusters, rng), len(pairs), threshold=threshold)
        for name, of in kinds.items()
    ]
    for value in sorted({row[group] for row in pairs}) if group else ():
        mine = np.array([row[group] == value for row in pairs])
        found += [
            figure(name, kinds[name](scores[mine], same[mine]), None, int(mine.sum()), group=value)
            for name in ("FAR at the threshold", "TAR at the threshold")
        ]
    return found


def similarity(templates: Mapping[str, Template], first: str, second: str) -> float:
    """Return the cosine similarity of two pictures' faces; -1 when one has none."""
    if first not in templates or second not in templates:
        return -1.0
    return float(templates[first] @ templates[second])


def eer(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """Return the error rate at which false accepts and false rejects are equal."""
    accepts, hits, _ = roc_curve(same, scores, drop_intermediate=False)
    at = int(np.abs(accepts - (1 - hits)).argmin())
    return float((accepts[at] + 1 - hits[at]) / 2)


def tar_at(scores: NDArray[np.float64], same: NDArray[np.bool_], far: float) -> float:
    """Return the most that pairs of one person match while no more than this share of strangers' pairs do."""
    accepts, hits, _ = roc_curve(same, scores, drop_intermediate=False)
    return float(hits[accepts <= far].max())


def identification(
    people: Sequence[Row], templates: Mapping[str, Template], threshold: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return rank-1 with everybody enrolled by their first picture, and the errors of an open set with half of them enrolled."""
    pictures: dict[str, list[Template]] = {}
    for row in people:
        if row["image"] in templates:
            pictures.setdefault(row["person"], []).append(templates[row["image"]])
    names = sorted(name for name, found in pictures.items() if len(found) > 1)
    gallery = np.stack([pictures[name][0] for name in names])
    probes = [(index, probe) for index, name in enumerate(names) for probe in pictures[name][1:]]
    right = np.array([int((gallery @ probe).argmax()) == index for index, probe in probes])
    half = rng.permutation(len(names))[: len(names) // 2]
    enrolled = gallery[half]
    best = [(index, enrolled @ probe) for index, probe in probes]
    known = np.isin([index for index, _ in best], half)
    accepted = np.array([similar.max() >= threshold for _, similar in best])
    hit = np.array([half[similar.argmax()] == index for index, similar in best]) & accepted
    return [
        figure("rank-1", float(right.mean()), _share_interval(right, rng), len(probes), enrolled=len(names)),
        figure(
            "open set: members missed or mistaken",
            float(1 - hit[known].mean()),
            None,
            int(known.sum()),
            threshold=threshold,
        ),
        figure(
            "open set: strangers taken for a member",
            float(accepted[~known].mean()),
            None,
            int((~known).sum()),
            threshold=threshold,
        ),
    ]


def expressions(
    folder: Path, labels: Sequence[Row], engine: FaceEngine, model: ExpressionModel, rng: np.random.Generator, group: str,
    progress: Progress,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return macro-F1, accuracy, calibration error, and accuracy where the surest 60 % are told, over the four labels."""
    known = [row for row in labels if row["expression"] in COLLAPSED]
    chances, truth, kept = [], [], []
    for number, row in enumerate(known, 1):
        picture = cv2.imread(str(folder / row["image"]))
        face = None if picture is None else centred(engine, np.asarray(picture, np.uint8))
        if picture is not None and face is not None:
            chances.append(model.predict(np.asarray(picture, np.uint8), face))
            truth.append(COLLAPSED[row["expression"]])
            kept.append(row)
        progress(number, len(known))
    if not kept:
        raise EvaluationError(f"no face with a known expression was found in {folder}")
    found = expression_figures(np.stack(chances), np.array(truth), rng)
    for value in sorted({row[group] for row in kept}) if group else ():
        mine = np.array([row[group] == value for row in kept])
        right = np.stack(chances)[mine].argmax(axis=1) == np.array(truth)[mine]
        found.append(figure("expression: accuracy", float(right.mean()), None, int(mine.sum()), group=value))
    return found


def expression_figures(
    chances: NDArray[np.float64], truth: NDArray[np.intp], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the figures of predicted probabilities, shape (n, 4), against true labels, shape (n,)."""
    told, sure = chances.argmax(axis=1), chances.max(axis=1)
    surest = np.argsort(-sure, kind="stable")[: max(1, round(COVERAGE * len(truth)))]
    rounds = [rng.integers(0, len(truth), len(truth)) for _ in range(ROUNDS)]

    def interval(of: Callable[[NDArray[np.intp]], float]) -> tuple[float, float]:
        low, high = np.quantile([of(chosen) for chosen in rounds], [0.025, 0.975])
        return float(low), float(high)

    n = len(truth)
    return [
        figure("expression: macro-F1", f1(truth, told), interval(lambda c: f1(truth[c], told[c])), n),
        figure(
            "expression: accuracy",
            float((told == truth).mean()),
            interval(lambda c: float((told == truth)[c].mean())),
            n,
        ),
        figure("expression: ECE", ece(sure, told == truth), None, n),
        figure("expression: accuracy of the surest 60 %", float((told == truth)[surest].mean()), None, len(surest)),
    ]


def f1(truth: NDArray[np.intp], told: NDArray[np.intp]) -> float:
    """Return the mean F1 of the four labels."""
    return float(f1_score(truth, told, labels=range(len(LABELS)), average="macro", zero_division=0))


def ece(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error with 15 bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == one].mean() - sure[bins == one].mean()) * (bins == one).mean() for one in np.unique(bins)]
    return float(np.sum(gaps))


def _person(image: str) -> str:
    return image.rsplit("_", 1)[0]


def _interval(
    of: Callable[[NDArray[np.float64], NDArray[np.bool_]], float], scores: NDArray[np.float64], same: NDArray[np.bool_],
    clusters: NDArray[np.str_], rng: np.random.Generator,
) -> tuple[float, float]:  # fmt: skip
    """Return the 95 % interval by resampling people, not pairs: one person's pairs are alike."""
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    values = []
    for _ in range(ROUNDS):
        chosen = np.concatenate([members[index] for index in rng.integers(0, len(members), len(members))])
        if 0 < same[chosen].sum() < len(chosen):
            values.append(of(scores[chosen], same[chosen]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _share_interval(right: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float]:
    means = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(ROUNDS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
