"""The people's side of a conversation: the queue, who takes it, and how it comes back to the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from api.talk import DESK
from api.wiring import Services
from chatbot import hours
from chatbot.affect import load
from chatbot.briefing import Exchange, briefing
from chatbot.handoff import (
    LEAVE_MESSAGE,
    WITHDRAW,
    HandoffError,
    Reason,
    Situation,
    State,
    Step,
    Wanted,
    after,
    expected_wait_s,
    in_trouble,
    person_wanted,
)
from chatbot.languages import DEFAULT, load_language, read
from chatbot.people import asks_assistant, sensitive, withdraws
from chatbot.ports import Answer, BotMessage, QuickReply
from chatbot.voice.states import Felt
from stores.conversations import Conversation, Message
from stores.database import new_id
from stores.errors import ConflictError, NotFoundError
from stores.handoffs import Agent, Handoff

THERE_FOR = timedelta(seconds=90)  # since an agent's last sign of life
RATEABLE_FOR = timedelta(days=7)
SUMMARY_MESSAGES = 30
_REMEMBERED = 8  # messages that tell whether it goes round in circles
_OFFERS = frozenset(
    (
        "handoff.offer",
        "people.complaint",
        "file.taken",
        "conversation.fallback",
        "conversation.clarify.again",
        "conversation.out_of_scope.again",
    )
)


class Desk:
    """Moves conversations between the bot and people; safe to call from several threads."""

    def __init__(self, services: Services, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._services, self._now = services, now
        settings = services.settings
        self._hours = hours.parse(settings.support_hours, settings.timezone)

    def ask(self, conversation_id: str, reason: Reason = Reason.ASKED) -> Answer:
        """Queue the conversation for a person; return what to tell the shopper."""
        conversation = self._conversation(conversation_id)
        state = State(conversation.state)
        if state is State.HUMAN:
            return Answer(act="handoff.queued.again", values={"position": 1, "wait": _minutes(0)})
        new = state is not State.QUEUED
        if new:
            after(state, Step.ASK)
        handoff, new = self._services.handoffs.queue(
            conversation_id, reason=reason, urgency=Wanted(reason, True).urgency, wants_message=False,
            told={"summary": self._summary(conversation, reason)}, at=self._now(),
        )  # fmt: skip
        if new:
            self._services.metrics.handoffs.labels(reason).inc()
            self._changed(conversation_id)
        return self._told(handoff, new=new, sensitive=reason is Reason.SENSITIVE)

    def _told(self, handoff: Handoff, *, new: bool, sensitive: bool) -> Answer:
        seen = self.state(handoff.conversation_id)
        if not seen["open"]:
            opens = self._hours.opens_after(self._now()) if not self._hours.open_at(self._now()) else None
            values: dict[str, str | int] = {"contact": self._services.settings.support_contact}
            if opens is not None:
                values["opens"] = hours.told(opens, self._now())
            act = "handoff.sensitive.closed" if sensitive else "handoff.closed" if opens else "handoff.away"
            return Answer(act=act, values=values)
        act = "handoff.queued.again" if not new else "handoff.sensitive" if sensitive else "handoff.queued"
        return Answer(
            act=act, values={"position": seen["position"] or 1, "wait": _minutes(seen["expected_wait_s"] or 0)}
        )

    def fetch(self, conversation: Conversation, reason: Reason, mood: str = "neutral") -> BotMessage:
        """Do what `ask` does; return it as a message."""
        told = self.ask(conversation.conversation_id, reason)
        return self._message(conversation, told.act, told.values, mood, self.replies(told.act))

    def replies(self, act: str) -> list[tuple[str, str]]:
        """Return the buttons under what `ask` told."""
        if act in {"handoff.closed", "handoff.away", "handoff.sensitive.closed"}:
            return [("Leave a message", LEAVE_MESSAGE), ("No person, go on", WITHDRAW)]
        return [("No person, go on", WITHDRAW)] if act in {"handoff.queued", "handoff.queued.again"} else []

    def command(self, conversation: Conversation, text: str) -> BotMessage | None:
        """Answer what is for the desk and not for the bot: a button of the queue, or a message to leave; else None."""
        handoff = self._services.handoffs.of(conversation.conversation_id)
        waits = handoff is not None and handoff.state == State.QUEUED
        unwanted = (
            handoff is not None
            and waits
            and not handoff.wants_message
            and not text.startswith(LEAVE_MESSAGE)
            and withdraws(read(text, conversation.language))
        )
        if text == WITHDRAW or unwanted:
            if handoff is None or not waits:
                return self._message(conversation, "handoff.nobody_asked")
            self._services.handoffs.move(
                handoff, "ended", conversation=after(State.QUEUED, Step.WITHDRAW), at=self._now()
            )
            self._changed(conversation.conversation_id)
            return self._message(conversation, "handoff.withdrawn")
        command, _, words = text.partition(" ")
        if command == LEAVE_MESSAGE:
            if handoff is None or not waits:
                self.ask(conversation.conversation_id)
                handoff = self._handoff_of(conversation.conversation_id)
            if words.strip():  # as they are: whoever sends them so has said that they are for people
                return self._keep(conversation, handoff, words.strip())
            self._services.handoffs.tell(handoff, wants_message=True)
            return self._message(conversation, "handoff.message.ask")
        if handoff is None or not waits or not handoff.wants_message:
            return None
        return self._left(conversation, handoff, text)

    def _left(self, conversation: Conversation, handoff: Handoff, text: str) -> BotMessage | None:
        """Keep what is a message for people: the next words after "Leave a message", unless they take that back or ask the assistant."""
        plain = read(text, conversation.language)
        if withdraws(plain):
            self._services.handoffs.tell(handoff, wants_message=False)
            return self._message(conversation, "handoff.message.dropped")
        return None if asks_assistant(plain) else self._keep(conversation, handoff, text)

    def _keep(self, conversation: Conversation, handoff: Handoff, left: str) -> BotMessage:
        self._services.handoffs.tell(handoff, wants_message=False, left=left)
        self._changed(conversation.conversation_id)
        return self._message(conversation, "handoff.message.taken")

    def took_file(self, conversation: Conversation, mood: str) -> BotMessage:
        """Say that a file is here, and that a person can look into it."""
        if conversation.state == State.QUEUED:
            return self._message(conversation, "file.taken.waiting", {}, mood)
        return self._message(conversation, "file.taken", {}, mood, [("Talk to a human", "talk to a human")])

    def after_turn(
        self, conversation: Conversation, text: str, said: list[BotMessage], newest: Sequence[Message]
    ) -> list[BotMessage]:
        """Return what to add to the bot's answer: a person who is fetched, or the offer of one; usually nothing.

        newest : the conversation's newest messages, up to the shopper's that is answered
        """
        mood = load(conversation.affect)
        acts = [message.act or "" for message in said]
        if conversation.state == State.QUEUED:
            return self._while_waiting(conversation, text, newest[-1:], acts)
        if State(conversation.state) not in {State.BOT, State.RETURNED} or mood is None:
            return []
        before = [str(message.body.get("act") or "") for message in newest[-_REMEMBERED:] if message.role == "bot"]
        rule = self._services.tunings.current().people
        troubled = in_trouble(Felt(mood.valence, mood.state), rule)
        valuable = troubled and self._valuable(conversation.member_id)
        wanted = person_wanted(Situation(text, [*before, *acts[-1:]], mood.turns, mood.fallen, valuable), rule)
        if wanted is None or any(act.startswith("handoff.") for act in acts):
            return []
        if wanted.at_once:
            return [self.fetch(conversation, wanted.reason, mood.state)]
        if _OFFERS & {*before[-3:], *acts}:
            return []
        self._services.metrics.handoff_offers.labels(wanted.reason).inc()
        return [self._message(conversation, "handoff.offer", {}, mood.state, [("Talk to a human", "talk to a human")])]

    def _while_waiting(
        self, conversation: Conversation, text: str, asked: Sequence[Message], acts: Sequence[str]
    ) -> list[BotMessage]:
        """Say what goes beside the answer to who waits: that something grave goes first, or how a question becomes a message."""
        handoff = self._services.handoffs.of(conversation.conversation_id)
        if handoff is None or handoff.state != State.QUEUED:
            return []
        talks = not any(act.startswith("handoff.") for act in acts)
        if sensitive(text):
            summary = self._summary(conversation, Reason.SENSITIVE)
            urgency = Wanted(Reason.SENSITIVE, True).urgency
            if self._services.handoffs.press(handoff, reason=Reason.SENSITIVE, urgency=urgency, summary=summary):
                self._changed(conversation.conversation_id)
                told = self._told(handoff, new=True, sensitive=True)
                return [self._message(conversation, told.act, told.values)] if talks else []
        if handoff.wants_message and talks:
            own = next((_text(message.body) for message in asked), text)  # not as the rules read it
            replies = [("Pass it on", f"{LEAVE_MESSAGE} {own}")]
            return [self._message(conversation, "handoff.message.or_question", replies=replies)]
        return []

    def _valuable(self, member_id: str | None) -> bool:
        """Whether much may be lost with this shopper: among the best customers, as the labels tell by consent."""
        if member_id is None:
            return False
        least = self._services.settings.high_value_minor
        return any(
            (label.name == "premium_buyer" and bool(label.value))
            or (label.name == "expected_spend" and float(label.value) >= least)
            for label in self._services.labels.of_member(member_id, at=self._now())
        )

    def state(self, conversation_id: str) -> dict[str, Any]:
        """Return who has the conversation, and what the widget shows of it."""
        conversation = self._conversation(conversation_id)
        handoff = self._services.handoffs.of(conversation_id)
        people = self._services.handoffs.there(since=self._now() - THERE_FOR)
        told: dict[str, Any] = {
            "state": conversation.state, "reason": None, "agent": None, "position": None, "expected_wait_s": None,
            "open": bool(people) and self._hours.open_at(self._now()), "rate": False,
        }  # fmt: skip
        if handoff is None:
            return told
        if handoff.state == State.QUEUED:
            told["reason"] = handoff.reason
            waiting = [one.handoff_id for one in self._services.handoffs.waiting()]
            told["position"] = waiting.index(handoff.handoff_id) + 1 if handoff.handoff_id in waiting else 1
            if told["open"]:
                usual = self._services.handoffs.usual_wait_s()
                told["expected_wait_s"] = expected_wait_s(told["position"], len(people), usual)
        elif handoff.state == State.HUMAN:
            told |= {"reason": handoff.reason, "agent": handoff.agent_name}
        elif handoff.state == State.RETURNED and handoff.ended_at is not None:
            told["rate"] = handoff.score is None and self._now() - handoff.ended_at < RATEABLE_FOR
        return told

    def claim(self, handoff_id: str, agent: Agent) -> Handoff:
        """Give a waiting conversation to an agent; ConflictError when another was faster. Claiming one's own again is fine."""
        handoff = self._handoff(handoff_id)
        if handoff.state == State.HUMAN and handoff.agent_id == agent.agent_id:
            return handoff
        return self._move(handoff, Step.CLAIM, agent)

    def release(self, handoff_id: str, agent: Agent) -> Handoff:
        """Put an agent's conversation back into the queue."""
        return self._move(self._handoff(handoff_id), Step.RELEASE, agent)

    def transfer(self, handoff_id: str, agent: Agent, to: str) -> Handoff:
        """Give an agent's conversation to another who is there; ConflictError when it is not theirs, or the other is away."""
        handoff = self._handoff(handoff_id)
        people = self._services.handoffs.there(since=self._now() - THERE_FOR)
        other = next((person for person in people if person.agent_id == to), None)
        if other is None:
            raise ConflictError("that agent is not there; choose another, or put it back into the queue")
        moved = self._services.handoffs.transfer(handoff, agent, other)
        if moved is None:
            raise ConflictError("this hand-off is another agent's, or was changed meanwhile; read it again")
        self._changed(handoff.conversation_id)
        return moved

    def take_over(self, handoff_id: str, agent: Agent) -> Handoff:
        """Give an agent what another has who is not there any more; ConflictError while they are."""
        handoff = self._handoff(handoff_id)
        if handoff.state == State.HUMAN and handoff.agent_id == agent.agent_id:
            return handoff
        alone = self._services.handoffs.left_alone(since=self._now() - THERE_FOR)
        if handoff.handoff_id not in {one.handoff_id for one in alone}:
            raise ConflictError("whoever has this conversation is there; ask them to pass it on")
        moved = self._services.handoffs.transfer(handoff, _holder(handoff), agent)
        if moved is None:
            raise ConflictError("this hand-off was changed meanwhile; read it again")
        self._changed(handoff.conversation_id)
        return moved

    def tidy(self) -> tuple[int, int]:
        """Put back into the queue what agents have who went away, and end what nobody waits for any more; return how many of each."""
        settings, now, handoffs = self._services.settings, self._now(), self._services.handoffs
        requeued = [
            handoffs.move(
                one,
                State.QUEUED,
                conversation=after(State.HUMAN, Step.RELEASE),
                agent=_holder(one),
                says=self._says(one, "handoff.requeued"),
                at=now,
            )
            for one in handoffs.left_alone(since=now - timedelta(minutes=settings.agent_away_minutes))
        ]
        ended = [
            handoffs.move(
                one,
                "ended",
                conversation=after(State.QUEUED, Step.WITHDRAW),
                says=self._says(one, "handoff.expired"),
                at=now,
            )
            for one in handoffs.silent(since=now - timedelta(hours=settings.queue_hours))
        ]
        for one in filter(None, [*requeued, *ended]):
            self._changed(one.conversation_id, message=True)
        return len([one for one in requeued if one]), len([one for one in ended if one])

    def _says(self, handoff: Handoff, act: str) -> dict[str, Any]:
        return self._message(self._conversation(handoff.conversation_id), act).as_json()

    def hand_back(self, handoff_id: str, agent: Agent) -> Handoff:
        """Give an agent's conversation back to the bot, which says so; doing it again changes nothing."""
        handoff = self._handoff(handoff_id)
        if handoff.state == State.RETURNED and handoff.agent_id == agent.agent_id:
            return handoff
        moved = self._move(
            handoff,
            Step.HAND_BACK,
            agent,
            says=self._says(handoff, "handoff.returned"),
        )
        self._changed(handoff.conversation_id, message=True)
        return moved

    def _move(self, handoff: Handoff, step: Step, agent: Agent, says: dict[str, Any] | None = None) -> Handoff:
        try:
            to = after(State(handoff.state), step)
        except (HandoffError, ValueError) as error:
            raise ConflictError(f"this hand-off is {handoff.state}, so it cannot {step.replace('_', ' ')}") from error
        moved = self._services.handoffs.move(handoff, to, conversation=to, agent=agent, says=says, at=self._now())
        if moved is None:
            raise ConflictError("this hand-off is another agent's, or was changed meanwhile; read it again")
        self._changed(handoff.conversation_id)
        return moved

    def reply(self, handoff_id: str, agent: Agent, text: str, client_message_id: str | None) -> str:
        """Send an agent's words to the shopper, once per `client_message_id`; ConflictError unless the agent has it."""
        handoff = self._handoff(handoff_id)
        body = {"text": text, "agent": agent.name}
        sent = self._services.conversations.append_agents(
            handoff.conversation_id,
            agent.agent_id,
            body,
            client_message_id=client_message_id or new_id(),
            at=self._now(),
        )
        if sent is None:
            raise ConflictError("this conversation is not yours; claim it first")
        self._changed(handoff.conversation_id, message=True)
        return sent

    def rate(self, conversation_id: str, score: int, comment: str | None) -> Handoff:
        """Keep how the shopper found the person's help; ConflictError when there is nothing to rate, or it was rated."""
        handoff = self._services.handoffs.of(conversation_id)
        if handoff is None or not self.state(conversation_id)["rate"]:
            raise ConflictError("there is nothing to rate here, or it was rated before")
        if not self._services.handoffs.tell(handoff, score=score, comment=comment):
            raise ConflictError("there is nothing to rate here, or it was rated before")
        self._services.metrics.csat.observe(score)
        self._changed(conversation_id)
        return handoff

    def _summary(self, conversation: Conversation, reason: Reason) -> list[str]:
        latest = self._services.conversations.latest(conversation.conversation_id, SUMMARY_MESSAGES)
        mood = load(conversation.affect)
        return briefing(
            reason=reason,
            states=mood.recent if mood else [],
            cause=mood.cause if mood else None,
            language=load_language(conversation.language).name if conversation.language != DEFAULT else "",
            exchanges=_exchanges(latest),
        )

    def _message(
        self,
        conversation: Conversation,
        act: str,
        values: Mapping[str, str | int] | None = None,
        state: str = "neutral",
        replies: list[tuple[str, str]] | None = None,
    ) -> BotMessage:
        voice = self._services.voice.speaking(conversation.language)
        buttons = [QuickReply(voice.phrases.title(title), text) for title, text in replies or []]
        said = said_lately(self._services.conversations.latest(conversation.conversation_id, _REMEMBERED))
        return BotMessage(voice.word(act, values or {}, state, said), quick_replies=buttons, act=act)

    def _changed(self, conversation_id: str, *, message: bool = False) -> None:
        self._services.talk.tell(conversation_id, "state")
        if message:
            self._services.talk.tell(conversation_id, "message")
        self._services.talk.tell(DESK, "changed", {"conversation_id": conversation_id})

    def _conversation(self, conversation_id: str) -> Conversation:
        found = self._services.conversations.get(conversation_id)
        if found is None:
            raise NotFoundError("there is no such conversation")
        return found

    def _handoff_of(self, conversation_id: str) -> Handoff:
        found = self._services.handoffs.of(conversation_id)
        if found is None:
            raise NotFoundError(f"there is no hand-off of {conversation_id}")
        return found

    def _handoff(self, handoff_id: str) -> Handoff:
        found = self._services.handoffs.get(handoff_id)
        if found is None:
            raise NotFoundError(f"there is no hand-off {handoff_id}")
        return found


def said_lately(newest: Sequence[Message]) -> list[str]:
    """Return what the bot said in these messages, oldest first: what is said next is said in other words."""
    return [_text(message.body) for message in newest if message.role == "bot"]


def _holder(handoff: Handoff) -> Agent:
    """Return who has a hand-off, as the store compares it."""
    return Agent(handoff.agent_id or "", handoff.agent_name or "", handoff.queued_at)


def _exchanges(messages: list[Message]) -> list[Exchange]:
    """Return each message of the shopper with the acts of what the bot said until the next."""
    found: list[Exchange] = []
    for message in messages:
        act = str(message.body.get("act") or "")
        if message.role == "user":
            found.append(Exchange(_text(message.body)))
        elif message.role == "bot" and act and found:
            found[-1] = Exchange(found[-1].said, (*found[-1].acts, act))
    return found


def _text(body: Mapping[str, Any]) -> str:
    return str(body.get("text") or ", ".join(f"[{file['name']}]" for file in body.get("attachments", [])))


def _minutes(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return "a minute" if minutes == 1 else f"{minutes} minutes"
