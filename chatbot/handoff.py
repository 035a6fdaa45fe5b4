"""Hand-off to people: who has a conversation, when a person is fetched, and what that person is told.

bot ──ask──► queued ──claim──► human ──hand back──► returned ──ask──► queued …
               │  ▲               │
               └──┼─withdraw─► bot └─release─► queued
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chatbot.people import sensitive
from chatbot.voice.states import Felt
from personalization.tuning import SHIPPED, People


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


LEAVE_MESSAGE, WITHDRAW = "/leave_message", "/no_person"
"""What buttons send to the desk: a message for people, at once or (without words) with what is written next; and that none is needed."""


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


@dataclass(frozen=True, slots=True)
class Situation:
    """What the policy looks at: the newest message, the bot's latest acts and the shopper's moods (newest last), and their worth.

    fallen : how far the mood has fallen and not recovered, in standard deviations.
    """

    text: str
    acts: Sequence[str]
    moods: Sequence[Felt]
    fallen: float = 0.0
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


def in_trouble(felt: Felt, rule: People) -> bool:
    """Whether a mood is low enough for the rule; who is only impatient wants it quicker, not a person."""
    return felt.valence < rule.mood and felt.state != "impatient"


def mood_wants_person(moods: Sequence[Felt], fallen: float, rule: People) -> bool:
    """Whether the mood alone asks for the offer of a person: it fell far enough, or trouble lasts."""
    if not moods or not in_trouble(moods[-1], rule):
        return False
    lasting = moods[-rule.patience :]
    return fallen >= rule.fall or (len(lasting) == rule.patience and all(in_trouble(one, rule) for one in lasting))


def person_wanted(seen: Situation, rule: People = SHIPPED.people) -> Wanted | None:
    """Return whether a person is wanted, and why; None while the bot gets on.

    Sensitive topics go to a person at once. A shopper whose mood falls, who stays in trouble or is not understood twice running
    is offered one; one of much worth who is in trouble, at the first sign.
    """
    if sensitive(seen.text):
        return Wanted(Reason.SENSITIVE, True)
    if seen.valuable and seen.moods and in_trouble(seen.moods[-1], rule):
        return Wanted(Reason.VALUE_AT_RISK, False)
    if mood_wants_person(seen.moods, seen.fallen, rule):
        return Wanted(Reason.FALLING_AFFECT, False)
    if len(seen.acts) >= 2 and all(act in LOST for act in seen.acts[-2:]):
        return Wanted(Reason.MISUNDERSTOOD, False)
    return None


def expected_wait_s(position: int, people: int, usual_s: float | None) -> int:
    """Return how long the one at `position` (1: next) waits when `people` answer; `usual_s` is what the last ones waited."""
    each = min(max(usual_s if usual_s is not None else 120.0, 30.0), 900.0)
    return round(each * position / max(people, 1) / 30) * 30 or 30
