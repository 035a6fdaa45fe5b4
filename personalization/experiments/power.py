"""How large an experiment has to be, or what it can find: from the mean and the spread of units of the past and the shop's own traffic.

The two-sided z-test of two means with shares q and 1 - q: the detectable difference is (z_{1-α/2} + z_{power}) σ √(1/(q n) + 1/((1-q) n)).
CUPED leaves (1 - r²) of the variance, r the correlation with what units did before. A sequential design pays for being looked at
all the time: its interval at n units is as wide as `confidence_sequence` says, so it needs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from statistics import NormalDist

import numpy as np

from personalization.experiments.sequential import PLANNED
from personalization.experiments.spec import ExperimentError

ALPHA, POWER = 0.05, 0.8
MOST = 10**9


@dataclass(frozen=True, slots=True)
class Past:
    """Units of the past: how many, the metric's mean and standard deviation, and its correlation with what they did before."""

    units: int
    mean: float
    deviation: float
    correlation: float = 0.0


def needed(
    past: Past, relative: float, *, control: float, alpha: float = ALPHA, power: float = POWER, sequential: bool = False
) -> int:
    """Return how many units in all find a `relative` change. control : the control's share. Raises ExperimentError."""
    if past.mean == 0 or past.deviation == 0:
        raise ExperimentError(
            "the past shows no variation of this metric, so that no size can be worked out; choose another metric"
        )
    wanted = abs(relative * past.mean)
    if not sequential:
        return max(ceil((_unit(past, control) * _z(alpha, power) / wanted) ** 2), 4)
    low, high = 4, MOST
    if _width(past, high, control, alpha, power) > wanted:
        raise ExperimentError("not even a billion people would show a change that small; look for a larger one")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _width(past, middle, control, alpha, power) <= wanted else (middle + 1, high)
    return low


def detectable(
    past: Past, units: int, *, control: float, alpha: float = ALPHA, power: float = POWER, sequential: bool = False
) -> float:
    """Return the least absolute difference that so many units find."""
    if sequential:
        return _width(past, units, control, alpha, power)
    return _unit(past, control) * _z(alpha, power) / sqrt(units)


def days_until(units: int, reached: Sequence[float], traffic: float) -> int | None:
    """Return the first day on which so many units were exposed; None where the traffic never gets there.

    reached : different people met by the end of each day; beyond its end the last week's pace goes on.
    """
    grown = np.asarray(reached, float) * traffic
    there = np.flatnonzero(grown >= units)
    if len(there):
        return int(there[0]) + 1
    if len(grown) < 2:
        return None
    lately = (grown[-1] - grown[max(len(grown) - 8, 0)]) / min(len(grown) - 1, 7)
    return len(grown) + ceil((units - grown[-1]) / lately) if lately > 0 else None


def _unit(past: Past, control: float) -> float:
    """Return the standard error of the difference at one unit in all."""
    left = past.deviation * sqrt(max(1 - past.correlation**2, 0.0))
    return left * sqrt(1 / control + 1 / (1 - control))


def _z(alpha: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)


def _width(past: Past, units: int, control: float, alpha: float, power: float) -> float:
    """Return the difference whose confidence sequence leaves 0 out with this power at so many units."""
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / PLANNED
    n = float(units)
    z = sqrt(2 * (n * rho2 + 1) / (n * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    return _unit(past, control) / sqrt(n) * (z + NormalDist().inv_cdf(power))
