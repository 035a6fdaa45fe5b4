"""How shoppers respond to discounts before anything was logged, by segment, and how logs move that belief.

P(convert | discount) = base * (1 - discount / price) ** -ELASTICITY, at most CEILING. It needs no member: cold start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.features import PRICE
from personalization.coupons.log import CouponLog, by_segment

Floats = NDArray[np.float64]
ELASTICITY = 2.62
"""Percent more units for a price one percent lower: the mean of 1,851 estimates (Bijmolt, van Heerde & Pieters 2005, J. Marketing
Research 42). A mean over brands and decades: a belief to start with, which logs replace."""
BASE = 0.12
"""Share that converts without a discount until logs say otherwise: the share of household-campaign sends of Complete Journey that
redeem at least once (docs/benchmarks/coupons.md). It is no purchase rate; nothing public is."""
STRENGTH = 40.0
"""Rows that the belief about a segment is worth: after 40 logged decisions, data and belief weigh the same."""
CEILING = 0.95
DEEPEST = 0.9  # a discount of all of the price would be an infinite response


class Response(Protocol):
    """P(convert | shopper, thing, discount)."""

    def curves(self, features: Floats, discount: Floats, segments: Sequence[str] | None = None) -> Floats:
        """Return (n, k), non-decreasing along the ladder: features (n, f) of FEATURES; discount (k,) or (n, k) minor units, rising."""
        ...


def depth(features: Floats, discount: Floats) -> Floats:
    """Return discount / price (n, k) in [0, DEEPEST]; NaN prices give 0, since nothing says how deep a discount is."""
    price = features[:, PRICE, None]
    share = discount / np.maximum(price, 1.0)
    found: Floats = np.fmin(np.fmax(share, 0.0), DEEPEST)  # these two pass NaN over
    return found


@dataclass(frozen=True)
class PriorResponse:
    """Base rates by segment id; "" is for everybody else. `learned` moves them towards a log."""

    bases: Mapping[str, float] = field(default_factory=lambda: {"": BASE})
    elasticity: float = ELASTICITY
    version: str = "prior-1"

    def curves(self, features: Floats, discount: Floats, segments: Sequence[str] | None = None) -> Floats:
        """Return `Response.curves`."""
        rest = self.bases[""]
        base = (
            np.full(len(features), rest)
            if segments is None
            else np.array([self.bases.get(segment, rest) for segment in segments])
        )
        return np.minimum(base[:, None] * self._lift(features, discount), CEILING)

    def learned(self, log: CouponLog) -> PriorResponse:
        """Return the prior after a log: a Gamma-Poisson update of each segment's base, worth STRENGTH rows beforehand.

        A segment is drawn to everybody's rate, everybody's rate to this prior's. Rows count by how much response their discount
        should have added, so that generous logging does not pass for eager shoppers; weights are the log's.
        """
        if not len(log):
            return self
        everybody = self._posterior(self.bases[""], log)
        return replace(
            self, bases={"": everybody, **{name: self._posterior(everybody, part) for name, part in by_segment(log).items() if name}}
        )  # fmt: skip

    def _posterior(self, base: float, log: CouponLog) -> float:
        lift = self._lift(log.features, log.discount[:, None])[:, 0]
        # minimum: a lift that is far above what any base below CEILING allows would drown the rest
        expected = np.minimum(lift, CEILING / base)
        weights = log.weights()
        rate = (STRENGTH * base + weights @ log.converted) / (STRENGTH + weights @ expected)
        return float(np.clip(rate, 1e-5, CEILING))

    def _lift(self, features: Floats, discount: Floats) -> Floats:
        found: Floats = (1.0 - depth(features, discount)) ** -self.elasticity
        return found
