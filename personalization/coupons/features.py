"""What the response model reads of one shopper and one thing on offer, made by one pure function for training and serving.

A thing is one product of a slate, or the whole scope of a mailing; either way everything is as of one moment. What is not
known is NaN, which both parts of the model read as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan

import numpy as np
from numpy.typing import NDArray

from personalization.types import Channel, Context, Product, Purchase

Floats = NDArray[np.float64]
DAY_S, LATELY_DAYS, NEVER_DAYS = 86_400.0, 91.0, 800.0  # NEVER_DAYS as in profiling's features

# of profiling.features: the same values for tables and for living profiles
MEMBER: tuple[str, ...] = (
    "recency_days", "tenure_days", "orders", "spent", "orders_28d", "spent_28d", "orders_84d", "spent_84d", "basket_value",
    "basket_items", "gap_mean_days", "gap_std_days", "recency_over_gap", "category_count", "category_entropy",
    "top_category_share", "promo_share", "discount_rate", "coupon_rate", "coupon_orders_share", "weekend_share", "store_count",
    "top_store_share",
)  # fmt: skip
RECORD = ("offered", "redeemed", "redeemed_share", "redeemed_lately", "days_since_redeemed")
SCOPE = ("price_minor", "scope_products", "scope_coupons", "valid_days")
OWNED = (
    "lines", "bought_lines", "bought_spent", "bought_products", "bought_lately", "bought_share", "days_since_bought",
    "matched_coupons", "matched_share", "category_lines", "category_spent", "days_since_category",
)  # fmt: skip
CONTEXT = ("valence", "hour", "weekday", "on_kiosk", "on_widget")
FEATURES: tuple[str, ...] = (*MEMBER, *RECORD, *SCOPE, *OWNED, *CONTEXT)
PRICE = FEATURES.index("price_minor")
Line = tuple[str, str, float, int]


@dataclass(slots=True)
class Owned:
    """What was bought of something: lines, money (minor units), lines in the last LATELY_DAYS, days since the last."""

    lines: int = 0
    spent: int = 0
    lately: int = 0
    days: float = NEVER_DAYS

    def merge(self, other: Owned) -> None:
        """Count what another one counts, too."""
        self.lines += other.lines
        self.spent += other.spent
        self.lately += other.lately
        self.days = min(self.days, other.days)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a member bought before a moment, by product and by category. Made once per request, read for each thing."""

    products: Mapping[str, Owned]
    categories: Mapping[str, Owned]
    lines: int
    spent: int

    @classmethod
    def of_lines(cls, lines: Iterable[Line], day: float) -> Habits:
        """Read lines of (product, category, day since 1970, minor units); what comes at or after `day` is not looked at."""
        products: dict[str, Owned] = {}
        kinds: dict[str, str] = {}
        for product, category, at, minor in lines:
            ago = day - at
            if ago <= 0:
                continue
            owned = products.get(product)
            if owned is None:
                products[product] = Owned(1, minor, int(ago < LATELY_DAYS), ago)
                kinds[product] = category
                continue
            owned.lines += 1  # in place: a method call per line would double the time
            owned.spent += minor
            if ago < LATELY_DAYS:
                owned.lately += 1
            if ago < owned.days:  # noqa: PLR1730  three times as quick as min
                owned.days = ago
        categories: dict[str, Owned] = {}
        count = spent = 0
        for product, owned in products.items():
            count += owned.lines
            spent += owned.spent
            if kinds[product]:
                categories.setdefault(kinds[product], Owned()).merge(owned)
        return cls(products, categories, count, spent)

    @classmethod
    def of_purchases(cls, purchases: Sequence[Purchase], category_of: Mapping[str, str], at: datetime) -> Habits:
        """Read what `Purchases.of_member` returns."""
        lines = (
            (p.product_id, category_of.get(p.product_id, ""), p.at.timestamp() / DAY_S, p.amount.minor_units)
            for p in purchases
        )
        return cls.of_lines(lines, at.timestamp() / DAY_S)


@dataclass(frozen=True, slots=True)
class Record:
    """A member's own coupons before a moment: offered, of these redeemed, redemptions in LATELY_DAYS, days since the last."""

    offered: int = 0
    redeemed: int = 0
    lately: int = 0
    days: float = NEVER_DAYS


@dataclass(frozen=True, slots=True)
class Scope:
    """What an offer covers: `coupons_of` maps a product to the numbers of the coupons (of `coupons`) that can be used on it.

    price_minor : what is paid without a coupon, NaN where the scope has no one price; valid_days : NaN where not known.
    """

    coupons_of: Mapping[str, Sequence[int]]
    categories: frozenset[str]
    coupons: int = 1
    price_minor: float = nan
    valid_days: float = nan

    @classmethod
    def of_product(cls, product: Product, valid_days: float) -> Scope:
        """Return the scope of one coupon on one product."""
        price = float(product.price.minor_units)
        return cls({product.product_id: (0,)}, frozenset({product.category}), 1, price, valid_days)


def features_of(
    member: Mapping[str, float], record: Record, habits: Habits, scope: Scope, context: Context | None
) -> Floats:
    """Return FEATURES (f,) of a shopper and a thing.

    member : profiling's features, as of the moment; empty for a visitor. context : None where there was no conversation (a mailing).
    """
    share = (record.redeemed + 0.3) / (record.offered + 3.0)  # a tenth of sends redeem, worth three sends of evidence
    values = [member.get(name, nan) for name in MEMBER]
    values += (record.offered, record.redeemed, share, record.lately, record.days)
    values += (scope.price_minor, len(scope.coupons_of), scope.coupons, scope.valid_days)
    values += _owned(habits, scope)
    if context is None:
        values += (nan,) * len(CONTEXT)
    else:
        valence = context.affect.valence if context.affect is not None else nan
        at, channel = context.at, context.channel
        values += (
            valence, at.hour, at.weekday(), float(channel is Channel.KIOSK), float(channel is Channel.WIDGET)
        )  # fmt: skip
    return np.array(values, float)


def _owned(habits: Habits, scope: Scope) -> tuple[float, ...]:
    mine, covered = habits.products, scope.coupons_of
    both = [p for p in mine if p in covered] if len(mine) < len(covered) else [p for p in covered if p in mine]
    bought, kind, matched = Owned(), Owned(), set[int]()
    for product in both:
        bought.merge(mine[product])
        matched.update(covered[product])
    for category in scope.categories:
        if (owned := habits.categories.get(category)) is not None:
            kind.merge(owned)
    return (
        habits.lines, bought.lines, bought.spent, len(both), bought.lately, bought.spent / max(habits.spent, 1), bought.days,
        len(matched), len(matched) / max(scope.coupons, 1), kind.lines, kind.spent, kind.days,
    )  # fmt: skip
