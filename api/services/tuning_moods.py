"""What the dials of moods would have done last week: conversations and decisions are looked at again, by the moods that were logged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from api.wiring import Services
from chatbot.handoff import mood_wants_person
from chatbot.voice.states import Felt
from personalization.tuning import TuningPolicy
from stores.logged_moods import LoggedTurn, logged_conversations, logged_valences

CONVERSATIONS, DECISIONS = 500, 500
WEEK = timedelta(days=7)


def preview(services: Services, now_: TuningPolicy, tried: TuningPolicy, *, at: datetime) -> list[dict[str, Any]]:
    """Return how many conversations would have been offered a person, and how many slates would have been shorter or sold nothing."""
    talks = list(logged_conversations(services.db, since=at - WEEK, most=CONVERSATIONS))
    valences = logged_valences(services.db, since=at - WEEK, most=DECISIONS)
    figures = {
        "offered": (lambda tuning: sum(_offered(one, tuning) for one in talks), len(talks)),
        "unsold": (lambda tuning: sum(_unsold(one, tuning) for one in valences), len(valences)),
        "brief": (lambda tuning: sum(one < tuning.moods.brief for one in valences), len(valences)),
    }
    return [
        {"name": name, "before": float(count(now_)), "after": float(count(tried)), "count": of}
        for name, (count, of) in figures.items()
    ]


def _offered(turns: Sequence[LoggedTurn], tuning: TuningPolicy) -> bool:
    """Whether the mood alone would have had a person offered at any message."""
    moods = [Felt(one.valence, one.state) for one in turns]
    return any(mood_wants_person(moods[: place + 1], one.fallen, tuning.people) for place, one in enumerate(turns))


def _unsold(valence: float, tuning: TuningPolicy) -> bool:
    return valence < tuning.moods.sell and not tuning.moods.push
