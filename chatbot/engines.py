"""Dialogue engines: Rasa over REST, a fallback that always answers, and the switch between them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx
import structlog

from chatbot.intents import INTENTS
from chatbot.languages import DEFAULT
from chatbot.openings import wishes_of
from chatbot.ports import (
    MEMORY,
    BotMessage,
    DialogueEngine,
    EmptyAnswerError,
    EngineUnavailableError,
    QuickReply,
    Reply,
    Turn,
)
from chatbot.voice import Voice, default_voice

log = structlog.get_logger(__name__)
FAILURES_TO_OPEN = 2
RETRY_AFTER_S, LOOK_AGAIN_S = 2.0, 0.5
AT_ONCE = 8  # messages that are with Rasa: it has one core, and fifty among which it is shared are all late
FALLBACK, LEFT_OUT = "conversation.fallback", "conversation.left_out"
WITHOUT_ITEMS = "conversation.fallback.bare"


class RasaEngine:
    """Rasa Open Source behind its REST channel: the first of several processes, and the next while that one is away.

    Any of them can take any message, since what a dialogue remembers comes with it. One that failed is asked for its status only,
    until it answers; a message that it may have begun to answer is safe with the next, because actions run once per message.
    Beside AT_ONCE messages the others wait, each for as long as an answer may take, and are let in in the order in which they came.
    """

    def __init__(
        self, client: httpx.AsyncClient, urls: Sequence[str], timeout_s: float, voice: Voice | None = None
    ) -> None:
        self._client, self._urls, self._timeout = client, list(urls), timeout_s
        self._voice = voice or default_voice()
        self._away: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def respond(self, turn: Turn) -> Reply:
        """Send text, affect and memory, and return Rasa's answer; EngineUnavailableError when none answers in time.

        A message with two unlike wishes is two to Rasa; once the first is answered, that is told whatever becomes of the second.
        """
        wishes = wishes_of(turn.text) if turn.reads == DEFAULT else [turn.text]
        reply = Reply([], "rasa", turn.memory)
        for place, wish in enumerate(wishes):
            try:
                answer = await self._answer(turn, wish, place if len(wishes) > 1 else None, reply.memory)
            except EngineUnavailableError:
                if not reply.messages:
                    raise
                voice = self._voice.speaking(turn.language)
                values = {"wish": wish.strip(" .,;!?")}
                text = voice.word(LEFT_OUT, values, turn.affect.state, turn.already_said, plain=turn.affect.plain)
                return Reply([*reply.messages, BotMessage(text, act=LEFT_OUT)], "rasa", reply.memory)
            reply = Reply([*reply.messages, *answer.messages], "rasa", answer.memory)
        return reply

    async def _answer(self, turn: Turn, wish: str, place: int | None, memory: Mapping[str, Any] | None) -> Reply:
        """Return the answer to a wish: the only one (None), or the one in this place."""
        metadata = {
            "conversation_id": turn.conversation_id, "message_id": f"{turn.message_id}.{place}" if place and turn.message_id else turn.message_id,
            "affect": turn.affect.as_json(), "state": turn.affect.state, "plain": turn.affect.plain, "language": turn.language, "reads": turn.reads, "sells": turn.sells,
            "said": turn.text if place is None else wish, MEMORY: memory,
        }  # fmt: skip
        body = {"sender": turn.conversation_id, "message": _no_command(wish), "metadata": metadata}
        try:
            await asyncio.wait_for(self._turns.acquire(), self._timeout)
        except TimeoutError:
            raise EngineUnavailableError("too many wait") from None
        try:
            return await self._first_there(body)
        finally:
            self._turns.release()

    async def _first_there(self, body: Mapping[str, Any]) -> Reply:
        cause = "every one is away"
        for url in [url for url in self._urls if url not in self._away] or await self._back():
            try:
                return await self._ask(url, body)
            except (httpx.HTTPError, ValueError) as error:
                cause = type(error).__name__
                log.warning("a Rasa is away", cause=cause, place=self._urls.index(url) + 1)
                if url not in self._away:
                    self._away[url] = asyncio.create_task(self._await(url))
                if isinstance(error, httpx.TimeoutException):  # the next would come too late, too
                    break
        raise EngineUnavailableError(cause)

    async def _ask(self, url: str, body: Mapping[str, Any]) -> Reply:
        answer = await self._client.post(f"{url}/webhooks/rest/webhook", json=body, timeout=self._timeout)
        parts = answer.raise_for_status().json()
        if not parts:
            raise EmptyAnswerError("an empty answer")
        return Reply([_message(part) for part in parts], "rasa", (parts[-1].get("custom") or {}).get(MEMORY))

    async def _back(self) -> list[str]:
        """Return those of them that are back, though nobody has noticed yet."""
        there = await asyncio.gather(*map(self._there, self._urls))
        return [url for url, answers in zip(self._urls, there, strict=True) if answers]

    async def _await(self, url: str) -> None:
        """Ask for a status until there is one."""
        try:
            while not self._client.is_closed and not await self._there(url):
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            self._away.pop(url, None)

    async def forget(self, conversation_id: str) -> None:
        """Let Rasa forget a conversation; one that is away forgets with its restart, since it keeps them in memory."""
        for url in self._urls:
            with suppress(httpx.HTTPError):
                events = f"{url}/conversations/{conversation_id}/tracker/events"
                await self._client.put(events, json=[], timeout=self._timeout)

    async def ready(self) -> bool:
        """Whether one of them answers and has a model."""
        return any(await asyncio.gather(*map(self._there, self._urls)))

    async def _there(self, url: str) -> bool:
        try:
            return (await self._client.get(f"{url}/status", timeout=1.0)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def offers_again(body: Mapping[str, Any], text: str) -> bool:
    """Whether a message of the bot is the fallback's, whose last button sends this text again."""
    return body.get("act") == FALLBACK and (body.get("quick_replies") or [{}])[-1].get("text") == text


def _no_command(text: str) -> str:
    """Return a message without the sign by which Rasa takes it for an intent or a command of its own: "/restart" would wipe its memory."""
    command = re.match(r"/(\w*)", text)
    if command is None or command[1] in INTENTS:
        return text
    return text.lstrip("/ ") or "?"


def _message(part: Mapping[str, Any]) -> BotMessage:
    custom = part.get("custom") or {}
    replies = [QuickReply(reply["title"], reply["text"]) for reply in custom.get("quick_replies", [])]
    return BotMessage(
        custom.get("text") or part.get("text") or "",
        custom.get("items", []),
        custom.get("coupon"),
        replies,
        custom.get("decision_id"),
        custom.get("act"),
        custom.get("basket"),
        custom.get("table"),
    )


Popular = Callable[[str], Awaitable[tuple[list[dict[str, Any]], str | None]]]


class FallbackEngine:
    """Answers without Rasa: says what is going on, shows popular items, offers a human."""

    def __init__(self, popular: Popular, support_contact: str, voice: Voice | None = None) -> None:
        self._popular, self._contact, self._voice = popular, support_contact, voice or default_voice()

    async def respond(self, turn: Turn) -> Reply:
        """Return the one calm message; who is in distress, or is sold nothing, is shown no items."""
        voice, state = self._voice.speaking(turn.language), turn.affect.state
        shows = voice.brand.may_show_items(FALLBACK, state, sells=turn.sells)
        items, decision_id = await self._popular(turn.conversation_id) if shows else ([], None)
        act = FALLBACK if items else WITHOUT_ITEMS
        values = {"contact": self._contact}
        text = voice.word(act, values, state, turn.already_said, plain=turn.affect.plain)
        title = voice.phrases.title
        replies = [QuickReply(title("Talk to a human"), "talk to a human"), QuickReply(title("Try again"), turn.text)]
        return Reply([BotMessage(text, items, None, replies, decision_id, FALLBACK)], "fallback")


class ResilientEngine:
    """Rasa while it answers, else the fallback.

    After FAILURES_TO_OPEN failures in a row Rasa is left alone for RETRY_AFTER_S, so that shoppers do not wait for a
    time-out each; then the next message tries again. Messages of one conversation are answered in order.
    """

    def __init__(
        self, engine: DialogueEngine, fallback: DialogueEngine, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine, self._fallback, self._clock = engine, fallback, clock
        self._failures, self._retry_at = 0, 0.0
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def respond(self, turn: Turn) -> Reply:
        """Return the engine's answer, or the fallback's."""
        lock, waiting = self._locks.get(turn.conversation_id, (asyncio.Lock(), 0))
        self._locks[turn.conversation_id] = (lock, waiting + 1)
        try:
            async with lock:
                return await self._answer(turn)
        finally:
            lock, waiting = self._locks[turn.conversation_id]
            if waiting == 1:
                del self._locks[turn.conversation_id]
            else:
                self._locks[turn.conversation_id] = (lock, waiting - 1)

    async def _answer(self, turn: Turn) -> Reply:
        if self._failures < FAILURES_TO_OPEN or self._clock() >= self._retry_at:
            try:
                reply = await self._engine.respond(turn)
            except EngineUnavailableError as error:
                if not isinstance(error, EmptyAnswerError):  # which says nothing of the others' messages
                    self._failures += 1
                    self._retry_at = self._clock() + RETRY_AFTER_S
                log.warning("dialogue engine unavailable", cause=str(error), failures=self._failures)
            else:
                self._failures = 0
                return reply
        return await self._fallback.respond(turn)
