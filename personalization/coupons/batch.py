"""A campaign at once: the dual's choices, brought inside the budgets and filled up with what still fits.

Rounding the linear relaxation costs at most one rung per budget, which is nothing for a million members and much for seven,
so what is left over is spent by gain, and a handful of members is solved exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personalization.coupons.dual import CHUNK, choose, exact, solve

Ints = NDArray[np.int64]
Array = NDArray[np.floating]
FEW = 24  # members that are solved exactly
TRIED, PASSES = 1_024, 3  # rows nearest to the margin that are tried for what is left over, and how often


def allocate(value: Array, cost: Array, budget: ArrayLike, price: ArrayLike | None = None) -> Ints:
    """Return rungs (n,) whose cost, summed over rows in their order, is within every budget.

    value : (n, k); cost : (n, k) or (n, k, b), minor units; budget : (b,); price : (b,) when it is known already.
    """
    budgets = np.asarray(budget, dtype=float).reshape(-1)
    if len(value) <= FEW:
        return _within(value, cost, budgets, exact(value, cost, budgets))
    prices = solve(value, cost, budgets) if price is None else np.asarray(price, dtype=float).reshape(-1)
    rung = np.concatenate(
        [choose(value[at : at + CHUNK], cost[at : at + CHUNK], prices) for at in range(0, len(value), CHUNK)]
    )
    return _fill(value, cost, budgets, prices, _within(value, cost, budgets, rung, prices))


def spent(cost: Array, rung: Ints) -> NDArray[np.float64]:
    """Return what `rung` costs of each budget, (b,)."""
    taken = cost[np.arange(len(rung)), rung].astype(float).reshape(len(rung), -1)
    return np.asarray(np.cumsum(taken, axis=0)[-1] if len(rung) else np.zeros(taken.shape[1]))


def _within(
    value: Array, cost: Array, budgets: NDArray[np.float64], rung: Ints, prices: NDArray[np.float64] | None = None
) -> Ints:
    """Take the coupons back that give the least over their price per money, budget by budget, until each is kept."""
    rung = rung.copy()
    here = np.arange(len(rung))
    for budget in range(len(budgets)):
        while (over := spent(cost, rung)[budget] - budgets[budget]) > 0:
            taken = cost[here, rung].reshape(len(rung), -1).astype(float)
            drawing = np.flatnonzero(taken[:, budget] > 0)
            surplus = value[here, rung] - (taken @ prices if prices is not None else 0.0)
            order = drawing[np.argsort(surplus[drawing] / taken[drawing, budget], kind="stable")]
            needed = int(np.searchsorted(np.cumsum(taken[order, budget]), over)) + 1
            rung[order[:needed]] = 0
    return rung


def _fill(value: Array, cost: Array, budgets: NDArray[np.float64], prices: NDArray[np.float64], rung: Ints) -> Ints:
    """Spend what is left on the upgrades that lose least against the price; each row moves at most once per pass."""
    costs = cost.reshape(len(rung), value.shape[1], -1)
    for _ in range(PASSES):
        left = budgets - spent(cost, rung)
        rows = _nearest(value, costs, left, prices, rung)
        more, worth = _upgrades(value[rows], costs[rows], left, prices, rung[rows])
        moves: list[tuple[int, int]] = []  # (row, rung before)
        for best in np.argsort(-worth, axis=None, kind="stable"):
            place, to = divmod(int(best), value.shape[1])
            if worth[place, to] == -np.inf:
                break
            if (more[place, to] <= left).all():
                moves.append((int(rows[place]), int(rung[rows[place]])))
                rung[rows[place]] = to
                left = left - more[place, to]
                more[place] = np.inf  # a row moves once per pass
        while moves and (spent(cost, rung) > budgets).any():  # sums in the order of rows round otherwise
            row, before = moves.pop()
            rung[row] = before
        if not moves:
            break
    return rung


def _upgrades(
    value: Array, costs: Array, left: NDArray[np.float64], prices: NDArray[np.float64], rung: Ints
) -> tuple[Array, Array]:
    """Return what each rung costs more than the present one, and the move's worth at the prices: -inf where it does not fit."""
    here = np.arange(len(rung))
    gain = value - value[here, rung][:, None]
    more = costs - costs[here, rung][:, None, :]
    worth = np.where((gain > 0) & (more <= left).all(axis=2), gain - more @ prices, -np.inf)
    return more, worth


def _nearest(value: Array, costs: Array, left: NDArray[np.float64], prices: NDArray[np.float64], rung: Ints) -> Ints:
    """Return the rows, at most TRIED, whose best upgrade that fits is worth most."""
    best = np.empty(len(rung))
    for at in range(0, len(rung), CHUNK):
        part = slice(at, at + CHUNK)
        best[part] = _upgrades(value[part], costs[part], left, prices, rung[part])[1].max(axis=1)
    rows = np.flatnonzero(best > -np.inf)
    return rows if len(rows) <= TRIED else np.sort(rows[np.argpartition(-best[rows], TRIED)[:TRIED]])
