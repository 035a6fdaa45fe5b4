"""One chat message, all the way: emotion, affect, dialogue, answer, record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread

from api.services.assistant import Assistant
from api.services.turns import Turns
from api.wiring import Services
from chatbot.affect import AffectState, load, update
from chatbot.emotion import EmotionModel
from chatbot.emotion.model_ import top_label
from chatbot.engines import FallbackEngine, RasaEngine, ResilientEngine
from chatbot.ports import BotMessage, QuickReply, Reply, Turn
from chatbot.voice import default_voice
from personalization.types import EventType
from stores.conversations import Conversation
from stores.database import new_id
from stores.events import Event

GREETING_REPLIES = [
    QuickReply("Recommend something", "what do you recommend"), QuickReply("Any coupons?", "any coupons for me"),
    QuickReply("Talk to a human", "talk to a human"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """What the widget gets for one message."""

    messages: list[dict[str, Any]]
    affect: dict[str, Any]
    engine: str
    handoff: bool


class Chat:
    """Answers messages; the blocking parts run on threads."""

    def __init__(self, services: Services, assistant: Assistant) -> None:
        self._services, self._assistant = services, assistant
        self._emotion, self._turns = EmotionModel(), Turns()
        settings = services.settings
        self.rasa = RasaEngine(services.http, settings.rasa_url, settings.rasa_timeout_s)
        self._engine = ResilientEngine(self.rasa, FallbackEngine(self._popular, settings.support_contact))

    async def answer(self, conversation: Conversation, text: str, title: str | None = None) -> Answered:
        """Answer `text`; what the shopper saw of it is `title`, when a button stood for it.

        Messages of one conversation are answered, and stored, in the order in which they came.
        """
        started = time.perf_counter()
        async with self._turns.of(conversation.conversation_id):
            answered = await self._answer(conversation, text, title)
        self._services.metrics.chat_seconds.labels(answered.engine).observe(time.perf_counter() - started)
        return answered

    async def _answer(self, conversation: Conversation, text: str, title: str | None) -> Answered:
        now = datetime.now(UTC)
        state = await anyio.to_thread.run_sync(self._note, conversation, title or text, now)
        reply = await self._engine.respond(Turn(conversation.conversation_id, text, state))
        return await anyio.to_thread.run_sync(self._record, conversation, title or text, reply, state, now)

    def _note(self, conversation: Conversation, text: str, now: datetime) -> AffectState:
        """Store the mood before the dialogue asks the core, which reads it."""
        services, felt = self._services, self._emotion.predict(text)
        fresh = services.conversations.get(conversation.conversation_id)  # an earlier message may have changed it
        state = update(load(fresh.affect if fresh else None), felt, top_label(felt), now)
        services.conversations.set(conversation.conversation_id, affect=state.as_json())
        mood = {"valence": state.valence, "arousal": state.arousal, "label": state.label}
        event = Event(
            new_id(),
            EventType.MESSAGE_SENT,
            now,
            "widget",
            conversation.member_id,
            conversation.visitor_id,
            payload=mood,
        )
        services.events.append_batch([event], received_at=now)
        return state

    def _record(
        self, conversation: Conversation, text: str, reply: Reply, state: AffectState, now: datetime
    ) -> Answered:
        bodies = [message.as_json() for message in reply.messages]
        after = self._services.conversations.get(conversation.conversation_id)
        ids: list[str] = []
        if after is not None:  # None: the shopper just erased everything, this conversation too
            entries = [("user", {"text": text}), *(("bot", body) for body in bodies)]
            ids = self._services.conversations.append(conversation.conversation_id, entries, at=now)[1:]
        ids = ids or [new_id() for _ in bodies]
        messages = [
            {"message_id": message_id, "role": "bot", **body} for message_id, body in zip(ids, bodies, strict=True)
        ]
        mood = {"valence": state.valence, "arousal": state.arousal, "label": state.label, "mood": state.mood}
        return Answered(messages, mood, reply.engine, after.handoff if after else False)

    async def _popular(self, conversation_id: str) -> tuple[list[dict[str, Any]], str | None]:
        try:
            answer = await anyio.to_thread.run_sync(self._assistant.recommend, conversation_id)
        except Exception:  # noqa: BLE001 - the last resort may have no items, but it must answer
            return [], None
        return answer.items[:3], answer.decision_id

    def start(self, visitor_id: str, member_id: str | None) -> tuple[Conversation, dict[str, Any]]:
        """Begin a conversation with the greeting that says who answers."""
        now = datetime.now(UTC)
        conversation = self._services.conversations.start(visitor_id, member_id, at=now)
        member = self._services.members.get(member_id) if member_id else None
        act = "conversation.greeting.member" if member else "conversation.greeting"
        text = default_voice().word(act, {"name": member.first_name} if member else {})
        body = BotMessage(text, quick_replies=GREETING_REPLIES, act=act).as_json()
        [message_id] = self._services.conversations.append(conversation.conversation_id, [("bot", body)], at=now)
        return conversation, {"message_id": message_id, "role": "bot", **body}
