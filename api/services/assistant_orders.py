"""The order service of the assistant: the shop's own policy, on the orders in the database."""

from __future__ import annotations

import time
from functools import cached_property

from api.services.assistant_base import AssistantBase
from chatbot.orders.policy import FILE, load_policy
from chatbot.orders.service import OrderService
from stores.orders import SqlOrderBook

LOOK_AGAIN_S = 60.0


class Orders(AssistantBase):
    """Whether there is an order service, and whose orders the shopper may see without a further proof."""

    _looked = (-LOOK_AGAIN_S, False)

    @cached_property
    def _service(self) -> OrderService:
        policy = load_policy(self._services.settings.order_policy or FILE)
        return OrderService(SqlOrderBook(self._services.db), policy)

    def warm_up(self) -> None:
        """Read the order policy, so that what is wrong with it is told at the start and not to a shopper; and the names."""
        _ = self._service
        super().warm_up()

    def order_service(self, conversation_id: str) -> OrderService | None:
        """Return the service, if orders were ever imported for it."""
        del conversation_id
        at, managed = self._looked
        if not managed and time.monotonic() - at > LOOK_AGAIN_S:
            managed = SqlOrderBook(self._services.db).manages_orders()
            self._looked = time.monotonic(), managed
        return self._service if managed else None

    def customer(self, conversation_id: str) -> str:
        """Return the signed-in member, if the order service has an account of theirs."""
        member_id = self._member_id(conversation_id)
        return member_id if member_id and self._service.book.customer(member_id) else ""
