"""What a member will spend: visits by BG/NBD (Fader, Hardie and Lee 2005), money per visit by Gamma-Gamma (Fader and Hardie 2013).

A visit is a day with an order. Given the fitted priors, a member's posterior is exact (alive with a known probability; visit rate,
leaving and money conjugate), so intervals are quantiles of draws from what is predicted, not of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

DRAWS, INTERVAL = 200, (0.05, 0.95)
HORIZON_DAYS = 84
WINDOW_DAYS = 182  # money per visit is that of the last half year, as in the features
LEAST_MEMBERS = 50
DAY_S = 86_400
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected within the horizon: money in minor units with a 90 % interval, visits, and the probability to be a customer still."""

    mean: float
    low: float
    high: float
    visits: float
    alive: float

    def around(self, mean: float) -> Prediction:
        """Return the prediction with another `mean`: everything that is spent grows or shrinks by the same factor."""
        factor = mean / max(self.mean, 1.0)
        return replace(self, mean=mean, low=self.low * factor, high=max(self.high * factor, mean))


@dataclass(frozen=True, slots=True)
class ValueModel:
    """Priors: visits r, alpha (per day), leaving a, b; money p, q, gamma (minor units). Rates are those of 24-hour days."""

    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    gamma: float

    def alive(self, x: int, recency: float, age: float) -> float:
        """Return the probability that a member with `x` repeat visits, the last `recency` days after the first, `age` days ago, still comes."""
        if x == 0:
            return 1.0
        odds = np.log(self.a / (self.b + x - 1)) + (self.r + x) * np.log((self.alpha + age) / (self.alpha + recency))
        return float(1 / (1 + np.exp(np.clip(odds, -50, 50))))

    def predict(
        self,
        x: int,
        recency: float,
        age: float,
        visits: int,
        money: float,
        rng: np.random.Generator,
        days: float = HORIZON_DAYS,
    ) -> Prediction:
        """Return the prediction for the next `days`. visits, money : number and mean money of the visits in the window."""
        alive = self.alive(x, recency, age)
        rate = rng.gamma(self.r + x, 1 / (self.alpha + age), DRAWS)
        leaves = rng.geometric(np.clip(rng.beta(self.a, self.b + x, DRAWS), 1e-9, 1.0))
        n = np.minimum(rng.poisson(rate * days), leaves) * (rng.random(DRAWS) < alive)
        scale = rng.gamma(self.p * visits + self.q, 1 / (self.gamma + visits * money), DRAWS)
        spent = np.where(n > 0, rng.gamma(np.maximum(self.p * n, 1e-9)) / scale, 0.0)
        low, high = np.quantile(spent, INTERVAL)
        mean = float(spent.mean())  # of one who is most likely gone, the mean can lie above the quantile
        return Prediction(mean, float(low), max(float(high), mean), float(n.mean()), alive)


def history(lines: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """Return member_id, x, recency, age (days), visits and money (minor units, of the last WINDOW_DAYS) as of `until`."""
    age = ((pl.lit(until) - pl.col("at")).dt.total_seconds() // DAY_S).alias("ago")
    days = (
        lines.filter(pl.col("at") <= until)
        .with_columns(age)
        .group_by("member_id", "ago")
        .agg(pl.col("amount_minor").sum().alias("spent"))
    )
    lately = pl.col("ago") < WINDOW_DAYS
    return days.group_by("member_id").agg(
        (pl.len() - 1).cast(pl.Int64).alias("x"), (pl.col("ago").max() - pl.col("ago").min()).cast(pl.Float64).alias("recency"),
        pl.col("ago").max().cast(pl.Float64).alias("age"), lately.sum().cast(pl.Int64).alias("visits"),
        pl.col("spent").filter(lately).mean().fill_null(0.0).alias("money"),
    ).sort("member_id")  # fmt: skip


def fit(lines: pl.DataFrame, *, until: datetime) -> ValueModel | None:
    """Fit the priors by maximum likelihood to order lines (member_id, at, amount_minor); None for too few members."""
    known = history(lines, until)
    paid = known.filter((pl.col("visits") > 0) & (pl.col("money") > 0))
    if paid.height < LEAST_MEMBERS:
        return None
    x, recency, age = (known[name].to_numpy().astype(float) for name in ("x", "recency", "age"))
    visits, money = (paid[name].to_numpy().astype(float) for name in ("visits", "money"))
    typical = float(np.median(money))
    r, alpha, a, b = _climb(lambda v: _bg_nbd(v, x, recency, age), np.log([1.0, 10.0, 0.5, 5.0]))
    p, q, gamma = _climb(lambda v: _gamma_gamma(v, visits, money / typical), np.log([2.0, 4.0, 4.0]))
    return ValueModel(r, alpha, a, b, p, q, gamma * typical)


def _climb(log_likelihood: Any, start: Floats) -> list[float]:
    """Return the maximum over positive parameters, with a weak pull towards e^0 that keeps flat directions finite."""
    from scipy.optimize import minimize  # noqa: PLC0415  serving does not need it

    def loss(v: Floats) -> float:
        return float(-log_likelihood(np.exp(v)) + 0.01 * (v**2).sum())

    best = minimize(loss, start, method="L-BFGS-B", bounds=[(-8.0, 12.0)] * len(start))
    return [float(one) for one in np.exp(best.x)]


def _bg_nbd(v: Floats, x: Floats, recency: Floats, age: Floats) -> float:
    r, alpha, a, b = v
    shared = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + gammaln(a + b)
        + gammaln(b + x)
        - gammaln(b)
        - gammaln(a + b + x)
    )
    stays = -(r + x) * np.log(alpha + age)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency), -np.inf)
    return float((shared + np.logaddexp(stays, left)).sum())


def _gamma_gamma(v: Floats, n: Floats, mean: Floats) -> float:
    p, q, gamma = v
    found = (
        gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma) + (p * n - 1) * np.log(mean) + p * n * np.log(n)
        - (p * n + q) * np.log(gamma + n * mean)
    )  # fmt: skip
    return float(found.sum())
