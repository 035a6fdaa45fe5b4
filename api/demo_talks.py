"""The demo's past conversations: told once from `talks_demo.yml`, through what real chats go through, so that the console is not empty at first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.services.chat import LOOKED_BACK, Chat
from api.services.desk import Desk
from api.services.moods import Signals, told
from api.wiring import Services
from chatbot.handoff import State
from chatbot.ports import BotMessage, QuickReply
from personalization.types import Purpose
from stores.first_times import first_time
from stores.handoffs import Agent

TALKS = Path(__file__).with_name("talks_demo.yml")
MARK = "demo-"
"""What the visitor of each of these conversations is called first: nobody's browser makes such an id."""
NOTE = "Made up for the demo."
WHO = "Demo agent"
PAUSE, NEXT_DAY, LOOKED_AT = timedelta(seconds=35), timedelta(hours=22), 80


class Line(BaseModel):
    """What a shopper says with the bot's answer, or what an agent says or does."""

    model_config = ConfigDict(extra="forbid")

    shopper: str = ""
    bot: str = ""
    act: str | None = None
    asks: bool = Field(False, description="For a person; the desk answers.")
    agent: str = ""
    does: Literal["takes", "hands back"] | None = None
    next_day: bool = False


class Talk(BaseModel):
    """A conversation; the file's head says what its keys mean."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=30, pattern="^[a-z-]+$")
    member: int | None = None
    days_ago: int = 0
    at: str = Field("00:00", pattern="^[0-2][0-9]:[0-5][0-9]$")
    minutes_ago: int | None = None
    lines: list[Line]
    score: int | None = None
    comment: str | None = None

    def begins(self, now: datetime) -> datetime:
        """Return when it began."""
        if self.minutes_ago is not None:
            return now - timedelta(minutes=self.minutes_ago)
        hour, minute = map(int, self.at.split(":"))
        return (now - timedelta(days=self.days_ago)).replace(hour=hour, minute=minute, second=0, microsecond=0)


def read_talks() -> list[Talk]:
    """Return the conversations of the file."""
    return TypeAdapter(list[Talk]).validate_python(yaml.safe_load(TALKS.read_text(encoding="utf-8")))


def tell(services: Services, chat: Chat, favourites: Sequence[str], *, now: datetime) -> int:
    """Tell what was not told yet, with `favourites` among the first members; return how many conversations that were."""
    talks = [one for one in read_talks() if first_time(services.db, f"demo talk {one.name}")]
    if not talks:
        return 0
    people, done = _people(services, favourites), 0
    for talk in talks:
        if talk.member is None:
            _Telling(services, chat, talk, None, now)
        elif talk.member < len(people):
            _Telling(services, chat, talk, people[talk.member], now)
        else:
            continue
        done += 1
    return done


def _people(services: Services, favourites: Sequence[str]) -> list[str]:
    """Return members who agree to profiling, `favourites` first: a mood is kept and counted of nobody else."""
    found = dict.fromkeys([*favourites, *services.audiences.first(LOOKED_AT)])
    return services.audiences.agreeing(found, {Purpose.PROFILING})


class _Telling:
    """One conversation, at its own time."""

    def __init__(self, services: Services, chat: Chat, talk: Talk, member_id: str | None, now: datetime) -> None:
        self._services, self._chat, self._at = services, chat, talk.begins(now)
        self._desk = Desk(services, now=lambda: self._at)
        self._agent = Agent("demo", WHO, self._at)
        self._id = chat.start(f"{MARK}{talk.name}", member_id, at=self._at)[0].conversation_id
        for line in talk.lines:
            self._at += NEXT_DAY if line.next_day else PAUSE
            self._tell(line, served=any(one.does for one in talk.lines))
        if talk.score is not None:
            self._at += PAUSE
            self._desk.rate(self._id, talk.score, talk.comment)

    def _tell(self, line: Line, *, served: bool) -> None:
        if line.shopper:
            if line.asks and served:  # somebody is there who will take it
                self._services.handoffs.seen(Agent(self._agent.agent_id, WHO, self._at))
            self._hear(line)
        handoff = self._services.handoffs.of(self._id)
        if handoff is None:
            return
        if line.asks:
            self._services.desk_records.note(self._id, NOTE, agent_id=self._agent.agent_id, agent_name=WHO, at=self._at)
        if line.agent:
            self._desk.reply(handoff.handoff_id, self._agent, line.agent, None)
        if line.does == "takes":
            self._desk.claim(handoff.handoff_id, self._agent)
        elif line.does == "hands back":
            self._desk.hand_back(handoff.handoff_id, self._agent)

    def _hear(self, line: Line) -> None:
        """Take in a message as `Chat` does, with the file's words in place of the dialogue engine's."""
        talks = self._services.conversations
        received = talks.receive(self._id, {"text": line.shopper}, client_message_id=None, at=self._at)
        newest = talks.latest(self._id, LOOKED_BACK)
        before = self._chat.fresh(self._id)
        mood = self._chat.moods.hear(before, line.shopper, newest[:-1], Signals(), self._at)
        said, engine = list[BotMessage](), "human"
        if received.state != State.HUMAN:
            said, engine = [self._asked() if line.asks else BotMessage(line.bot, act=line.act)], "rasa"
            said += self._desk.after_turn(self._chat.fresh(self._id), line.shopper, said, newest)
        outcome = {"affect": told(mood), "fallen": mood.fallen, "engine": engine}
        talks.answer(self._id, received.message_id, [one.as_json() for one in said], outcome, at=self._at)

    def _asked(self) -> BotMessage:
        answer = self._desk.ask(self._id)
        replies = [QuickReply(title, text) for title, text in self._desk.replies(answer.act)]
        return BotMessage(self._services.voice.word(answer.act, answer.values), quick_replies=replies, act=answer.act)
