"""Members as the console looks for them: by what is known, by segment, label and risk; and what happened to one, newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Table, and_, cast, func, or_, select

from personalization.profiling.own_segments import SegmentRule
from personalization.profiling.sources import SOURCES, may_store
from personalization.types import EventType, Purpose
from stores.coupon_tables import coupons
from stores.database import Database, rows_where
from stores.insight_tables import member_features
from stores.members import email_hash
from stores.segments import holds
from stores.tables import consents, conversations, decisions, events, labels, members, order_lines

KINDS = ("event", "decision", "coupon", "conversation", "consent")
AFFECT_DAYS = 90
_LABELS = ("segment", "lapse_risk", "expected_spend")
_ONE_ADDRESS = "@"


@dataclass(frozen=True, slots=True)
class Found:
    """A member in a list; what follows from the profile is None without consent to profiling."""

    member_id: str
    external_id: str | None
    display_name: str
    created_at: datetime
    consented: bool
    orders: int | None
    recency_days: float | None
    labels: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What members are looked for by; all of it must hold."""

    text: str = ""
    rule: SegmentRule | None = None
    label: str | None = None
    churn: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a member: `kind` is one of KINDS, `facts` depend on it."""

    kind: str
    at: datetime
    id: str
    facts: dict[str, Any]


class SqlMemberViews:
    """Reads, and keeps nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def search(self, wanted: Wanted, *, before: str | None, limit: int, now: datetime) -> list[Found]:
        """Return up to `limit` members, the newest first, that come after `before` in that order."""
        m, f = members.c, member_features.c
        query = select(
            m.member_id,
            m.external_id,
            m.display_name,
            m.created_at,
            f.member_id.label("known"),
            f.orders,
            f.recency_days,
        )
        query = query.select_from(members.outerjoin(member_features, f.member_id == m.member_id))
        for condition in self._conditions(wanted, now):
            query = query.where(condition)
        if before is not None:
            query = query.where(m.member_id < before)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(m.member_id.desc()).limit(limit)).all()
            told: dict[str, dict[str, Any]] = {}
            known = [row.member_id for row in rows if row.known is not None]
            for label in rows_where(
                connection, labels, "member_id", known, only=("member_id", "name", "value", "expires_at")
            ):
                if label.name in _LABELS and label.expires_at > now:
                    told.setdefault(label.member_id, {})[label.name] = label.value
        return [
            Found(
                row.member_id, row.external_id, row.display_name, row.created_at, row.known is not None,
                None if row.orders is None else int(row.orders), row.recency_days, told.get(row.member_id, {}),
            )
            for row in rows
        ]  # fmt: skip

    def _conditions(self, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
        m, found = members.c, list[ColumnElement[bool]]()
        if text := wanted.text.strip():
            if _ONE_ADDRESS in text:
                found.append(m.email_hash == email_hash(self._db, text))
            else:
                word = text.lower()
                name = func.lower(m.display_name)
                starts = or_(name.startswith(word, autoescape=True), name.contains(f" {word}", autoescape=True))
                found.append(or_(m.member_id == text, m.external_id == text, starts))
        if wanted.rule is not None:
            found.append(m.member_id.in_(select(member_features.c.member_id).where(holds(wanted.rule))))
        if wanted.label:
            found.append(m.member_id.in_(_labelled(wanted.label, None, now)))
        if wanted.churn:
            found.append(m.member_id.in_(_labelled("lapse_risk", wanted.churn, now)))
        return found

    def timeline(
        self,
        member_id: str,
        granted: frozenset[Purpose],
        *,
        kinds: Sequence[str],
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Moment]:
        """Return up to `limit` moments of a member, the newest first, behind `before` (time, id).

        Events whose purpose the member does not agree to are left out, and so is why a decision came out as it did. Of conversations there is the head, never a text.
        """
        sources: dict[str, tuple[Select[Any], Table, str, str, Callable[[Any], dict[str, Any]]]] = {
            "event": (_own_events(granted), events, "at", "event_id", _event),
            "decision": (select(decisions.c.decision_id, decisions.c.at, decisions.c.channel, decisions.c.body["explanation"].label("said")),
                         decisions, "at", "decision_id", lambda r: {"channel": r.channel, "sentence": r.said if Purpose.PROFILING in granted else None}),
            "coupon": (select(coupons.c.coupon_id, coupons.c.issued_at, coupons.c.code, coupons.c.campaign_id, coupons.c.discount_minor, coupons.c.currency,
                              coupons.c.status, coupons.c.expires_at), coupons, "issued_at", "coupon_id", _coupon),
            "conversation": (select(conversations.c.conversation_id, conversations.c.created_at, conversations.c.state, conversations.c.language,
                                    conversations.c.last_seq), conversations, "created_at", "conversation_id",
                             lambda r: {"state": r.state, "language": r.language, "messages": r.last_seq}),
            "consent": (select(consents.c.consent_id, consents.c.at, consents.c.purpose, consents.c.granted, consents.c.channel),
                        consents, "at", "consent_id", lambda r: {"purpose": r.purpose, "granted": r.granted, "channel": r.channel}),
        }  # fmt: skip
        found: list[Moment] = []
        with self._db.read() as connection:
            for kind in kinds:
                query, table, at, key, facts = sources[kind]
                when, name = table.c[at], table.c[key]
                query = query.where(table.c.member_id == member_id)
                if before is not None:
                    query = query.where(or_(when < before[0], and_(when == before[0], name < before[1])))
                rows = connection.execute(query.order_by(when.desc(), name.desc()).limit(limit))
                found += [Moment(kind, getattr(row, at), getattr(row, key), facts(row)) for row in rows]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]

    def spent(self, member_id: str) -> tuple[int, int, datetime | None]:
        """Return how many orders the member placed, what they came to, and when the first was."""
        o = order_lines.c
        query = select(func.count(o.order_id.distinct()), func.sum(o.amount_minor), func.min(o.at)).where(
            o.member_id == member_id
        )
        with self._db.read() as connection:
            orders, amount, first = connection.execute(query).one()
        return orders, int(amount or 0), first

    def affect(
        self, member_id: str, granted: frozenset[Purpose], *, now: datetime
    ) -> list[tuple[datetime, str, float]]:
        """Return how the member sounded and looked lately, (time, channel, valence), oldest first; only what they agree to."""
        allowed = [
            t.value
            for t in (EventType.MESSAGE_SENT, EventType.EXPRESSED)
            if Purpose.PROFILING in granted and may_store(t, granted)
        ]
        e = events.c
        query = select(e.at, e.channel, e.payload["valence"].as_float()).where(
            e.member_id == member_id, e.type.in_(allowed), e.at > now - timedelta(days=AFFECT_DAYS)
        )
        with self._db.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(e.at)) if row[2] is not None]


def _labelled(name: str, value: str | None, now: datetime) -> Select[tuple[str]]:
    query = select(labels.c.member_id).where(labels.c.name == name, labels.c.expires_at > now)
    return query if value is None else query.where(cast(labels.c.value, String) == json.dumps(value))


def _own_events(granted: frozenset[Purpose]) -> Select[Any]:
    e = events.c
    allowed = [
        type_.value
        for type_, source in SOURCES.items()
        if source.purpose is None or (Purpose.PROFILING in granted and may_store(type_, granted))
    ]
    query = select(e.event_id, e.at, e.type, e.channel, e.product_id, e.decision_id, e.payload)
    return query.where(e.type.in_(allowed))


def _event(row: Any) -> dict[str, Any]:
    told = {
        name: row.payload[name]
        for name in ("page", "order_id", "store_id", "score", "name", "code", "kind", "sentence")
        if name in row.payload
    }
    lines = row.payload.get("lines")
    return {
        "type": row.type, "channel": row.channel, "product_id": row.product_id, "decision_id": row.decision_id, **told,
        **({"lines": len(lines)} if isinstance(lines, list) else {}),
    }  # fmt: skip


def _coupon(row: Any) -> dict[str, Any]:
    return {
        "code": row.code, "campaign_id": row.campaign_id, "discount_minor": row.discount_minor, "currency": row.currency, "status": row.status,
        "expires_at": row.expires_at.isoformat(),
    }  # fmt: skip
