"""The decision log, the creatives that were shown, and how shoppers responded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from personalization.types import Creative, CreativeId, Decision, DecisionId, ProductId
from stores.codec import dump_decision, load_decision
from stores.database import Database
from stores.tables import creatives, decisions, responses


class SqlDecisions:
    """The `DecisionLog` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append(self, decision: Decision) -> None:
        """Store `decision`; a poster that was shown before is stored once."""
        creative = decision.creative
        with self._db.write() as connection:
            if creative is not None:
                _put(connection, creative)
            connection.execute(
                insert(decisions).values(
                    decision_id=decision.decision_id,
                    at=decision.at,
                    member_id=decision.subject.member_id,
                    visitor_id=decision.subject.visitor_id,
                    channel=decision.context.channel.value,
                    creative_id=None if creative is None else creative.creative_id,
                    body=dump_decision(decision),
                )
            )

    def get(self, decision_id: DecisionId) -> Decision | None:
        """Return a stored decision with `creative.content` left empty."""
        with self._db.read() as connection:
            body = connection.scalar(select(decisions.c.body).where(decisions.c.decision_id == decision_id))
        return None if body is None else load_decision(body)


class SqlCreatives:
    """Rendered posters."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, creative: Creative) -> None:
        """Store a poster unless it is there."""
        with self._db.write() as connection:
            _put(connection, creative)

    def get(self, creative_id: CreativeId) -> Creative | None:
        """Return a creative with its pixels."""
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
