"""The definitions over one member's state: what the worker and the api compute after each event."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from personalization.profiling.features.definitions import (
    DAY_S,
    ENTROPY_PLACES,
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
    gaps: list[int]  # how many, their sum, the sum of their squares
    spent: dict[str, Spent]


Snapshot = tuple[dict[str, float], dict[str, float]]


def features(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return FEATURES and SIGNALS of one member at `at`; a member without orders has those of an empty history."""
    return snapshots([state], at)[0][0]


def category_shares(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return each category's share of spending in WINDOW days; they add up to 1, or there are none."""
    return snapshots([state], at)[0][1]


def snapshots(states: Sequence[ProfileState], at: datetime) -> list[Snapshot]:
    """Return `features` and `category_shares` of several members at once, which is much quicker than one by one."""
    found = []
    for state, history in zip(states, _histories(states, micros(at)), strict=True):
        values = {name: calculate(history, wanted) for name, calculate, wanted in _PLAN}
        values.update(signal_values(state, at))
        spent = history.spent["category"]
        total = sum(spent.values())
        found.append((values, {category: amount / total for category, amount in spent.items()}))
    return found


def vector(found: dict[str, float]) -> NDArray[np.float64]:
    """Return the order features as (f,), in the order of FEATURES."""
    return np.array([found[name] for name in FEATURES])


def signal_values(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return SIGNALS of one member."""
    today = micros(at) // (US * DAY_S)
    sums = {name: [0, 0] for name in SIGNAL_FEATURES}
    for day, kinds in state.days.items():
        if not today - _LONGEST < day <= today:
            continue
        for kind, (n, total) in kinds.items():
            for name, wanted in _SIGNALS_OF.get(kind, ()):
                if day > today - wanted.days:
                    sums[name][0] += n
                    sums[name][1] += total
    return {
        name: (total / (n * 1000.0) if n else 0.0) if name in _MEANS else float(n) for name, (n, total) in sums.items()
    }


def _histories(states: Sequence[ProfileState], moment: int) -> Iterator[_History]:
    """Yield each member's history; the orders of all are summed in one go, member after member, oldest first."""
    orders = [sorted(order for order in state.orders.values() if order.at <= moment) for state in states]
    sizes = np.array([len(mine) for mine in orders])
    flat = [order for mine in orders for order in mine]
    if not flat:
        yield from (_EMPTY for _ in states)
        return
    table = np.array([(o.at, o.amount, o.promo, o.discount, o.coupon, o.items, o.level, o.channel != "store") for o in flat], np.int64)  # fmt: skip
    seconds = table[:, 0] // US
    columns = _Columns(
        age=moment // US - seconds, amount=table[:, 1], promo=table[:, 2], discount=table[:, 3], coupon=table[:, 4],
        items=table[:, 5], level=table[:, 6], hour=seconds // 3600 % 24, weekday=(seconds // DAY_S + 3) % 7,
        online=table[:, 7] != 0,
    )  # fmt: skip
    starts = np.concatenate([[0], np.cumsum(sizes[sizes > 0])[:-1]])
    measured = np.stack([measure(columns) for measure in _MEASURES], dtype=np.int64, casting="unsafe")
    windows = [np.add.reduceat(measured * (columns.age < days * DAY_S), starts, axis=1) for days in _WINDOWS]
    totals = np.stack(windows).transpose(2, 0, 1).tolist()
    gaps = _gap_sums(seconds // DAY_S, columns.age, starts)
    age = columns.age.tolist()
    where = 0
    for mine, size in zip(orders, sizes.tolist(), strict=True):
        if not size:
            yield _EMPTY
            continue
        first, end = int(starts[where]), int(starts[where]) + size
        recent = [order for order, old in zip(mine, age[first:end], strict=True) if old < WINDOW * DAY_S]
        spent = {"category": _by_category(recent), "store_id": _by_store(recent)}
        yield _History(totals[where], age[end - 1], age[first], gaps[where], spent)
        where += 1


def _gap_sums(days: Ints, age: Ints, starts: Ints) -> list[list[int]]:
    """Return for each member how many gaps between days with an order the window has, their sum and sum of squares."""
    gaps = np.diff(days, prepend=0)
    gaps[starts] = 0
    gaps[1:] *= age[:-1] < WINDOW * DAY_S  # oldest first: the earlier order of a pair decides
    several = np.stack([(gaps > 0).astype(np.int64), gaps, gaps * gaps])
    found: list[list[int]] = np.add.reduceat(several, starts, axis=1).T.tolist()
    return found


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
    if wanted.statistic == "top":
        return max(shares)
    return round(-sum(share * math.log(share) for share in shares), ENTROPY_PLACES)


_CALCULATE: dict[type, Callable[..., float]] = {
    Total: _total,
    Ratio: _ratio,
    Age: _age,
    Gap: _gap,
    Overdue: _overdue,
    Spread: _spread,
}
_PLAN = [(name, _CALCULATE[type(wanted)], wanted) for name, wanted in ORDER_FEATURES.items()]
_MEANS = {name for name, wanted in SIGNAL_FEATURES.items() if isinstance(wanted, SignalMean)}
_LONGEST = max(wanted.days for wanted in SIGNAL_FEATURES.values())
_EMPTY = _History([[0] * len(_MEASURES)] * len(_WINDOWS), None, None, [0, 0, 0], {"category": {}, "store_id": {}})
