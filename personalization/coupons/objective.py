"""What a coupon is worth to the shop: how much its rung adds to what the campaign is for, compared with no coupon."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.log import CouponLog, doubly_robust

Floats = NDArray[np.float64]
DROP = 0.1
"""Share of the full-price purchases ahead that a shopper of dependence 1 puts off after a redeemed coupon of all of the price. An
belief until `learned_drop` reads the own randomised share; its sign is known (Mela, Gupta & Lehmann 1997, J. Marketing Research 34:
promotions make shoppers more price sensitive for years), its size differs from shop to shop: a deviation as large as itself."""
LEAST_ROWS = 2_000


class Objective(StrEnum):
    """What a campaign is for."""

    ORDERS = "orders"
    REVENUE = "revenue"
    MARGIN = "margin"
    LIFETIME = "lifetime"


def worth(
    conversion: Floats, price_minor: Floats, margin_share: Floats, discount: Floats, dependence: Floats, objective: Objective,
    *, ahead_minor: Floats | None = None, drop: float = DROP,
) -> Floats:  # fmt: skip
    """Return what each rung adds, (n, k); rung 0 must be "no coupon" and is worth 0. Orders are conversions, all else minor units.

    With c_v the conversion at rung v, d_v its discount, p the price, m the margin share, s the dependence in [0, 1] and F the
    full-price spending ahead (`ahead_minor`, e.g. the label "expected_spend"; one purchase of the thing when None):

        orders    c_v - c_0
        revenue   c_v (p - d_v) - c_0 p
        margin    c_v (p m - d_v) - c_0 p m
        lifetime  margin - c_v s drop (d_v / p) F m

    The last term is the change in lifetime value: a redeemed coupon teaches a dependent shopper to wait, the more the deeper it is
    (reference prices fall with prices paid: Kalyanaram & Winer 1995, Marketing Science 14), and what is put off loses its margin.
    conversion, discount : (n, k), discount may be (k,); price_minor, margin_share, dependence, ahead_minor : (n,).
    """
    price, share = price_minor[:, None], margin_share[:, None]
    if objective is Objective.ORDERS:
        gained = conversion
    elif objective is Objective.REVENUE:
        gained = conversion * (price - discount)
    else:
        gained = conversion * (price * share - discount)
    if objective is Objective.LIFETIME:
        ahead = (price_minor if ahead_minor is None else ahead_minor)[:, None]
        depth = discount / np.maximum(price, 1.0)
        gained = gained - conversion * dependence[:, None] * drop * depth * ahead * share
    return gained - gained[:, :1]


def expected_cost(conversion: Floats, discount: Floats) -> Floats:
    """Return the money that each rung is expected to take from its budget, (n, k) minor units: it is paid on conversion only."""
    return conversion * discount


def learned_drop(log: CouponLog, price_minor: Floats) -> float:
    """Return `drop` as DROP and what the log proves say together, each by its precision; never below 0.

    price_minor : (n,) what the thing costs.
    """
    ladder = np.unique(log.discount)
    found = estimated_drop(log, ladder, ladder / max(float(np.nanmean(price_minor)), 1.0)) if len(ladder) > 1 else None
    if found is None:
        return DROP
    known, proven = DROP**-2, found[1] ** -2
    return max((known * DROP + proven * found[0]) / (known + proven), 0.0)


def estimated_drop(log: CouponLog, ladder: Floats, depth: Floats) -> tuple[float, float] | None:
    """Return `drop` and its standard error as the log's propensities prove it; None below LEAST_ROWS.

    depth : (k,) discount / price of each rung. The doubly robust mean of full_after / full_before per rung is set against rung 0 by
    weighted least squares through the origin, on depth times the mean dependence times the mean conversion at that rung.
    Shoppers without spending before say nothing and are left out.
    """
    kept = np.flatnonzero(log.full_before > 0)
    if len(kept) < LEAST_ROWS:
        return None
    part = log.where(kept)
    flat = np.full((len(part), len(ladder)), 1.0)
    share = replace(part, converted=part.full_after / part.full_before)
    level, error = doubly_robust(share, ladder, flat * share.converted.mean())
    bought, _ = doubly_robust(part, ladder, flat * part.converted.mean())
    force = (depth * float(np.nanmean(part.dependence)) * bought)[1:]
    usual = max(float(level[0]), 1e-9)
    fallen, variance = 1.0 - level[1:] / usual, (error[1:] ** 2 + error[0] ** 2) / usual**2
    strength = float((force**2 / variance).sum())
    if strength == 0.0:
        return None
    return float((force * fallen / variance).sum() / strength), float(1 / np.sqrt(strength))
