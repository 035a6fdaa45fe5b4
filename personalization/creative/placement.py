"""Which variant of a screened set is shown: Thompson sampling with exact propensities, within caps.

Posterior draws vote for the variant that is best in them; the votes' shares, with a floor for the new and a cap on exploration, are
the probabilities with which one is then drawn. So the logged propensity is exact: it is the number that the draw used. How well
the shares match the (narrowed) posterior's own chances has a standard error of at most 0.5 / sqrt(draws), 0.031 with DRAWS.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.creative.features import Floats, Singles

Mask = NDArray[np.bool_]
DRAWS = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What placement keeps to.

    exploration : the largest share of a campaign's impressions that may go to another variant than the one believed best; floor :
    the share that is kept for variants shown less than `least_shown` times, or, without any, for all evenly; width : of the votes'
    deviations against the posterior's, below 1 explores less (posterior reshaping, Chapelle & Li 2011); per_shopper : how often one
    shopper sees one variant within a week, and `of_campaign` any of the campaign's.
    """

    exploration: float = 0.5
    floor: float = 0.02
    width: float = 0.5
    least_shown: int = 200
    per_shopper: int = 3
    of_campaign: int = 12

    def __post_init__(self) -> None:
        if not (0 < self.exploration < 1 and 0 < self.floor <= self.exploration):
            raise ValueError("0 < floor <= exploration < 1 is needed, or nothing could be learned")
        if not 0 < self.width <= 1:
            raise ValueError("a width above 0 and at most 1 is needed")
        if min(self.per_shopper, self.of_campaign) < 1:
            raise ValueError("a shopper who may see nothing needs no placement: caps are at least 1")


@dataclass(frozen=True, slots=True)
class Shares:
    """A screened set as it stands: its variants, the probability of each, and which is believed best."""

    variant_ids: tuple[str, ...]
    shares: tuple[float, ...]
    best: int


@dataclass(frozen=True, slots=True)
class Placed:
    """What was placed for one shopper: the variant, and what it was drawn from; `explored` where it is not the best guess.

    capped : the exploration budget was used up, so the best guess was shown for sure; nothing can be learned from that.
    """

    variant_id: str
    variant_ids: tuple[str, ...]
    shares: tuple[float, ...]
    explored: bool
    capped: bool

    @property
    def propensity(self) -> float:
        """The probability with which this variant was drawn."""
        return self.shares[self.variant_ids.index(self.variant_id)]


def shares_of(drawn: Singles, mean: Floats, new: Mask, limits: Limits) -> tuple[Floats, NDArray[np.int64]]:
    """Return the shares (a, k) of the variants of several sets, each above 0, and the places of the best guesses (a,).

    drawn : (a, k, s) draws of log-odds; mean : (a, k), -inf where a set is shorter than k, which gets no share; new : (a, k) whose
    minimum exposure is not reached. What is explored, in sum, is at most `limits.exploration`.
    """
    here = np.isfinite(mean)
    middle = np.where(here, mean, 0.0)[..., None]
    votes = np.where(here[..., None], middle + limits.width * (drawn - middle), -np.inf).argmax(1)
    audiences, k, n = drawn.shape
    counted = np.bincount((np.arange(audiences)[:, None] * k + votes).ravel(), minlength=audiences * k)
    wins = counted.reshape(audiences, k) / n
    unknown = new & here
    target = np.where(unknown.any(1, keepdims=True), unknown + 0.1 * here, here.astype(float))
    target /= target.sum(1, keepdims=True)
    shares = (1.0 - limits.floor) * wins + limits.floor * target
    best = mean.argmax(1)
    each = np.arange(audiences)
    explored = 1.0 - shares[each, best]
    scale = np.minimum(1.0, limits.exploration / np.maximum(explored, 1e-12))
    shares *= scale[:, None]
    shares[each, best] = 0.0
    shares[each, best] = 1.0 - shares.sum(1)
    return shares, best


def place(
    standing: Shares, *, allowed: Collection[str], seen: Mapping[str, int], explored: int, placed: int, limits: Limits,
    rng: np.random.Generator,
) -> Placed | None:  # fmt: skip
    """Draw a variant for one shopper; None where none is left that may be shown.

    allowed : the approved variants; seen : how often this shopper saw each within a week; explored, placed : the campaign's
    impressions so far. Of those left, shares keep their proportions. The best of those left is shown for sure where one more
    explored impression would break the cap.
    """
    if sum(seen.values()) >= limits.of_campaign:
        return None
    left = [
        number for number, name in enumerate(standing.variant_ids)
        if name in allowed and seen.get(name, 0) < limits.per_shopper and standing.shares[number] > 0
    ]  # fmt: skip
    if not left:
        return None
    names, weights = tuple(standing.variant_ids[i] for i in left), np.array([standing.shares[i] for i in left])
    best = left.index(standing.best) if standing.best in left else int(weights.argmax())
    shares = _capped(weights / weights.sum(), best, limits.exploration)
    capped = len(left) > 1 and explored + 1 > limits.exploration * (placed + 1)
    if capped:
        shares = np.eye(len(left))[best]
    drawn = int(rng.choice(len(left), p=shares))
    return Placed(names[drawn], names, tuple(shares.tolist()), drawn != best, capped)


def _capped(shares: Floats, best: int, most: float) -> Floats:
    """Return the shares with at most `most` in sum on others than the best."""
    others = 1.0 - shares[best]
    found = shares * min(1.0, most / others) if others > 0 else shares.copy()
    found[best] = 0.0
    found[best] = 1.0 - found.sum()
    return found
