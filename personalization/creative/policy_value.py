"""What a new policy would have earned, from a log of another one with its propensities, before anybody sees it.

IPS (Horvitz & Thompson 1952) is unbiased, SNIPS (Swaminathan & Joachims 2015) trades a little bias for much variance, the doubly
robust estimate (Dudík, Langford & Li 2011) adds a reward model, cross-fitted so that no outcome judges a model that has seen it
(Chernozhukov et al. 2018). Clicks are rare and weights vary, so estimates are skewed: intervals invert Hall's (1992) transformation
of the studentised mean, with Student's t in place of the normal and degrees of freedom by the kurtosis; by shopper where one shopper has several impressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Predict = Callable[[Ints], tuple[Floats, Floats]]
POOR_SHARE, HEAVY, FEW = 0.05, 50.0, 30.0


class Method(StrEnum):
    """How a value is estimated."""

    IPS = "ips"
    SNIPS = "snips"
    DR = "dr"


@dataclass(frozen=True, slots=True)
class Log:
    """Impressions of the old policy, (n,) each.

    reward : what came of it; propensity : the old policy's probability of what was shown, above 0; target : the new policy's
    probability of the same; missing : the share that the new policy gives to what the old one could not show; predicted : a model's
    reward of what was shown; expected : the same model's, averaged over what the new policy would show; cluster : whose impression
    it is, where one shopper may have several.
    """

    reward: Floats
    propensity: Floats
    target: Floats
    missing: Floats | None = None
    predicted: Floats | None = None
    expected: Floats | None = None
    cluster: Ints | None = None

    def __post_init__(self) -> None:
        given = [
            part
            for part in (self.propensity, self.target, self.missing, self.predicted, self.expected, self.cluster)
            if part is not None
        ]
        if len(self.reward) < 2 or any(part.shape != self.reward.shape for part in given):
            raise ValueError("a log has at least two impressions, and every column has one entry for each")
        if not (self.propensity > 0).all():
            raise ValueError("a propensity of 0 cannot have been drawn: the log is not of the policy that it names")

    @property
    def weight(self) -> Floats:
        """How much more often the new policy shows this than the old one did."""
        found: Floats = self.target / self.propensity
        return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of the log speaks of the new policy.

    effective : impressions of the new policy that the log is worth, (Σw)² / Σw²; largest : the largest weight; unseen : the share of
    the new policy's impressions that the old one could not have shown.
    """

    n: int
    effective: float
    largest: float
    unseen: float
    rewarded: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the estimate should not be trusted, in words; empty where there is no reason."""
        found = []
        if self.effective < POOR_SHARE * self.n:
            found.append(
                f"The two policies hardly overlap: {self.n:,} impressions are worth {self.effective:,.0f} of the new one."
            )
        if self.largest > HEAVY:
            found.append(f"One impression counts as {self.largest:,.0f}: a few decide the estimate.")
        if self.unseen > 0.01:
            found.append(
                f"{self.unseen:.0%} of what the new policy shows was never shown: the estimate is silent on that."
            )
        if self.rewarded < FEW:
            found.append(f"It rests on about {self.rewarded:.0f} rewards: wait for more.")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A policy's value per impression, with its interval."""

    method: Method
    value: float
    low: float
    high: float
    overlap: Overlap


def evaluate(log: Log, method: Method, *, confidence: float = 0.95) -> Estimate:
    """Return the new policy's mean reward. Raises ValueError for the doubly robust estimate of a log without a model."""
    value, influence = _influence(log, method)
    low, high = interval(value, influence, log.cluster, confidence=confidence)
    return Estimate(method, value, low, high, overlap(log))


def gain(log: Log, method: Method, *, confidence: float = 0.95) -> Estimate:
    """Return what the new policy adds to the old one's mean reward: both are read from the same impressions."""
    value, influence = _influence(log, method)
    old = float(log.reward.mean())
    difference = value - old
    low, high = interval(difference, influence - (log.reward - old), log.cluster, confidence=confidence)
    return Estimate(method, difference, low, high, overlap(log))


def overlap(log: Log) -> Overlap:
    """Return how far the log can speak of the new policy."""
    weight, rewarded = log.weight, log.weight * np.abs(log.reward)
    effective = float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))
    hits = float(rewarded.sum() ** 2 / max((rewarded**2).sum(), 1e-300))
    unseen = 0.0 if log.missing is None else float(log.missing.mean())
    return Overlap(len(weight), effective, float(weight.max()), unseen, hits)


def _influence(log: Log, method: Method) -> tuple[float, Floats]:
    """Return the estimate and each impression's influence on it, (n,), with mean 0."""
    weight = log.weight
    if method is Method.IPS:
        each = weight * log.reward
    elif method is Method.SNIPS:
        total = float(weight.sum())
        if total <= 0:
            raise ValueError("the new policy shows nothing that the old one did")
        value = float((weight * log.reward).sum() / total)
        return value, weight * (log.reward - value) * len(weight) / total
    elif log.predicted is None or log.expected is None:
        raise ValueError("the doubly robust estimate needs a reward model's predictions")
    else:
        each = log.expected + weight * (log.reward - log.predicted)
    value = float(each.mean())
    return value, each - value


def interval(
    value: float, influence: Floats, cluster: Ints | None = None, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return a two-sided interval for a mean with these influences, corrected for their skewness."""
    total = len(influence)
    if cluster is not None:
        _, of = np.unique(cluster, return_inverse=True)
        influence = np.bincount(of, weights=influence).astype(float)
    n = len(influence)
    if n < 2:
        return -np.inf, np.inf
    scale = n / total  # of a mean over impressions, in sums over clusters
    influence = influence * scale
    centred = influence - influence.mean()
    deviation = float(np.sqrt((centred**2).sum() / (n - 1)))
    if deviation == 0:
        return value, value
    skewness = float((centred**3).mean() / deviation**3)
    peaked = float((centred**4).mean() / deviation**4)
    freedom = min(2.0 * n / max(peaked - 1.0, 1e-9), n - 1.0)  # that the deviation is known as well as (Satterthwaite)
    t = float(stats.t.ppf(0.5 + confidence / 2, max(freedom, 1.0)))
    low, high = (_unskewed(u, skewness, n) for u in (t, -t))
    step = deviation / np.sqrt(n)
    return value - step * low, value - step * high


def _unskewed(u: float, skewness: float, n: int) -> float:
    """Return the studentised mean whose transformed value is `u` (Hall 1992, the monotone cubic)."""
    if abs(skewness) < 1e-9:
        return u
    size = skewness / np.sqrt(n)
    return float(3.0 / size * (np.cbrt(1.0 + size * (u - size / 6.0)) - 1.0))


def bernstein(log: Log, *, bound: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval for IPS that holds for any n (Maurer & Pontil 2009): `bound` is the most that weight x reward can be."""
    each, n = log.weight * log.reward, len(log.reward)
    if bound <= 0 or float(each.max()) > bound or float(each.min()) < 0:
        raise ValueError("weighted rewards lie outside 0 and the bound")
    told = np.log(4.0 / (1.0 - confidence))
    wide = np.sqrt(2.0 * each.var(ddof=1) * told / n) + 7.0 * bound * told / (3.0 * (n - 1))
    return float(max(each.mean() - wide, 0.0)), float(each.mean() + wide)


def cross_fitted(
    n: int, fit: Callable[[Ints], Predict], rng: np.random.Generator, *, folds: int = 5, cluster: Ints | None = None
) -> tuple[Floats, Floats]:
    """Return `predicted` and `expected` of a Log, each impression's by a model that was fitted without it (nor its shopper's others).

    fit : takes the places to learn from, returns what predicts at other places.
    """
    of = np.arange(n) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    fold = rng.permutation(int(of.max()) + 1)[of] % folds
    predicted, expected = np.empty((2, n))
    for number in range(folds):
        held = np.flatnonzero(fold == number)
        if len(held):
            predicted[held], expected[held] = fit(np.flatnonzero(fold != number))(held)
    return predicted, expected
