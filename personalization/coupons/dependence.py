"""How much of a member's buying waits for discounts: an event study on the own history, shrunk to the population.

Three things are read, each a share in [0, 1] with the number of observations behind it:

    share    purchases with a discount over all purchases (deal proneness: Blattberg & Neslin 1990, ch. 3)
    timing   1 - exp(-(D - F)), D the mean of log(gap after / gap before) over purchases with a discount, F over those at
             full price: a gap that shortens for a coupon and lengthens after it is bought ahead, not more (Neslin, Henderson &
             Quelch 1985, Marketing Science 4; van Heerde, Leeflang & Wittink 2000, J. Marketing Research 37)
    lift     1 - P(buy | withheld) / P(buy | given) over decisions that chance alone made: the purchases that would not have
             happened without the coupon (attributable fraction: Levin 1953), the only one of the three that is causal

and with weights n (a pair of groups counts as half its harmonic mean, n1 n0 / (n1 + n0)) and a population of mean mu and
strength K (Efron & Morris 1975)

    dependence = (sum of n x + K mu) / (sum of n + K)

Nothing fades with time, only with later purchases and decisions, so that staying away washes nobody clean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FADE = 1.0 - 1.0 / 32.0  # what an observation keeps of its weight with each later one of its kind
LEAST_GAP_DAYS = 1.0
LOOK_DAYS = 7.0  # a purchase within so many days answers a decision
(FULL, DISCOUNTED, FULL_DIPS, FULL_DIP, DIPS, DIP, GIVEN, GIVEN_BOUGHT, WITHHELD, WITHHELD_BOUGHT) = range(10)
COLUMNS = 10


@dataclass(frozen=True, slots=True)
class History:
    """A member's own past, each part in the order of time; days since 1970, minor units.

    bought, paid, saved : (m,) days of purchases, money paid, and money saved by coupons and personal discounts;
    decided, discount, chance : (o,) days of decisions on a coupon, what was given (0 where none was, or where it was
    withheld), and whether chance alone decided (the randomised share).
    """

    bought: Floats
    paid: Floats
    saved: Floats
    decided: Floats
    discount: Floats
    chance: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not len(self.bought) == len(self.paid) == len(self.saved):
            raise ValueError("purchases must have one length")
        if not len(self.decided) == len(self.discount) == len(self.chance):
            raise ValueError("decisions must have one length")


def unknown() -> History:
    """Return the history of somebody of whom nothing is known."""
    none = np.zeros(0)
    return History(none, none, none, none, none, np.zeros(0, bool))


@dataclass(frozen=True, slots=True)
class Population:
    """What is believed of a member without history: a mean, worth `strength` observations."""

    mean: float = 0.25
    strength: float = 12.0


def evidence(history: History) -> Floats:
    """Return the sums (COLUMNS,) that `dependence` reads; the days themselves are not needed after that."""
    found = np.zeros(COLUMNS)
    discounted = history.saved > 0
    weight = _weights(len(discounted))
    found[DISCOUNTED] = weight @ discounted
    found[FULL] = weight.sum() - found[DISCOUNTED]
    if len(weight) > 2:
        gaps = np.log(np.maximum(np.diff(history.bought), LEAST_GAP_DAYS))
        dip, inner, kind = gaps[1:] - gaps[:-1], _weights(len(gaps) - 1), discounted[1:-1]
        found[DIPS], found[DIP] = inner @ kind, (inner * dip) @ kind
        found[FULL_DIPS], found[FULL_DIP] = inner.sum() - found[DIPS], inner @ dip - found[DIP]
    if history.chance.any():
        at, given = history.decided[history.chance], history.discount[history.chance] > 0
        next_one = np.append(history.bought, np.inf)[np.searchsorted(history.bought, at)]
        answered, weight = next_one - at < LOOK_DAYS, _weights(len(at))
        found[GIVEN], found[GIVEN_BOUGHT] = weight @ given, weight @ (given & answered)
        found[WITHHELD], found[WITHHELD_BOUGHT] = weight @ ~given, weight @ (~given & answered)
    return found


def dependence(evidence: Floats, population: Population | None = None) -> Floats:
    """Return the score (n,) in [0, 1] for evidence (n, COLUMNS)."""
    e, belief = evidence.T, population or Population()
    buys = e[FULL] + e[DISCOUNTED]
    dips = _pair(e[DIPS], e[FULL_DIPS])
    later = e[DIP] / np.maximum(e[DIPS], 1e-9) - e[FULL_DIP] / np.maximum(e[FULL_DIPS], 1e-9)
    timing = 1.0 - np.exp(-np.clip(later, 0.0, 50.0))
    trials = _pair(e[GIVEN], e[WITHHELD])
    with_it, without = (e[b] + 0.5 for b in (GIVEN_BOUGHT, WITHHELD_BOUGHT))  # Jeffreys' half
    lift = np.clip(1.0 - without / (e[WITHHELD] + 1.0) * (e[GIVEN] + 1.0) / with_it, 0.0, 1.0)
    seen = e[DISCOUNTED] + dips * timing + trials * lift
    found: Floats = (seen + belief.strength * belief.mean) / (buys + dips + trials + belief.strength)
    return np.clip(found, 0.0, 1.0)


def population_of(evidence: Floats) -> Population:
    """Return the population that shares of discounted purchases (n, COLUMNS) tell of, by moments (Kleinman 1973).

    Fewer than two members with purchases give the default.
    """
    buys = evidence[:, FULL] + evidence[:, DISCOUNTED]
    kept = buys > 0
    if np.count_nonzero(kept) < 2:
        return Population()
    n, share = buys[kept], evidence[kept, DISCOUNTED] / buys[kept]
    mean = float(n @ share / n.sum())
    scatter = float(n @ (share - mean) ** 2)
    chance = mean * (1.0 - mean) * (len(n) - 1)  # the scatter if everybody were alike
    spare = mean * (1.0 - mean) * float(n.sum() - (n @ n) / n.sum() - (len(n) - 1))
    between = min(max((scatter - chance) / spare, 1e-3), 1.0) if spare > 0 else 1e-3
    return Population(mean, 1.0 / between - 1.0 + 1e-6)


def _weights(n: int) -> Floats:
    return FADE ** np.arange(n - 1, -1, -1.0)


def _pair(ones: Floats, others: Floats) -> Floats:
    found: Floats = ones * others / np.maximum(ones + others, 1e-9)
    return found
