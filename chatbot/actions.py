"""Rasa's custom actions. They run inside the api, ask the `ShopAssistant`, and word what it finds in the right tone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from chatbot.intents import INTENTS
from chatbot.ports import Answer, ShopAssistant
from personalization.ranking.text import ruled_out_by, unwanted, wanted, words

log = structlog.get_logger(__name__)
Replies = list[tuple[str, str]]
ASK_MORE: Replies = [
    ("Recommend something", "what do you recommend"),
    ("Any coupons?", "any coupons for me"),
    ("Opening hours", "when are you open"),
]
AFTER_ITEMS: Replies = [
    ("Why these?", "why this?"),
    ("Any coupons?", "any coupons for me"),
    ("Something else", "show me something different"),
]
HUMAN: tuple[str, str] = ("Talk to a human", "talk to a human")
NOT_ME: tuple[str, str] = ("That is not me", "that is not me")


class Say:
    """One turn's way to answer: knows the mood, and sends one message."""

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        metadata = tracker.latest_message.get("metadata") or {}
        self.conversation_id = str(metadata.get("conversation_id") or tracker.sender_id)
        self.troubled = metadata.get("mood") == "troubled"
        self.text = str(tracker.latest_message.get("text") or "")
        self.tracker = tracker
        self._dispatcher = dispatcher

    def __call__(self, text: str, answer: Answer | None = None, replies: Replies | None = None) -> None:
        """Send one message; someone in trouble is always offered a human, and is not shouted at."""
        replies = list(replies or [])
        if self.troubled:
            text = text.replace("!", ".")
            if HUMAN not in replies:
                replies.append(HUMAN)
        answer = answer or Answer()
        self._dispatcher.utter_message(
            json_message={
                "text": text, "items": answer.items, "coupon": answer.coupon, "decision_id": answer.decision_id,
                "quick_replies": [{"title": title, "text": reply} for title, reply in replies],
            }
        )  # fmt: skip


Handler = Callable[[ShopAssistant, Say], Any]
_HANDLERS: dict[str, Handler] = {}


def _on(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS[f"action_{name}"] = handler
        return handler

    return register


class AssistantAction(Action):
    """One named action: runs its handler on a thread, since the assistant's calls block."""

    def __init__(self, name: str, handler: Handler, assistant: ShopAssistant) -> None:
        self._name, self._handler, self._assistant = name, handler, assistant

    def name(self) -> str:
        """Return the name that the domain uses."""
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[dict[str, Any]]:
        """Run the handler; when it fails the shopper reads that, and what to do, instead of nothing."""
        say = Say(dispatcher, tracker)
        try:
            events = await asyncio.to_thread(self._handler, self._assistant, say)
        except Exception as error:
            log.exception("action failed", action=self._name, kind=type(error).__name__)
            say("That did not work on our side. Nothing was lost; please try again in a moment.", replies=[HUMAN])
            events = None
        understood = self._name not in {"action_clarify", "action_out_of_scope"}
        return [*(events or []), *([SlotSet("misunderstood", 0.0)] if understood else [])]


def build_executor(assistant: ShopAssistant) -> ActionExecutor:
    """Return an executor that knows every action of the domain; what has no handler yet says so."""
    executor = ActionExecutor()
    for name, handler in ({f"action_{intent}": _not_yet for intent in INTENTS} | _HANDLERS).items():
        executor.register_action(AssistantAction(name, handler, assistant))
    return executor


def _not_yet(assistant: ShopAssistant, say: Say) -> None:
    say(
        "I cannot do that here yet, but a person can. I can also find products, suggest things and look for coupons.",
        replies=[HUMAN, *ASK_MORE[:2]],
    )


@_on("greet")
def _greet(assistant: ShopAssistant, say: Say) -> None:
    known = " I can use what you bought before to help you." if assistant.is_member(say.conversation_id) else ""
    say(f"Hello! I am the shop's AI assistant.{known} What can I do for you?", replies=ASK_MORE)


@_on("bot_challenge")
def _bot_challenge(assistant: ShopAssistant, say: Say) -> None:
    say("I am an AI assistant, not a person. I find products, suggest things, look for coupons and tell you what is stored about you. "
        "A human is one tap away.", replies=[*ASK_MORE[:2], HUMAN])  # fmt: skip


@_on("product_search")
def _search(assistant: ShopAssistant, say: Say) -> None:
    if _careful(assistant, say):
        return
    answer = assistant.recommend(say.conversation_id, query=say.text)
    if answer.items and all(item.get("matched") for item in answer.items):
        found = "Here is what I found." if len(answer.items) > 1 else "I found this one."
        say(
            found if _named(say.text, answer.items) else "These come closest to what you asked for.",
            answer,
            AFTER_ITEMS,
        )
    else:
        say(
            "I found nothing that fits those words. Could you name the product another way? Meanwhile, these may help.",
            answer,
            [ASK_MORE[0], HUMAN],
        )


def _careful(assistant: ShopAssistant, say: Say) -> bool:
    """Answer a question that rules something out, an allergy say; False when it does not."""
    if not unwanted(say.text):
        return False
    answer = assistant.recommend(say.conversation_id, query=say.text)
    named = " and ".join(ruled_out_by(say.text))
    say(
        f"I left out what names {named}, as far as I can tell. I do not know every ingredient, so please read the label.",
        answer,
        [*AFTER_ITEMS[:1], HUMAN],
    )
    return True


def _named(query: str, items: list[dict[str, Any]]) -> bool:
    """Whether every word of the query stands on some item: who asks for oat milk is not told that milk is it."""
    shown = {word for item in items for word in words(f"{item.get('name', '')} {item.get('category', '')}")}
    return set(words(wanted(query))) <= shown


@_on("recommend")
def _recommend(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.recommend(say.conversation_id)
    if not answer.items:
        say("I have nothing to suggest right now. Tell me what you are looking for and I will search.", replies=[HUMAN])
    elif say.troubled:
        say("Let me keep it short: a few things that fit.", answer, AFTER_ITEMS[:1])
    else:
        say(answer.text, answer, AFTER_ITEMS)


@_on("why")
def _why(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.why(say.conversation_id)
    say(
        answer.text or "I have not suggested anything yet. Shall I?",
        answer,
        [("What do you know about me?", "what do you know about me"), *ASK_MORE[:1]],
    )


@_on("coupon")
def _coupon(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.recommend(say.conversation_id, wants_coupon=True)
    if answer.coupon:
        say(
            "Here is a coupon for you. Show the code at the till.",
            Answer(coupon=answer.coupon, decision_id=answer.decision_id),
            [("Why this one?", "why this?")],
        )
    else:
        say("There is no coupon for you at the moment. I will not pretend otherwise.", replies=ASK_MORE[:1])


@_on("order_history")
def _orders(assistant: ShopAssistant, say: Say) -> None:
    answer = assistant.orders(say.conversation_id)
    say(answer.text, answer, ASK_MORE[:1])


@_on("store_hours")
def _hours(assistant: ShopAssistant, say: Say) -> None:
    say(f"We are open {assistant.store_hours()}.", replies=ASK_MORE[:1])


@_on("complaint")
def _complaint(assistant: ShopAssistant, say: Say) -> Any:
    say(
        "I am sorry about that. I can't put it right myself, but a person can. Shall I get someone?",
        replies=[HUMAN, ("No, go on", "no thanks")],
    )
    return [SlotSet("asked", "human")]


@_on("human")
def _human(assistant: ShopAssistant, say: Say) -> None:
    say(assistant.handoff(say.conversation_id).text)


@_on("forget_me")
def _forget_me(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say(
            "I do not know who you are, so there is no profile to forget. This conversation is deleted when you ask a human to do so.",
            replies=[HUMAN],
        )
        return
    say(
        "Of course. What should I forget?",
        replies=[
            ("Forget my face", "forget my face only"),
            ("Forget everything", "forget everything"),
            ("Keep my data", "keep my data"),
        ],
    )


@_on("forget_face_only")
def _forget_face(assistant: ShopAssistant, say: Say) -> None:
    say(assistant.forget_face(say.conversation_id).text)


@_on("forget_everything")
def _confirm_erase(assistant: ShopAssistant, say: Say) -> None:
    if not assistant.is_member(say.conversation_id):
        say("I do not know who you are, so there is nothing to erase.")
        return
    say("That deletes your profile, your order history here, your consents, your face template and our conversations. It cannot be undone.",
        replies=[("Yes, erase everything", "/erase_now"), ("No, keep my data", "keep my data")])  # fmt: skip


@_on("erase_now")
def _erase(assistant: ShopAssistant, say: Say) -> None:
    say(assistant.erase(say.conversation_id).text)


@_on("keep_data")
def _keep(assistant: ShopAssistant, say: Say) -> None:
    say("Everything stays as it is.")


@_on("what_do_you_know")
def _know(assistant: ShopAssistant, say: Say) -> None:
    wrong: Replies = [NOT_ME] if assistant.conclusions(say.conversation_id) else []
    say(
        assistant.knowledge(say.conversation_id).text,
        replies=[*wrong, ("Forget me", "forget me"), ("Keep my data", "keep my data")],
    )


@_on("not_me")
def _not_me(assistant: ShopAssistant, say: Say) -> None:
    found = assistant.conclusions(say.conversation_id)
    if not found:
        say("There is nothing that I conclude about you, so there is nothing to correct.", replies=ASK_MORE[:1])
        return
    wrong = [(title, f"/veto_label{json.dumps({'label': name})}") for name, title in found]
    say(
        "Which of these is not you? I will forget it, and not conclude it again.",
        replies=[*wrong, ("All of it is right", "keep my data")],
    )


@_on("veto_label")
def _veto_label(assistant: ShopAssistant, say: Say) -> None:
    entities = say.tracker.latest_message.get("entities") or []
    label = next((str(entity.get("value")) for entity in entities if entity.get("entity") == "label"), "")
    again: Replies = [NOT_ME] if len(assistant.conclusions(say.conversation_id)) > 1 else []
    say(assistant.veto(say.conversation_id, label).text, replies=[*again, *ASK_MORE[:1]])


@_on("kiosk_link")
def _link(assistant: ShopAssistant, say: Say) -> None:
    say(assistant.link_code(say.conversation_id).text)


@_on("consent_grant")
def _grant(assistant: ShopAssistant, say: Say) -> None:
    say(assistant.grant_profiling(say.conversation_id).text, replies=ASK_MORE[:1])


@_on("affirm")
def _affirm(assistant: ShopAssistant, say: Say) -> Any:
    if say.tracker.get_slot("asked") == "human":
        say(assistant.handoff(say.conversation_id).text)
        return [SlotSet("asked", None)]
    say("Good. What would you like to do?", replies=ASK_MORE)
    return None


@_on("deny")
def _deny(assistant: ShopAssistant, say: Say) -> Any:
    say("All right. I am here if you need anything.")
    return [SlotSet("asked", None)]


@_on("thanks")
def _thanks(assistant: ShopAssistant, say: Say) -> None:
    say("You're welcome!")


@_on("goodbye")
def _goodbye(assistant: ShopAssistant, say: Say) -> None:
    say("Goodbye, and thank you for stopping by.")


@_on("out_of_scope")
def _out_of_scope(assistant: ShopAssistant, say: Say) -> Any:
    return _misunderstood(say, "That is outside what I can do: I only know this shop.")


@_on("clarify")
def _clarify(assistant: ShopAssistant, say: Say) -> Any:
    """Before giving up on a message, see whether it names a product."""
    if _careful(assistant, say):
        return None
    if _misses(say) < 2:
        answer = assistant.recommend(say.conversation_id, query=say.text)
        if answer.items and all(item.get("matched") for item in answer.items):
            if _named(say.text, answer.items):  # "toothpaste" alone is a question, too
                say("Here is what I found.", answer, AFTER_ITEMS)
                return [SlotSet("misunderstood", 0.0)]
            say("I am not sure that I understood. Is it one of these?", answer, [*AFTER_ITEMS[:1], HUMAN])
            return [SlotSet("misunderstood", float(_misses(say) + 1))]
    return _misunderstood(say, "I did not understand that.")


def _misses(say: Say) -> int:
    return int(say.tracker.get_slot("misunderstood") or 0)


def _misunderstood(say: Say, text: str) -> list[dict[str, Any]]:
    misses = _misses(say) + 1
    if misses >= 2:
        say(f"{text} Rather than go in circles, shall I get a human?", replies=[HUMAN, *ASK_MORE[:1]])
        return [SlotSet("misunderstood", float(misses)), SlotSet("asked", "human")]
    say(f"{text} I can help with these:", replies=ASK_MORE)
    return [SlotSet("misunderstood", float(misses))]
