"""Orders: status, cancel, change, return, exchange. The dialogue itself is `chatbot.orders`; here it meets Rasa and the voice."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.registry import ANSWERS, NOT_AN_ANSWER, awaits, on, reminds
from chatbot.actions.say import ASK_MORE, HUMAN, Say
from chatbot.intents import INTENTS
from chatbot.orders.entities import read_proof
from chatbot.orders.flow import OrderFlow
from chatbot.orders.service import OrderService
from chatbot.orders.state import Out, State, load_state
from chatbot.orders.wishes import speaks_of_orders
from chatbot.ports import ShopAssistant

FLOW = "order"
ORDER_INTENTS = (
    "order_history", "order_status", "order_cancel", "order_change_items", "order_change_address", "order_change_payment", "order_return",
    "order_exchange", "change_address",
)  # fmt: skip
_NEVER_OURS = frozenset(
    name
    for name in INTENTS
    if name.startswith(("forget", "keep", "consent", "erase", "veto", "kiosk"))
    or name
    in {
        "human",
        "complaint",
        "feedback",
        "goodbye",
        "bot_challenge",
        "what_do_you_know",
        "not_me",
        "ask_language",
        "help",
        "repeat",
    }
)
_NOT_KNOWN = frozenset(("order.identify.again", "order.identify.unknown"))
"""Acts after which who cannot say who they are would be asked for ever."""
_MAY_BE_OURS = tuple(name for name in INTENTS if name not in _NEVER_OURS and f"action_{name}" not in ANSWERS)


def take_order(assistant: ShopAssistant, say: Say) -> Any:
    """Hear a message that is about orders."""
    service = assistant.order_service(say.conversation_id)
    if service is None:
        return _elsewhere(assistant, say)
    state = load_state(say.slot("order_flow"))
    said = _respond(service, assistant, say, state)
    return _speak(say, said, state)


for _intent in ORDER_INTENTS:
    on(_intent)(take_order)


def _elsewhere(assistant: ShopAssistant, say: Say) -> None:
    """Tell what was bought, where the shop has connected no orders that could be changed."""
    if say.intent in {"order_history", "order_status"}:
        answer = assistant.orders(say.conversation_id)
        say(f"order.history.{answer.act}" if answer.act else "order.history", answer, ASK_MORE[:1], orders=answer.text)
    elif say.intent == "change_address":
        member = assistant.is_member(say.conversation_id)
        act = "account.address" if member else "account.address.unknown"
        say(act, replies=[("Of an order", "change the address of my order"), HUMAN], contact=assistant.shop().contact)
    else:
        say("order.unmanaged", replies=[HUMAN, ("What I bought", "what did I buy")])


@awaits(FLOW, also=_MAY_BE_OURS)
def _answer(assistant: ShopAssistant, say: Say) -> Any:
    """Hear what may be an answer. What was understood as something else, and answers nothing here, is a digression."""
    service = assistant.order_service(say.conversation_id)
    if service is None:
        return NOT_AN_ANSWER
    state = load_state(say.slot("order_flow"))
    if say.intent == "never_mind" and not state.customer_id:
        return _given_up(service, say, state)
    ours = f"action_{say.intent}" in ANSWERS or say.intent in ORDER_INTENTS or not say.intent
    if not state.customer_id:
        asks_again = ours or bool(read_proof(say.said, asked=True)) or speaks_of_orders(say.said)
        return _speak(say, _respond(service, assistant, say, state), state) if asks_again else NOT_AN_ANSWER
    open_question = bool(state.asked)
    said = _respond(service, assistant, say, state)
    idle = said and all(out.act in {"order.ready", "order.unclear.start"} for out in said)
    lost = said and any(out.act.startswith("order.unclear") for out in said)
    if (idle and not open_question) or (lost and not ours):
        return NOT_AN_ANSWER
    if lost and say.intent == "never_mind":
        return _given_up(service, say, state)
    return _speak(say, said, state)


def _given_up(service: OrderService, say: Say, state: State) -> list[dict[str, Any]]:
    """Stop where the shopper wants no more of it."""
    _words(say, OrderFlow(service.book, service).give_up(state))
    return [SlotSet("order_flow", state.as_json()), SlotSet("awaiting", None)]


@reminds(FLOW)
def _remind(assistant: ShopAssistant, say: Say) -> None:
    service = assistant.order_service(say.conversation_id)
    state = load_state(say.slot("order_flow"))
    if service is not None and (state.asked or state.waiting):
        _words(say, OrderFlow(service.book, service).remind(state))


def _respond(service: OrderService, assistant: ShopAssistant, say: Say, state: State) -> list[Out]:
    return OrderFlow(service.book, service).respond(
        state,
        say.said,
        intent=say.intent,
        signed_in=assistant.customer(say.conversation_id),
        conversation_id=say.conversation_id,
    )


def _speak(say: Say, said: list[Out], state: State) -> list[dict[str, Any]]:
    _words(say, said)
    blocked = any(out.act == "order.identify.blocked" for out in said)
    return [SlotSet("order_flow", state.as_json()), SlotSet("awaiting", None if blocked else FLOW)]


def _words(say: Say, said: list[Out]) -> None:
    for out in said:
        say(out.act, None, [*out.replies, *([HUMAN] if out.act in _NOT_KNOWN else [])], **out.values)
