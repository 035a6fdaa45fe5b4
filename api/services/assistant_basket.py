"""The basket of a conversation's shopper, and what they bought before, to be bought again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from api.services.assistant_base import AssistantBase
from api.services.baskets import Baskets
from chatbot.once import change_of
from chatbot.ports import Basket, BasketLine, Remembered
from personalization.types import DecisionId, ProductId, Purchase, Purpose

USUAL_ORDERS, USUAL_DAYS, MOST_USUAL = 3, 180, 8


class BasketTalks(AssistantBase):
    """Put in, taken out, shown; and reorders, by consent."""

    def basket(self, conversation_id: str) -> Basket:
        """Return what is in it, at today's prices."""
        return self._baskets.read(self._subject(conversation_id))

    def basket_add(self, conversation_id: str, product_id: str, quantity: int = 1) -> Basket:
        """Put more in; the event names the decision that showed it."""
        decision_id = self._shown_by(conversation_id, product_id)
        return self._baskets.add(
            self._subject(conversation_id), ProductId(product_id), quantity, at=self._now(), decision_id=decision_id, channel="widget",
            change=change_of(product_id),
        )  # fmt: skip

    def basket_put(self, conversation_id: str, product_id: str, quantity: int) -> Basket:
        """Make it so many pieces; none takes it out."""
        decision_id = self._shown_by(conversation_id, product_id)
        return self._baskets.put(
            self._subject(conversation_id), ProductId(product_id), quantity, at=self._now(), decision_id=decision_id, channel="widget",
            change=change_of(product_id),
        )  # fmt: skip

    def basket_clear(self, conversation_id: str) -> Basket:
        """Take everything out."""
        return self._baskets.clear(self._subject(conversation_id))

    def last_order(self, conversation_id: str) -> Remembered:
        """Return what was in the last order."""
        purchases, refused = self._bought(conversation_id)
        if purchases is None:
            return refused
        last = purchases[-1]
        pieces = Counter[str]()
        for purchase in purchases:
            if purchase.order_id == last.order_id:
                pieces[purchase.product_id] += purchase.quantity
        lines, missing = self._to_be_had(pieces)
        return Remembered(lines, missing, last.at)

    def usual(self, conversation_id: str) -> Remembered:
        """Return what was in at least USUAL_ORDERS orders lately, the most regular first."""
        purchases, refused = self._bought(conversation_id)
        if purchases is None:
            return refused
        since = purchases[-1].at - timedelta(days=USUAL_DAYS)
        pairs = {(purchase.order_id, purchase.product_id) for purchase in purchases if purchase.at >= since}
        often = Counter(product_id for _, product_id in sorted(pairs))
        chosen = [product_id for product_id, count in often.most_common(MOST_USUAL) if count >= USUAL_ORDERS]
        if not chosen:
            return Remembered(refused="nothing")
        lines, missing = self._to_be_had(Counter(dict.fromkeys(chosen, 1)))
        return Remembered(lines, missing, purchases[-1].at)

    def _bought(self, conversation_id: str) -> tuple[Sequence[Purchase] | None, Remembered]:
        """Return the member's purchases, or why there are none to be looked at; consent is asked for before they are read."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return None, Remembered(refused="unknown")
        if not self._may(conversation_id, Purpose.PROFILING):
            return None, Remembered(refused="no_consent")
        purchases = self._services.purchases.of_member(member_id, until=self._now())
        return (purchases, Remembered()) if purchases else (None, Remembered(refused="nothing"))

    def _to_be_had(self, pieces: Counter[str]) -> tuple[tuple[BasketLine, ...], tuple[str, ...]]:
        known = self._services.catalogue.products([ProductId(product_id) for product_id in pieces])
        lines = [BasketLine(known[ProductId(one)], count) for one, count in pieces.items() if ProductId(one) in known]
        there = [
            line
            for line in lines
            if line.product.in_stock and not line.product.minimum_age and line.product.price.minor_units
        ]
        return tuple(there), tuple(line.product.name for line in lines if line not in there)

    def _shown_by(self, conversation_id: str, product_id: str) -> DecisionId | None:
        last = self._conversation(conversation_id).last_decision_id
        decision = self._services.decisions.get(DecisionId(last)) if last else None
        shown = decision is not None and any(item.product.product_id == product_id for item in decision.slate)
        return decision.decision_id if decision is not None and shown else None

    @property
    def _baskets(self) -> Baskets:
        return Baskets(self._services)
