"""Events in by Segment's spec: who is meant, what happened, and what became of each message.

Source: Segment, HTTP Tracking API and the specs of Identify, Track, Page, Screen, Alias and E-commerce.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import yaml

from api.wiring import Services
from personalization.currencies import minor_per_major
from personalization.profiling.sources import SourceError, admitted
from personalization.types import EventType, MemberId
from stores.asked import current
from stores.errors import ConflictError
from stores.events import Event, Status
from stores.identifying import Saying
from stores.keys import Key

KINDS = ("identify", "track", "page", "screen", "alias", "group")
MOST_TRAITS, MOST_PRODUCTS = 50, 100
_IDS = uuid.UUID("0d8f6c62-6f0e-5b3c-9b1d-4c1f7a8e2b55")
_ID = re.compile(r"^[A-Za-z0-9._:-]{1,36}$")
_KEY = re.compile(r"^[^\x00-\x1f]{1,64}$")
_TRAIT = re.compile(r"^[^\x00-\x1f\ud800-\udfff]{1,64}$")


class MessageError(ValueError):
    """A message that cannot be taken; the text says why."""


@dataclass(slots=True)
class Outcome:
    """What became of one message. `events` are its events, by their place in the log's batch."""

    message_id: str
    status: str = "accepted"
    reason: str | None = None
    notes: list[str] = field(default_factory=list)
    events: list[int] = field(default_factory=list)


@lru_cache
def names() -> dict[str, Any]:
    """Return api/services/segment.yml, its event names without case."""
    found = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text())
    found["events"] = {_plain(name): rule for name, rule in found["events"].items()}
    return dict(found)


def _plain(name: str) -> str:
    return " ".join(name.lower().split())


def first(properties: Mapping[str, Any], name: str, group: str = "properties") -> Any:
    """Return the property that the file calls `name`, or None."""
    return next((properties[one] for one in names()[group][name] if properties.get(one) is not None), None)


def _unnamed(place: int) -> str:
    """Return an id for a message that has none: under a request's key the same one, however often it is done until it is answered.

    Another request under the key, which is free again after a day, has other messages.
    """
    asked = current()
    return str(uuid.uuid4() if asked is None else uuid.uuid5(_IDS, f"{asked.name} {asked.request} {place}"))


class Taker:
    """Takes the messages of one request."""

    def __init__(self, services: Services, key: Key, *, sent_at: datetime | None, now: datetime) -> None:
        self._services, self._key, self._now = services, key, now
        self._ahead = sent_at - now if sent_at is not None else timedelta()
        self.changed: dict[MemberId, list[str]] = {}
        """Who was made, renamed or merged, and which of it."""
        self._members: dict[str, MemberId | None] = {}
        self._events: list[Event] = []
        self._statuses: list[Status] = []  # of those events that were stored

    def take(self, messages: Sequence[Any]) -> list[Outcome]:
        """Return what became of each; those that are right are stored, whatever the others are."""
        outcomes = [self._one(place, message) for place, message in enumerate(messages)]
        self._store()
        for outcome in outcomes:
            if outcome.events and all(self._statuses[place] == "duplicate" for place in outcome.events):
                outcome.status = "duplicate"
        return outcomes

    def _store(self) -> None:
        """Append what has gathered to the log; a visitor who is known to be a member is named.

        A broker's messages carry no merge, so that behind one such visitors stay visitors.
        """
        some = self._events[len(self._statuses) :]
        if self._services.stream is None:
            self._statuses += self._services.events.append_batch(self._named(some), received_at=self._now)
        else:  # the log learns of duplicates later
            self._services.stream.publish(some)
            self._statuses += ["accepted"] * len(some)

    def _one(self, place: int, message: Any) -> Outcome:
        if not isinstance(message, Mapping):
            return Outcome("", "rejected", "a message is an object")
        given = message.get("messageId")
        outcome = Outcome(
            given if isinstance(given, str) and 0 < len(given) <= 255 and _told(given) else _unnamed(place)
        )
        before = len(self._events)
        try:
            kind = message.get("type")
            if kind not in KINDS:
                raise MessageError(f"type is one of {', '.join(KINDS)}")
            at, visitor = self._time(message), _visitor(message.get("anonymousId"))
            getattr(self, f"_{kind}")(message, outcome, at, visitor)
        except (MessageError, SourceError) as error:
            del self._events[max(before, len(self._statuses)) :]
            outcome.status, outcome.reason, outcome.events = "rejected", str(error), []
        return outcome

    def _time(self, message: Mapping[str, Any]) -> datetime:
        """Return when it happened by our clock: the sender's clock is off by what `sentAt` is off."""
        given = message.get("timestamp") or message.get("originalTimestamp")
        if given is None:
            return self._now
        at = parse_time(given, "timestamp")
        try:
            at -= self._ahead
        except OverflowError:
            raise MessageError("timestamp is no time that a calendar has") from None
        if at.year < 1970 or at > self._now + timedelta(days=1):
            raise MessageError("timestamp lies between 1970 and now")
        return at

    def _identify(self, message: Mapping[str, Any], outcome: Outcome, at: datetime, visitor: str | None) -> None:
        external_id = _user(message)
        traits = message.get("traits") or {}
        if not isinstance(traits, Mapping):
            raise MessageError("traits is an object")
        if external_id is None:
            outcome.status, outcome.reason = "ignored", "nobody is named: a userId is needed to identify a member"
            return
        known = {one for group in names()["traits"].values() for one in group} | set(names()["dropped"])
        attributes = [(str(name), value) for name, value in traits.items() if name not in known and value is not None]
        if len(attributes) > MOST_TRAITS:
            raise MessageError(f"there are more than {MOST_TRAITS} traits")
        good = [one for one in attributes if _storable(outcome, *one)]
        said = self._said(external_id, traits, outcome, at)
        self._store()  # what came before it
        try:
            done = self._services.identifying.take(
                said, partial(self._attributes, outcome, good, at, visitor), now=self._now
            )
        except ConflictError as error:
            raise MessageError(str(error)) from None
        if not done.fresh:
            outcome.status = "duplicate"
            return
        if done.member_id is None:
            raise MessageError(
                f"there is no member {external_id}, and this key lacks the scope members:write to make one"
            )
        self._members[external_id] = done.member_id
        self._note(done.member_id, *done.changed)
        outcome.events = list(range(len(self._events), len(self._events) + len(good)))
        self._events += self._attributes(outcome, good, at, visitor, done.member_id)
        self._statuses += done.statuses
        self._stitch(visitor, done.member_id, outcome, "identify")

    def _attributes(
        self, outcome: Outcome, named: list[tuple[str, Any]], at: datetime, visitor: str | None, member_id: MemberId
    ) -> list[Event]:
        type_ = EventType.ATTRIBUTE_SET
        return [
            Event(self._event_id(outcome, type_, name), type_, at, "api", member_id, visitor, None, None, {"name": name, "value": value})
            for name, value in named
        ]  # fmt: skip

    def _alias(self, message: Mapping[str, Any], outcome: Outcome, at: datetime, visitor: str | None) -> None:
        member_id = self._member(_user(message) or "")
        before = _visitor(message.get("previousId")) or visitor
        if member_id is None or before is None:
            raise MessageError("alias needs the userId of a member and the previousId of a visitor")
        self._stitch(before, member_id, outcome, "alias")

    def _group(self, message: Mapping[str, Any], outcome: Outcome, at: datetime, visitor: str | None) -> None:
        outcome.status, outcome.reason = "ignored", "Aisle knows no groups"

    def _page(self, message: Mapping[str, Any], outcome: Outcome, at: datetime, visitor: str | None) -> None:
        properties = _properties(message)
        page = message.get("name") or message.get("category") or str(properties.get("path") or "").split("?")[0]
        payload = {"page": str(page)[:64]} if page and _KEY.match(str(page)[:64]) else {}
        self._add(outcome, EventType.PAGE_VIEWED, at, self._who(message, outcome), visitor, payload)

    _screen = _page

    def _track(self, message: Mapping[str, Any], outcome: Outcome, at: datetime, visitor: str | None) -> None:
        event = message.get("event")
        if not isinstance(event, str) or not event.strip():
            raise MessageError("event is missing: the name of what happened")
        rule = names()["events"].get(_plain(event))
        if rule is None:
            outcome.status, outcome.reason = "ignored", f"{event[:64]!r} is no event that Aisle learns from"
            return
        properties, type_ = _properties(message), EventType(rule["type"])
        member_id = self._who(message, outcome)
        decision = first(properties, "decision_id")
        named = decision if isinstance(decision, str) and _ID.match(decision) else None
        if rule["of"] == "order":
            self._add(outcome, type_, at, member_id, visitor, self._order(properties, message), decision_id=named)
            return
        products = [properties] if rule["of"] == "product" else _list(properties)
        for number, product in enumerate(products):
            product_id = _product_id(product)
            payload: dict[str, Any] = {}
            if type_ is EventType.ADDED_TO_BASKET and (quantity := _whole(first(product, "quantity"))) is not None:
                payload["quantity"] = quantity
            if type_ is EventType.RATED:
                payload = {"score": _whole(first(product, "score")), "about": product_id}
            self._add(
                outcome, type_, at, member_id, visitor, payload, str(number), product_id=product_id, decision_id=named
            )

    def _order(self, properties: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
        currency = properties.get("currency") or self._services.settings.currency
        if currency != self._services.settings.currency:
            raise MessageError(f"the shop's currency is {self._services.settings.currency}, not {str(currency)[:8]!r}")
        lines = []
        for product in _list(properties):
            quantity = _whole(first(product, "quantity")) or 1
            line: dict[str, Any] = {"product_id": _product_id(product), "quantity": quantity}
            for ours, theirs, times in (
                ("amount_minor", "price", quantity),
                ("discount_minor", "discount", 1),
                ("coupon_minor", "coupon", 1),
            ):
                if (amount := first(product, theirs)) is not None:
                    line[ours] = _minor(amount, currency) * times
            lines.append(line)
        order_id = first(properties, "order_id") or message.get("messageId")
        store = first(properties, "store_id")
        payload = {"order_id": order_id, "store_id": store, "lines": lines}
        return {name: value for name, value in payload.items() if value is not None}

    def _add(
        self, outcome: Outcome, type_: EventType, at: datetime, member_id: MemberId | None, visitor: str | None,
        payload: Mapping[str, Any], part: str = "", *, product_id: str | None = None, decision_id: str | None = None,
    ) -> None:  # fmt: skip
        admitted(type_, payload)
        event_id = self._event_id(outcome, type_, part)
        outcome.events.append(len(self._events))
        self._events.append(
            Event(event_id, type_, at, "api", member_id, visitor, decision_id, product_id, dict(payload))
        )

    def _event_id(self, outcome: Outcome, type_: EventType, part: str = "") -> str:
        """Return the id of what a message becomes: the same whenever it is sent again."""
        return str(uuid.uuid5(_IDS, f"{self._key.key_id} {outcome.message_id} {type_} {part}"))

    def _who(self, message: Mapping[str, Any], outcome: Outcome) -> MemberId | None:
        external_id = _user(message)
        if external_id is None:
            if message.get("anonymousId") in {None, ""}:
                raise MessageError("a message names a userId or an anonymousId")
            return None
        found = self._member(external_id)
        if found is None:
            outcome.notes.append("the userId is not known; identify the member first")
        return found

    def _member(self, external_id: str) -> MemberId | None:
        if external_id not in self._members:
            found = self._services.members.by_external_id(external_id) if external_id else None
            self._members[external_id] = None if found is None else found.member_id
        return self._members[external_id]

    def _said(self, external_id: str, traits: Mapping[str, Any], outcome: Outcome, at: datetime) -> Saying:
        """Return what the message says of the member; nothing of name and address where the key may not say it."""
        event_id = self._event_id(outcome, EventType.IDENTIFIED)
        if "members:write" not in self._key.scopes:
            outcome.notes.append("name and e-mail were left as they are: this key lacks the scope members:write")
            return Saying(event_id, external_id, None, None, at, may_change=False)
        name, email = _name(traits), first(traits, "email", "traits")
        if email is not None and not (
            isinstance(email, str) and 3 <= len(email) <= 254 and "@" in email and email.isprintable()
        ):
            raise MessageError("traits.email is no e-mail address")
        return Saying(event_id, external_id, name, email, min(at, self._now), may_change=True)

    def _stitch(self, visitor: str | None, member_id: MemberId, outcome: Outcome, source: str) -> None:
        if visitor is None:
            return
        if self._services.stream is None:
            self._store()  # what the visitor did in this very request is theirs as well
        made = self._services.merges.merge(visitor, member_id, at=self._now, source=source)
        if made is None:
            outcome.notes.append("visitor and member were not merged: the member does not agree to profiling")
        elif made.undone_at is not None:
            outcome.notes.append("visitor and member were not merged: somebody has undone that before")
        elif made.at == self._now:
            self._note(member_id, "merged")
            if made.events:
                self._services.profiles.rebuild([member_id], now=self._now)

    def _note(self, member_id: MemberId, *changes: str) -> None:
        if changes:
            noted = self.changed.setdefault(member_id, [])
            noted += [change for change in changes if change not in noted]

    def _named(self, some: list[Event]) -> list[Event]:
        alone = {event.visitor_id for event in some if event.member_id is None and event.visitor_id}
        known = self._services.merges.member_of(alone) if alone else {}
        found = []
        for event in some:
            merge = known.get(event.visitor_id or "") if event.member_id is None else None
            if merge is not None and event.type is not EventType.BOUGHT:
                found.append(replace(event, member_id=merge.member_id, merge_id=merge.merge_id))
            else:
                found.append(event)
        return found


def _storable(outcome: Outcome, name: str, value: Any) -> bool:
    """Whether a trait can be kept; the outcome is told of one that cannot."""
    try:
        if not _TRAIT.match(name):
            raise SourceError("has no name that can be stored")
        admitted(EventType.ATTRIBUTE_SET, {"name": name, "value": value})
    except SourceError:
        outcome.notes.append(f"the trait {name[:64]!r} was left out: a number, a yes or no, or a short text is stored")
        return False
    return True


def _told(text: str) -> bool:
    """Whether an answer can repeat the text: no half of a surrogate pair."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def parse_time(given: Any, what: str) -> datetime:
    """Return the time of an ISO 8601 text; MessageError."""
    try:
        at = datetime.fromisoformat(given)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise MessageError(f"{what} is no time in the form of ISO 8601") from None


def _user(message: Mapping[str, Any]) -> str | None:
    given = message.get("userId")
    if given is None or given == "":
        return None
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not _KEY.match(given) or not _told(given):
        raise MessageError("userId is a text of at most 64 characters")
    return given


def _visitor(given: Any) -> str | None:
    """Return our id of a visitor: the given one where it can be one, else one that follows from it."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > 255:
        raise MessageError("anonymousId is a text of at most 255 characters")
    return given if _ID.match(given) else str(uuid.uuid5(_IDS, given.encode("utf-8", "replace").decode()))


def _name(traits: Mapping[str, Any]) -> str | None:
    whole = first(traits, "name", "traits")
    parts = [first(traits, part, "traits") for part in ("first", "last")]
    name = whole if isinstance(whole, str) else " ".join(part for part in parts if isinstance(part, str))
    name = " ".join(name.split())[:120]
    return name if name and _TRAIT.match(name[:64]) and name.isprintable() else None


def _properties(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found = message.get("properties") or {}
    if not isinstance(found, Mapping):
        raise MessageError("properties is an object")
    return found


def _list(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = first(properties, "products")
    if not isinstance(found, list) or not found or not all(isinstance(one, Mapping) for one in found):
        raise MessageError("properties.products is a list of products")
    if len(found) > MOST_PRODUCTS:
        raise MessageError(f"properties.products has at most {MOST_PRODUCTS} products")
    return found


def _product_id(product: Mapping[str, Any]) -> str:
    found = first(product, "product_id")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not _TRAIT.match(found):
        raise MessageError("a product has a product_id of at most 64 characters")
    return found


def _whole(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 10:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise MessageError("a quantity or rating is a whole number")
    return given


def _minor(given: Any, currency: str) -> int:
    """Return an amount of the spec, which is in whole units of the currency, in minor units."""
    try:
        amount = Decimal(str(given))
        if isinstance(given, bool) or not amount.is_finite() or not 0 <= amount < 10**9:
            raise MessageError("an amount is a number from 0 to a billion")
    except InvalidOperation:
        raise MessageError("an amount is a number") from None
    return int((amount * minor_per_major(currency)).to_integral_value())
