"""A member's profile as a fold over events (event sourcing).

Folding is commutative and, per order, idempotent: whatever order events arrive in, however late, the same events give
the same state, to the byte. So an event is counted by its own time, and a replay can go member by member. All numbers
are whole, since adding floats depends on the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from personalization.profiling.features.definitions import DAY_S
from personalization.types import Channel, EventType

US = 1_000_000
KEEP_ORDERS = timedelta(days=800)
LATENESS = timedelta(hours=1)
KEEP_SIGNALS = timedelta(days=90)  # the longest window of a signal is 84 days
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_NAMES = 64  # attributes and sensors of one member


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What the fold needs of a product: `price_level` in thousandths of the mean price of its category."""

    category: str
    price_minor: int
    price_level: int = 1000


Catalogue = Mapping[str, ProductFacts]


class Order(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """One order: `at` in microseconds since 1970, amounts in minor units, `spent` by category."""

    at: int
    amount: int
    promo: int
    discount: int
    coupon: int
    items: int
    level: int
    store: str
    channel: str
    spent: tuple[tuple[str, int], ...]


class Reading(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """The last value of a CRM attribute or a sensor, by event time, then by event id."""

    at: int
    event_id: str
    value: str


class ProfileState(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a member. `days` maps a day to signals: kind -> [how many, sum in thousandths]."""

    orders: dict[str, Order] = {}
    days: dict[int, dict[str, list[int]]] = {}
    readings: dict[str, Reading] = {}
    first_at: int = 0
    latest_at: int = 0
    events: int = 0


_DECODER = msgspec.msgpack.Decoder(ProfileState)
_ENCODER = msgspec.msgpack.Encoder()


def decode(raw: bytes) -> ProfileState:
    """Read what `encode` wrote; msgspec.ValidationError when it is something else."""
    return _DECODER.decode(raw)


def encode(state: ProfileState) -> bytes:
    """Return the state's bytes: the same for the same state, since every mapping is put into order."""
    state.orders = dict(sorted(state.orders.items()))
    state.days = {day: dict(sorted(kinds.items())) for day, kinds in sorted(state.days.items())}
    state.readings = dict(sorted(state.readings.items()))
    return _ENCODER.encode(state)


def digest(states: Iterable[tuple[str, bytes]]) -> str:
    """Return one SHA-256 over (member id, encoded state) pairs, whatever their order."""
    total = 0
    for member_id, raw in states:
        one = hashlib.sha256(member_id.encode() + b"\0" + raw).digest()
        total = (total + int.from_bytes(one)) % (1 << 256)
    return f"{total:064x}"


def fold(
    state: ProfileState, type_: str, at: int, event_id: str, channel: str, product_id: str | None,
    payload: Mapping[str, Any], catalogue: Catalogue,
) -> None:  # fmt: skip
    """Take one event into the state. Raises ValueError, TypeError, KeyError or AttributeError for one that makes no sense."""
    if type_ == EventType.BOUGHT:
        _fold_order(state, at, event_id, channel, product_id, payload, catalogue)
    elif type_ == EventType.ATTRIBUTE_SET or type_ == EventType.SENSED:  # noqa: PLR1714  twice as quick as a set look-up
        _fold_reading(state, type_, at, event_id, payload)
    else:
        _fold_signal(state, type_, at, payload)
    if type_ == EventType.ALERTED:  # our own word about them is no contact
        return
    if channel == Channel.WIDGET or channel == Channel.KIOSK:  # noqa: PLR1714
        _add(state, at, f"on_{channel}", 0)
    state.first_at = min(state.first_at or at, at)
    state.latest_at = max(state.latest_at, at)
    state.events += 1


def prune(state: ProfileState) -> None:
    """Forget what is older than is kept, counted from the newest event, so that the result does not depend on arrival."""
    oldest = state.latest_at - KEEP_ORDERS // _MICROSECOND
    if state.first_at < oldest:
        state.orders = {key: order for key, order in state.orders.items() if order.at >= oldest}
    day = (state.latest_at - KEEP_SIGNALS // _MICROSECOND) // (US * DAY_S)
    if state.days and min(state.days) < day:
        state.days = {key: kinds for key, kinds in state.days.items() if key >= day}


def micros(at: datetime) -> int:
    """Return a time as whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(at: int) -> datetime:
    """Return the time that `micros` took."""
    return _EPOCH + timedelta(microseconds=at)


def _add(state: ProfileState, at: int, kind: str, thousandths: int) -> None:
    day = at // (US * DAY_S)
    kinds = state.days.get(day)
    if kinds is None:
        kinds = state.days[day] = {}
    found = kinds.get(kind)
    if found is None:
        kinds[kind] = [1, thousandths]
    else:
        found[0] += 1
        found[1] += thousandths


def _fold_signal(state: ProfileState, type_: str, at: int, payload: Mapping[str, Any]) -> None:
    if type_ == EventType.MESSAGE_SENT:
        _add(state, at, "message", _thousandths(payload.get("valence", 0.0)))
    elif type_ == EventType.EXPRESSED:
        _add(state, at, type_, _thousandths(payload["valence"]))
    elif type_ == EventType.MENTIONED:
        _add(state, at, type_, _thousandths(payload["sentiment"]))
    elif type_ == EventType.DWELLED:
        _add(state, at, type_, _thousandths(payload.get("seconds", 0)))
    else:
        _add(state, at, type_, 0)


def _thousandths(value: Any) -> int:
    return round(float(value) * 1000)


def _fold_reading(state: ProfileState, type_: str, at: int, event_id: str, payload: Mapping[str, Any]) -> None:
    name = f"{'sensor' if type_ == EventType.SENSED else 'crm'}:{payload['name']}"
    unit = f" {payload['unit']}" if payload.get("unit") else ""
    reading = Reading(at, event_id, f"{payload['value']}{unit}")
    before = state.readings.get(name)
    if before is None or reading > before:
        state.readings[name] = reading
    if len(state.readings) > _MOST_NAMES:  # the first by name stay: a rule that arrival cannot change
        del state.readings[max(state.readings)]


def _fold_order(
    state: ProfileState, at: int, event_id: str, channel: str, product_id: str | None, payload: Mapping[str, Any],
    catalogue: Catalogue,
) -> None:  # fmt: skip
    lines = payload.get("lines") or ([{"product_id": product_id}] if product_id else [])
    amount = promo = discount = coupon = items = level = 0
    spent: dict[str, int] = {}
    known = False
    for line in lines:
        facts = catalogue.get(str(line["product_id"]))
        if facts is None:
            continue
        known = True
        quantity = int(line.get("quantity", 1))
        paid = int(line.get("amount_minor", facts.price_minor * quantity))
        off = int(line.get("discount_minor", 0))
        amount += paid
        promo += paid if off > 0 else 0
        discount += off
        coupon += int(line.get("coupon_minor", 0))
        items += quantity if facts.category else 0  # fuel is counted in thousandths of a gallon
        level += paid * facts.price_level
        if facts.category:
            spent[facts.category] = spent.get(facts.category, 0) + paid
    if not known:
        return
    where = str(payload.get("channel") or (channel if channel in {Channel.WIDGET, Channel.KIOSK} else "store"))
    order = Order(
        at, amount, promo, discount, coupon, items, level, str(payload.get("store_id") or ""), where,
        tuple(sorted(spent.items())),
    )  # fmt: skip
    key = str(payload.get("order_id") or event_id)
    before = state.orders.get(key)
    # two reports of one order: the earlier one stands, as it does in the order lines
    if before is None or order < before:
        state.orders[key] = order
