"""What each kind of event may bring: its fields, the consent it needs, how long it is kept, and what is dropped at the door.

Payload keys that are not listed never get in. An event whose purpose its member did not agree to loses the member, their
device, and what only that purpose allows; it still counts for the shop's own figures, without a person.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from personalization.types import EventType, Purpose

_LONGEST_KEY, _MOST_LINES, _MOST_MINOR = 64, 500, 10**11
_UNSTORABLE = re.compile(r"[\x00-\x1f\ud800-\udfff]")
Check = Callable[[Any], Any]


class SourceError(ValueError):
    """An event does not fit its source; the message names the field and what is wrong."""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of event: `fields` are checked and kept, `must` of them are needed, everything else is dropped."""

    about: str
    purpose: Purpose | None
    retention_days: int
    dropped: str
    fields: Mapping[str, Check] = field(default_factory=dict)
    must: frozenset[str] = frozenset()
    felt: bool = False
    """It tells how somebody felt: of a member who did not agree nothing of it is kept."""


def _key(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise SourceError("is not a text")
    key = str(value)
    if not key or len(key) > _LONGEST_KEY or not _storable(key):
        raise SourceError(f"has no or more than {_LONGEST_KEY} characters, or one that cannot be stored")
    return key


def _storable(text: str) -> bool:
    """Whether every database can hold the text: no control characters, no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def _finite(value: float) -> bool:
    """Whether it is a number that a float holds; JSON's integers have no end."""
    return -sys.float_info.max <= value <= sys.float_info.max


def _number(least: float, most: float, digits: int) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            raise SourceError("is not a number")
        if not least <= value <= most:
            raise SourceError(f"is not between {least:g} and {most:g}")
        return round(float(value), digits)

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise SourceError("is not a whole number")
        if not least <= value <= most:
            raise SourceError(f"is not between {least:,} and {most:,}")
        return value

    return check


def _scalar(value: Any) -> str | float | bool:
    if isinstance(value, bool | float | int) and (isinstance(value, bool) or _finite(value)):
        return value
    if isinstance(value, str) and len(value) <= 120 and _storable(value):
        return value
    raise SourceError("is not a number, a yes or no, or a text of at most 120 characters")


_LINE: dict[str, Check] = {
    "product_id": _key, "quantity": _whole(1, 1_000_000), "amount_minor": _whole(0, _MOST_MINOR),
    "discount_minor": _whole(0, _MOST_MINOR), "coupon_minor": _whole(0, _MOST_MINOR),
}  # fmt: skip


def _lines(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > _MOST_LINES:
        raise SourceError(f"is not a list of at most {_MOST_LINES} lines")
    return [_fields(line, _LINE, frozenset({"product_id"}), f"{number}.") for number, line in enumerate(value)]


def _fields(value: Any, checks: Mapping[str, Check], must: frozenset[str], where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SourceError(f"{where.rstrip('.')} is not an object")
    kept: dict[str, Any] = {}
    for name, check in checks.items():
        given = value.get(name)
        if given is None:
            if name in must:
                raise SourceError(f"{where}{name} is missing")
            continue
        try:
            kept[name] = check(given)
        except SourceError as error:
            raise SourceError(f"{where}{name} {error}") from None
    return kept


_PAGE = {"page": _key}
_TILL = {
    "code": _key,
    "coupon_id": _key,
    "campaign_id": _key,
    "order_id": _key,
    "discount_minor": _whole(0, _MOST_MINOR),
}
SOURCES: dict[EventType, Source] = {
    EventType.PAGE_VIEWED: Source("a page of the shop", Purpose.PROFILING, 90, "address, query string, device", _PAGE),
    EventType.VIEWED: Source("an item that was shown", Purpose.PROFILING, 180, "everything else"),
    EventType.CLICKED: Source("an item that was opened", Purpose.PROFILING, 180, "everything else"),
    EventType.ADDED_TO_BASKET: Source("an item put into the basket", Purpose.PROFILING, 180, "everything else",
                                      {"quantity": _whole(1, 1_000_000)}),
    EventType.MESSAGE_SENT: Source("a chat message: how it sounded", Purpose.PROFILING, 90, "the text; affect is rounded to 0.01",
                                   {"valence": _number(-1, 1, 2), "arousal": _number(0, 1, 2), "label": _key}, felt=True),
    EventType.DWELLED: Source("time in front of a kiosk", Purpose.PROFILING, 30, "position, picture; seconds are whole",
                              {"kiosk_id": _key, "seconds": _number(0, 86_400, 0)}, frozenset({"seconds"})),
    EventType.EXPRESSED: Source("a facial expression", Purpose.EXPRESSION, 30, "picture, landmarks; rounded to 0.1",
                                {"kiosk_id": _key, "valence": _number(-1, 1, 1)}, frozenset({"valence"})),
    EventType.LOCATED: Source("presence in a store", Purpose.LOCATION, 30, "coordinates, aisle, device",
                              {"store_id": _key}, frozenset({"store_id"})),
    EventType.ATTRIBUTE_SET: Source("an attribute of the CRM", Purpose.PROFILING, 730, "who set it, free notes",
                                    {"name": _key, "value": _scalar}, frozenset({"name", "value"})),
    EventType.MENTIONED: Source("a social mention that the CRM hands over", Purpose.PROFILING, 90,
                                "text, author, network, address; rounded to 0.1",
                                {"sentiment": _number(-1, 1, 1)}, frozenset({"sentiment"})),
    EventType.SENSED: Source("a wearable or another sensor", Purpose.SENSORS, 30, "device, raw series, place",
                             {"name": _key, "value": _scalar, "unit": _key}, frozenset({"name", "value"})),
    EventType.RATED: Source("a rating that the shopper gave", Purpose.PROFILING, 365, "the words that came with it",
                            {"score": _whole(1, 5), "about": _key}, frozenset({"score"})),
    EventType.ALERTED: Source("what Aisle noticed itself", Purpose.PROFILING, 365, "everything else",
                              {"kind": _key, "value": _scalar, "before": _scalar, "sentence": lambda text: str(text)[:400]},
                              frozenset({"kind"})),
    EventType.IDENTIFIED: Source("that a system has said who a member is, never who", None, 365, "everything"),
    EventType.BOUGHT: Source("an order", None, 3650, "means of payment, address, cashier",
                             {"order_id": _key, "store_id": _key, "channel": _key, "lines": _lines}),
    EventType.REDEEMED: Source("a coupon at the till", None, 3650, "means of payment, cashier", _TILL),
    EventType.ROLLED_BACK: Source("a redemption that was taken back", None, 3650, "means of payment, cashier, why", _TILL),
}  # fmt: skip


def admitted(type_: EventType, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a payload that may be stored. Raises SourceError where it does not fit."""
    source = SOURCES[type_]
    return _fields(payload, source.fields, source.must, "payload.")


def may_store(type_: EventType, granted: frozenset[Purpose]) -> bool:
    """Whether the event may name its member."""
    purpose = SOURCES[type_].purpose
    return purpose is None or purpose in granted


def may_fold(type_: EventType, granted: frozenset[Purpose]) -> bool:
    """Whether the event may go into its member's profile: always with consent to profiling, and its own purpose."""
    return Purpose.PROFILING in granted and may_store(type_, granted)
