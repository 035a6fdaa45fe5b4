"""Several budgets over one stream: campaign x store x channel, each kept, against the linear relaxation with all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.coupons_market import DRIFT, Day, draw, history
from personalization.coupons.dual import choose, dual_value, solve
from personalization.coupons.pacing import Pacer
from personalization.coupons.several import Pacers, patterns
from personalization.coupons.traffic import Traffic

Floats = NDArray[np.float64]
PAIRS = ((0.7, 0.3), (0.6, 0.4), (0.85, 0.15))  # two campaigns, stores and channels: how arrivals split
BUDGETS = np.array(
    [0.25, 0.4, 0.2, 0.5, 0.35, 0.1]
)  # of what the last rung for everybody who can draw on each would cost


@dataclass(frozen=True, slots=True)
class SeveralRun:
    """The share of the bound, and of every budget what was used."""

    share: float
    used: Floats


def several(n: int, seed: int) -> SeveralRun:
    """Play a day of `n` arrivals that draw on three of six budgets each; prices move after every n / 400 arrivals."""
    past, day = history(DRIFT, 20_000, seed), draw(DRIFT, n, seed)
    past_value, past_cost = _tables(past, seed + 1)
    value, cost = _tables(day, seed + 2)
    budgets = np.floor(BUDGETS * cost[:, -1].sum(axis=0))
    prices = solve(past_value, past_cost, budgets * len(past.at) / n)
    shares = np.concatenate(PAIRS)
    per_period = n * shares / day.shape.between(day.start, day.end)
    pacers = Pacers(
        [
            Pacer(budget, Traffic(day.shape, float(level), day.end, day.start), pattern=pattern)
            for budget, level, pattern in zip(
                budgets, per_period, patterns(past.at, past_value, past_cost, prices), strict=True
            )
        ]
    )
    used, gained, start = np.zeros(len(budgets)), 0.0, 0
    while start < len(day.at):
        rows = slice(start, start + min(max(1, n // 400), max(1, (len(day.at) - start) // 50)))
        v, c, at = value[rows], cost[rows], float(day.at[start])
        now = pacers.prices(at)
        rung = choose(v, c, now)
        here = np.arange(len(rung))
        total = used + np.cumsum(c[here, rung], axis=0)
        if (total[-1] > budgets).any():
            for i in here:
                rung[i] = choose(v[i : i + 1], c[i : i + 1], now, allowed=(used + c[i : i + 1] <= budgets).all(axis=2))[
                    0
                ]
                used = used + c[i, rung[i]]
        else:
            used = total[-1]
        gained += float(v[here, rung].sum())
        pacers.observe(v, c, rung, float(day.at[start + len(rung) - 1]))
        for pacer, paid in zip(pacers.pacers, used, strict=True):
            pacer.reconcile(float(paid), at)
        start += len(rung)
    bound = dual_value(value, cost, budgets, solve(value, cost, budgets))
    return SeveralRun(gained / bound, used / budgets)


def _tables(day: Day, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    draws = np.zeros((len(day.at), 2 * len(PAIRS)))
    for pair, shares in enumerate(PAIRS):
        draws[np.arange(len(draws)), 2 * pair + rng.choice(2, len(draws), p=shares)] = 1
    return day.table("value"), day.table("cost")[:, :, None] * draws[:, None, :]
