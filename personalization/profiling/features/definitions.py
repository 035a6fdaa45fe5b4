"""Every feature of a member, defined once.

A definition says *what* is counted, over orders or signals and within how many days before the moment of the question.
`batch` reads it as Ibis expressions over tables (DuckDB, PostgreSQL, a warehouse), `live` as NumPy over one member's
state; a test holds the two to 1e-9 of each other. The order measures are written so that both can run them.

Orders have: age (seconds before the question), amount, discount, coupon, promo (spent on discounted lines), items, level
(spent times the products' price level in thousandths), hour and weekday (UTC, Monday 0), online. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

WINDOW = 182
DAY_S = 86_400
Measure = Callable[[Any], Any]
Group = Literal["category", "store_id"]


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a whole-number (or yes/no) measure over orders of the last `days`."""

    measure: Measure
    days: int = WINDOW


@dataclass(frozen=True, slots=True)
class Ratio:
    """One total by another; `empty` where the second is nothing."""

    part: Total
    whole: Total
    empty: float = 0.0


@dataclass(frozen=True, slots=True)
class Age:
    """Days since the newest order, or the oldest; capped at `most`, which also stands for no order at all."""

    newest: bool
    most: float = 800.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Days between visits (days with an order) in the window: their mean or standard deviation; `empty` with none."""

    statistic: Literal["mean", "std"]
    empty: float


@dataclass(frozen=True, slots=True)
class Overdue:
    """Recency by the mean gap: how many usual gaps ago the last order was; 0 without a gap."""


ENTROPY_PLACES = 10


@dataclass(frozen=True, slots=True)
class Spread:
    """How spending in the window spreads over categories or stores: their number, the largest share, or the entropy in nats.

    The entropy is rounded to ENTROPY_PLACES: engines add up in any order, and a last bit that moves would make another model.
    """

    group: Group
    statistic: Literal["count", "top", "entropy"]


@dataclass(frozen=True, slots=True)
class SignalCount:
    """How many signals of one kind came in the last `days` whole days."""

    kind: str
    days: int = 28


@dataclass(frozen=True, slots=True)
class SignalMean:
    """The mean value of one kind of signal in the last `days` whole days; 0 without any. Values are thousandths."""

    kind: str
    days: int = 28


Definition = Total | Ratio | Age | Gap | Overdue | Spread | SignalCount | SignalMean


def _one(o: Any) -> Any:
    return o.amount * 0 + 1


def _amount(o: Any) -> Any:
    return o.amount


def _hours(first: int, until: int) -> Measure:
    return lambda o: (o.hour >= first) & (o.hour < until)


_ORDERS, _SPENT = Total(_one), Total(_amount)

ORDER_FEATURES: dict[str, Definition] = {
    "recency_days": Age(newest=True),
    "tenure_days": Age(newest=False),
    "orders": _ORDERS,
    "spent": _SPENT,
    "orders_28d": Total(_one, 28),
    "spent_28d": Total(_amount, 28),
    "orders_84d": Total(_one, 84),
    "spent_84d": Total(_amount, 84),
    "basket_value": Ratio(_SPENT, _ORDERS),
    "basket_items": Ratio(Total(lambda o: o.items), _ORDERS),
    "gap_mean_days": Gap("mean", empty=float(WINDOW)),
    "gap_std_days": Gap("std", empty=0.0),
    "recency_over_gap": Overdue(),
    "category_count": Spread("category", "count"),
    "category_entropy": Spread("category", "entropy"),
    "top_category_share": Spread("category", "top"),
    "promo_share": Ratio(Total(lambda o: o.promo), _SPENT),
    "discount_rate": Ratio(Total(lambda o: o.discount), Total(lambda o: o.amount + o.discount)),
    "coupon_rate": Ratio(Total(lambda o: o.coupon), Total(lambda o: o.amount + o.discount)),
    "coupon_orders_share": Ratio(Total(lambda o: o.coupon > 0), _ORDERS),
    "price_level": Ratio(Total(lambda o: o.level), Total(lambda o: o.amount * 1000), empty=1.0),
    "weekend_share": Ratio(Total(lambda o: o.weekday >= 5), _ORDERS),
    "morning_share": Ratio(Total(_hours(5, 11)), _ORDERS),
    "midday_share": Ratio(Total(_hours(11, 15)), _ORDERS),
    "afternoon_share": Ratio(Total(_hours(15, 18)), _ORDERS),
    "evening_share": Ratio(Total(_hours(18, 23)), _ORDERS),
    "night_share": Ratio(Total(lambda o: (o.hour < 5) | (o.hour >= 23)), _ORDERS),
    "store_count": Spread("store_id", "count"),
    "top_store_share": Spread("store_id", "top"),
    "online_share": Ratio(Total(lambda o: o.online), _ORDERS),
}
SIGNAL_FEATURES: dict[str, SignalCount | SignalMean] = {
    "views_28d": SignalCount("page_viewed"),
    "clicks_28d": SignalCount("clicked"),
    "messages_28d": SignalCount("message"),
    "text_valence_28d": SignalMean("message"),
    "face_valence_28d": SignalMean("expressed"),
    "dwell_seconds_28d": SignalMean("dwelled"),
    "store_visits_28d": SignalCount("located"),
    "mention_sentiment_84d": SignalMean("mentioned", 84),
    "widget_contacts_28d": SignalCount("on_widget"),
    "kiosk_contacts_28d": SignalCount("on_kiosk"),
}
FEATURES: tuple[str, ...] = tuple(ORDER_FEATURES)
SIGNALS: tuple[str, ...] = tuple(SIGNAL_FEATURES)
