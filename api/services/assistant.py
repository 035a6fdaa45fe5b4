"""The `ShopAssistant` behind Rasa's actions: every call speaks for one conversation, with that shopper's rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from api import views
from api.services.desk import Desk
from api.services.privacy import Privacy
from api.wiring import Services
from chatbot.affect import load
from chatbot.ports import Answer
from personalization.ranking.reasons import ago
from personalization.types import Channel, Context, DecisionId, MemberId, Money, ProductId, Purpose, Subject, VisitorId
from stores.conversations import Conversation
from stores.errors import NotFoundError

UNKNOWN = "I do not know who you are, so there is nothing of yours that I could look up. Sign in on the shop's page and ask me again."


class Assistant:
    """Answers for one conversation at a time; safe to call from several threads."""

    def __init__(
        self, services: Services, privacy: Privacy, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._services, self._privacy, self._now = services, privacy, now
        self._desk = Desk(services, now=now)

    def is_member(self, conversation_id: str) -> bool:
        """Whether the shopper is known."""
        return self._member_id(conversation_id) is not None

    def recommend(self, conversation_id: str, *, query: str | None = None, wants_coupon: bool = False) -> Answer:
        """Ask the core; items that were just shown are not shown again when "something different" is asked for."""
        conversation = self._conversation(conversation_id)
        state = load(conversation.affect)
        context = Context(
            Channel.WIDGET, self._now(), query=query, affect=state.as_affect() if state else None, wants_coupon=wants_coupon,
            exclude=self._just_shown(conversation) if query is None and not wants_coupon else frozenset(),
        )  # fmt: skip
        decision = self._services.core.decide(
            Subject(
                MemberId(conversation.member_id) if conversation.member_id else None, VisitorId(conversation.visitor_id)
            ),
            context,
        )
        self._services.metrics.decisions.labels(context.channel).inc()
        if decision.coupon is not None or not wants_coupon:  # what was not shown is not explained later
            self._services.conversations.set(conversation_id, last_decision_id=decision.decision_id)
        base = self._services.settings.resolved_public_url
        coupon = views.coupon(decision.coupon, base) if decision.coupon else None
        return Answer(
            decision.explanation, [views.card(item, base) for item in decision.slate], coupon, decision.decision_id
        )

    def why(self, conversation_id: str) -> Answer:
        """Explain the last decision from its log."""
        last = self._conversation(conversation_id).last_decision_id
        decision = self._services.decisions.get(DecisionId(last)) if last else None
        if decision is None:
            return Answer()
        reasons = [f"{item.product.name}: {item.reason.sentence}" for item in decision.slate]
        if decision.coupon is not None and decision.coupon.reason is not None and decision.context.wants_coupon:
            reasons = [decision.coupon.reason.sentence]
        withheld = f" Not used: {'; '.join(decision.inputs_withheld)}." if decision.inputs_withheld else ""
        return Answer("\n".join(reasons) + withheld, decision_id=decision.decision_id)

    def orders(self, conversation_id: str) -> Answer:
        """Tell of the last three orders."""
        member_id = self._member_id(conversation_id)
        if member_id is None:
            return Answer(UNKNOWN)
        now = self._now()
        if Purpose.PROFILING not in self._services.consents.granted(Subject(member_id), at=now):
            return Answer("You did not agree that I use your purchase history, so I do not look at it.")
        purchases = self._services.purchases.of_member(member_id, until=now)
        latest = list(dict.fromkeys(purchase.order_id for purchase in reversed(purchases)))[:3]
        if not latest:
            return Answer("I see no orders of yours yet.")
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

    def handoff(self, conversation_id: str) -> Answer:
        """Queue the conversation for a person."""
        told = self._desk.ask(conversation_id)
        return replace(told, replies=self._desk.replies(told.act))

    def store_hours(self) -> str:
        """Return the settings' hours."""
        return self._services.settings.store_hours

    def _conversation(self, conversation_id: str) -> Conversation:
        conversation = self._services.conversations.get(conversation_id)
        if conversation is None:
            raise NotFoundError("there is no such conversation")
        return conversation

    def _member_id(self, conversation_id: str) -> MemberId | None:
        """Return the member, as long as they still exist: an erased member is a stranger at once."""
        found = self._conversation(conversation_id).member_id
        return MemberId(found) if found and self._services.members.get(found) else None

    def _just_shown(self, conversation: Conversation) -> frozenset[ProductId]:
        if conversation.last_decision_id is None:
            return frozenset()
        decision = self._services.decisions.get(DecisionId(conversation.last_decision_id))
        recent = decision is not None and decision.context.query is None and not decision.context.wants_coupon
        return frozenset(item.product.product_id for item in decision.slate) if decision and recent else frozenset()
