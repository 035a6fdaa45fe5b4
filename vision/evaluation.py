"""How good are recognition and expression on a labelled folder? Standard figures, with intervals, also by group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import f1_score, roc_auc_score, roc_curve

from vision.calibration import shipped
from vision.engines import FaceEngine
from vision.expression import LABELS, ExpressionModel
from vision.faces import Template
from vision.labelled import COLLAPSED, EvaluationError, Labelled, Row, portrait
from vision.several import with_templates

ROUNDS, BINS = 400, 15
COVERAGE = 0.6
MOST_TEMPLATES, LEAST_PEOPLE = (1, 2, 3), 20
Progress = Callable[[int, int], None]


def measure(
    labelled: Labelled, engine: FaceEngine, expression: ExpressionModel, *, group: str, seed: int, progress: Progress,
    threshold: float | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the figures of whatever the rows hold; one that they are too few for is None, with a reason.

    `threshold`: the least similarity of a match, the engine's own where it is None. Raises ModelError where faces are compared
    and neither is known.
    """
    rng = np.random.default_rng(seed)
    pairs, people, labels = labelled.pairs, labelled.people, labelled.labels
    found: list[dict[str, Any]] = []
    if pairs or people:
        threshold = shipped().threshold(engine.name) if threshold is None else threshold
        names = sorted({row[key] for row in pairs for key in ("image_a", "image_b")} | {row["image"] for row in people})
        templates = embed(labelled.images, names, engine, progress)
        found.append(figure("faces not found", 1 - len(templates) / len(names), None, len(names)))
        if pairs:
            found += verification(pairs, templates, threshold, rng, group, clusters(pairs, people))
        if people:
            found += identification(people, templates, threshold, rng, group)
            found += several(people, templates, rng)
    if labels:
        found += expressions(labelled, engine, expression, rng, group, progress)
    return found


def figure(what: str, value: float | None, ci: tuple[float, float] | None, n: int, **more: Any) -> dict[str, Any]:
    """Return one figure as it is printed."""
    return {
        "figure": what,
        "value": None if value is None else round(value, 5),
        "ci": None if ci is None else [round(x, 5) for x in ci],
        "n": n,
        **more,
    }


def embed(folder: Path, names: Sequence[str], engine: FaceEngine, progress: Progress) -> dict[str, Template]:
    """Return the template of every picture in which a face is found."""
    found = {}
    for number, name in enumerate(names, 1):
        if (shown := portrait(folder / name, engine)) is not None:
            found[name] = engine.embed(*shown)
        progress(number, len(names))
    return found


def verification(
    pairs: Sequence[Row], templates: Mapping[str, Template], threshold: float, rng: np.random.Generator, group: str,
    of_whom: Sequence[str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return ROC-AUC, EER, TAR at FAR 1e-3, and both rates at the threshold. Pairs without a face count as not alike.

    `of_whom`: the person of each pair's first picture, by whom intervals are resampled.
    """
    scores = np.array([similarity(templates, row["image_a"], row["image_b"]) for row in pairs])
    same = np.array([row["same"] == "1" for row in pairs])
    whose = np.array(of_whom)

    kinds: dict[str, Callable[[NDArray[np.float64], NDArray[np.bool_]], float]] = {
        "ROC-AUC": lambda s, y: float(roc_auc_score(y, s)), "EER": eer, "TAR at FAR 0.001": lambda s, y: tar_at(s, y, 1e-3),
        "FAR at the threshold": lambda s, y: float((s[~y] >= threshold).mean()),
        "TAR at the threshold": lambda s, y: float((s[y] >= threshold).mean()),
    }  # fmt: skip
    needs = {"FAR at the threshold": ~same, "TAR at the threshold": same}
    found = []
    for name, of in kinds.items():
        lacks = not needs[name].any() if name in needs else len(set(same.tolist())) < 2
        if lacks:
            kind = "of strangers" if same.all() else "of one person"
            found.append(figure(name, None, None, len(pairs), threshold=threshold, reason=f"there are no pairs {kind}"))
        else:
            ci = _interval(of, scores, same, whose, rng)
            found.append(figure(name, of(scores, same), ci, len(pairs), threshold=threshold))
    for value in _values(pairs, group):
        mine = np.array([row.get(group) == value for row in pairs])
        found += [
            figure(name, kinds[name](scores[mine], same[mine]), None, int((mine & of_kind).sum()), group=value)
            for name, of_kind in needs.items()
            if (mine & of_kind).any()
        ]
    return found


def _values(rows: Sequence[Row], group: str) -> list[str]:
    """Return the groups that there are in the rows."""
    return sorted({row[group] for row in rows if row.get(group)}) if group else []


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
    people: Sequence[Row], templates: Mapping[str, Template], threshold: float, rng: np.random.Generator, group: str
) -> list[dict[str, Any]]:
    """Return rank-1 of the probes whose people are enrolled, and the errors of an open set.

    Enrolled is who has the role gallery, else everybody, by their first picture. Strangers are the probes of people who are
    not enrolled; where there are none, rank-1 is of all and the open set has half of them enrolled.
    """
    seen = [row for row in people if row["image"] in templates]
    told = any(row["role"] for row in people)
    enrolled: dict[str, list[Template]] = {}
    probes: list[Row] = []
    for row in seen:
        if row["role"] == "gallery" or (not told and row["person"] not in enrolled):
            enrolled.setdefault(row["person"], []).append(templates[row["image"]])
        elif row["role"] == "probe" or not told:
            probes.append(row)
    known = [row for row in probes if row["person"] in enrolled]
    if not told:
        enrolled = {name: enrolled[name] for name in {row["person"] for row in known}}
    if len(enrolled) < 2 or not known:
        reason = "there are fewer than two people with a picture to enrol and another to find them by"
        return [figure(name, None, None, len(known), reason=reason) for name in ("rank-1", _MISSED, _TAKEN)]
    names = sorted(enrolled)

    def best(row: Row, among: Sequence[str]) -> tuple[str, float]:
        alike = [max(float(one @ templates[row["image"]]) for one in enrolled[name]) for name in among]
        return among[int(np.argmax(alike))], max(alike)

    right = np.array([best(row, names)[0] == row["person"] for row in known])
    found = [figure("rank-1", float(right.mean()), _share_interval(right, rng), len(known), enrolled=len(names))]
    for value in _values(known, group):
        mine = np.array([row.get(group) == value for row in known])
        found.append(figure("rank-1", float(right[mine].mean()), None, int(mine.sum()), group=value))
    half = [names[index] for index in rng.permutation(len(names))[: max(1, len(names) // 2)]]
    among = names if len(known) < len(probes) else half
    answers = [(row["person"], *best(row, among)) for row in probes]
    missed = [name != who or alike < threshold for who, name, alike in answers if who in among]
    taken = [alike >= threshold for who, _, alike in answers if who not in among]
    for what, wrong in ((_MISSED, missed), (_TAKEN, taken)):
        share = float(np.mean(wrong)) if wrong else None
        more = {} if wrong else {"reason": "there are no such probes"}
        found.append(figure(what, share, None, len(wrong), threshold=threshold, **more))
    return found


def several(people: Sequence[Row], templates: Mapping[str, Template], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return how many members are matched, and strangers taken for one member, with one to three templates for each.

    At a threshold that was chosen on other people; nothing where there are too few.
    """
    pictures: dict[str, list[Template]] = {}
    for row in people:
        if row["image"] in templates:
            pictures.setdefault(row["person"], []).append(templates[row["image"]])
    found = []
    for count in MOST_TEMPLATES if len(pictures) >= LEAST_PEOPLE else ():
        own, others = with_templates(pictures, count, rng)
        if len(own) and len(others):
            what = f"{count} template{'s' if count > 1 else ''} each, threshold of other people"
            found.append(figure(f"{what}: matched", float(own.mean()), _share_interval(own, rng), len(own)))
            found.append(figure(f"{what}: taken for one stranger", float(others.mean()), None, len(others)))
    return found


_MISSED, _TAKEN = "open set: members missed or mistaken", "open set: strangers taken for a member"


def expressions(
    labelled: Labelled, engine: FaceEngine, model: ExpressionModel, rng: np.random.Generator, group: str, progress: Progress
) -> list[dict[str, Any]]:  # fmt: skip
    """Return macro-F1, accuracy, calibration error, and accuracy where the surest 60 % are told, over the four labels."""
    chances, truth, kept = [], [], []
    for number, row in enumerate(labelled.labels, 1):
        if (shown := portrait(labelled.images / row["image"], engine)) is not None:
            chances.append(model.predict(*shown))
            truth.append(COLLAPSED[row["expression"]])
            kept.append(row)
        progress(number, len(labelled.labels))
    if not kept:
        raise EvaluationError(f"no face was found in any of the {len(labelled.labels)} pictures in {labelled.images}")
    total = len(labelled.labels)
    found = [figure("expression: faces not found", 1 - len(kept) / total, None, total)]
    if labelled.unknown:
        found.append(figure("expression: labels that are not known", labelled.unknown, None, total + labelled.unknown))
    found += expression_figures(np.stack(chances), np.array(truth), rng)
    for value in _values(kept, group):
        mine = np.array([row.get(group) == value for row in kept])
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


def clusters(pairs: Sequence[Row], people: Sequence[Row]) -> list[str]:
    """Return of whom each pair's first picture is: by the list of people, and by the pairs that are said to show one person.

    A file's name says nothing; whatever `people` and `pairs` connect is one person.
    """
    known = {row["image"]: row["person"] for row in people}
    names = sorted({row[key] for row in pairs for key in ("image_a", "image_b")})
    number = {name: index for index, name in enumerate(names)}
    first = {known[name]: index for name, index in reversed(number.items()) if name in known}
    links = [(number[row["image_a"]], number[row["image_b"]]) for row in pairs if row["same"] == "1"]
    links += [(number[name], first[known[name]]) for name in names if name in known]
    left, right = np.array(links, np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=False)
    return [str(component[number[row["image_a"]]]) for row in pairs]


def _interval(
    of: Callable[[NDArray[np.float64], NDArray[np.bool_]], float], scores: NDArray[np.float64], same: NDArray[np.bool_],
    clusters: NDArray[np.str_], rng: np.random.Generator,
) -> tuple[float, float] | None:  # fmt: skip
    """Return the 95 % interval by resampling people, not pairs: one person's pairs are alike."""
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    values = []
    for _ in range(ROUNDS):
        chosen = np.concatenate([members[index] for index in rng.integers(0, len(members), len(members))])
        if 0 < same[chosen].sum() < len(chosen):
            values.append(of(scores[chosen], same[chosen]))
    if not values:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _share_interval(right: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float]:
    means = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(ROUNDS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
