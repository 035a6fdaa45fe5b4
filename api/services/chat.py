"""One chat message, all the way: emotion, affect, dialogue, answer, record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from anyio.to_thread import run_sync

from api.services.assistant import Assistant
from api.services.desk import Desk, said_lately
from api.services.files import CheckedFile
from api.services.moods import Moods, Signals, told
from api.services.signs import TypingSign
from api.services.tongues import Spoken, Tongues
from api.services.turns import Turns
from api.talk import DESK
from api.wiring import Services
from chatbot.affect import AffectState, begin, load
from chatbot.engines import FallbackEngine, RasaEngine, ResilientEngine, offers_again
from chatbot.handoff import Reason, State
from chatbot.languages import DEFAULT, read
from chatbot.openings import beside_dropping
from chatbot.people import asks_for_person
from chatbot.ports import BotMessage, QuickReply, Reply, Turn
from personalization.decisions import Fallback
from stores.conversations import RENEW_S, Conversation, Message, Received
from stores.database import new_id
from stores.erasure import erase_conversation
from stores.errors import NotFoundError

log = structlog.get_logger(__name__)
GREETING_REPLIES = [
    ("Recommend something", "what do you recommend"), ("Any coupons?", "any coupons for me"), ("Talk to a human", "talk to a human"),
]  # fmt: skip
LOOK_AGAIN_S = 0.1
LOOKED_BACK = 10  # messages from which mood, language and the desk see where the talk stands


@dataclass(frozen=True, slots=True)
class Said:
    """What a shopper sent, words or a file: `title` is what they saw of it, when a button stood for it."""

    text: str
    title: str | None = None
    client_message_id: str | None = None
    signals: Signals = field(default_factory=Signals)
    file: CheckedFile | None = None

    @property
    def shown(self) -> str:
        """The words that the conversation shows."""
        return self.title or self.text


@dataclass(frozen=True, slots=True)
class Answered:
    """What the widget gets for one message."""

    message_id: str
    messages: list[dict[str, Any]]
    affect: dict[str, Any]
    engine: str
    handoff: bool
    state: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the api tells it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Chat:
    """Answers messages; the blocking parts run on threads."""

    def __init__(self, services: Services, assistant: Assistant, desk: Desk) -> None:
        self._services, self._assistant, self._desk = services, assistant, desk
        self.moods, self._turns, self._tongues = Moods(services), Turns(), Tongues(services, assistant.knows)
        self._sign = TypingSign(services.talk)
        settings = services.settings
        self.rasa = RasaEngine(services.http, settings.rasa_urls, settings.rasa_timeout_s, services.voice)
        self._engine = ResilientEngine(
            self.rasa, FallbackEngine(self._popular, settings.support_contact, services.voice)
        )

    def making(self, conversation: Conversation) -> AbstractContextManager[None]:
        """Tell the shopper that an answer is being made while the block runs; where a person has the conversation, nothing is told."""
        return nullcontext() if conversation.state == State.HUMAN else self._sign.shown(conversation.conversation_id)

    async def answer(self, conversation: Conversation, said: Said) -> Answered:
        """Answer a message, once: sent again under the same `client_message_id` it gets the same answer.

        Messages of one conversation are answered, and stored, in the order in which they came.
        """
        started = time.perf_counter()
        with self.making(conversation):  # before the turn is waited for
            async with self._turns.of(conversation.conversation_id):
                answered = await self._answer(conversation, said)
        self._services.metrics.chat_seconds.labels(answered.engine).observe(time.perf_counter() - started)
        return answered

    async def _answer(self, conversation: Conversation, said: Said) -> Answered:
        received = await run_sync(self._receive, conversation, said)
        while not received.mine and received.outcome is None:  # another process is at it
            await asyncio.sleep(LOOK_AGAIN_S)
            received = await run_sync(self._receive, conversation, said)
        if not received.mine:
            return await run_sync(self._again, conversation, received)
        talk, conversation_id = self._services.talk, conversation.conversation_id
        talk.tell(conversation_id, "message")
        if received.state == State.HUMAN:
            return await run_sync(self._leave_to_human, conversation, said, received)
        claim = asyncio.create_task(self._keep_claim(received.message_id))
        try:
            with self._sign.shown(conversation_id):  # an answer to an earlier message has taken the sign off the page
                spoken, mood, memory, fast, newest = await run_sync(self._before, conversation, said)
                turn = Turn(
                    conversation_id, said.text, mood, memory, _first_try(newest, said.text, received.message_id), spoken.language, spoken.reads,
                    sells=await run_sync(self._sells, mood), already_said=said_lately(newest),
                )  # fmt: skip
                reply = fast or await self._engine.respond(turn)
                if wish := _left_over(fast, turn):
                    more = await self._engine.respond(replace(turn, text=wish))
                    reply = replace(more, messages=[*reply.messages, *more.messages])
                reply = await self._worded(said, reply, turn)
                return await run_sync(self._record, conversation, said, received, reply, turn, newest)
        finally:
            claim.cancel()

    def _sells(self, mood: AffectState) -> bool:
        return mood.valence >= self._services.tunings.current().moods.sell

    async def _keep_claim(self, message_id: str) -> None:
        """Say that the answer is still in the making, so that the claim of a process that died can be short."""
        while True:
            await asyncio.sleep(RENEW_S)
            await run_sync(lambda: self._services.conversations.renew(message_id, at=datetime.now(UTC)))

    async def _worded(self, said: Said, reply: Reply, turn: Turn) -> Reply:
        """Let the language model, where there is one, word what it may; what it does not word right stays as it is."""
        model, messages = self._services.language_model, list(reply.messages)
        if model is None or reply.engine != "rasa" or said.file:
            return reply

        async def told(so_far: str) -> None:
            self._services.talk.tell(turn.conversation_id, "part", {"role": "bot", "text": so_far})

        for place, message in enumerate(messages):
            if model.asked(message, read(said.shown, turn.reads)):
                worded = await model.word(message, said.shown, turn.affect.state, told, language=turn.language)
                used = worded.by == "language_model"
                self._services.metrics.language_model.labels("yes" if used else "no").inc()
                if used:
                    messages[place] = replace(message, text=worded.text, worded_by=worded.by)
                else:
                    self._services.metrics.count_fallback(Fallback("language model", "the template", "not used"))
        return replace(reply, messages=messages)

    def _receive(self, conversation: Conversation, said: Said) -> Received:
        conversation_id, now = conversation.conversation_id, datetime.now(UTC)
        body: dict[str, Any] = {"text": said.shown}
        files = []
        if said.file:
            kept = self._services.attachments.seal(said.file.content)
            files.append(kept)
            body["attachments"] = [
                {
                    "attachment_id": kept.attachment_id, "name": said.file.name, "media_type": said.file.media_type, "size": kept.size,
                    "url": f"/v1/conversations/{conversation_id}/attachments/{kept.attachment_id}",
                }
            ]  # fmt: skip
        return self._services.conversations.receive(
            conversation_id, body, client_message_id=said.client_message_id, at=now, files=files
        )

    def _before(
        self, conversation: Conversation, said: Said
    ) -> tuple[Spoken, AffectState, dict[str, Any] | None, Reply | None, list[Message]]:
        """Store language and mood; return them, the dialogue's memory, and the answer where that is the desk's and not the dialogue's.

        Last come the newest messages, this one too, which are read once for all that looks back.
        """
        fresh = self._fresh(conversation)  # an earlier message may have changed it
        newest = self._services.conversations.latest(conversation.conversation_id, LOOKED_BACK)
        spoken = self._tongues.hear(fresh, said.text, newest, button=said.title is not None or said.file is not None)
        fresh = replace(fresh, language=spoken.language)
        mood = self._mood(fresh, said, newest)
        own = self._desk.took_file(fresh, mood.state) if said.file else self._desk.command(fresh, said.text)
        if own is None and spoken.other:
            own = self._tongues.unserved(spoken, said_lately(newest))
        memory = self._services.conversations.memory(fresh)
        return spoken, mood, memory, None if own is None else Reply([own], "rasa"), newest

    def _mood(self, fresh: Conversation, said: Said, newest: Sequence[Message]) -> AffectState:
        """Return the mood with what was said; a file says nothing of it."""
        now = datetime.now(UTC)
        return (
            self.moods.notice(fresh, said.signals, now)
            if said.file
            else self.moods.hear(fresh, said.shown, newest[:-1], said.signals, now)
        )

    def _leave_to_human(self, conversation: Conversation, said: Said, received: Received) -> Answered:
        newest = self._services.conversations.latest(conversation.conversation_id, LOOKED_BACK)
        mood = self._mood(self._fresh(conversation), said, newest)
        self._services.conversations.answer(
            conversation.conversation_id, received.message_id, [], {"affect": told(mood), "fallen": mood.fallen, "engine": "human"},
            at=datetime.now(UTC),
        )  # fmt: skip
        self._services.talk.tell(DESK, "changed", {"conversation_id": conversation.conversation_id})
        return Answered(received.message_id, [], told(mood), "human", True, State.HUMAN)

    def _record(
        self, conversation: Conversation, said: Said, received: Received, reply: Reply, turn: Turn, newest: Sequence[Message]
    ) -> Answered:  # fmt: skip
        conversation_id, now = conversation.conversation_id, datetime.now(UTC)
        said_back, affect, plain = list(reply.messages), told(turn.affect), read(said.shown, turn.reads)
        fetched = False
        try:
            fresh = self._fresh(conversation)
            if reply.engine == "fallback" and asks_for_person(read(said.text, turn.reads)):
                said_back, fetched = [self._desk.fetch(fresh, Reason.UNAVAILABLE)], True
            added = self._desk.after_turn(fresh, plain, said_back, newest)
            said_back = [*_beside(added, said_back), *added]
            bodies = [message.as_json() for message in said_back]
            ids = self._services.conversations.answer(
                conversation_id, received.message_id, bodies,
                {"affect": affect, "fallen": turn.affect.fallen, "engine": reply.engine}, at=now,
                memory=reply.memory,
            )  # fmt: skip
        except NotFoundError:  # the shopper just erased everything, this conversation too
            bodies = [message.as_json() for message in said_back]
            shown = [{"message_id": new_id(), "role": "bot", **body} for body in bodies]
            return Answered(received.message_id, shown, affect, reply.engine, False, State.BOT)
        if ids is None:  # a person took over while the answer was in the making: the bot is silent
            return Answered(received.message_id, [], affect, "human", True, State.HUMAN)
        self._services.talk.tell(conversation_id, "message")
        after = fresh
        if added or fetched:  # it may be in other hands by now
            after = self._services.conversations.get(conversation_id) or fresh
        messages = [
            {"message_id": message_id, "role": "bot", **body} for message_id, body in zip(ids, bodies, strict=True)
        ]
        return Answered(received.message_id, messages, affect, reply.engine, after.handoff, after.state)

    def _again(self, conversation: Conversation, received: Received) -> Answered:
        """Return the answer that the message got before."""
        fresh, outcome = self._fresh(conversation), received.outcome or {}
        found = self._services.conversations.answers(received.message_id)
        messages = [
            {"message_id": one.message_id, "role": one.role, "at": one.at.isoformat(), **one.body} for one in found
        ]
        affect = outcome.get("affect") or told(load(fresh.affect) or begin(datetime.now(UTC)))
        return Answered(
            received.message_id, messages, affect, str(outcome.get("engine", "rasa")), fresh.handoff, fresh.state
        )

    def fresh(self, conversation_id: str) -> Conversation:
        """Return the conversation as it stands; NotFoundError when it is gone."""
        found = self._services.conversations.get(conversation_id)
        if found is None:
            raise NotFoundError("there is no such conversation")
        return found

    def _fresh(self, conversation: Conversation) -> Conversation:
        return self.fresh(conversation.conversation_id)

    async def _popular(self, conversation_id: str) -> tuple[list[dict[str, Any]], str | None]:
        try:
            answer = await run_sync(self._assistant.recommend, conversation_id)
        except Exception:  # noqa: BLE001 - the last resort may have no items, but it must answer
            return [], None
        return answer.items[:3], answer.decision_id

    async def forget(self, conversation: Conversation) -> None:
        """Delete a conversation: here, and what Rasa remembers of it."""
        async with self._turns.of(conversation.conversation_id):
            await run_sync(self._erase, conversation.conversation_id)
        await self.rasa.forget(conversation.conversation_id)
        self._services.talk.tell(conversation.conversation_id, "gone")
        self._services.talk.tell(DESK, "changed", {"conversation_id": conversation.conversation_id})

    def _erase(self, conversation_id: str) -> None:
        erase_conversation(self._services.db, conversation_id, at=datetime.now(UTC))

    def start(
        self, visitor_id: str, member_id: str | None, language: str = DEFAULT, *, at: datetime | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Begin a conversation with the greeting that says who answers, in a language that may turn out to be another; `at`: now without it."""
        now = at or datetime.now(UTC)
        conversation = self._services.conversations.start(visitor_id, member_id, at=now, language=language)
        voice = self._services.voice.speaking(language)
        member = self._services.members.get(member_id) if member_id else None
        act = "conversation.greeting.member" if member else "conversation.greeting"
        text = voice.word(act, {"name": member.first_name} if member else {})
        replies = [QuickReply(voice.phrases.title(title), sent) for title, sent in GREETING_REPLIES]
        body = BotMessage(text, quick_replies=replies, act=act).as_json()
        [message_id] = self._services.conversations.append(conversation.conversation_id, [("bot", body)], at=now)
        return conversation, {"message_id": message_id, "role": "bot", **body}


def _first_try(newest: Sequence[Message], text: str, message_id: str) -> str:
    """Return the message that this one is sent again for, at the fallback's offer; itself where it is a new one.

    Rasa may have come too late with what it did for that one.
    """
    place = next((place for place, one in enumerate(newest) if one.message_id == message_id), 0)
    offered = False
    for one in reversed(newest[:place]):
        if one.role == "bot":
            offered = offered or offers_again(one.body, text)
        elif not offered:
            break
        else:
            message_id, offered = one.message_id, False
    return message_id


def _left_over(own: Reply | None, turn: Turn) -> str:
    """Return what a message asks for beside that a person is not needed any more; "" for nothing."""
    withdrawn = own is not None and any(message.act == "handoff.withdrawn" for message in own.messages)
    return beside_dropping(turn.text) if withdrawn and turn.reads == DEFAULT else ""


def _beside(added: list[BotMessage], said: list[BotMessage]) -> list[BotMessage]:
    """Return what may stand beside what the desk adds: where something grave goes to a person only orders are talked of, and nothing is shown."""
    grave = any((message.act or "").startswith("handoff.sensitive") for message in added)
    return [message for message in said if not grave or (message.act or "").startswith("order.")]
