"""Products in a conversation: found, shown, told of, and why."""

from __future__ import annotations

from collections.abc import Sequence

from api import views
from api.services.assistant_base import AssistantBase
from chatbot.affect import load
from chatbot.ports import Answer, Found
from chatbot.shopping.wish import Wish, size_of
from personalization.ranking.selection import Selection
from personalization.ranking.text import wanted, words
from personalization.trust import explanation
from personalization.trust.gate import readable
from personalization.types import Channel, Context, DecisionId, Product, ProductId, SlateItem
from stores.conversations import Conversation


class Products(AssistantBase):
    """Search, suggestions and single products; whatever is shown is a logged decision."""

    def recommend(self, conversation_id: str, *, query: str | None = None, wants_coupon: bool = False) -> Answer:
        """Ask the core; items that were just shown are not shown again when "something different" is asked for."""
        conversation = self._conversation(conversation_id)
        state = load(conversation.affect)
        context = Context(
            Channel.WIDGET, self._now(), query=query, affect=state.as_affect() if state else None, wants_coupon=wants_coupon,
            exclude=self._just_shown(conversation) if query is None and not wants_coupon else frozenset(),
            conversation_id=conversation_id,
        )  # fmt: skip
        decision = self._services.core.decide(self._subject(conversation_id), context)
        self._services.metrics.decisions.labels(context.channel).inc()
        if decision.coupon is not None or not wants_coupon:  # what was not shown is not explained later
            self._services.conversations.set(conversation_id, last_decision_id=decision.decision_id)
        coupon = views.coupon(decision.coupon, self._base) if decision.coupon else None
        return Answer(
            decision.explanation,
            [views.card(item, self._base) for item in decision.slate],
            coupon,
            decision.decision_id,
        )

    def search(self, conversation_id: str, wish: Wish, *, seen: frozenset[str] = frozenset(), size: int = 5) -> Found:
        """Ask the core for what fits the wish; what was `seen` is left out of the slate, and not of the count."""
        found: list[SlateItem] = []

        def arrange(items: Sequence[SlateItem]) -> Sequence[SlateItem]:
            found.extend(_ordered(_named(items, wish), wish))
            return [item for item in found if item.product.product_id not in seen]

        context = self._context(conversation_id, wish.text, size)
        decision = self._services.core.decide(
            self._subject(conversation_id), context, selection=Selection(wish.fits, arrange)
        )
        self._services.metrics.decisions.labels(context.channel).inc()
        if decision.slate:
            self._services.conversations.set(conversation_id, last_decision_id=decision.decision_id)
        shown = tuple(item.product for item in decision.slate)
        cards = [views.card(item, self._base) for item in decision.slate]
        answer = Answer(decision.explanation, cards, None, decision.decision_id)
        return Found(
            answer, shown, len(found), _all_named(wish.query, shown), _untold(wish, [item.product for item in found])
        )

    def show(self, conversation_id: str, product_ids: Sequence[str]) -> Answer:
        """Return cards of these products, as a decision of its own."""
        ids = [ProductId(product_id) for product_id in product_ids]
        if not ids:
            return Answer()
        context = self._context(conversation_id, None, len(ids))
        decision = self._services.core.decide(self._subject(conversation_id), context, about=ids)
        self._services.metrics.decisions.labels(context.channel).inc()
        return Answer("", [views.card(item, self._base) for item in decision.slate], None, decision.decision_id)

    def products(self, product_ids: Sequence[str]) -> list[Product]:
        """Return the products that exist, in this order."""
        ids = [ProductId(product_id) for product_id in product_ids]
        known = self._services.catalogue.products(ids)
        return [known[product_id] for product_id in ids if product_id in known]

    def names(self, text: str) -> list[tuple[str, str]]:
        """Return what the text names of the catalogue: (kind, name)."""
        return self._names.of(text)

    def knows(self, word: str) -> bool:
        """Whether a word stands in the catalogue as it is written."""
        return self._names.knows(word)

    def promotion(self, conversation_id: str, product_id: str) -> str | None:
        """Return how a product is promoted in all stores now; the store of a chat is not known."""
        return self._services.promotions.running(None, at=self._now()).get(ProductId(product_id))

    def why(self, conversation_id: str) -> Answer:
        """Explain the last decision from its log: the facts and words of `GET /v1/decisions/{id}/explanation`."""
        last = self._conversation(conversation_id).last_decision_id
        decision = self._services.decisions.get(DecisionId(last)) if last else None
        if decision is None:
            return Answer()
        decision = readable(decision, self._services.consents.granted(decision.subject, at=self._now()))
        trimmed = explanation.is_trimmed(decision)
        candidates = None if trimmed else self._services.decisions.candidates(decision.decision_id)
        found = explanation.explain(decision, candidates)
        return Answer("\n".join(explanation.lines(found)), decision_id=decision.decision_id)

    def _context(self, conversation_id: str, query: str | None, size: int) -> Context:
        state = load(self._conversation(conversation_id).affect)
        affect = state.as_affect() if state else None
        return Context(
            Channel.WIDGET, self._now(), query=query, affect=affect, slate_size=size, conversation_id=conversation_id
        )

    def _just_shown(self, conversation: Conversation) -> frozenset[ProductId]:
        if conversation.last_decision_id is None:
            return frozenset()
        decision = self._services.decisions.get(DecisionId(conversation.last_decision_id))
        recent = decision is not None and decision.context.query is None and not decision.context.wants_coupon
        return frozenset(item.product.product_id for item in decision.slate) if decision and recent else frozenset()


def _named(items: Sequence[SlateItem], wish: Wish) -> Sequence[SlateItem]:
    """Return those that have every word, where there are any; else what comes close: baby food is no answer to dog food."""
    asked = set(words(wanted(wish.query)))
    named = [
        item
        for item in items
        if asked <= set(words(f"{item.product.name} {item.product.category} {item.product.brand}"))
    ]
    return named or items


def _ordered(items: Sequence[SlateItem], wish: Wish) -> Sequence[SlateItem]:
    """Return the items in the order that the wish asks for; else as they are."""
    if wish.order in {"cheapest", "dearest"}:
        sign = 1 if wish.order == "cheapest" else -1
        return sorted(items, key=lambda item: sign * item.product.price.minor_units)
    if wish.order in {"biggest", "smallest"}:
        sign = 1 if wish.order == "smallest" else -1
        sized = [(own.value, item) for item in items if (own := size_of(item.product)) is not None]
        return [item for _, item in sorted(sized, key=lambda pair: sign * pair[0])]
    return items


def _all_named(query: str, shown: Sequence[Product]) -> bool:
    """Whether every word of the query stands on something shown: green peas and black tea are no green tea."""
    asked = set(words(wanted(query)))
    return any(asked <= set(words(f"{one.name} {one.category} {one.brand}")) for one in shown)


def _untold(wish: Wish, found: Sequence[Product]) -> tuple[str, ...]:
    """Return the limits that nothing of what was found says anything about."""
    told = {"brand": any(product.brand for product in found), "size": any(size_of(product) for product in found)}
    asked = {"brand": bool(wish.brand or wish.not_brands), "size": bool(wish.size or wish.bigger or wish.smaller)}
    return tuple(name for name, wanted_ in asked.items() if wanted_ and not told[name])
