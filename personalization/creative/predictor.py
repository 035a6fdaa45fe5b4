"""How variants compare for an audience, with uncertainty: a Bayesian conditional logit that learns from clicks alone.

Given that somebody clicked, which variant was it? With the placement's shares π (its logged propensities) and log-odds η that is v
with probability π_v exp(η_v) / Σ_u π_u exp(η_u), as clicks are rare. The level of a campaign, an audience or a day cancels, so none
has to be known or stand still; and no impression has to be called "not clicked" before a late click arrives (McFadden 1974; the
case-only design of Piegorsch et al. 1994). What a click teaches is its score and Fisher information at the mean of the last
`refresh`: sums, so that the order of events between two refreshes does not matter.

θ (d,) has a Gaussian posterior with full covariance. What no feature explains of a variant, its rest r_v ~ N(0, ITEM_SD²), is
estimated beside it; a variant that was shown a lot tells θ less and less, as its rest could explain the same
(information W counts as W / (1 + ITEM_SD² W)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular

from personalization.creative.features import Design, Floats, Singles
from personalization.creative.variants import Audience

Ints = NDArray[np.int64]
ITEM_SD = 0.08
REFINEMENTS, STAYS = 3, 10.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is thought of θ before any click: means and standard deviations (d,).

    kind : (d,) numbers of kinds of parameters whose deviations are all larger, or all smaller, than was thought; how much, follows
    from the outcomes (empirical Bayes, Dempster, Laird & Rubin 1977), one step with every refresh.
    """

    mean: Floats
    sd: Floats
    kind: Ints


@dataclass(slots=True)
class Rests:
    """What is known of each variant's rest: sums of the evidence, by the variant's row. Names are `names_of` a campaign's variants."""

    rows: dict[str, int] = field(default_factory=dict)
    shift: Floats = field(default_factory=lambda: np.zeros(64))
    information: Floats = field(default_factory=lambda: np.zeros(64))

    def of(self, names: Sequence[str]) -> Ints:
        """Return the rows (n,) of variants; a new one gets its own."""
        found = np.array([self.rows.setdefault(name, len(self.rows)) for name in names], np.int64)
        if len(self.rows) > len(self.shift):
            more = np.zeros(2 * len(self.rows) - len(self.shift))
            self.shift, self.information = (np.concatenate([old, more]) for old in (self.shift, self.information))
        return found

    def mean(self, rows: Ints) -> Floats:
        """Return the rests' means, in the shape of `rows`."""
        found: Floats = self.shift[rows] / (self.information[rows] + ITEM_SD**-2)
        return found

    def variance(self, rows: Ints) -> Floats:
        """Return the rests' variances, in the shape of `rows`."""
        found: Floats = 1.0 / (self.information[rows] + ITEM_SD**-2)
        return found


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-odds of variants against an average one, and their standard deviations, (n,) each."""

    mean: Floats
    sd: Floats


class Predictor:
    """Ranks variants for audiences. `learn` adds evidence at once; `refresh` makes mean and covariance exact again."""

    def __init__(self, design: Design, belief: Belief) -> None:
        self.design, self.belief = design, belief
        self.information = np.zeros((design.d, design.d))
        self.shift = np.zeros(design.d)
        self.rests = Rests()
        self.scale = np.ones(int(belief.kind.max()) + 1)  # of the variances of each kind, against what was thought
        self._told: dict[Audience, list[Singles]] = {}  # rows whose squares are not yet in `information`
        self.refresh()

    def refresh(self) -> None:
        """Solve for the posterior, O(d³). Later evidence is taken at the mean that is found here.

        The factor has single precision; the mean is refined to double.
        """
        self.settle()
        precision = self.information.copy()
        thought = self.belief.sd**-2 / self.scale[self.belief.kind]
        precision[np.diag_indices_from(precision)] += thought
        told = self.belief.mean * thought + self.shift
        self._factor: Singles = cholesky(precision.astype(np.float32), lower=True, overwrite_a=True, check_finite=False)
        self.mean: Floats = np.zeros(len(told))
        for _ in range(REFINEMENTS):
            left = (told - precision @ self.mean).astype(np.float32)
            self.mean += cho_solve((self._factor, True), left, check_finite=False)
        self._point = self.mean.copy()
        half = np.tril(lapack.spotri(self._factor, lower=1)[0])
        self.covariance: Singles = np.ascontiguousarray(half + np.tril(half, -1).T)
        self._rescale()

    def _rescale(self) -> None:
        """Move the deviations of every kind towards what the posterior shows; a kind of few parameters moves little."""
        kind = self.belief.kind
        seen = ((self.mean - self.belief.mean) ** 2 + self.covariance.diagonal()) / self.belief.sd**2
        self.scale = (np.bincount(kind, seen) + STAYS) / (np.bincount(kind) + STAYS)

    def settle(self) -> None:
        """Bring what was learned since the last time into `information`."""
        for audience, told in self._told.items():
            rows = np.concatenate(told)
            square = rows.T @ rows
            blocks = self.design.blocks(audience)
            for one in blocks:
                for other in blocks:
                    self.information[one, other] += square[: one.stop - one.start, : other.stop - other.start]
        self._told.clear()

    def learn(self, audience: Audience, z: Singles, rows: Ints, shares: Floats, clicks: Floats) -> None:
        """Add clicks (k,) on the variants z (k, q) that were placed with `shares` (k,), and move the mean one step towards them."""
        score = self.learn_many([audience], z[None], rows[None], shares[None], clicks[None])[0]
        blocks = self.design.blocks(audience)
        parts = [score[: block.stop - block.start].astype(np.float32) for block in blocks]
        step = sum(part @ self.covariance[block] for block, part in zip(blocks, parts, strict=True))
        gain = sum(float(step[block] @ part) for block, part in zip(blocks, parts, strict=True))
        self.mean += step / (1.0 + gain / max(float(clicks.sum()), 1.0))

    def learn_many(
        self, audiences: Sequence[Audience], z: Singles, rows: Ints, shares: Floats, clicks: Floats
    ) -> Floats:
        """Add the clicks (a, k) of several audiences on variants z (a, k, q), placed with `shares` (a, k); return scores (a, q).

        Each row of clicks is one situation in which the shares held. A share of 0 says that the variant could not be shown.
        """
        u = np.stack([self.design.gather(self._point, audience) for audience in audiences])
        linear = np.einsum("akq,aq->ak", z, u)
        rest = self.rests.mean(rows)
        likely = shares * np.exp(linear + rest)
        likely /= likely.sum(1, keepdims=True)
        n = clicks.sum(1, keepdims=True)
        surprise, weight = clicks - n * likely, n * likely * (1.0 - likely)
        known = (likely * self.rests.information[rows]).sum(1)
        counts = 1.0 / (1.0 + ITEM_SD**2 * known) ** 2
        np.add.at(self.rests.shift, rows, surprise + weight * rest)
        np.add.at(self.rests.information, rows, weight)
        centred = z - np.einsum("ak,akq->aq", likely, z)[:, None]
        scaled = (centred * np.sqrt(n * likely * counts[:, None])[..., None]).astype(np.float32)
        score: Floats = np.einsum("ak,akq->aq", surprise * counts[:, None], z)
        shift = score + np.einsum("akq,ak->aq", scaled, np.einsum("akq,aq->ak", scaled, u))
        for audience, line, rows_told in zip(audiences, shift, scaled, strict=True):
            for block in self.design.blocks(audience):
                self.shift[block] += line[: block.stop - block.start]
            self._told.setdefault(audience, []).append(rows_told)
        return score

    def forget(self, kept: float) -> None:
        """Let the evidence count `kept` of what it did: tastes change."""
        self.settle()
        for sums in (self.information, self.shift, self.rests.shift, self.rests.information):
            np.multiply(sums, kept, out=sums)

    def score(self, audience: Audience, z: Singles, rows: Ints | None = None) -> Scores:
        """Return how the variants z (n, q) compare for an audience; without `rows` as new ones, of which no rest is known."""
        design = self.design
        u = design.gather(self.mean, audience)
        everybody, *others = design.blocks(audience)
        spread, own = self.covariance[everybody, everybody].copy(), design.own
        for one in others:
            cross = self.covariance[everybody, one]
            spread[:, :own] += cross
            spread[:own] += cross.T
            for other in others:
                spread[:own, :own] += self.covariance[one, other]
        mean = (z @ u.astype(np.float32)).astype(float)
        variance = np.einsum("nq,nq->n", z @ spread, z).astype(float)
        if rows is None:
            return Scores(mean, np.sqrt(variance + ITEM_SD**2))
        return Scores(mean + self.rests.mean(rows), np.sqrt(variance + self.rests.variance(rows)))

    def noise(self, rng: np.random.Generator, n: int) -> Singles:
        """Return n draws of θ less its mean, (d, n); added to a mean that `learn` has moved since, they stay as wide."""
        noise = rng.standard_normal((self.design.d, n), np.float32)
        found: Singles = solve_triangular(
            self._factor, noise, lower=True, trans="T", overwrite_b=True, check_finite=False
        )
        return found

    def draw(self, rng: np.random.Generator, n: int) -> Singles:
        """Return n draws of θ, (d, n)."""
        return self.around(self.noise(rng, n))

    def around(self, noise: Singles) -> Singles:
        """Return draws of θ from `noise`, (d, n)."""
        found: Singles = self.mean[:, None].astype(np.float32) + noise
        return found

    def drawn(self, audience: Audience, z: Singles, rows: Ints, theta: Singles, rng: np.random.Generator) -> Singles:
        """Return drawn log-odds (k, n) of variants z (k, q) by draws of θ (d, n), each with draws of its rest."""
        found: Singles = z @ self.design.gather(theta, audience)
        noise = rng.standard_normal(found.shape, np.float32)
        found += self.rests.mean(rows)[:, None].astype(np.float32)
        found += np.sqrt(self.rests.variance(rows))[:, None].astype(np.float32) * noise
        return found
