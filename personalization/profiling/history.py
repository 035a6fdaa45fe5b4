"""Recency, frequency, monetary value and category shares: defined once, for training and for serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from personalization.types import Purchase

WINDOW = timedelta(weeks=26)


def rfm(purchases: Sequence[Purchase], at: datetime) -> tuple[float | None, int, int]:
    """Return (days since the last order, orders, minor units spent), the last two within WINDOW before `at`."""
    if not purchases:
        return None, 0, 0
    recent = [purchase for purchase in purchases if at - WINDOW < purchase.at <= at]
    last = max(purchase.at for purchase in purchases)
    orders = {purchase.order_id for purchase in recent}
    return (at - last) / timedelta(days=1), len(orders), sum(purchase.amount.minor_units for purchase in recent)


def category_shares(
    purchases: Sequence[Purchase], category_of: Callable[[str], str | None], at: datetime
) -> dict[str, float]:
    """Return each category's share of spending within WINDOW before `at`; shares add up to 1, or there are none."""
    spent: dict[str, int] = {}
    for purchase in purchases:
        category = category_of(purchase.product_id)
        if category and at - WINDOW < purchase.at <= at:
            spent[category] = spent.get(category, 0) + purchase.amount.minor_units
    total = sum(spent.values())
    return {category: amount / total for category, amount in spent.items()} if total else {}


def vector(
    recency_days: float, orders: int, spent: int, shares: dict[str, float], categories: Sequence[str]
) -> NDArray[np.float64]:
    """Return the clustering vector: log recency, log orders, log basket value, then the shares of `categories`.

    Shares are square-rooted (Hellinger), so that the one big category of a household does not drown the others.
    """
    basket = spent / orders if orders else 0.0
    behaviour = [np.log1p(max(recency_days, 0.0)), np.log1p(orders), np.log1p(basket / 100)]
    return np.array(behaviour + [np.sqrt(shares.get(category, 0.0)) for category in categories])
