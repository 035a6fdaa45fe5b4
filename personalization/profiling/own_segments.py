"""Segments that staff make: conditions on features, labels and trained segments, all of them or any, and what they say in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from personalization.currencies import written
from personalization.profiling.features.definitions import FEATURES, SIGNALS

Kind = Literal["feature", "label", "segment"]
How = Literal["at_least", "at_most", "above", "below", "is", "is_not"]
Unit = Literal["days", "number", "money", "share", "score", "seconds", "ratio"]
BOUNDS: Mapping[str, str] = {"at_least": "at least", "at_most": "at most", "above": "above", "below": "below"}
MOST_CONDITIONS = 12
WORDS: Mapping[str, tuple[str, Unit]] = {
    "recency_days": ("days since the last order", "days"), "tenure_days": ("days since the first order", "days"),
    "orders": ("orders in 26 weeks", "number"), "spent": ("spent in 26 weeks", "money"),
    "orders_28d": ("orders in 4 weeks", "number"), "spent_28d": ("spent in 4 weeks", "money"),
    "orders_84d": ("orders in 12 weeks", "number"), "spent_84d": ("spent in 12 weeks", "money"),
    "basket_value": ("a basket comes to", "money"), "basket_items": ("items in a basket", "number"),
    "gap_mean_days": ("days between visits", "days"), "gap_std_days": ("spread of days between visits", "days"),
    "recency_over_gap": ("usual gaps since the last order", "ratio"), "category_count": ("categories bought", "number"),
    "category_entropy": ("variety of categories", "score"), "top_category_share": ("spent on the favourite category", "share"),
    "promo_share": ("spent on promotions", "share"), "discount_rate": ("taken off by discounts", "share"),
    "coupon_rate": ("taken off by coupons", "share"), "coupon_orders_share": ("orders with a coupon", "share"),
    "price_level": ("prices against the category's mean", "ratio"), "weekend_share": ("orders at the weekend", "share"),
    "morning_share": ("orders in the morning", "share"), "midday_share": ("orders at midday", "share"),
    "afternoon_share": ("orders in the afternoon", "share"), "evening_share": ("orders in the evening", "share"),
    "night_share": ("orders at night", "share"), "store_count": ("stores visited", "number"),
    "top_store_share": ("spent in the favourite store", "share"), "online_share": ("orders online", "share"),
    "views_28d": ("pages looked at in 4 weeks", "number"), "clicks_28d": ("clicks in 4 weeks", "number"),
    "messages_28d": ("chat messages in 4 weeks", "number"), "text_valence_28d": ("how messages of 4 weeks sounded", "score"),
    "face_valence_28d": ("how the face looked in 4 weeks", "score"), "dwell_seconds_28d": ("seconds at a kiosk", "seconds"),
    "store_visits_28d": ("visits to a store in 4 weeks", "number"), "mention_sentiment_84d": ("how public mentions sounded", "score"),
    "widget_contacts_28d": ("contacts in the chat in 4 weeks", "number"), "kiosk_contacts_28d": ("contacts at kiosks in 4 weeks", "number"),
}  # fmt: skip
"""What each feature is called, and what it is measured in."""
WITHHELD = frozenset({"face_valence_28d", "store_visits_28d"})
"""Features that need another consent than the one to profiling: nobody is chosen by them."""
CHOSEN = tuple(name for name in (*FEATURES, *SIGNALS) if name not in WITHHELD)


class SegmentRuleError(ValueError):
    """A rule does not make sense; the message names the condition and what is wrong."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: a feature against a number, or a label or trained segment that somebody has, or has not.

    `value` is the bound of a feature, the value of a label (None: any), or a trained segment's id.
    """

    kind: Kind
    name: str
    how: How
    value: float | str | bool | None

    def sentence(self, segments: Mapping[str, str], currency: str = "") -> str:
        """Return the condition in words; `segments` are the names of trained segments by their ids."""
        if self.kind == "feature":
            return f"{WORDS[self.name][0]} {BOUNDS[self.how]} {_told(self.name, self.value, currency)}"
        has = "" if self.how == "is" else "not "
        if self.kind == "segment":
            return f"{has}in the segment {segments.get(str(self.value), self.value)}"
        label = self.name.replace("_", " ")
        return f"{has}labelled {label}" + ("" if self.value is None or self.value is True else f": {self.value}")


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Who is in a segment: members for whom all conditions hold, or any of them."""

    match: Literal["all", "any"]
    conditions: tuple[Condition, ...]

    def sentence(self, segments: Mapping[str, str], currency: str = "") -> str:
        """Return the rule in words."""
        text = (" and " if self.match == "all" else " or ").join(
            c.sentence(segments, currency) for c in self.conditions
        )
        return f"{text[:1].upper()}{text[1:]}."

    def tree(self) -> dict[str, Any]:
        """Return the rule as JSON-ready values, which `parse` reads."""
        each = [{"kind": c.kind, "name": c.name, "how": c.how, "value": c.value} for c in self.conditions]
        return {"match": self.match, "conditions": each}


def parse(tree: Mapping[str, Any]) -> SegmentRule:
    """Read a rule. Raises SegmentRuleError where it does not make sense."""
    match, given = tree.get("match", "all"), tree.get("conditions")
    if match not in {"all", "any"}:
        raise SegmentRuleError("match is `all` or `any`")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_CONDITIONS:
        raise SegmentRuleError(f"a rule has 1 to {MOST_CONDITIONS} conditions")
    return SegmentRule(match, tuple(_condition(number, one) for number, one in enumerate(given, start=1)))


def _condition(number: int, given: Mapping[str, Any]) -> Condition:
    kind, name, value = (given.get(key) for key in ("kind", "name", "value"))
    how: Any = given.get("how")
    if kind == "feature":
        if name not in CHOSEN:
            raise SegmentRuleError(f"condition {number}: there is no feature {name} to choose members by")
        if how not in BOUNDS:
            raise SegmentRuleError(f"condition {number}: a feature is {', '.join(BOUNDS)} a number")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or abs(value) > 1e12
        ):
            raise SegmentRuleError(f"condition {number}: {name} is compared with a number")
        return Condition("feature", str(name), how, float(value))
    if how not in {"is", "is_not"}:
        raise SegmentRuleError(f"condition {number}: a label or a segment `is` or `is_not`")
    if kind == "segment" and isinstance(value, str) and 0 < len(value) <= 64:
        return Condition("segment", "segment", how, value)
    if (
        kind == "label"
        and isinstance(name, str)
        and 0 < len(name) <= 64
        and isinstance(value, str | bool | float | int | None)
    ):
        if isinstance(value, str) and len(value) > 120:
            raise SegmentRuleError(f"condition {number}: a label's value has at most 120 characters")
        return Condition("label", name, how, value)
    raise SegmentRuleError(f"condition {number} is about a feature, a label or a segment")


def _told(name: str, value: Any, currency: str) -> str:
    number, unit = float(value), WORDS[name][1]
    if unit == "money":
        return written(number, currency)
    return f"{number:.0%}" if unit == "share" else f"{number:g}"
