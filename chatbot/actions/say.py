"""One turn's way to answer: an act, its values, and what comes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from chatbot.actions.memory import MOOD, recall, remember
from chatbot.languages import DEFAULT, read
from chatbot.openings import wish_of
from chatbot.ports import MEMORY, Answer
from chatbot.voice import Voice
from chatbot.voice.states import DISTRESSED

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


class Say:
    """Knows the turn and the shopper's state, and sends messages.

    `text` is what was understood of the message, `said` the whole of it, `wrote` that in the shopper's own words: "ok and cheese" is
    understood as "cheese".
    """

    def __init__(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        voice: Voice,
        known: Callable[[str], bool] = lambda _: False,
    ) -> None:
        recalled = recall(tracker)
        latest = tracker.latest_message
        metadata = latest.get("metadata") or {}
        self.conversation_id = str(metadata.get("conversation_id") or tracker.sender_id)
        self.state = str(metadata.get("state") or "neutral")
        self.sells = bool(metadata.get("sells", True))
        self.plain = bool(metadata.get("plain", True))
        reads = str(metadata.get("reads") or DEFAULT)
        text = str(latest.get("text") or "")
        self.text = read(text, reads, known) if reads == DEFAULT else wish_of(read(text, reads, known))
        self.wrote = str(metadata.get("said") or text)
        self.said = read(self.wrote, reads, known)
        intent = str((latest.get("intent") or {}).get("name") or "")
        self.intent = "clarify" if intent == "nlu_fallback" else intent  # as the action that stands for it
        ranked = [str(one.get("name")) for one in latest.get("intent_ranking") or ()]
        self.likeliest = next((name for name in ranked if name != "nlu_fallback"), intent)
        sure = (latest.get("intent") or {}).get("confidence")
        self.confidence = 1.0 if sure is None else float(sure)
        self.entities: list[dict[str, Any]] = list(latest.get("entities") or [])
        self.tracker, self.voice = tracker, voice.speaking(str(metadata.get("language") or voice.language))
        self._dispatcher = dispatcher
        told = _told(tracker) if recalled is None else recalled
        self._said = [text for _, text in told]
        self.last_act = self._act = told[-1][0] if told else ""

    def remember(self, events: list[dict[str, Any]]) -> None:
        """Send what the next message is to bring along, where a gateway keeps it."""
        sent = self._dispatcher.messages
        if sent and MEMORY in (self.tracker.latest_message.get("metadata") or {}):
            sent[-1]["custom"][MEMORY] = remember(self.tracker, events, self._said, self._act)

    @property
    def felt(self) -> list[dict[str, Any]]:
        """Return what tells Rasa's slot `mood` how the shopper feels; nothing where the message did not say."""
        told = (self.tracker.latest_message.get("metadata") or {}).get("state")
        return [SlotSet(MOOD, str(told))] if told else []

    @property
    def troubled(self) -> bool:
        """Whether the shopper is in distress."""
        return self.state in DISTRESSED

    @property
    def last_said(self) -> str | None:
        """What the assistant said last, or None."""
        return self._said[-1] if self._said else None

    def slot(self, name: str) -> Any:
        """Return a slot's value."""
        return self.tracker.get_slot(name)

    def entity(self, name: str) -> str | None:
        """Return the first entity of that name, or None."""
        return next((str(entity.get("value")) for entity in self.entities if entity.get("entity") == name), None)

    def __call__(
        self, act: str, answer: Answer | None = None, replies: Replies | None = None, **values: str | int
    ) -> None:
        """Send one message; someone in distress is always offered a human, and is sold nothing."""
        brand = self.voice.brand
        text = self.voice.word(act, values, self.state, self._said, plain=self.plain)
        shown = [reply for reply in replies or [] if brand.may_offer(reply[1], self.state, sells=self.sells)]
        if self.troubled and HUMAN not in shown and not act.startswith("handoff."):
            shown.append(HUMAN)
        self._said.append(text)
        self._act = act
        answer = answer or Answer()
        if not brand.may_show_items(act, self.state, sells=self.sells):
            answer = replace(answer, items=[], decision_id=None)
        answer = _in_its_language(answer, self.voice)
        self._dispatcher.utter_message(
            json_message={
                "act": act, "text": text, "items": answer.items, "coupon": answer.coupon, "decision_id": answer.decision_id,
                "basket": answer.basket, "table": answer.table,
                "quick_replies": [{"title": self.voice.phrases.title(title), "text": reply} for title, reply in shown],
            }
        )  # fmt: skip


def _in_its_language(answer: Answer, voice: Voice) -> Answer:
    """Return an answer whose cards and table say their English pieces in the voice's language."""
    say = voice.phrases.say
    items = [{**item, "reason": say(str(item["reason"]))} if item.get("reason") else item for item in answer.items]
    coupon = (
        {**answer.coupon, "text": say(str(answer.coupon["text"]))}
        if answer.coupon and "text" in answer.coupon
        else answer.coupon
    )
    table = answer.table and {name: _said_in(cells, say) for name, cells in answer.table.items()}
    return replace(answer, items=items, coupon=coupon, table=table)


def _said_in(cells: Any, say: Callable[[str], str]) -> Any:
    if isinstance(cells, list):
        return [_said_in(cell, say) for cell in cells]
    return say(cells) if isinstance(cells, str) else cells


def _told(tracker: Tracker) -> list[tuple[str, str]]:
    """Return what the assistant said in the turns that the tracker holds, oldest first: (act, text)."""
    found = []
    for event in tracker.events or []:
        custom = ((event.get("data") or {}).get("custom") or {}) if event.get("event") == "bot" else {}
        if custom.get("text"):
            found.append((str(custom.get("act") or ""), str(custom["text"])))
    return found
