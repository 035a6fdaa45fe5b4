"""Moods as they were logged, without a word of what was said: after each message of a conversation, and at each decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import func, select

from personalization.trust.gate import trimmed
from personalization.types import FACE, Purpose
from stores.codec import load_decision
from stores.consents import granted_to
from stores.database import Database
from stores.tables import conversations, decisions, messages


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """The mood after a message that the bot answered; fallen : how far it had fallen, in standard deviations."""

    valence: float
    state: str
    fallen: float


def logged_conversations(db: Database, *, since: datetime, most: int) -> Iterator[list[LoggedTurn]]:
    """Yield the moods, message by message, of the newest conversations that were answered from `since` on.

    Those of members who do not agree to profiling now are left out, and those in which a face was read without consent to that.
    """
    m, talk = messages.c, conversations.c
    answered = (m.role == "user", m.outcome.is_not(None), m.at >= since)
    newest = (
        select(m.conversation_id)
        .where(*answered)
        .group_by(m.conversation_id)
        .order_by(func.max(m.at).desc(), m.conversation_id)
        .limit(most)
    )
    query = (
        select(m.conversation_id, m.outcome, talk.member_id, talk.affect)
        .join(conversations, talk.conversation_id == m.conversation_id)
        .where(*answered, m.conversation_id.in_(newest))
    )
    with db.read() as connection:
        rows = connection.execute(query.order_by(m.conversation_id, m.seq)).all()
        granted = granted_to(connection, {row.member_id for row in rows if row.member_id})
    agreed = [
        row for row in rows if row.member_id is None or _may_read(row.affect, granted.get(row.member_id, frozenset()))
    ]
    for _, mine in groupby(agreed, key=lambda row: row.conversation_id):
        turns = [
            LoggedTurn(affect["valence"], affect["state"], outcome.get("fallen", 0.0))
            for outcome in (row.outcome for row in mine)
            if outcome.get("engine") != "human" and (affect := outcome.get("affect"))
        ]
        if turns:
            yield turns


def _may_read(affect: Mapping[str, Any] | None, granted: frozenset[Purpose]) -> bool:
    """Whether the moods of a member's conversation may be read; what was kept before it had a source may be of a face."""
    faced = affect is not None and affect.get("source", FACE) == FACE
    return Purpose.PROFILING in granted and (not faced or Purpose.EXPRESSION in granted)


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
