"""The definitions over one member's state: what the worker and the api compute after each event."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from personalization.profiling.features.definitions import (
    DAY_S,
    FEATURES,
    ORDER_FEATURES,
    SIGNAL_FEATURES,
    WINDOW,
    Age,
    Gap,
    Measure,
    Overdue,
    Ratio,
    SignalCount,
    SignalMean,
    Spread,
    Total,
)
from personalization.profiling.state import US, Order, ProfileState, micros

Ints = NDArray[np.int64]
Spent = dict[str, int]


def _totals() -> tuple[list[Measure], dict[tuple[int, int], tuple[int, int]], list[int]]:
    """Return the different measures, where each (measure, days) stands among the sums, and the different windows."""
    ratios = [d for d in ORDER_FEATURES.values() if isinstance(d, Ratio)]
    totals = [d for d in ORDER_FEATURES.values() if isinstance(d, Total)]
    totals += [part for ratio in ratios for part in (ratio.part, ratio.whole)]
    measures = list({id(total.measure): total.measure for total in totals}.values())
    column = {id(measure): number for number, measure in enumerate(measures)}
    windows = sorted({total.days for total in totals})
    place = {(id(t.measure), t.days): (windows.index(t.days), column[id(t.measure)]) for t in totals}
    return measures, place, windows


_MEASURES, _PLACE, _WINDOWS = _totals()
_SIGNALS_OF: dict[str, list[tuple[str, SignalCount | SignalMean]]] = {}
for _name, _wanted in SIGNAL_FEATURES.items():
    _SIGNALS_OF.setdefault(_wanted.kind, []).append((_name, _wanted))


@dataclass(frozen=True, slots=True)
class _Columns:
    """A member's orders up to the moment, as columns, oldest first; the names that the measures use."""

    age: Ints
    amount: Ints
    promo: Ints
    discount: Ints
    coupon: Ints
    items: Ints
    level: Ints
    hour: Ints
    weekday: Ints
    online: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _History:
    """What the definitions are read from: totals by window and measure, ages, gaps and spending by group."""

    totals: list[list[int]]
    newest_s: int | None
    oldest_s: int | None
    gaps: tuple[int, int, int]  # how many, their sum, the sum of their squares
    spent: dict[str, Spent]


def features(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return FEATURES and SIGNALS of one member at `at`; a member without orders has those of an empty history."""
    return snapshot(state, at)[0]


def category_shares(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return each category's share of spending in WINDOW days; they add up to 1, or there are none."""
    return snapshot(state, at)[1]


def snapshot(state: ProfileState, at: datetime) -> tuple[dict[str, float], dict[str, float]]:
    """Return `features` and `category_shares` at once."""
    moment = micros(at)
    orders = sorted(order for order in state.orders.values() if order.at <= moment)
    history = _history(orders, moment // US)
    found = {name: _CALCULATE[type(wanted)](history, wanted) for name, wanted in ORDER_FEATURES.items()}
    spent = history.spent["category"]
    total = sum(spent.values())
    return found | signal_values(state, at), {category: amount / total for category, amount in spent.items()}


def vector(found: dict[str, float]) -> NDArray[np.float64]:
    """Return the order features as (f,), in the order of FEATURES."""
    return np.array([found[name] for name in FEATURES])


def signal_values(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return SIGNALS of one member."""
    today = micros(at) // (US * DAY_S)
    sums = {name: [0, 0] for name in SIGNAL_FEATURES}
    for day, kinds in state.days.items():
        if day > today:
            continue
        for kind, (n, total) in kinds.items():
            for name, wanted in _SIGNALS_OF.get(kind, ()):
                if day > today - wanted.days:
                    sums[name][0] += n
                    sums[name][1] += total
    return {
        name: float(n) if isinstance(SIGNAL_FEATURES[name], SignalCount) else (total / (n * 1000.0) if n else 0.0)
        for name, (n, total) in sums.items()
    }


def _history(orders: Sequence[Order], now_s: int) -> _History:
    if not orders:
        return _History([[0] * len(_MEASURES)] * len(_WINDOWS), None, None, (0, 0, 0), {"category": {}, "store_id": {}})
    rows = [(o.at, o.amount, o.promo, o.discount, o.coupon, o.items, o.level, o.channel != "store") for o in orders]
    table = np.array(rows, np.int64)
    seconds = table[:, 0] // US
    days = seconds // DAY_S
    columns = _Columns(
        age=now_s - seconds, amount=table[:, 1], promo=table[:, 2], discount=table[:, 3], coupon=table[:, 4],
        items=table[:, 5], level=table[:, 6], hour=seconds // 3600 % 24, weekday=(days + 3) % 7, online=table[:, 7] != 0,
    )  # fmt: skip
    measured = np.stack([measure(columns) for measure in _MEASURES], dtype=np.int64, casting="unsafe")
    # oldest first, so that a window is the end of the columns
    starts = [int(np.searchsorted(-columns.age, -window * DAY_S, side="right")) for window in (*_WINDOWS, WINDOW)]
    recent = orders[starts[-1] :]
    return _History(
        [measured[:, start:].sum(axis=1).tolist() for start in starts[:-1]], int(columns.age[-1]), int(columns.age[0]),
        _gap_sums(days[starts[-1] :].tolist()), {"category": _by_category(recent), "store_id": _by_store(recent)},
    )  # fmt: skip


def _gap_sums(days: Sequence[int]) -> tuple[int, int, int]:
    gaps = [later - day for day, later in pairwise(days) if later > day]
    return len(gaps), sum(gaps), sum(gap * gap for gap in gaps)


def _by_category(orders: Sequence[Order]) -> Spent:
    spent: Spent = {}
    for order in orders:
        for category, amount in order.spent:
            if amount:
                spent[category] = spent.get(category, 0) + amount
    return spent


def _by_store(orders: Sequence[Order]) -> Spent:
    spent: Spent = {}
    for order in orders:
        if order.store and order.amount:
            spent[order.store] = spent.get(order.store, 0) + order.amount
    return spent


def _total(history: _History, wanted: Total) -> float:
    window, column = _PLACE[id(wanted.measure), wanted.days]
    return float(history.totals[window][column])


def _ratio(history: _History, wanted: Ratio) -> float:
    whole = _total(history, wanted.whole)
    return _total(history, wanted.part) / whole if whole > 0 else wanted.empty


def _age(history: _History, wanted: Age) -> float:
    seconds = history.newest_s if wanted.newest else history.oldest_s
    return wanted.most if seconds is None else min(seconds / DAY_S, wanted.most)


def _gap(history: _History, wanted: Gap) -> float:
    n, total, square = map(float, history.gaps)
    if not n:
        return wanted.empty
    return total / n if wanted.statistic == "mean" else math.sqrt(max(n * square - total * total, 0.0)) / n


def _overdue(history: _History, _: Overdue) -> float:
    gap = _gap(history, Gap("mean", empty=0.0))
    return _age(history, Age(newest=True)) / gap if gap else 0.0


def _spread(history: _History, wanted: Spread) -> float:
    spent = history.spent[wanted.group]
    total = float(sum(spent.values()))
    if not total:
        return 0.0
    if wanted.statistic == "count":
        return float(len(spent))
    shares = [amount / total for amount in spent.values()]
    return max(shares) if wanted.statistic == "top" else -sum(share * math.log(share) for share in shares)


_CALCULATE: dict[type, Callable[..., float]] = {
    Total: _total,
    Ratio: _ratio,
    Age: _age,
    Gap: _gap,
    Overdue: _overdue,
    Spread: _spread,
}
