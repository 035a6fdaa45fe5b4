"""What came of offers that were decided earlier, and the average response to each discount that it proves.

An allocator gives large discounts to those whom it expects to move, so a plain mean per discount confuses the discount with
its receivers. Every decision logs the probability with which it chose; with it, the doubly robust mean is unbiased whatever
the model says (Robins, Rotnitzky & Zhao 1994; Dudik, Langford & Li 2011), as long as every rung keeps some probability:
that is what the randomised share is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_WEIGHT = 20.0
"""Training weights are clipped here: a row of a rare rung may count twenty times, not thousands. The price is some bias of the
*model* where logging was very one-sided; the averages per rung (`doubly_robust`) use unclipped weights and take it out again."""


@dataclass(frozen=True, slots=True)
class CouponLog:
    """One row per decision, all arrays of one length n.

    member : whose, a number; features : (n, f) of FEATURES as of the decision; discount : what was given, minor units, 0 for none;
    propensity : the probability with which exactly this was chosen, in (0, 1]; converted : 1 where the thing was bought within
    the horizon, with or without coupon; cost : what was really taken from the budget, minor units; segment : ids, "" unknown;
    full_before, full_after : what the member spent without discounts in as long a time before the decision and within the horizon
    after it, minor units, and dependence : on discounts, in [0, 1], as of then; all three NaN where they were not looked up.
    """

    member: NDArray[np.int64]
    features: Floats
    discount: Floats
    propensity: Floats
    converted: Floats
    cost: Floats
    segment: NDArray[np.str_]
    full_before: Floats = field(default_factory=lambda: np.zeros(0))
    full_after: Floats = field(default_factory=lambda: np.zeros(0))
    dependence: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        n = len(self.member)
        for name in ("full_before", "full_after", "dependence"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, np.nan))
        if any(len(getattr(self, name)) != n for name in self.__slots__):
            raise ValueError("the columns of a coupon log must have one length")
        if n and not (self.propensity.min() > 0 and self.propensity.max() <= 1):
            raise ValueError("propensities must lie in (0, 1]")

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.member)

    def where(self, kept: NDArray[Any]) -> CouponLog:
        """Return the rows that `kept` marks or numbers."""
        return CouponLog(*(getattr(self, name)[kept] for name in self.__slots__))

    def weights(self) -> Floats:
        """Return stabilised inverse propensities, share of the rung / propensity, clipped at MOST_WEIGHT, with mean 1."""
        _, rung, count = np.unique(self.discount, return_inverse=True, return_counts=True)
        found = np.minimum(count[rung] / len(self) / self.propensity, MOST_WEIGHT)
        normal: Floats = found / found.mean()
        return normal


def rungs(discount: Floats, ladder: Floats) -> NDArray[np.int64]:
    """Return the position of each discount (n,) in the rising `ladder` (k,). Raises ValueError for one that is not on it."""
    found = np.minimum(np.searchsorted(ladder, discount), len(ladder) - 1)
    if not np.array_equal(ladder[found], discount):
        raise ValueError("the log holds a discount that is not on the ladder")
    return found.astype(np.int64)


def doubly_robust(log: CouponLog, ladder: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    """Return mean response at each rung and its standard error, (k,) and (k,), over everybody in the log.

    predicted : (n, k) response at each rung by a model that has not seen the row's member.
    """
    given = (rungs(log.discount, ladder)[:, None] == np.arange(len(ladder))) / log.propensity[:, None]
    parts = predicted + given * (log.converted[:, None] - predicted)
    return parts.mean(axis=0), parts.std(axis=0, ddof=1) / np.sqrt(len(log))


def naive(log: CouponLog, ladder: Floats) -> Floats:
    """Return the plain mean response of those who were given each rung (k,), NaN for nobody: what confounding misleads."""
    rung = rungs(log.discount, ladder)
    counts = np.bincount(rung, minlength=len(ladder))
    with np.errstate(invalid="ignore"):
        found: Floats = np.bincount(rung, log.converted, minlength=len(ladder)) / counts
    return found


def by_segment(log: CouponLog) -> Mapping[str, CouponLog]:
    """Return the log of each segment."""
    return {str(name): log.where(log.segment == name) for name in np.unique(log.segment)}
