"""The member in a conversation: what was bought, what is stored, what they agreed to, and how it is taken back."""

from __future__ import annotations

from collections.abc import Collection

from api import views
from api.services.assistant_base import UNKNOWN, AssistantBase
from chatbot.ports import Answer
from personalization.ranking.reasons import ago
from personalization.types import EventType, Money, Purpose
from stores.database import new_id
from stores.erasure import erase_conversation
from stores.events import Event


class Account(AssistantBase):
    """Everything here is about the shopper of the conversation and nobody else."""

    def granted(self, conversation_id: str) -> frozenset[str]:
        """Return the purposes that the member agreed to; none for a visitor."""
        if self._member_id(conversation_id) is None:
            return frozenset()
        return frozenset(self._services.consents.granted(self._subject(conversation_id), at=self._now()))

    def orders(self, conversation_id: str) -> Answer:
        """Tell of the last three orders."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN, act="unknown")
        now = self._now()
        if not self._may(conversation_id, Purpose.PROFILING):
            return Answer(
                "You did not agree that I use your purchase history, so I do not look at it.", act="no_consent"
            )
        purchases = self._services.purchases.of_member(member_id, until=now)
        latest = list(dict.fromkeys(purchase.order_id for purchase in reversed(purchases)))[:3]
        if not latest:
            return Answer("I see no orders of yours yet.", act="none")
        products = self._services.catalogue.products([p.product_id for p in purchases if p.order_id in latest])
        lines = []
        for order_id in latest:
            bought = [p for p in purchases if p.order_id == order_id]
            names = [products[p.product_id].name for p in bought if p.product_id in products]
            total = Money(sum(p.amount.minor_units for p in bought), bought[0].amount.currency)
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            lines.append(
                f"{bought[0].at:%d %B %Y} ({ago((now - bought[0].at).total_seconds() / 86_400)}), {total}: {', '.join(names[:3])}{more}."
            )
        return Answer("Your last orders:\n" + "\n".join(lines))

    def knowledge(self, conversation_id: str) -> Answer:
        """Tell what is stored: name, consents, orders, face template, conversations."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer("I know nothing about you but this conversation: you are a visitor, and no profile is kept.")
        return Answer(self._privacy.summary(member_id))

    def conclusions(self, conversation_id: str) -> list[tuple[str, str]]:
        """Return the shopper's labels as name and a few words."""
        member_id = self._member_id(conversation_id)
        labels = self._services.labels.of_member(member_id, at=self._now()) if member_id else []
        return [(label.name, views.label_words(label)) for label in labels]

    def veto(self, conversation_id: str, label: str) -> Answer:
        """Delete a label that the shopper has, and keep it from coming back."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN)
        known = dict(self.conclusions(conversation_id))
        if label not in known:
            return Answer("I do not conclude that about you, so there is nothing to correct.")
        self._services.labels.veto(member_id, label, by="member", at=self._now())
        return Answer(
            f"Thank you. I forgot “{known[label]}” and will not conclude it again. You can take that back at any time."
        )

    def link_code(self, conversation_id: str) -> Answer:
        """Make a one-time code for the kiosk."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN)
        code, _ = self._services.link_codes.issue(member_id, at=self._now())
        return Answer(
            f"Your code is {code[:3]} {code[3:]}. Touch “Be greeted by name” on the display and type it in within ten minutes. "
            "The display asks for your consent before it looks at your face."
        )

    def forget_face(self, conversation_id: str) -> Answer:
        """Withdraw and delete at once."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN)
        deleted = self._privacy.forget_face(member_id, channel="widget")
        if not deleted:
            return Answer("There is no face template of yours. The displays do not recognise you.")
        return Answer(
            "Done. Your face template is deleted and your consent withdrawn; the displays no longer recognise you."
        )

    def erase(self, conversation_id: str) -> Answer:
        """Delete the member; this conversation goes with them."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer("I do not know who you are, so there is nothing to erase.")
        receipt = self._privacy.erase(member_id)
        return Answer(
            f"Done. Everything about you is deleted, this conversation too. Your receipt: {receipt['receipt_id']}."
        )

    def grant_profiling(self, conversation_id: str) -> Answer:
        """Record consent to profiling and personal offers."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN)
        self._privacy.record(
            member_id, {Purpose.PROFILING: True, Purpose.MARKETING: True}, channel="widget", text_version="chat-1"
        )
        return Answer(
            "Thank you. From now on I use what you bought to suggest things and to find offers. You can take that back at any time."
        )

    def withdraw(self, conversation_id: str, purposes: Collection[str]) -> None:
        """Take consents back, and what follows from them."""
        member_id = self._member_id(conversation_id)
        if member_id is not None and purposes:
            taken = {Purpose(purpose): False for purpose in purposes}
            self._privacy.record(member_id, taken, channel="widget", text_version="chat-withdrawal-1")

    def forget_chat(self, conversation_id: str) -> str:
        """Delete this conversation; return the receipt's number."""
        receipt = erase_conversation(self._services.db, conversation_id, at=self._now())
        return str(receipt["receipt_id"])

    def rate(self, conversation_id: str, score: int, about: str) -> None:
        """Keep a rating from 1 to 5 as an event."""
        conversation, now = self._conversation(conversation_id), self._now()
        rating = Event(
            new_id(), EventType.RATED, now, "widget", conversation.member_id, conversation.visitor_id,
            payload={"score": score, "about": about},
        )  # fmt: skip
        self._services.events.append_batch([rating], received_at=now)
