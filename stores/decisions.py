"""The decision log with what each decision compared, the creatives that were shown, and how shoppers responded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select

from personalization.decisions import Creative, Decision
from personalization.types import CandidateSet, CreativeId, DecisionId, EventType, ProductId, Subject
from stores.allotments import put as put_allotment
from stores.codec import dump_candidates, dump_decision, load_candidates, load_decision
from stores.database import Database
from stores.outbox import Topic, tell
from stores.tables import candidate_sets, creatives, decisions, events, responses
from stores.words import open_words, seal_words

MOST_SHOWN = 6  # without a response, within WINDOW
WINDOW = timedelta(days=7)
NEWEST = 60  # slates that are looked at
_INSERT = insert(decisions)
_RESPONDED = [EventType.CLICKED.value, EventType.ADDED_TO_BASKET.value, EventType.BOUGHT.value]


class SqlDecisions:
    """The `DecisionLog` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append(self, decision: Decision) -> None:
        """Store `decision` and what it compared; a poster that was shown before is stored once."""
        creative = decision.creative
        body = seal_words(self._db, decision.decision_id, dump_decision(decision))  # a new key is a write of its own
        with self._db.write() as connection:
            if creative is not None:
                _put(connection, creative)
            connection.execute(
                _INSERT,
                {
                    "decision_id": decision.decision_id,
                    "at": decision.at,
                    "member_id": decision.subject.member_id,
                    "visitor_id": decision.subject.visitor_id,
                    "channel": decision.context.channel.value,
                    "conversation_id": decision.context.conversation_id,
                    "creative_id": None if creative is None else creative.creative_id,
                    "body": body,
                },
            )
            put_allotment(connection, decision)
            if decision.candidates is not None:
                _put_candidates(connection, decision, decision.candidates)
            _tell(self._db, connection, decision)

    def get(self, decision_id: DecisionId) -> Decision | None:
        """Return a stored decision with `creative.content` left empty and `candidates` None."""
        with self._db.read() as connection:
            body = connection.scalar(select(decisions.c.body).where(decisions.c.decision_id == decision_id))
        return None if body is None else load_decision(open_words(self._db, decision_id, body))

    def candidates(self, decision_id: DecisionId) -> CandidateSet | None:
        """Return what a stored decision compared, numbers rounded to float32; None when it ranked nothing."""
        with self._db.read() as connection:
            body = connection.scalar(select(candidate_sets.c.body).where(candidate_sets.c.decision_id == decision_id))
        return None if body is None else load_candidates(bytes(body))


class SqlExposures:
    """The `Exposures` of the brain, from ranked slates and outcome events."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def worn_out(self, subject: Subject, *, at: datetime) -> frozenset[ProductId]:
        """Return what was shown MOST_SHOWN times or more within WINDOW, and neither clicked, added nor bought in that time."""
        with self._db.read() as connection:
            shown = Counter(_shown(connection, subject, at))
            often = {product_id for product_id, times in shown.items() if times >= MOST_SHOWN}
            if often:
                often.difference_update(_responded(connection, subject, at))
        return frozenset(map(ProductId, often))


class SqlCreatives:
    """Rendered posters."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, creative: Creative) -> None:
        """Store a poster unless it is there."""
        with self._db.write() as connection:
            _put(connection, creative)

    def get(self, creative_id: CreativeId) -> Creative | None:
        """Return a creative; its pixels are drawn when somebody asks for them."""
        with self._db.read() as connection:
            row = connection.execute(select(creatives).where(creatives.c.creative_id == creative_id)).first()
        if row is None:
            return None
        return Creative(
            creative_id,
            row.media_type,
            row.width,
            row.height,
            row.alt,
            row.spec,
            bytes(row.content),
        )


class SqlResponses:
    """The `Responses` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def counts(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, tuple[int, int]]:
        """Return (times shown, times engaged with) for each id that has any."""
        if not product_ids:
            return {}
        with self._db.read() as connection:
            rows = connection.execute(select(responses).where(responses.c.product_id.in_(set(product_ids))))
            return {ProductId(row.product_id): (row.shown, row.engaged) for row in rows}


def _tell(db: Database, connection: Connection, decision: Decision) -> None:
    data = {
        "decision_id": decision.decision_id, "channel": decision.context.channel.value,
        "product_ids": [item.product.product_id for item in decision.slate],
        "coupon_id": None if decision.coupon is None else decision.coupon.coupon_id,
        "segment": None if decision.segment is None else decision.segment.name,
        "explanation": decision.explanation, "arms": dict(decision.arms),
    }  # fmt: skip
    tell(db, connection, Topic.DECISION_MADE, decision.subject, data, at=decision.at, about=decision.decision_id)


def _put_candidates(connection: Connection, decision: Decision, found: CandidateSet) -> None:
    connection.execute(
        insert(candidate_sets).values(
            decision_id=decision.decision_id,
            at=decision.at,
            member_id=decision.subject.member_id,
            visitor_id=decision.subject.visitor_id,
            shown=[item.product.product_id for item in decision.slate],
            body=dump_candidates(found),
        )
    )


def _lately(table: Table, subject: Subject, at: datetime) -> ColumnElement[bool]:
    """Return which rows are the subject's own of the WINDOW before `at`: a visitor's are those without a member."""
    if subject.member_id is not None:
        mine: ColumnElement[bool] = table.c.member_id == subject.member_id
    else:
        mine = and_(table.c.visitor_id == subject.visitor_id, table.c.member_id.is_(None))
    return and_(mine, table.c.at > at - WINDOW, table.c.at <= at)


def _shown(connection: Connection, subject: Subject, at: datetime) -> Iterator[str]:
    query = select(candidate_sets.c.shown).where(_lately(candidate_sets, subject, at))
    for slate in connection.scalars(query.order_by(candidate_sets.c.at.desc()).limit(NEWEST)):
        yield from slate


def _responded(connection: Connection, subject: Subject, at: datetime) -> Iterator[str]:
    query = select(events.c.product_id, events.c.payload).where(
        _lately(events, subject, at), events.c.type.in_(_RESPONDED)
    )
    for product_id, payload in connection.execute(query):
        if product_id is not None:
            yield product_id
        yield from ordered(payload)


def ordered(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the products of an order's lines."""
    for line in payload.get("lines") or ():
        yield str(line["product_id"])


def _put(connection: Connection, creative: Creative) -> None:
    known = select(creatives.c.creative_id).where(creatives.c.creative_id == creative.creative_id)
    if connection.scalar(known) is None:
        connection.execute(
            insert(creatives).values(
                creative_id=creative.creative_id,
                media_type=creative.media_type,
                width=creative.width,
                height=creative.height,
                alt=creative.alt,
                spec=dict(creative.spec),
                content=creative.content,
            )
        )
