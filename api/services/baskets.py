"""Baskets, priced, for the chat and for the shop's page alike."""

from __future__ import annotations

from datetime import datetime

from api import views
from api.wiring import Services
from chatbot.ports import Basket, BasketLine
from personalization.types import DecisionId, EventType, Money, ProductId, Subject
from stores.baskets import BasketLine as HeldLine
from stores.database import Check, new_id
from stores.events import Event


class Baskets:
    """Reads and changes a shopper's basket; what is put in is an event of the log."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def read(self, subject: Subject) -> Basket:
        """Return the basket at today's prices; what the catalogue no longer has is left out."""
        held = self._services.baskets.lines(subject)
        known = self._services.catalogue.products([line.product_id for line in held])
        lines = tuple(BasketLine(known[line.product_id], line.quantity) for line in held if line.product_id in known)
        currency = lines[0].product.price.currency if lines else self._services.settings.currency
        total = Money(sum(line.product.price.minor_units * line.quantity for line in lines), currency)
        card = views.basket(lines, total, self._services.settings.resolved_public_url)
        return Basket(lines, total if lines else None, card)

    def add(
        self, subject: Subject, product_id: ProductId, quantity: int, *, at: datetime, channel: str | None = None,
        decision_id: DecisionId | None = None, change: str | None = None,
    ) -> Basket:  # fmt: skip
        """Put so many more in, once for each `change`; see `put`."""
        before = self._held(subject, product_id)
        count = self._services.baskets.add(subject, product_id, quantity, at=at, decision_id=decision_id, change=change)
        return self._told(subject, product_id, before, count, at, channel, decision_id)

    def put(
        self, subject: Subject, product_id: ProductId, quantity: int, *, at: datetime, channel: str | None = None,
        decision_id: DecisionId | None = None, check: Check[list[HeldLine]] = None, change: str | None = None,
    ) -> Basket:  # fmt: skip
        """Make it so many pieces, none takes it out; what is more than before is told to the log where `channel` is given."""
        before = self._held(subject, product_id)
        count = self._services.baskets.put(
            subject, product_id, quantity, at=at, decision_id=decision_id, check=check, change=change
        )
        return self._told(subject, product_id, before, count, at, channel, decision_id)

    def _held(self, subject: Subject, product_id: ProductId) -> int:
        lines = self._services.baskets.lines(subject)
        return next((line.quantity for line in lines if line.product_id == product_id), 0)

    def _told(
        self, subject: Subject, product_id: ProductId, before: int, count: int, at: datetime, channel: str | None,
        decision_id: DecisionId | None,
    ) -> Basket:  # fmt: skip
        if count > before and channel is not None:
            added = Event(
                new_id(), EventType.ADDED_TO_BASKET, at, channel, subject.member_id, subject.visitor_id, decision_id, product_id,
                {"quantity": count - before},
            )  # fmt: skip
            self._services.events.append_batch([added], received_at=at)
        return self.read(subject)

    def clear(self, subject: Subject, *, check: Check[list[HeldLine]] = None) -> Basket:
        """Take everything out."""
        self._services.baskets.clear(subject, check=check)
        return self.read(subject)
