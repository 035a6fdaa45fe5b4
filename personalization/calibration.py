"""Log-odds, how well probabilities are calibrated, and the logistic regressions that calibrate them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_ODDS = 1e-6


def sigmoid(log_odds: Floats) -> Floats:
    """Return probabilities."""
    found: Floats = 1.0 / (1.0 + np.exp(np.minimum(-log_odds, 35.0)))
    return found


def log_odds(probability: Floats) -> Floats:
    """Return log-odds, of probabilities kept LEAST_ODDS away from 0 and 1."""
    kept = np.minimum(np.maximum(probability, LEAST_ODDS), 1 - LEAST_ODDS)  # quicker than clip
    found: Floats = np.log(kept / (1 - kept))
    return found


def brier(outcome: Floats, probability: Floats) -> float:
    """Return the mean squared error (Brier 1950)."""
    return float(np.mean((outcome - probability) ** 2))


def log_loss(outcome: Floats, probability: Floats, weights: Floats | None = None) -> float:
    """Return the mean logarithmic loss in nats."""
    kept = np.clip(probability, LEAST_ODDS, 1 - LEAST_ODDS)
    return -float(np.average(outcome * np.log(kept) + (1 - outcome) * np.log(1 - kept), weights=weights))


def reliability(outcome: Floats, probability: Floats, bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean prediction, share that came true, rows) of bins of equal size."""
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [(float(probability[p].mean()), float(outcome[p].mean()), len(p)) for p in parts if len(p)]


def ece(outcome: Floats, probability: Floats, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size (Naeini et al. 2015)."""
    return sum(n * abs(said - true) for said, true, n in reliability(outcome, probability, bins)) / len(outcome)


def logistic(table: Floats, outcome: Floats, weights: Floats, offset: Floats, ridge: Floats) -> Floats:
    """Return coefficients (m,) of a logistic regression around a known `offset` (n,) in log-odds, by Newton's method.

    ridge : (m,) the precision of a normal prior around 0 of each coefficient; 0 leaves it free.
    """
    found = np.zeros(table.shape[1])
    for _ in range(50):
        p = sigmoid(offset + table @ found)
        slope = table.T @ (weights * (outcome - p)) - ridge * found
        bend = (table * (weights * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ table + np.diag(ridge + 1e-9)
        step = np.linalg.solve(bend, slope)
        found += step / max(1.0, float(np.abs(step).max()))  # steps of at most 1: far away, Newton overshoots
        if np.abs(step).max() < 1e-8:
            break
    return found


def platt(raw: Floats, outcome: Floats, weights: Floats) -> tuple[float, float]:
    """Return slope and offset that calibrate log-odds (Platt 1999), held to slope 1 and offset 0 by ten rows' worth of evidence."""
    table = np.column_stack([raw, np.ones(len(raw))])
    slope, offset = logistic(table, outcome, weights, raw, np.array([10.0, 10.0]))
    return max(1.0 + float(slope), 0.05), float(offset)
