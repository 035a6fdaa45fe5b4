"""Past decisions with what came of them, as training reads them: a page at a time, of members who agree to it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

from personalization.decisions import LoggedRequest
from personalization.trust.gate import trimmed
from personalization.types import DecisionId, EventType, MemberId, ProductId, Purpose, Subject
from stores.codec import load_candidates, load_decision
from stores.consents import granted_to
from stores.database import Database, rows_where
from stores.decisions import ordered
from stores.tables import candidate_sets, decisions, events

PAGE = 200  # decisions
_OUTCOMES = {EventType.VIEWED, EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT, EventType.REDEEMED}
Outcomes = dict[ProductId, dict[EventType, float]]


def logged_requests(db: Database, *, since: datetime, most: int) -> Iterator[LoggedRequest]:
    """Yield what `TrainingSource.logged_requests` promises; no transaction stays open between pages."""
    c = candidate_sets.c
    known, key = c.member_id.is_not(None), tuple_(c.at, c.decision_id)
    with db.read() as connection:
        newest = select(c.at, c.decision_id).where(known, c.at >= since).order_by(c.at.desc(), c.decision_id.desc())
        before = connection.execute(newest.offset(most).limit(1)).first()
    last = (since, "") if before is None else (before.at, before.decision_id)
    while True:
        query = select(c.decision_id, c.at, c.member_id).where(known, key > last)
        with db.read() as connection:
            page = connection.execute(query.order_by(c.at, c.decision_id).limit(PAGE)).all()
            found = list(_page(connection, page))
        yield from found
        if len(page) < PAGE:
            return
        last = (page[-1].at, page[-1].decision_id)


def _page(connection: Connection, page: Iterable[Any]) -> Iterator[LoggedRequest]:
    granted = granted_to(connection, {row.member_id for row in page})
    mine = {row.decision_id: row for row in page if Purpose.PROFILING in granted.get(row.member_id, ())}
    outcomes = _outcomes(connection, mine)
    bodies = dict(map(tuple, rows_where(connection, decisions, "decision_id", outcomes, only=("decision_id", "body"))))
    columns = ("decision_id", "shown", "body")
    sets = {
        row.decision_id: row for row in rows_where(connection, candidate_sets, "decision_id", outcomes, only=columns)
    }
    for decision_id, row in mine.items():
        if decision_id in outcomes and decision_id in bodies:
            member_id = MemberId(row.member_id)
            decision = load_decision(bodies[decision_id])
            yield LoggedRequest(
                DecisionId(decision_id), member_id, trimmed(Subject(member_id), decision.context, granted[member_id])[1],
                load_candidates(bytes(sets[decision_id].body)), tuple(sets[decision_id].shown), outcomes[decision_id],
                decision.tuning_version,
            )  # fmt: skip


def _outcomes(connection: Connection, mine: dict[str, Row[Any]]) -> dict[str, Outcomes]:
    """Return the outcomes of those decisions that an event of their member, or of nobody, names."""
    found: dict[str, Outcomes] = {}
    columns = ("decision_id", "member_id", "type", "at", "product_id", "payload")
    for event in rows_where(connection, events, "decision_id", mine, only=columns):
        decision = mine[event.decision_id]
        if event.type not in _OUTCOMES or event.member_id not in {None, decision.member_id}:
            continue
        seconds = max((event.at - decision.at).total_seconds(), 0.0)
        for product_id in {*ordered(event.payload), *([event.product_id] if event.product_id else [])}:
            of_product = found.setdefault(event.decision_id, {}).setdefault(ProductId(product_id), {})
            kind = EventType(event.type)
            of_product[kind] = min(seconds, of_product.get(kind, seconds))
    return found
