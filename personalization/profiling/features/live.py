"""The definitions over one member's state: what the worker and the api compute after each event."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

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
    Overdue,
    Ratio,
    SignalCount,
    Spread,
    Total,
)
from personalization.profiling.state import US, Order, ProfileState, micros

Ints = NDArray[np.int64]


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
    day: Ints


def features(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return FEATURES and SIGNALS of one member at `at`; a member without orders has those of an empty history."""
    moment = micros(at)
    orders = sorted(order for order in state.orders.values() if order.at <= moment)
    columns = _columns(orders, moment)
    found = {name: _CALCULATE[type(d)](columns, orders, d) for name, d in ORDER_FEATURES.items()}
    return found | signal_values(state, at)


def vector(found: dict[str, float]) -> NDArray[np.float64]:
    """Return the order features as (f,), in the order of FEATURES."""
    return np.array([found[name] for name in FEATURES])


def category_shares(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return each category's share of spending in WINDOW days; they add up to 1, or there are none."""
    moment = micros(at)
    since = moment // US - WINDOW * DAY_S
    spent = _spent([o for o in state.orders.values() if o.at <= moment and o.at // US > since], "category")
    total = sum(spent.values())
    return {category: amount / total for category, amount in spent.items()} if total else {}


def signal_values(state: ProfileState, at: datetime) -> dict[str, float]:
    """Return SIGNALS of one member."""
    today = micros(at) // (US * DAY_S)
    totals: dict[tuple[str, int], tuple[int, int]] = {}
    for wanted in SIGNAL_FEATURES.values():
        n = total = 0
        for day, kinds in state.days.items():
            if today - wanted.days < day <= today and wanted.kind in kinds:
                n += kinds[wanted.kind][0]
                total += kinds[wanted.kind][1]
        totals[wanted.kind, wanted.days] = (n, total)
    found = {}
    for name, wanted in SIGNAL_FEATURES.items():
        n, total = totals[wanted.kind, wanted.days]
        found[name] = float(n) if isinstance(wanted, SignalCount) else (total / (n * 1000.0) if n else 0.0)
    return found


def _columns(orders: Sequence[Order], moment: int) -> _Columns:
    rows = [(o.at, o.amount, o.promo, o.discount, o.coupon, o.items, o.level, o.channel != "store") for o in orders]
    table = np.array(rows, np.int64).reshape(len(rows), 8)
    seconds = table[:, 0] // US
    days = seconds // DAY_S
    return _Columns(
        age=moment // US - seconds, amount=table[:, 1], promo=table[:, 2], discount=table[:, 3], coupon=table[:, 4],
        items=table[:, 5], level=table[:, 6], hour=seconds // 3600 % 24, weekday=(days + 3) % 7,
        online=table[:, 7].astype(bool), day=days,
    )  # fmt: skip


def _total(columns: _Columns, wanted: Total) -> float:
    within = columns.age < wanted.days * DAY_S
    return float(wanted.measure(columns)[within].sum())


def _ratio(columns: _Columns, _: Sequence[Order], wanted: Ratio) -> float:
    whole = _total(columns, wanted.whole)
    return _total(columns, wanted.part) / whole if whole > 0 else wanted.empty


def _age(columns: _Columns, _: Sequence[Order], wanted: Age) -> float:
    if not len(columns.age):
        return wanted.most
    return min(float(columns.age[-1] if wanted.newest else columns.age[0]) / DAY_S, wanted.most)


def _gap(columns: _Columns, _: Sequence[Order], wanted: Gap) -> float:
    gaps = np.diff(np.unique(columns.day[columns.age < WINDOW * DAY_S]))
    if not len(gaps):
        return wanted.empty
    n, total, square = float(len(gaps)), float(gaps.sum()), float((gaps * gaps).sum())
    return total / n if wanted.statistic == "mean" else math.sqrt(max(n * square - total * total, 0.0)) / n


def _overdue(columns: _Columns, orders: Sequence[Order], _: Overdue) -> float:
    gap = _gap(columns, orders, Gap("mean", empty=0.0))
    return _age(columns, orders, Age(newest=True)) / gap if gap else 0.0


def _spread(columns: _Columns, orders: Sequence[Order], wanted: Spread) -> float:
    within = [order for order, age in zip(orders, columns.age.tolist(), strict=True) if age < WINDOW * DAY_S]
    spent = _spent(within, wanted.group)
    total = float(sum(spent.values()))
    if not total:
        return 0.0
    if wanted.statistic == "count":
        return float(len(spent))
    shares = [amount / total for amount in spent.values()]
    return max(shares) if wanted.statistic == "top" else -sum(share * math.log(share) for share in shares)


def _spent(orders: Sequence[Order], group: str) -> dict[str, int]:
    """Return what was spent by category or store; only where something was paid."""
    spent: dict[str, int] = {}
    for order in orders:
        parts = order.spent if group == "category" else ((order.store, order.amount),) if order.store else ()
        for name, amount in parts:
            spent[name] = spent.get(name, 0) + amount
    return {name: amount for name, amount in spent.items() if amount > 0}


_CALCULATE: dict[type, Callable[..., float]] = {
    Total: lambda columns, _, wanted: _total(columns, wanted),
    Ratio: _ratio,
    Age: _age,
    Gap: _gap,
    Overdue: _overdue,
    Spread: _spread,
}
