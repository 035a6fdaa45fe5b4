"""Which rung for whom within budgets: the multiple-choice knapsack by its Lagrangian dual (Kellerer et al. 2004, ch. 11).

maximise the sum of value[i, j(i)] subject to the sum of cost[i, j(i)] <= budget, one rung j(i) per arrival i. Given prices of the
budgets' money every arrival chooses alone, so one arrival, a chunk of a stream and a batch take the same `score` and `choose`.
Money is in minor units. Rung 0 is no coupon, of value and cost 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, eye_array, kron

from personalization.coupons.hull import BINS, LOWEST, OCTAVE, SpendCurve, increments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = tuple[NDArray[np.floating], NDArray[np.floating]]
CHUNK = 16_384  # rows at once: the scores of a chunk stay in a core's cache
SAMPLE, WIDEN = 512, 1.02  # rows of a chunk that say where to look, and how far to step from there
ROUNDS, GAP = 200, 1e-7
FLOOR: float = 2.0**LOWEST
TOO_DEAR: float = 2.0 ** (LOWEST + BINS / OCTAVE)  # a price at which nothing with a cost is taken


def score(value: NDArray[np.floating], cost: NDArray[np.floating], price: ArrayLike) -> NDArray[np.floating]:
    """Return value less priced cost, (n, k), in the units of value.

    value : (n, k); cost : (n, k) for one budget or (n, k, b); price : (b,), value per minor unit.
    """
    prices = np.asarray(price, dtype=value.dtype).reshape(-1)
    return value - (prices[0] * cost if cost.ndim == 2 else cost @ prices)


def choose(
    value: NDArray[np.floating],
    cost: NDArray[np.floating],
    price: ArrayLike,
    *,
    allowed: NDArray[np.bool_] | None = None,
) -> Ints:
    """Return the rung with the best score for each row, (n,); of equal ones the cheapest, then the most valuable.

    allowed : (n, k), the rungs that may be taken; rung 0 always may.
    """
    scores = score(value, cost, price)
    if allowed is not None:
        scores[:, 1:][~allowed[:, 1:]] = -np.inf
    rung: Ints = scores.argmax(axis=1)
    tied = scores == scores[np.arange(len(rung)), rung][:, None]
    if np.count_nonzero(tied) > len(rung):
        rows = np.flatnonzero(np.count_nonzero(tied, axis=1) > 1)
        money = cost[rows] if cost.ndim == 2 else cost[rows].sum(axis=2)
        money = np.where(tied[rows], money, np.inf)
        cheapest = money == money.min(axis=1)[:, None]
        rung[rows] = np.where(cheapest, value[rows], -np.inf).argmax(axis=1)
    return rung


def solve(value: NDArray[np.floating], cost: NDArray[np.floating], budget: ArrayLike) -> Floats:
    """Return the prices (b,) that minimise the dual: exact for one budget, within GAP for several."""
    budgets = np.asarray(budget, dtype=float).reshape(-1)
    if cost.ndim == 2:
        return np.array([solve_chunks(lambda: _chunks(value, cost), float(budgets[0]))])
    if cost.shape[2] == 1:
        return solve(value, cost[:, :, 0], budgets)
    return _cutting_planes(value, cost, budgets)


def solve_chunks(chunks: Callable[[], Iterable[Rows]], budget: float) -> float:
    """Return the price for one `budget` over rows that come in chunks of (value, cost), asked for several times.

    A sample's hulls say where to look; a bracket is narrowed by what all rows cost at its ends; the hulls' increments of the
    few rows that choose differently at its two ends are sorted, which gives the very price. Memory is that of a chunk.
    """
    curve = SpendCurve()
    for value, cost in chunks():
        stride = max(1, len(value) // SAMPLE)
        curve.add(value[::stride], cost[::stride], weight=float(stride))
    low = high = max(curve.price(budget / max(curve.rows, 1.0)), FLOOR)
    spent_low = spent_high = _spend(chunks(), high)
    step = WIDEN
    while spent_high > budget:
        low, high = high, high * step
        spent_high, step = _spend(chunks(), high), step**2
    while spent_low <= budget and low == high:
        low = low / step if low / step > FLOOR else 0.0
        spent_low, step = _spend(chunks(), low), step**2
        if spent_low <= budget:
            if low == 0.0:
                return 0.0
            high, spent_high = low, spent_low
    slopes, steps = [], []
    for value, cost in chunks():
        moves = np.flatnonzero(choose(value, cost, low) != choose(value, cost, high))
        _, slope, dear, _ = increments(value[moves], cost[moves])
        inside = np.flatnonzero((slope > low * (1 - 1e-12)) & (slope <= high * (1 + 1e-12)) & (dear > 0))
        slopes.append(slope[inside])
        steps.append(dear[inside])
    every, costs = np.concatenate(slopes), np.concatenate(steps)
    order = np.argsort(-every, kind="stable")
    breaks = int(np.searchsorted(np.cumsum(costs[order]), budget - spent_high, side="right"))
    if breaks == len(order):
        return low
    # A hair above the step where the money ends, or rounding of the scores would still take that step.
    return float(every[order[breaks]]) * (1 + 64 * float(np.finfo(value.dtype).eps))


def _spend(chunks: Iterable[Rows], price: float) -> float:
    total = 0.0
    for value, cost in chunks:
        total += float(np.take_along_axis(cost, choose(value, cost, price)[:, None], axis=1).sum())
    return total


def dual_value(value: NDArray[np.floating], cost: NDArray[np.floating], budget: ArrayLike, price: ArrayLike) -> float:
    """Return the dual function at `price`: by weak duality at least what any allocation within `budget` is worth."""
    prices = np.asarray(price, dtype=float).reshape(-1)
    best = sum(float(score(v, c, prices).max(axis=1).sum()) for v, c in _chunks(value, cost))
    return float(prices @ np.asarray(budget, dtype=float).reshape(-1)) + best


def relaxed_bound(value: NDArray[np.floating], cost: NDArray[np.floating], budget: ArrayLike) -> float:
    """Return the optimum of the linear relaxation (the fluid bound): the least of the dual function."""
    return dual_value(value, cost, budget, solve(value, cost, budget))


def exact(value: NDArray[np.floating], cost: NDArray[np.floating], budget: ArrayLike, *, limit_s: float = 60.0) -> Ints:
    """Return the best rungs (n,) by branch and bound (HiGHS); meant for up to a few thousand rows.

    Raises
    ------
    TimeoutError
        When no allocation was found within `limit_s`.
    """
    n, k = value.shape
    budgets = np.asarray(budget, dtype=float).reshape(-1)
    spend = csr_matrix(cost.reshape(n * k, -1).T)
    one = kron(eye_array(n), np.ones((1, k)), format="csr")
    found = milp(
        -value.reshape(-1),
        integrality=np.ones(n * k),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one, 1, 1), LinearConstraint(spend, -np.inf, budgets)],
        options={"time_limit": limit_s, "mip_rel_gap": 1e-6},
    )
    if found.x is None:
        raise TimeoutError(f"no allocation of {n} rows within {limit_s} s")
    rung: Ints = found.x.reshape(n, k).argmax(axis=1)
    return rung


def _chunks(value: NDArray[np.floating], cost: NDArray[np.floating]) -> Iterable[Rows]:
    for start in range(0, len(value), CHUNK):
        yield value[start : start + CHUNK], cost[start : start + CHUNK]


def _cutting_planes(value: NDArray[np.floating], cost: NDArray[np.floating], budgets: Floats) -> Floats:
    """Return the dual's minimum by Kelley's cuts, asked half-way to the best point (Ben-Ameur and Neto 2007) so that they settle.

    The prices are bounded by what one budget alone would need to keep everybody from spending anything.
    """
    b = len(budgets)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.array([np.nanmax(np.where(cost[:, :, g] > 0, value / cost[:, :, g], 0.0)) for g in range(b)])
    most = np.maximum(most, 0.0)
    cuts, rights = [], []

    def ask(price: Floats) -> float:
        total, used = 0.0, np.zeros(b)
        for v, c in _chunks(value, cost):
            rung = choose(v, c, price)
            here = np.arange(len(rung))
            taken = c[here, rung]
            used += taken.sum(axis=0)
            total += float((v[here, rung] - taken @ price).sum())
        slope = budgets - used
        height = float(price @ budgets) + total
        cuts.append([*slope, -1.0])
        rights.append(float(slope @ price) - height)
        return height

    best = np.array([solve(value, cost[:, :, g], budgets[g : g + 1])[0] for g in range(b)]) / 2
    top = ask(best)
    ask(np.zeros(b))
    for _ in range(ROUNDS):
        lowest = linprog([0.0] * b + [1.0], A_ub=cuts, b_ub=rights, bounds=[*((0.0, m) for m in most), (0.0, None)])
        if lowest.x is None or top - lowest.x[-1] <= GAP * max(abs(top), 1e-12):
            break
        for point in ((lowest.x[:-1] + best) / 2, lowest.x[:-1]):
            height = ask(point)
            if height < top:
                best, top = point, height
                break
    return best
