"""Moods as they were logged, without a word of what was said: after each message of a conversation, and at each decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select

from personalization.trust.gate import trimmed
from stores.codec import load_decision
from stores.consents import granted_to
from stores.database import Database
from stores.tables import decisions, messages


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """The mood after a message that the bot answered; fallen : how far it had fallen, in standard deviations."""

    valence: float
    state: str
    fallen: float


def logged_conversations(db: Database, *, since: datetime, most: int) -> Iterator[list[LoggedTurn]]:
    """Yield the moods, message by message, of the newest conversations that were answered from `since` on."""
    m = messages.c
    answered = (m.role == "user", m.outcome.is_not(None), m.at >= since)
    newest = (
        select(m.conversation_id)
        .where(*answered)
        .group_by(m.conversation_id)
        .order_by(func.max(m.at).desc(), m.conversation_id)
        .limit(most)
    )
    query = select(m.conversation_id, m.outcome).where(*answered, m.conversation_id.in_(newest))
    with db.read() as connection:
        rows = connection.execute(query.order_by(m.conversation_id, m.seq)).all()
    for _, mine in groupby(rows, key=lambda row: row.conversation_id):
        turns = [
            LoggedTurn(affect["valence"], affect["state"], outcome.get("fallen", 0.0))
            for outcome in (row.outcome for row in mine)
            if outcome.get("engine") != "human" and (affect := outcome.get("affect"))
        ]
        if turns:
            yield turns


def logged_valences(db: Database, *, since: datetime, most: int) -> list[float]:
    """Return the mood at each of the newest decisions at which it was known, as far as its reading is still agreed to."""
    c = decisions.c
    query = select(c.body).where(c.at >= since).order_by(c.at.desc()).limit(most)
    with db.read() as connection:
        found = [load_decision(body) for body in connection.scalars(query)]
        granted = granted_to(connection, {one.subject.member_id for one in found if one.subject.member_id})
    valences = []
    for one in found:
        agreed = granted.get(one.subject.member_id or "", frozenset())
        affect = trimmed(one.subject, one.context, agreed)[1].affect
        if affect is not None:
            valences.append(affect.valence)
    return valences
