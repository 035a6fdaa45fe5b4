"""How well emotion is heard: GoEmotions' official test split, calibration, waiting time, and satisfaction in service dialogue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.auroc import auroc as area
from bench.report import Metric, percentile_with_ci, progress
from chatbot.emotion import EmotionModel
from chatbot.emotion.labels import LABELS, OUTPUTS
from chatbot.emotion.model_ import sigmoid
from chatbot.emotion.satisfaction import REMEMBERED, Turn, dissatisfied, odds
from chatbot.emotion.training import data as emotion_data
from chatbot.emotion.training import scores

SEED = 7
RESAMPLES = 400
QUICK_MESSAGES, QUICK_DIALOGUES = 400, 8
SETS = {"SGD": ("uss_sgd_auroc", 0.702), "MWOZ": ("uss_mwoz_auroc", 0.593), "ReDial": ("uss_redial_auroc", 0.680)}
"""USS's parts, their metrics, and VADER's AUROC as it was measured once on all turns (not recomputed here)."""
DISSATISFIED = 2.75  # a mean rating below it, of 1 to 5
PAPER = {"goemotions28_f1": 0.46, "ekman_f1": 0.64, "groups_f1": 0.69}
NAMES = {"goemotions28": "goemotions28_f1", "ekman": "ekman_f1", "groups": "groups_f1"}
DATA = "GoEmotions, official test split; thresholds from dev"


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield all of them; without the data sets, with the reason."""
    model = EmotionModel()
    if data is None or not (data / "goemotions" / "test.tsv").exists():
        for name in (*NAMES.values(), "emotion_ece", "emotion_p95_ms"):
            yield Metric(f"chat.{name}", None, "", 0, "", reason="no goemotions/ in the data folder")
    else:
        yield from _labels(model, quick, data)
    for name, (metric, vader) in SETS.items():
        path = None if data is None else data / "dialogue" / "uss" / f"{name}.txt"
        if path is None or not path.exists():
            yield Metric(f"chat.{metric}", None, "", 0, "", reason="no dialogue/uss/ in the data folder")
        else:
            yield _satisfaction(model, quick, path, metric, vader)


def _labels(model: EmotionModel, quick: bool, data: Path) -> Iterator[Metric]:
    rows = list(emotion_data.goemotions(data / "goemotions" / "test.tsv"))[: QUICK_MESSAGES if quick else None]
    progress(f"emotion of {len(rows)} messages")
    said, seconds = [], []
    for text, _ in rows:
        started = time.perf_counter()
        said.append(model.opinions(text))
        seconds.append(time.perf_counter() - started)
    network, words = (np.array([pair[at][:OUTPUTS] for pair in said], np.float64) for at in (0, 1))
    truth = np.array([target[:OUTPUTS] for _, target in rows]) > 0.5
    chances, levels = model.chances(network, words), model.levels
    encoder, linear = (scores.macro(sigmoid(one), truth, np.full(OUTPUTS, 0.3)) for one in (network, words))
    for name, metric in NAMES.items():
        part = scores.TAXONOMIES[name]

        def f1(at: NDArray[Any], part: slice = part) -> float:
            return float(scores.f1(truth[at, part], chances[at, part] > levels[part]).mean())

        baseline = {
            "bert_base_in_the_paper": PAPER[metric],
            "tfidf_at_0.3": round(linear[name], 4),
            "encoder_at_0.3": round(encoder[name], 4),
        }
        value, ci = bootstrap(f1, [np.array([at]) for at in range(len(rows))])
        yield Metric(f"chat.{metric}", value, "macro-F1", len(rows), DATA, ci, baseline, SEED)

    fine, there, every = chances[:, : len(LABELS)], truth[:, : len(LABELS)], np.arange(len(rows))
    top = fine.argmax(1)

    def ece(at: NDArray[Any]) -> float:
        return scores.calibration_error(fine[at, top[at]][:, None], there[at, top[at]][:, None])

    errors = scores.calibration_errors(chances, truth)
    uncalibrated = scores.calibration_errors(sigmoid(words), truth)["likeliest_label"]
    baseline = {
        "all_probabilities": round(errors["together"], 4),
        "mean_over_labels": round(errors["per_label"], 4),
        "tfidf": round(uncalibrated, 4),
    }
    value, ci = bootstrap(ece, [np.array([at]) for at in every])
    yield Metric("chat.emotion_ece", value, "ECE of the likeliest label", len(rows), DATA, ci, baseline, SEED)
    p95, ci = percentile_with_ci([1000 * one for one in seconds], 95, seed=SEED)
    yield Metric(
        "chat.emotion_p95_ms",
        p95,
        "ms",
        len(seconds),
        "GoEmotions test, one message at a time, one thread",
        ci,
        {"p50": round(1000 * float(np.median(seconds)), 1)},
        SEED,
        samples=[1000 * one for one in seconds],
    )


def bootstrap(
    measure: Callable[[NDArray[Any]], float], clusters: Sequence[NDArray[Any]]
) -> tuple[float, tuple[float, float]]:
    """Return the measure of all rows, and its 95 % interval over clusters drawn again (a message, or a dialogue)."""
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        picked = rng.integers(len(clusters), size=len(clusters))
        drawn.append(measure(np.concatenate([clusters[at] for at in picked])))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return round(measure(np.concatenate(clusters)), 4), (round(float(low), 4), round(float(high), 4))


Line = tuple[str, str, float | None]


def dialogues(path: Path) -> list[list[Line]]:
    """Return USS's dialogues: who speaks, what is said, and the mean rating of a user's turn."""
    found: list[list[Line]] = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line.split("\t") for line in block.splitlines() if line.strip()]
        spoken: list[Line] = []
        for who, text, *rest in lines:
            if text != "OVERALL":
                ratings = (
                    [int(one) for one in rest[1].split(",")] if who == "USER" and len(rest) > 1 and rest[1] else []
                )
                spoken.append((who, text, sum(ratings) / len(ratings) if ratings else None))
        if spoken:
            found.append(spoken)
    return found


def turns_of(model: EmotionModel, dialogue: Sequence[Line]) -> Iterator[tuple[list[Turn], float]]:
    """Yield the conversation up to each rated turn, and the rating."""
    turns: list[Turn] = []
    answered: list[str] = []
    for who, text, rating in dialogue:
        if who == "SYSTEM":
            answered.append(text)
            continue
        turns.append(Turn(text, model.read(text), " ".join(answered)))
        answered = []
        if rating is not None:
            yield turns[-REMEMBERED - 1 :], rating


def _satisfaction(model: EmotionModel, quick: bool, path: Path, metric: str, vader: float) -> Metric:
    every = dialogues(path)[1::2][: QUICK_DIALOGUES if quick else None]
    progress(f"satisfaction in {len(every)} dialogues of {path.stem}")
    estimate: list[float] = []
    alone: list[float] = []
    clusters: list[NDArray[Any]] = []
    bad: list[bool] = []
    for dialogue in every:
        rated = list(turns_of(model, dialogue))
        clusters.append(np.arange(len(bad), len(bad) + len(rated)))
        estimate += [dissatisfied(turns) for turns, _ in rated]
        alone += [odds(turns[-1].felt.unmet) for turns, _ in rated]
        bad += [rating < DISSATISFIED for _, rating in rated]
    truth = np.array(bad)

    estimated, message = np.array(estimate), np.array(alone)

    def auroc(at: NDArray[Any], values: NDArray[Any]) -> float:
        return area(truth[at], values[at])

    value, ci = bootstrap(lambda at: auroc(at, estimated), [one for one in clusters if len(one)])
    baseline = {"message_alone": round(auroc(np.arange(len(truth)), message), 4), "vader_reported": vader}
    return Metric(
        f"chat.{metric}",
        value,
        "AUROC",
        len(truth),
        f"USS {path.stem}, every second dialogue, never trained on",
        ci,
        baseline,
        SEED,
    )
