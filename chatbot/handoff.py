"""Hand-off to people: who has a conversation, when a person is fetched, and what that person is told.

bot ──ask──► queued ──claim──► human ──hand back──► returned ──ask──► queued …
               │  ▲               │
               └──┼─withdraw─► bot └─release─► queued
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chatbot.voice.states import DISTRESSED


class State(StrEnum):
    """Who has the conversation. While a person has it, the bot is silent."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    RETURNED = "returned"


class Step(StrEnum):
    """What moves a conversation from one to another."""

    ASK = "ask"
    CLAIM = "claim"
    RELEASE = "release"
    HAND_BACK = "hand_back"
    WITHDRAW = "withdraw"


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.BOT, Step.ASK): State.QUEUED,
    (State.RETURNED, Step.ASK): State.QUEUED,
    (State.QUEUED, Step.CLAIM): State.HUMAN,
    (State.QUEUED, Step.WITHDRAW): State.BOT,
    (State.HUMAN, Step.RELEASE): State.QUEUED,
    (State.HUMAN, Step.HAND_BACK): State.RETURNED,
}


class HandoffError(Exception):
    """A step that the conversation's state does not allow; the message names both."""


def after(state: State, step: Step) -> State:
    """Return the state after a step; HandoffError when there is no such step."""
    try:
        return TRANSITIONS[state, step]
    except KeyError as error:
        raise HandoffError(f"a conversation that is {state} cannot {step.replace('_', ' ')}") from error


class Reason(StrEnum):
    """Why a person is fetched."""

    ASKED = "asked"
    MISUNDERSTOOD = "misunderstood"
    FALLING_AFFECT = "falling_affect"
    SENSITIVE = "sensitive"
    VALUE_AT_RISK = "value_at_risk"
    UNAVAILABLE = "unavailable"


URGENCY = {Reason.SENSITIVE: 3, Reason.VALUE_AT_RISK: 2, Reason.FALLING_AFFECT: 2}
"""How urgent a reason is; any other has 1."""

LOST = frozenset(
    f"{act}{again}" for act in ("conversation.clarify", "conversation.out_of_scope") for again in ("", ".again")
) | {"conversation.failed", "conversation.fallback", "conversation.language.unserved", "search.nothing"}
"""Acts of a bot that did not get on."""

_SENSITIVE = re.compile(
    r"\b(allergic (reaction|shock)|anaphyla\w*|food poisoning|poisoned|hospital|ambulance|injur(y|ed|ies)|choked|bleeding|"
    r"(piece|shard|bit)s? of (glass|metal|plastic) in|lawyer|attorney|lawsuit|sue you|suing|police|fraud(ulent)?|identity theft|"
    r"stolen (card|identity|account)|hacked|data breach|harass(ed|ment|ing)|discriminat\w+|racist|sexually|threaten(ed|ing)|"
    r"kill (myself|me)|suicid\w+|self.harm|(hurt|harm) myself|(want|wanna) to die|wanna die|end my life|no reason to live|"
    r"(don.?t|do not|no longer) (want|wanna) (to )?(live|be alive)|passed away|funeral)\b",
    re.IGNORECASE,
)


def sensitive(text: str) -> bool:
    """Whether a message touches what a machine must not settle: health, law, money in danger, grief, harm."""
    return _SENSITIVE.search(text) is not None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the policy looks at: the newest message, the latest acts and states of the shopper (newest last), and their worth."""

    text: str
    acts: Sequence[str]
    states: Sequence[str]
    falling: bool = False
    valuable: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person is wanted: fetched at once, or offered."""

    reason: Reason
    at_once: bool

    @property
    def urgency(self) -> int:
        """1 to 3."""
        return URGENCY.get(self.reason, 1)


def person_wanted(seen: Situation) -> Wanted | None:
    """Return whether a person is wanted, and why; None while the bot gets on.

    Sensitive topics go to a person at once. A shopper whose mood falls, who stays in distress or is not understood twice running
    is offered one; one of much worth who is in distress, at the first sign.
    """
    distressed = [state in DISTRESSED for state in seen.states]
    if sensitive(seen.text):
        return Wanted(Reason.SENSITIVE, True)
    if seen.valuable and distressed[-1:] == [True]:
        return Wanted(Reason.VALUE_AT_RISK, False)
    if distressed[-1:] == [True] and (seen.falling or distressed[-2:] == [True, True]):
        return Wanted(Reason.FALLING_AFFECT, False)
    if len(seen.acts) >= 2 and all(act in LOST for act in seen.acts[-2:]):
        return Wanted(Reason.MISUNDERSTOOD, False)
    return None


def expected_wait_s(position: int, people: int, usual_s: float | None) -> int:
    """Return how long the one at `position` (1: next) waits when `people` answer; `usual_s` is what the last ones waited."""
    each = min(max(usual_s if usual_s is not None else 120.0, 30.0), 900.0)
    return round(each * position / max(people, 1) / 30) * 30 or 30


_PERSON = re.compile(
    r"\b(human|person|agent|representative|employee|somebody|someone|staff|people|operator)\b", re.IGNORECASE
)


_SOMEBODY = (
    r"(?:(?:a|an|the|any|some|your|one of your|another|my)\s+)?(?:(?:real|live|actual|proper|living|breathing|human|different|service|support|sales|shop|store|customer(?: service| care| support)?)\s+)*"
    r"(?:human(?: being)?s?|persons?|people|someone|somebody|agents?|representatives?|reps?|managers?|supervisors?|advis[eo]rs?|assistants?|operators?|employees?|colleagues?"
    r"|staff(?: members?)?|members? of (?:your |the )?(?:staff|team)|team|boss|man|woman|customer (?:service|care|support)|support)"
)
_WANTS_PERSON = re.compile(
    rf"\b(?:(?:a (?:quick )?(?:word|chat)|in touch|hear from|talk|speak|spoke|chat|talking|speaking|chatting|write|connect(?: me)?|transfer(?: me)?|put me through|pass(?: me)?(?: on)?|hand(?: me)?(?: over)?|refer(?: me)?|escalate(?: me| this)?)\s+(?:(?:directly|now|please|this|it)\s+)*(?:to|with|2)\s+{_SOMEBODY}"
    rf"|(?:who(?:ever)?|someone|somebody|anyone|anybody|a person|people)\s+(?:that |who )?(?:is |are )?(?:really |actually )?(?:in charge|responsible)"
    r"|(?:someone|somebody|anyone|anybody|a person|one of the people)\s+(?:that |who )?(?:really |actually )?works? (?:there|here|with you|for you|at your)"
    r"|(?:want|need|would like|'d like)\s+(?:someone|somebody|a person|one of you)\s+to\s+(?:deal|look|help|sort|fix|handle|call|ring|take|answer|explain|see|come|do)\b"
    r"|put me (?:right )?through\b|(?:call|ring|phone) me back"
    rf"|(?:get|give|fetch|call|bring|send|find|pass)\s+(?:me|us|over|in)\s+(?:over\s+)?(?:to\s+)?{_SOMEBODY}(?!\s+(?:that|which|for|with))|(?:i\s+)?(?:want|need|would like|'d like|prefer|wanna|demand|require)\s+(?:to (?:have|get|see|reach)\s+)?"
    rf"(?:(?:a|an|your|the|another)\s+)?(?:(?:real|live|actual|proper|human|different)\s+)*(?:human(?: being)?|person|agent|representative|manager|supervisor|operator|employee|colleague|staff member|someone real|somebody real|real people)\b"
    rf"|(?:can|could|may|will)\s+(?:i|we)\s+(?:please\s+)?(?:have|get|see|reach)\s+{_SOMEBODY}\b|is (?:there )?(?:someone|somebody|anyone|anybody|a (?:real )?(?:human|person))\b.{{0,20}}\b(?:i can|to) (?:talk|speak)"
    rf"|(?:real|live|actual) (?:human|person|agent)(?: being)?\s*(?:please|now|pls)?\W*$|(?:^|[.,;!?:])\W*(?:human|agent|representative|operator|a person|a human|person)(?:\s+(?:please|now|pls))?\W*$)",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"\b(?:don'?t|do not|no need|needn'?t|not|without|never|rather than|instead of|didn'?t|are you|is this|am i|was i|if i'?m|whether i'?m)\b[^.,;!?]{0,25}$",
    re.IGNORECASE,
)


def wants_person(text: str) -> bool:
    """Whether a message asks for a person in so many words, whatever else it says."""
    low = text.replace("’", "'")
    match = _WANTS_PERSON.search(low)
    return match is not None and not _NO_PERSON.search(low[: match.start()])


_NO_LONGER = re.compile(
    rf"\b(?:no need (?:for|to (?:send|call|get|bother))|(?:don'?t|do not|no longer|needn'?t|won'?t) (?:really )?(?:need|want|call|send|get|bother|have to)|without|forget (?:about )?|cancel|skip)"
    rf"\s*(?:the |a |any |to (?:send|call|get|talk to|speak to) )*(?:any(?:one|body)|them|him|her|it|that|this|{_SOMEBODY})\b"
    r"|\b(?:found|sorted|solved|fixed|worked|figured) (?:it|that|this)(?: out)?\b|\b(?:it|that|this)(?:'s| is| has)(?: been)? (?:solved|sorted|settled)(?: itself)?\b"
    r"|\bcall (?:them|him|her|it|that|everyone|the \w+) off\b|\b(?:it|that|everything) (?:all )?works (?:now|again)\b|\bno(?:t| longer) (?:needed|necessary)\b"
    r"|^\W*(?:oh |ah |ok |no |wait |sorry )*(?:never ?mind|forget (?:it|that)|changed my mind|cancel (?:it|that))\b",
    re.IGNORECASE,
)


def withdraws(text: str) -> bool:
    """Whether who waits for a person needs none any more."""
    low = text.replace("’", "'")
    return _NO_LONGER.search(low) is not None and not wants_person(low)


def asks_for_person(text: str) -> bool:
    """Whether a message names a person: how one is still reached while the dialogue engine is away."""
    return _PERSON.search(text) is not None
