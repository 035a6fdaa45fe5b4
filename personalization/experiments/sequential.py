"""Confidence sequences: intervals that hold at every size at once, so that an experiment may be watched and stopped at any time."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

PLANNED = 10_000  # the size at which the sequence is tightest


def confidence_sequence(
    control: NDArray[np.float64], treatment: NDArray[np.float64], *, alpha: float = 0.05, planned: int = PLANNED
) -> tuple[float, float]:
    """Return the interval of mean(treatment) - mean(control) at this size, (1 - alpha) for all sizes together.

    The asymptotic confidence sequence of Waudby-Smith et al. (2024, Annals of Statistics 52(6), theorem 2.2) with the difference's
    own standard error: half-width = se √n · √(2 (n ρ² + 1) / (n² ρ²) · log(√(n ρ² + 1) / α)), ρ chosen for `planned` units.
    control, treatment : (n0,), (n1,) outcomes, at least two each.
    """
    n = len(control) + len(treatment)
    se = sqrt(float(np.var(control, ddof=1)) / len(control) + float(np.var(treatment, ddof=1)) / len(treatment))
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned
    wide = se * sqrt(n) * sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    middle = float(treatment.mean() - control.mean())
    return middle - wide, middle + wide
