"""Questions about orders, products and money that are answered from what is stored, without changing anything."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chatbot.orders import tell
from chatbot.orders.entities import read_orders
from chatbot.orders.mentions import mentions
from chatbot.orders.options import read_options
from chatbot.orders.service import OrderService
from chatbot.orders.state import Out, State
from chatbot.orders.text import tokens
from chatbot.orders.world import World
from personalization.orders import Order, Variant, add
from personalization.types import Money

_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
_TRACKING = re.compile(r"(?i)\btrack(?:ing)?\b")
_STATUS = re.compile(
    r"(?i)\b(?:status|where(?:'s| is| are)|when (?:is|will|does|do)|arriv\w+|in transit|on its way|shipped yet|been shipped)\b"
)
_COUNT = re.compile(r"(?i)\bhow many\b")
_OPTIONS = re.compile(
    r"(?i)\b(?:what|which|all|list|show|know|tell)\b[^.?]{0,40}\b(?:options?|kinds?|types|variants?|versions?|colors?|sizes?|available)\b|\bavailable\b[^.?]{0,30}\boptions?\b|\bis there (?:a|an|any)\b|\bdo you have\b|\bare there\b"
)
_CHEAPEST = re.compile(r"(?i)\b(?:cheapest|least expensive|lowest price)\b")
_DEAREST = re.compile(r"(?i)\b(?:most expensive|priciest)\b")
_PRICE = re.compile(r"(?i)\b(?:price|cost|how much|paid|pay|worth|amount)\b")
_BALANCE = re.compile(r"(?i)\bbalance\b|\bhow much\b[^.?]{0,40}\bgift ?card\b")
_BACK = re.compile(
    r"(?i)\b(?:(?:get|getting|receive|money|refund\w*|saved?)\b[^.?]{0,30}\bback|total (?:amount )?(?:of (?:the |my )?)?refund|refund (?:total|amount)|how much (?:is|was|will|would)[^.?]{0,30}refund|total refund)\b"
)
_ADDRESS = re.compile(
    r"(?i)\b(?:which|what|check|know|where)\b[^.?]{0,50}\b(?:address|sent to|shipped to|delivered to)\b"
)
_LIST = re.compile(
    r"(?i)\b(?:my (?:other |last |recent |latest |open |past )?orders|what (?:did|have) i (?:order|buy|bought)|all (?:of )?my orders|orders do i have|order history|list[^.?]{0,20}orders|recent orders?)\b"
)
_CONTAINS = re.compile(r"(?i)\b(?:which|what) order\b|\border (?:id|number)\b[^.?]{0,30}\b(?:for|of|with|that)\b")
_TOTAL = re.compile(r"(?i)\btotal\b|\bhow much did i\b|\bhow much i\b|\bhow much (?:does|did|do)\b")
_WHAT_OF = re.compile(r"(?i)^\W*(?:ok(?:ay)?\W+)?(?:and|what about|how about)\b")
_OF_ORDERS = re.compile(
    r"(?i)\b(?:orders?|total|altogether|everything|all|it|that|this|they|those|i (?:paid|pay|spen[dt])|purchases?)\b"
)
_DETAIL = re.compile(r"(?i)\b(?:what|which|check|tell|know)\b")
_ASK = re.compile(
    r"(?i)\?|\b(?:what|which|how (?:many|much)|when|where|tell me|let me know|want to know|like to know|wonder|check|can i know|could i know|give me|provide|get the|need the|is it possible|confirm|show|list|status|track(?:ing)?)\b"
)


class Lookups:
    """Answers sentence by sentence; what is no question about orders is left alone."""

    def __init__(self, service: OrderService, world: World, state: State) -> None:
        self.service, self.world, self.state = service, world, state

    def asks(self, text: str) -> bool:
        """Whether a message asks for something that could be answered here."""
        return bool(_ASK.search(text))

    @staticmethod
    def asks_back(text: str) -> bool:
        """Whether a message asks what comes back."""
        return bool(_BACK.search(text))

    def answer(self, text: str, intent: str = "") -> list[Out]:
        """Return the answers to the questions in a message."""
        own, strange = read_orders(text, self.world.orders)
        asks = intent in {"order_status", "order_history"} or _ASK.search(text)
        if strange and not own and asks:  # to tell of other orders instead would be no answer
            return [Out("order.unknown_order", {"order": strange[0]})]
        found: list[Out] = []
        for sentence in _SENTENCE.split(text):
            if not _ASK.search(sentence) and intent not in {"order_status", "order_history"}:
                continue
            for out in self._sentence(sentence):
                if out not in found:
                    found.append(out)
        if not found and intent == "order_status":
            found = self._status(self._orders(text))
        if not found and intent == "order_history":
            found = [self._list()]
        return found

    def _sentence(self, text: str) -> Iterable[Out]:
        """Answer one sentence: money first, then the order, then the product."""
        named = [
            product_id for mention in mentions(tokens(text), self.world.products) for product_id in mention.product_ids
        ]
        if _BALANCE.search(text):
            yield self._balance()
        if _BACK.search(text):
            yield self._back()
        of_order = list(self._of_order(text, self._orders(text)))
        yield from of_order
        if not of_order and named:
            yield from self._of_product(text, named)
        elif not of_order and not _BACK.search(text) and not _BALANCE.search(text):
            yield from self._sums(text, self._orders(text))

    def _of_order(self, text: str, orders: list[Order]) -> Iterable[Out]:
        if _TRACKING.search(text):
            yield from self._tracking(orders)
        elif _ADDRESS.search(text):
            yield from (Out("order.told.address", {"order": o.order_id, "address": str(o.address)}) for o in orders[:2])
        elif _STATUS.search(text):
            yield from self._status(orders)

    def _of_product(self, text: str, named: list[str]) -> Iterable[Out]:
        if _COUNT.search(text) or _OPTIONS.search(text):
            yield from (self._kinds(text, product_id) for product_id in self._asked(named))
        elif _CHEAPEST.search(text) or _DEAREST.search(text):
            yield from (self._extreme(text, product_id) for product_id in self._asked(named))
        elif _CONTAINS.search(text):
            yield from self._contains(named)
        elif _WHAT_OF.search(text) and (holding := self._holding(set(named))):
            yield from self._status(holding)
        elif _DETAIL.search(text) or _PRICE.search(text):
            yield from self._owned(named)

    def _sums(self, text: str, orders: list[Order]) -> Iterable[Out]:
        if _LIST.search(text):
            yield self._list()
        elif _DEAREST.search(text) and orders and _DETAIL.search(text):
            top = max(orders[0].items, key=lambda item: item.price.minor_units)
            yield Out("order.told.item", {"item": tell.item(top), "price": str(top.price), "order": orders[0].order_id})
        elif (_TOTAL.search(text) or _PRICE.search(text)) and _OF_ORDERS.search(text):
            yield from (Out("order.told.total", {"order": o.order_id, "total": str(o.total)}) for o in orders[:3])

    def _orders(self, text: str) -> list[Order]:
        """Return the orders that a question is about: named, with a product that is named, in a status, or the one talked of last."""
        own, _ = read_orders(text, self.world.orders)
        if own:
            return [order for order in self.world.orders if order.order_id in own]
        named = {
            product_id for mention in mentions(tokens(text), self.world.products) for product_id in mention.product_ids
        }
        if holding := self._holding(named):
            return holding
        low = text.lower()
        stated = [order for order in self.world.orders if order.status.split(" ")[0] in low]
        placed = [order for order in self.world.orders if order.address.city.lower() in low]
        last = [order for order in self.world.orders if order.order_id == self.state.last_order]
        return stated or placed or last or list(self.world.orders)

    def _holding(self, named: set[str]) -> list[Order]:
        return [order for order in self.world.orders if any(item.product_id in named for item in order.items)]

    def _asked(self, product_ids: list[str]) -> list[str]:
        own = {item.product_id for order in self.world.orders for item in order.items}
        unique = list(dict.fromkeys(product_ids))
        return [p for p in unique if p in own] or unique

    def _kinds(self, text: str, product_id: str) -> Out:
        kinds = [kind for kind in self.world.variants(product_id) if kind.available]
        wanted = read_options(text, kinds).values
        fitting = [kind for kind in kinds if all(kind.options.get(name) in values for name, values in wanted.items())]
        name = self.world.products[product_id]
        if not fitting:
            return Out("order.told.no_kind", {"product": name})
        listed = tell.numbered([tell.kind(kind) for kind in sorted(fitting, key=lambda kind: kind.price.minor_units)])
        return Out("order.told.kinds", {"product": name, "count": len(fitting), "choices": listed})

    def _extreme(self, text: str, product_id: str) -> Out:
        kinds = [kind for kind in self.world.variants(product_id) if kind.available]
        if not kinds:
            return Out("order.told.no_kind", {"product": self.world.products[product_id]})

        def price(kind: Variant) -> int:
            return kind.price.minor_units

        best, word = (
            (min(kinds, key=price), "cheapest") if _CHEAPEST.search(text) else (max(kinds, key=price), "most expensive")
        )
        return Out(
            "order.told.extreme",
            {"product": best.name, "which": word, "kind": tell.item(best), "price": str(best.price)},
        )

    def _contains(self, product_ids: list[str]) -> Iterable[Out]:
        lines = [line for line in self.world.lines if line[2].product_id in product_ids]
        if lines:
            yield Out("order.told.contains", {"choices": tell.numbered([tell.piece(line) for line in lines])})

    def _owned(self, product_ids: list[str]) -> Iterable[Out]:
        for line in self.world.lines:
            if line[2].product_id in product_ids:
                yield Out(
                    "order.told.item",
                    {"item": tell.item(line[2]), "price": str(line[2].price), "order": line[0].order_id},
                )

    def _tracking(self, orders: list[Order]) -> Iterable[Out]:
        tracked = [order for order in orders if order.shipments]
        if not tracked:
            yield Out("order.told.no_tracking", {"order": orders[0].order_id if orders else ""})
        for order in tracked[:3]:
            numbers = ", ".join(number for shipment in order.shipments for number in shipment.tracking_ids)
            yield Out("order.told.tracking", {"order": order.order_id, "numbers": numbers})

    def _status(self, orders: list[Order]) -> list[Out]:
        if not orders:
            return [Out("order.told.none")]
        if len(orders) > 3:
            return [self._list()]
        if len(orders) == 1:
            self.state.last_order = orders[0].order_id
        return [
            Out(
                "order.told.status",
                {"order": o.order_id, "status": o.status, "items": ", ".join(i.name for i in o.items)},
            )
            for o in orders
        ]

    def _list(self) -> Out:
        if not self.world.orders:
            return Out("order.told.none")
        return Out(
            "order.told.list", {"choices": tell.numbered([tell.order_line(order) for order in self.world.orders])}
        )

    def _balance(self) -> Out:
        cards = [method.balance for method in self.world.customer.methods if method.balance is not None]
        if not cards:
            return Out("order.told.no_gift_card")
        return Out("order.told.balance", {"balance": str(add(cards))})

    def _back(self) -> Out:
        """Tell what the changes of this conversation bring, and what each brought."""
        amounts = [-int(amount) for _, _, amount in self.state.refunds]
        currency = self.world.orders[0].total.currency if self.world.orders else ""
        if not amounts:
            return Out("order.told.nothing_back")
        each = ", ".join(
            f"{order_id or action} {Money(-int(amount), currency)}"
            for action, order_id, amount in self.state.refunds
            if int(amount)
        )
        return Out("order.told.back", {"total": str(Money(sum(amounts), currency)), "each": each})
