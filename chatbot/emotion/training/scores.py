"""F1 with thresholds from dev, calibration, and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.emotion.labels import EKMAN, GROUPS, LABELS, OUTPUTS

TAXONOMIES = {
    "goemotions28": slice(0, len(LABELS)),
    "ekman": slice(len(LABELS), len(LABELS) + len(EKMAN)),
    "groups": slice(len(LABELS) + len(EKMAN), OUTPUTS),
}
GRID = np.concatenate([np.linspace(0.02, 0.2, 19), np.linspace(0.22, 0.8, 30)])
NAMES: Sequence[str] = (*LABELS, *(f"ekman.{name}" for name in EKMAN), *(f"group.{name}" for name in GROUPS))

Floats = NDArray[Any]


def f1(truth: Floats, guess: Floats) -> Floats:
    """Return the F1 of each column; 0 where nothing was guessed and nothing was there."""
    hits = (truth & guess).sum(0)
    return 2 * hits / np.maximum(truth.sum(0) + guess.sum(0), 1)


def thresholds(chances: Floats, truth: Floats, strength: float = 1.0) -> Floats:
    """Return the threshold of each column that is best on these rows.

    F1 over the grid jumps where a label is rare; it is smoothed over near thresholds, more the fewer examples there are.
    """
    truth = truth > 0.5
    curves = np.array([f1(truth, chances > level) for level in GRID])
    found = np.zeros(curves.shape[1])
    for label in range(curves.shape[1]):
        spread = strength * 0.35 / np.sqrt(1 + truth[:, label].sum() / 10)
        near = np.exp(-0.5 * ((np.log(GRID)[:, None] - np.log(GRID)[None]) / spread) ** 2)
        found[label] = GRID[np.argmax(near @ curves[:, label] / near.sum(1))]
    return found


def macro(chances: Floats, truth: Floats, levels: Floats) -> dict[str, float]:
    """Return macro-F1 of each taxonomy."""
    each = f1(truth[:, :OUTPUTS] > 0.5, chances[:, :OUTPUTS] > levels)
    return {name: float(each[part].mean()) for name, part in TAXONOMIES.items()}


def cross_fitted(chances: Floats, truth: Floats, strength: float = 1.0, seed: int = 0, rounds: int = 4) -> list[float]:
    """Return macro-F1 per taxonomy on dev, thresholds from the other half: what chooses between recipes."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(rounds):
        halves = np.array_split(rng.permutation(len(chances)), 2)
        levels = [thresholds(chances[half, :OUTPUTS], truth[half, :OUTPUTS], strength) for half in halves]
        guess = np.zeros((len(chances), OUTPUTS), bool)
        for half, other in ((0, 1), (1, 0)):
            guess[halves[half]] = chances[halves[half], :OUTPUTS] > levels[other]
        each = f1(truth[:, :OUTPUTS] > 0.5, guess)
        found.append([each[part].mean() for part in TAXONOMIES.values()])
    return [round(float(value), 4) for value in np.mean(found, axis=0)]


def calibration_error(chances: Floats, truth: Floats, bins: int = 15) -> float:
    """Return the expected calibration error over all columns' probabilities together, in bins of equal width."""
    flat, there = chances.ravel(), (truth > 0.5).ravel()
    bin_of = np.minimum((flat * bins).astype(int), bins - 1)
    gaps = [
        abs(flat[bin_of == at].mean() - there[bin_of == at].mean()) * (bin_of == at).mean() for at in np.unique(bin_of)
    ]
    return float(sum(gaps))


def calibration_errors(chances: Floats, truth: Floats) -> dict[str, float]:
    """Return the error of all probabilities together, the mean over labels, and that of each message's likeliest label."""
    fine, there = chances[:, : len(LABELS)], truth[:, : len(LABELS)]
    each = [calibration_error(chances[:, [at]], truth[:, [at]]) for at in range(chances.shape[1])]
    top, row = fine.argmax(1), np.arange(len(fine))
    found = {"together": calibration_error(chances, truth), "per_label": float(np.mean(each)), "worst_label": max(each)}
    return {**found, "likeliest_label": calibration_error(fine[row, top][:, None], there[row, top][:, None])}
