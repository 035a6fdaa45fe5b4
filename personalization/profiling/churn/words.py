"""What a feature says of a member, as a fact in words; nothing where a fact would say nothing to a reader."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from personalization.profiling.churn.dataset import COLUMNS

_AT = {name: number for number, name in enumerate(COLUMNS)}
Row = NDArray[np.float64]


def _of(row: Row, name: str) -> float:
    return float(np.nan_to_num(row[_AT[name]]))


def _last(row: Row) -> str:
    days = _of(row, "recency_days")
    return f"the last visit was {days:.0f} days ago" if days >= 2 else ""


def _overdue(row: Row) -> str:
    gap, days = _of(row, "gap_mean_days"), _of(row, "recency_days")
    return f"that is {days / gap:.1f} times the usual {gap:.0f} days" if gap and days > gap else ""


def _seldom(row: Row) -> str:
    visits = _of(row, "visits_84d")
    return f"only {visits:.0f} visit{'' if visits == 1 else 's'} in the last 12 weeks" if visits <= 12 else ""


def _falling(row: Row) -> str:
    lately, before = _of(row, "visits_28d"), _of(row, "visits_84d")
    return f"{lately:.0f} of {before:.0f} visits in 12 weeks were in the last 4" if 3 * lately < before else ""


def _gaps(row: Row) -> str:
    longest = _of(row, "gap_longest")
    return f"has stayed away for {longest:.0f} days before" if longest >= 14 else ""


_FACTS: dict[Callable[[Row], str], tuple[str, ...]] = {
    _last: ("recency_days", "recency", "week_1", "week_2", "week_3", "week_4", "visits_14d", "weeks_active_4"),
    _overdue: ("recency_over_gap", "recency_over_median", "recency_over_p90", "longer_gaps_share"),
    _seldom: ("orders", "orders_28d", "orders_84d", "visits_28d", "visits_56d", "visits_84d", "visits_182d", "weeks_active_12",
              "visits_decayed_14d", "visits_decayed_42d"),
    _falling: ("trend_28_84", "trend_84_182"),
    _gaps: ("gap_mean_days", "gap_std_days", "gap_median", "gap_p90", "gap_longest", "gap_last", "gap_log_std", "gaps_over_28_share"),
}  # fmt: skip
_FACT = {name: fact for fact, names in _FACTS.items() for name in names}


def reason(name: str, row: Row) -> str:
    """Return the fact behind feature `name` of a member's `row` (k,); nothing where it is no reason to worry."""
    fact = _FACT.get(name)
    return fact(row) if fact else ""
