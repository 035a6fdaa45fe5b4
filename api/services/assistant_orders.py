"""The order service of the assistant: the shop's own policy, on the orders in the database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property

from api.services.assistant_base import AssistantBase
from api.wiring import Services
from chatbot.orders.policy import FILE, load_policy
from chatbot.orders.service import OrderService
from stores.guesses import SqlGuesses
from stores.orders import SqlOrderBook

LOOK_AGAIN_S = 60.0


class Guesses:
    """Wrong proofs of a visitor, and at an address or a name, in any conversation of the day."""

    def __init__(self, services: Services) -> None:
        self._services, self._kept = services, SqlGuesses(services.db)

    def made(self, conversation_id: str, proof: Mapping[str, str]) -> int:
        """Return the most that either has."""
        return self._kept.made(self._who(conversation_id, proof), at=datetime.now(UTC))

    def wrong(self, conversation_id: str, proof: Mapping[str, str], count: int) -> None:
        """Count them."""
        self._kept.add(self._who(conversation_id, proof), count, at=datetime.now(UTC))

    def _who(self, conversation_id: str, proof: Mapping[str, str]) -> list[str]:
        talk = self._services.conversations.get(conversation_id)
        named = " ".join(proof[name] for name in ("first_name", "last_name") if name in proof).lower()
        aims = {*proof.get("email", "").lower().split(), named}
        return [*([f"by {talk.visitor_id}"] if talk else []), *(f"at {one}" for one in sorted(aims) if one)]


class Orders(AssistantBase):
    """Whether there is an order service, and whose orders the shopper may see without a further proof."""

    _looked = (-LOOK_AGAIN_S, False)

    @cached_property
    def _service(self) -> OrderService:
        policy = load_policy(self._services.settings.order_policy or FILE)
        return OrderService(SqlOrderBook(self._services.db), policy, Guesses(self._services))

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
