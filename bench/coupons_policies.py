"""The ways to give coupons that are compared, and a till that keeps a hard cap for all of them alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.coupons_market import DAY_S, Day
from personalization.coupons.dual import choose
from personalization.coupons.pacing import AGES, Gains, Pacer
from personalization.coupons.pattern import Pattern
from personalization.coupons.traffic import Traffic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
STEPS = 4_096  # of the till's clock over a day
LAST = 50  # chunks hold at most this part of the arrivals to come


class Policy(Protocol):
    """Decides for chunks of arrivals by what it thinks of them."""

    def decide(self, value: Floats, cost: Floats, *, allowed: Mask | None) -> Ints:
        """Return rungs (n,) of those `allowed` (n, k)."""
        ...


@dataclass(slots=True)
class Priced:
    """The allocator's choice at a price, which a pacer may move."""

    price: float = 0.0

    def decide(self, value: Floats, cost: Floats, *, allowed: Mask | None) -> Ints:
        """Return the rungs with the best scores."""
        return choose(value, cost, self.price, allowed=allowed)


@dataclass(slots=True)
class Fixed:
    """One rung for everybody whose uplift is at least `uplift`."""

    rung: int
    uplift: float = -1.0

    def decide(self, value: Floats, cost: Floats, *, allowed: Mask | None) -> Ints:
        """Return the rung, or none where the uplift is less."""
        del cost
        wanted = value[:, self.rung] >= self.uplift
        return np.where(wanted if allowed is None else wanted & allowed[:, self.rung], self.rung, 0)


@dataclass(slots=True)
class Random:
    """Any rung, evenly."""

    rng: np.random.Generator

    def decide(self, value: Floats, cost: Floats, *, allowed: Mask | None) -> Ints:
        """Return rungs drawn evenly, or none where the one drawn is not allowed."""
        del cost
        rung = self.rng.integers(0, value.shape[1], len(value))
        return rung if allowed is None else np.where(allowed[np.arange(len(rung)), rung], rung, 0)


def greedy(rungs: int) -> Fixed:
    """Return the policy that takes the rung with the highest conversion, which is the last, until the money ends."""
    return Fixed(rungs - 1)


class Till:
    """The cap: nothing is issued that the budget could not pay. It stands for the ledger, which the product has.

    Without validity a coupon's true expected cost is charged at once; with it the face is reserved until redeemed or expired.
    Events are booked at the next tick of a clock with STEPS ticks a day, never early.
    """

    def __init__(self, day: Day, budget: float) -> None:
        self.day, self.budget = day, budget
        self.spent = self.reserved = 0.0
        self.delayed = day.scenario.validity_s > 0
        self.charges = day.discount if self.delayed else day.table("true cost")
        ticks = STEPS + int(np.ceil(day.scenario.validity_s / DAY_S * STEPS)) + 2
        self.pays, self.frees = np.zeros((2, ticks))
        self.ages = np.zeros((ticks, AGES), dtype=np.int64)
        self.tick = 0

    @property
    def available(self) -> float:
        """What can still be promised."""
        return self.budget - self.spent - self.reserved

    def until(self, at: float) -> Floats:
        """Book what happened up to `at`; return the ages, in seconds, of redemptions whose event arrived."""
        now = min(int((at - self.day.start) / DAY_S * STEPS), len(self.pays) - 1)
        span = slice(self.tick, now + 1)
        self.spent += self.pays[span].sum()
        self.reserved -= self.frees[span].sum()
        counts = self.ages[span].sum(axis=0)
        self.tick = max(self.tick, now + 1)
        return (np.repeat(np.arange(AGES), counts) + 0.5) / AGES * self.day.scenario.validity_s

    def issue(self, rows: Ints, rung: Ints) -> None:
        """Reserve or charge the coupons that `rows` got."""
        money = self.charges[rows, rung]
        if not self.delayed:
            self.spent = float(np.cumsum(np.append(self.spent, money))[-1])
            return
        rows, rung, money = rows[rung > 0], rung[rung > 0], money[rung > 0]
        self.reserved += money.sum()
        day, validity = self.day, self.day.scenario.validity_s
        redeemed = day.luck[rows] < day.truth[rows, rung]
        wait = np.where(redeemed, day.wait[rows], 1.0)
        tick = np.ceil((day.at[rows] + wait * validity - day.start) / DAY_S * STEPS).astype(np.int64)
        tick = np.maximum(tick, self.tick)
        np.add.at(self.frees, tick, money)
        np.add.at(self.pays, tick[redeemed], money[redeemed])
        told = redeemed & day.heard[rows]
        np.add.at(self.ages, (tick[told], np.minimum(wait[told] * AGES, AGES - 1).astype(np.int64)), 1)


@dataclass(frozen=True, slots=True)
class Run:
    """What a policy reached: true expected value, true expected cost, money paid (both in minor units), the most that was promised."""

    value: float
    cost: float
    paid: float
    promised: float
    prices: Floats


def run(
    day: Day, budget: float, policy: Policy, *, pacer: Pacer | None = None, every: int = 1, true: bool = False
) -> Run:
    """Play `day`. A `pacer` sets the price of a `Priced` policy anew after at most `every` arrivals; a chunk takes the path of one arrival."""
    till = Till(day, budget)
    value, cost = (day.table(("true " if true else "") + name) for name in ("value", "cost"))
    n, promised, prices = len(day.at), 0.0, []
    chosen = np.zeros(n, dtype=np.int64)
    start = 0
    while start < n:
        # As the end nears chunks shrink to single arrivals, for there each answer counts.
        rows = np.arange(start, start + min(every, max(1, (n - start) // LAST)))
        at = float(day.at[start])
        ages = till.until(at)
        if pacer is not None and isinstance(policy, Priced):
            pacer.settle(till.spent - pacer.spent, at, ages)
            policy.price = pacer.price(at)
            prices.append(policy.price)
        v, c = value[start : rows[-1] + 1], cost[start : rows[-1] + 1]
        rung = _held(policy, v, c, till.charges[start : rows[-1] + 1], till)
        till.issue(rows, rung)
        promised = max(promised, till.spent + till.reserved)
        if pacer is not None:
            pacer.observe(v, c, rung, float(day.at[rows[-1]]))
        chosen[rows] = rung
        start = int(rows[-1]) + 1
    till.until(day.end + 2 * day.scenario.validity_s + DAY_S)
    every_row = np.arange(n)
    return Run(
        float(day.table("true value")[every_row, chosen].sum()),
        float(day.table("true cost")[every_row, chosen].sum()),
        till.spent,
        max(promised, till.spent),
        np.asarray(prices),
    )


def _held(policy: Policy, value: Floats, cost: Floats, charges: Floats, till: Till) -> Ints:
    """Return the policy's rungs, one by one from where they would pass the cap, each of what still fits."""
    rung = policy.decide(value, cost, allowed=None)
    # Sums run in the order of time from what is used already, so that no rounding lets a coupon through.
    used = till.spent + till.reserved
    total = np.cumsum(np.append(used, charges[np.arange(len(rung)), rung]))
    if total[-1] <= till.budget:
        return rung
    first = int(np.argmax(total > till.budget)) - 1
    used = float(total[first])
    rung[first:] = 0
    least = charges[:, 1:].min(axis=1)
    row = first
    while row < len(rung):
        waiting = np.flatnonzero(used + least[row:] <= till.budget)
        if not waiting.size:
            break
        row += int(waiting[0])
        allowed = (used + charges[row : row + 1] <= till.budget) | (np.arange(charges.shape[1]) == 0)
        rung[row] = policy.decide(value[row : row + 1], cost[row : row + 1], allowed=allowed)[0]
        used += float(charges[row, rung[row]])
        row += 1
    return rung


def pacer_of(day: Day, budget: float, past: Day, *, true: bool = False, gains: Gains | None = None) -> Pacer:
    """Return a warm-started pacer: by what is thought of `past`, or by the truth and the day's real number of arrivals."""
    name = "true " if true else ""
    pattern = Pattern.learn(past.at, past.table(name + "value"), past.table(name + "cost"))
    traffic = Traffic(
        day.shape,
        (len(day.at) if true else day.forecast) / day.shape.between(day.start, day.end),
        day.end,
        day.start,
        doubt=0.02 if true else 0.2,
    )
    return Pacer(budget, traffic, validity_s=day.scenario.validity_s, pattern=pattern, gains=gains)
