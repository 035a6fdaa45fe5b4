"""What is said in any conversation: hello and goodbye, yes and no, help, and what was not understood."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.looking import entities, look, state_of
from chatbot.actions.orders import take_order
from chatbot.actions.people import hand_over
from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, HUMAN, Say
from chatbot.actions.search import maybe_product, product_named
from chatbot.orders.entities import read_proof
from chatbot.ports import ShopAssistant
from chatbot.shopping.wish import only_tells, searched


@on("greet")
def _greet(assistant: ShopAssistant, say: Say) -> None:
    known = assistant.is_member(say.conversation_id)
    say("conversation.greet.member" if known else "conversation.greet", replies=ASK_MORE)


@on("bot_challenge")
def _bot_challenge(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.bot_challenge", replies=[*ASK_MORE[:2], HUMAN])


@on("thanks")
def _thanks(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.thanks")


@on("goodbye")
def _goodbye(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.goodbye")


@on("help")
def _help(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.help", replies=[*ASK_MORE, HUMAN])


@on("ask_language")
def _ask_language(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.ask_language", replies=[HUMAN], languages=say.voice.languages)


@on("chitchat")
def _chitchat(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.chitchat", replies=ASK_MORE)


@on("repeat")
def _repeat(assistant: ShopAssistant, say: Say) -> None:
    if say.last_said is None:
        say("conversation.repeat.nothing", replies=ASK_MORE)
    else:
        say("conversation.repeat", replies=[HUMAN], said=_once(say.last_said))


def _once(said: str) -> str:
    """Return what was said, without the words that introduced an earlier repetition."""
    for opening in ("Once more: ", "I said: ", "Noch einmal: ", "Ich sagte: "):
        said = said.removeprefix(opening)
    return said


@on("inform")
def _inform(assistant: ShopAssistant, say: Say) -> Any:
    """Take a detail that nothing asked for as who writes, or as the name of a product, if it is one of them."""
    if "email" in read_proof(say.said, asked=False) and assistant.order_service(say.conversation_id) is not None:
        return take_order(assistant, say)
    shown = product_named(assistant, say)
    return shown if shown is not None else say("conversation.inform", replies=ASK_MORE)


@on("never_mind")
def _never_mind(assistant: ShopAssistant, say: Say) -> Any:
    say("conversation.never_mind", replies=ASK_MORE)
    return [SlotSet("asked", None), SlotSet("awaiting", None)]


_SAYS_WHAT = re.compile(
    r"\b(?:i (?:mean|meant|said|wanted|asked for|was looking for)|but|rather|instead)\b", re.IGNORECASE
)


@on("correction")
def _correction(assistant: ShopAssistant, say: Say) -> Any:
    """Do the right thing where it was said ("no, I meant almond milk"), else ask for it."""
    shown = product_named(assistant, say)
    if shown is not None:
        return shown
    wish = searched(say.text, entities(say))
    if wish.query and _SAYS_WHAT.search(say.text):
        return look(assistant, say, wish, state=state_of(say))
    return say("conversation.correction", replies=[HUMAN])


@on("affirm")
def _affirm(assistant: ShopAssistant, say: Say) -> Any:
    if say.slot("asked") == "human" or say.last_act.startswith("handoff.offer"):
        hand_over(assistant, say)
        return [SlotSet("asked", None)]
    say("conversation.affirm", replies=ASK_MORE)
    return None


@on("deny")
def _deny(assistant: ShopAssistant, say: Say) -> Any:
    say("conversation.deny")
    return [SlotSet("asked", None)]


@on("out_of_scope")
def _out_of_scope(assistant: ShopAssistant, say: Say) -> Any:
    return _misunderstood(say, "conversation.out_of_scope")


@on("clarify")
def _clarify(assistant: ShopAssistant, say: Say) -> Any:
    """Before giving up on a message, see whether it names a product."""
    shown = None if only_tells(say.text) else product_named(assistant, say)
    if shown is not None:
        return [*shown, SlotSet("misunderstood", 0.0)]
    if _misses(say) < 2 and not only_tells(say.text):
        near = maybe_product(assistant, say)
        if near is not None:
            return [*near, SlotSet("misunderstood", float(_misses(say) + 1))]
    return _misunderstood(say, "conversation.clarify")


def _misses(say: Say) -> int:
    return int(say.slot("misunderstood") or 0)


def _misunderstood(say: Say, act: str) -> list[dict[str, Any]]:
    misses = _misses(say) + 1
    if misses >= 2:
        say(f"{act}.again", replies=[HUMAN, *ASK_MORE[:1]])
        return [SlotSet("misunderstood", float(misses)), SlotSet("asked", "human")]
    say(act, replies=ASK_MORE)
    return [SlotSet("misunderstood", float(misses))]
