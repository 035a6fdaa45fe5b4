"""How a shopper's mood is followed: text, face and behaviour in, an estimate per conversation and, by consent, per member out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.wiring import Services
from chatbot.affect import AffectState, begin, load, remembered, see
from chatbot.emotion.foreign import listener
from chatbot.emotion.model_ import top_label
from chatbot.emotion.reading import Reading
from chatbot.emotion.satisfaction import Turn, dissatisfied
from chatbot.handoff import LOST
from chatbot.languages import DEFAULT, read
from chatbot.signals import cause_of, from_behaviour, from_face, from_text, repeats, without_courtesy
from personalization.types import TEXT, EventType, MemberId, Purpose, Subject
from stores.conversations import Conversation, Message
from stores.database import new_id
from stores.events import Event


@dataclass(frozen=True, slots=True)
class Signals:
    """What came with a message, or instead of one: acts of the shopper, and how their face looks."""

    behaviours: Sequence[str] = ()
    expression: str | None = None
    valence: float | None = None


READINGS = 2_000
FOREIGN_DOUBT = 2.0  # what English hears through a glossary is less sure (docs/models/emotion.md)
LOOKED_BACK = 3  # earlier messages that are read again: each takes some milliseconds


def _answered(messages: Sequence[Message]) -> str:
    return next((str(one.body.get("text") or "") for one in reversed(messages) if one.role == "bot"), "")


class Moods:
    """Takes observations in and keeps the estimates."""

    def __init__(self, services: Services) -> None:
        self._services, self._emotion = services, listener(services.settings.emotion_model)
        self._readings: dict[bytes, Reading] = {}

    def hear(
        self, conversation: Conversation, text: str, earlier: Sequence[Message], signals: Signals, now: datetime
    ) -> AffectState:
        """Return the mood after a message that follows `earlier` ones, stored before the dialogue asks the core, which reads it."""
        asked = [str(message.body.get("text")) for message in earlier if message.role == "user"]
        acts = [str(message.body.get("act") or "") for message in earlier if message.role == "bot"]
        behaviours = list(signals.behaviours)
        behaviours += ["repeated_question"] * repeats(text, asked)
        if acts and acts[-1] in LOST:
            behaviours.append("failed_turn")
        heard = self._read(plain := read(text, conversation.language))
        felt, label = heard.affect, top_label(heard.affect)
        last = acts[-1] if acts else None
        turns = self._turns(earlier, conversation.language)
        unmet = dissatisfied([*turns, Turn(plain, heard, _answered(earlier), last in LOST)])
        state = load(conversation.affect) or self._first(conversation, now)
        told = from_text(plain, felt, heard.state.chances, unmet=unmet, exasperated=heard.exasperated)
        doubt = FOREIGN_DOUBT if conversation.language != DEFAULT else 1.0
        words = replace(told, cause=cause_of(last), variance=told.variance * doubt)
        acts_too = replace(signals, behaviours=behaviours)
        state = _acted(see(state, words, label, now), acts_too, now)
        # the log outlives a withdrawal: what a face ever had a part in stays out of it
        logged = state if state.source == TEXT else _acted(see(begin(now), words, label, now), acts_too, now)
        state = self._faced(conversation, state, signals, now)
        self._keep(conversation, state, now, self._event(conversation, logged, now))
        return state

    def _turns(self, earlier: Sequence[Message], language: str) -> list[Turn]:
        """Return the last LOOKED_BACK messages of the shopper, each with the answer that it followed."""
        asked = [place for place, message in enumerate(earlier) if message.role == "user"][-LOOKED_BACK:]
        return [
            Turn(text, self._read(text), _answered(earlier[:place]))
            for place in asked
            if (text := read(str(earlier[place].body.get("text") or ""), language))
        ]

    def _read(self, text: str) -> Reading:
        """Return what is heard in a text; the latest readings are kept under a hash of the words, since earlier turns are read again."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        found = self._readings.get(key)
        if found is None:
            if len(self._readings) >= READINGS:
                self._readings.clear()
            found = self._readings[key] = self._emotion.read(without_courtesy(text))
        return found

    def notice(self, conversation: Conversation, signals: Signals, now: datetime) -> AffectState:
        """Return the mood after something that was no message."""
        state = load(conversation.affect) or self._first(conversation, now)
        state = self._faced(conversation, _acted(state, signals, now), signals, now)
        self._keep(conversation, state, now)
        return state

    def _first(self, conversation: Conversation, now: datetime) -> AffectState:
        member_id = conversation.member_id
        if member_id is None:
            return begin(now)
        granted = self._services.consents.granted(Subject(MemberId(member_id)), at=now)
        return begin(now, remembered(self._services.member_affect.get(member_id, at=now), granted))

    def _faced(self, conversation: Conversation, state: AffectState, signals: Signals, now: datetime) -> AffectState:
        member_id = conversation.member_id
        if signals.expression and member_id and self._granted(member_id, Purpose.EXPRESSION, now):
            state = see(state, from_face(signals.expression, signals.valence), state.label, now, turn=False)
        return state

    def _keep(self, conversation: Conversation, state: AffectState, now: datetime, *events: Event) -> None:
        self._services.conversations.felt(conversation.conversation_id, state.as_json(), events, at=now)
        member_id = conversation.member_id
        if member_id is None:
            return
        if self._granted(member_id, Purpose.PROFILING, now):
            self._services.member_affect.put(member_id, state.as_json(), at=now)
        elif self._services.member_affect.get(member_id, at=now) is not None:
            self._services.member_affect.forget(member_id)

    def _granted(self, member_id: str, purpose: Purpose, now: datetime) -> bool:
        return purpose in self._services.consents.granted(Subject(MemberId(member_id)), at=now)

    def _event(self, conversation: Conversation, state: AffectState, now: datetime) -> Event:
        payload = {"valence": state.valence, "arousal": state.arousal, "label": state.label}
        return Event(
            new_id(),
            EventType.MESSAGE_SENT,
            now,
            "widget",
            conversation.member_id,
            conversation.visitor_id,
            payload=payload,
        )


def _acted(state: AffectState, signals: Signals, now: datetime) -> AffectState:
    for kind in signals.behaviours:
        state = see(state, from_behaviour(kind), state.label, now, turn=False)
    return state


def told(state: AffectState) -> dict[str, Any]:
    """Return the mood as the api tells it."""
    return {
        "valence": state.valence, "arousal": state.arousal, "label": state.label, "mood": state.mood, "state": state.state,
        "uncertainty": state.uncertainty, "cause": state.cause,
    }  # fmt: skip
