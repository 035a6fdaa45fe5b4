"""How the classifier's settings were chosen: cross-validation on our training examples alone.

`python -m bench.chat_nlu_choice` (minutes) prints the macro F1, how well the confidence is calibrated, the `sharpness` that calibrates it
best and the `least_scope` that lets through all but one in twenty of what is in scope. No held-out message is read.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold

from bench.chat_nlu import REJECT, SEED, examples
from bench.report import ROOT, progress
from chatbot.rasa.components.linear import Floats, Intents, chances
from chatbot.rasa.components.sentences import Sentences
from chatbot.rasa_project import PROJECT, models_beside
from personalization.calibration import ece

FOLDS = 4
TWINS = 0.9  # cosine from which two examples stay in one fold
FALSE_ALARMS = 0.05


def groups(meaning: Floats, labels: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return a number for each example, the same for those of an intent that say nearly the same."""
    found, at = np.zeros(len(labels), np.intp), 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        count, numbers = connected_components(meaning[rows] @ meaning[rows].T >= TWINS, directed=False)
        found[rows], at = numbers + at, at + count
    return found


def cross_validated(texts: list[str], meaning: Floats, labels: NDArray[np.str_]) -> tuple[list[str], Floats, Floats]:
    """Return the intents' names, and of each example its scores and scope by a model that has not seen it nor its like."""
    names = sorted(set(labels))
    scores, near = np.zeros((len(texts), len(names)), np.float32), np.zeros(len(texts), np.float32)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for number, (known, asked) in enumerate(folds.split(texts, labels, groups(meaning, labels)), 1):
        progress(f"part {number} of {FOLDS}")
        model = Intents.fit([texts[row] for row in known], meaning[known], list(labels[known]), reject=[REJECT])
        scores[asked], near[asked] = model([texts[row] for row in asked], meaning[asked])
    return names, scores, near


def calibration_error(scores: Floats, target: NDArray[np.intp], sharpness: float) -> float:
    """Return how far the confidence lies from the share right (ECE)."""
    likely = chances(scores, sharpness)
    return ece((likely.argmax(1) == target).astype(float), likely.max(1).astype(float))


def surprise(scores: Floats, target: NDArray[np.intp], sharpness: float) -> float:
    """Return the mean negative log likelihood of the right intents, which temperature scaling minimises."""
    likely = chances(scores, sharpness)[np.arange(len(target)), target]
    return float(-np.log(np.maximum(likely, 1e-12)).mean())


def main() -> None:
    """Print what the cross-validation says."""
    out = Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var")) / "rasa"
    texts, intents = examples()
    labels = np.array(intents)
    meaning = Sentences(models_beside(out))(texts)
    names, scores, near = cross_validated(texts, meaning, labels)
    target = np.array([names.index(label) for label in labels])
    said = scores.argmax(1)
    config = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))
    now = next(part for part in config["pipeline"] if "sharpness" in part)
    best = float(optimize.minimize_scalar(lambda sharp: surprise(scores, target, sharp), (0.1, 2), (0.05, 4)).x)
    print(f"{len(texts)} examples of {len(names)} intents; macro F1 {f1_score(target, said, average='macro'):.3f}")
    for sharpness in (0.8, now["sharpness"], best):
        error, loss = calibration_error(scores, target, sharpness), surprise(scores, target, sharpness)
        print(f"sharpness {sharpness:.2f}: ECE {error:.3f}, negative log likelihood {loss:.3f}")
    inside, rejected = labels != REJECT, said == names.index(REJECT)
    quantiles = np.quantile(near[inside & ~rejected], np.linspace(0, FALSE_ALARMS, 11))
    for least in [now["least_scope"], *quantiles]:
        refused = rejected | (near < least)
        print(
            f"least_scope {least:.2f}: false alarms {refused[inside].mean():.3f}, recall {refused[~inside].mean():.3f}"
        )
    wrong = Counter((labels[row], names[said[row]]) for row in np.flatnonzero(said != target))
    print("most confused:", ", ".join(f"{a} as {b} ({count})" for (a, b), count in wrong.most_common(25)))
    by_intent = f1_score(target, said, average=None)
    print("weakest:", ", ".join(f"{names[one]} {by_intent[one]:.2f}" for one in np.argsort(by_intent)[:20]))


if __name__ == "__main__":
    main()
