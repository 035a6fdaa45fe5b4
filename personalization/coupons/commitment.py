"""What makes waiting for a better coupon unprofitable: a promise, and a credit that only money paid fills.

A *spell* runs from one purchase to the next. Two rules bound what may be offered:

    promise   within a spell no offer is above an earlier one: a visit without a purchase never brings more than was to be had at once
    credit    the first offer of a spell is at most the credit, which it uses up whether the coupon is redeemed or not; credit grows
              by `share` of the money paid and by nothing else, up to `most`. It is cooldown and cap in one: whatever the days, all
              coupons of a member together are within welcome + share x money paid

Why waiting does not pay, path by path and so for any belief and any skill at learning. Let a shopper wish for something that is worth
v, at price p, and be offered d with v - p + d >= 0. Buying now gives v - p + d. Buying in a later visit of the spell gives v - p + d'
with d' <= d (promise), if the wish has not gone by then. Visits, refusals and days change no credit, so that what follows the purchase
is later and otherwise the same, but for the credit of the d - d' that was paid more, which is share x (d - d') < d - d'. By
induction over purchases a plan with a delay is no better than the plan without it, for whoever does not prefer later to now. For
the same reason it does not pay to leave a coupon unused and to buy at full price, to look like somebody who needs persuading: its
credit is gone already, and the d that is paid more brings share x d < d. Small purchases end no spell (`least`), so that offers cannot be drawn
anew for the price of a sweet. A seller who can commit does best against such shoppers by an offer that does not move (Stokey 1979, Q. J.
Economics 93; Riley & Zeckhauser 1983, Q. J. Economics 98).

The proof needs an allocator that decides the first offer of a spell by nothing that visits, refusals or time since the last purchase
move, and draws its randomised share once a spell. Three things are outside it, and bench/coupons_strategic.py measures what they are worth: a
redeemed coupon raises `dependence`, so that the next offer may be less (a coupon may be kept for a wish that would have been paid for);
who pays full price for long looks less dependent; the price of money moves between spells. After `forgiven_days` a spell is over
without a purchase, so that nobody is lost for ever: this gains at most d_max - d for all purchases given up in that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.dependence import History

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LAST = 128


@dataclass(frozen=True, slots=True)
class Rules:
    """Credit of someone new (`welcome`), its limit (`most`) and the least purchase that ends a spell, in minor units."""

    share: float = 0.25
    welcome: float = 600.0
    most: float = 1_200.0
    least: float = 500.0
    forgiven_days: float = 180.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.share < 1.0 and 0.0 <= self.welcome <= self.most):
            raise ValueError("a share must lie in [0, 1), and a welcome within the most")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where members stand, (n,) each.

    credit : minor units; ceiling : the promise, infinite in a spell without an offer yet; began : the spell's first day since 1970.
    """

    credit: Floats
    ceiling: Floats
    began: Floats

    @property
    def most(self) -> Floats:
        """The largest discount (n,) that may be offered now, minor units."""
        return np.where(np.isinf(self.ceiling), self.credit, self.ceiling)

    def allows(self, ladder: Floats) -> Mask:
        """Return which rungs (n, k) may be offered: ladder (k,) or (n, k). No coupon always may."""
        return (ladder <= self.most[:, None]) | (ladder <= 0)

    def arrived(self, day: Floats, rules: Rules) -> Standing:
        """Return the standing on `day` (n,), before an offer: what is long ago is forgiven."""
        over = day - self.began >= rules.forgiven_days
        return Standing(self.credit, np.where(over, np.inf, self.ceiling), np.where(over, day, self.began))

    def offered(self, discount: Floats) -> Standing:
        """Return the standing after `discount` (n,) was offered; 0 for no coupon, which is an offer as well."""
        used = np.where(np.isinf(self.ceiling), discount, 0.0)
        return Standing(self.credit - used, np.minimum(self.ceiling, discount), self.began)

    def bought(self, paid: Floats, saved: Floats, day: Floats, rules: Rules) -> Standing:
        """Return the standing after a purchase for `paid` with a coupon of `saved`, 0 for none, on `day`, (n,) each."""
        over = paid >= rules.least
        promised = np.where(saved > 0, 0.0, self.ceiling)  # a coupon for a small thing is used up all the same
        credit = np.minimum(self.credit + rules.share * paid, rules.most)
        return Standing(credit, np.where(over, np.inf, promised), np.where(over, day, self.began))

    def where(self, chosen: Mask, otherwise: Standing) -> Standing:
        """Return this standing for the `chosen` (n,) and that of `otherwise` for the rest."""
        return Standing(
            np.where(chosen, self.credit, otherwise.credit),
            np.where(chosen, self.ceiling, otherwise.ceiling),
            np.where(chosen, self.began, otherwise.began),
        )


def newcomers(day: Floats, rules: Rules) -> Standing:
    """Return the standing of members who come first on `day` (n,)."""
    return Standing(np.full(len(day), rules.welcome), np.full(len(day), np.inf), np.asarray(day, float))


def standing_of(history: History, day: float, rules: Rules) -> Standing:
    """Return the standing (1,) of one member who arrives on `day`, from the own past before it.

    The same rules as above, one event after the other: a decision comes before the purchase of its moment. Of a very long past
    the last LAST purchases and decisions are read.
    """
    buys, offers = (_before(at, day) for at in (history.bought, history.decided))
    at = np.concatenate([history.decided[offers], history.bought[buys]])
    money = np.concatenate([history.discount[offers], history.paid[buys]])
    saved = np.concatenate([np.zeros(len(history.decided[offers])), history.saved[buys]])
    order = np.argsort(at, kind="stable")
    decisions = len(history.decided[offers])
    credit, ceiling = rules.welcome, inf
    began = float(at[order[0]]) if len(at) else day
    events = np.column_stack([at, money, saved, np.arange(len(at)) >= decisions])[order].tolist()
    for when, amount, redeemed, bought in events:
        if bought:
            credit = min(credit + rules.share * amount, rules.most)
            if amount >= rules.least:
                ceiling, began = inf, when
            elif redeemed > 0:
                ceiling = 0.0
            continue
        if when - began >= rules.forgiven_days:
            ceiling, began = inf, when
        if ceiling == inf:
            credit -= amount
        ceiling = min(ceiling, amount)
    found = Standing(np.array([credit]), np.array([ceiling]), np.array([began]))
    return found.arrived(np.array([day]), rules)


def _before(at: Floats, day: float) -> slice:
    end = int(np.searchsorted(at, day))
    return slice(max(end - LAST, 0), end)
