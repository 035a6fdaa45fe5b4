"""Placing a creative: one transaction that reads the shares, draws, counts and logs, so that no cap is broken by two at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, and_, func, insert, select, update

from personalization.creative.approval import State
from personalization.creative.loop import CLICK, CONVERSION
from personalization.creative.placement import Limits, Placed, Shares, place
from personalization.creative.policy_log import Outcome
from personalization.creative.variants import Audience, Variant
from personalization.types import Subject
from stores.creative_tables import (
    creative_campaigns,
    creative_credits,
    creative_placements,
    creative_sets,
    creative_variants,
)
from stores.creatives import audience_of, key_of, open_to, runs, shares_from
from stores.database import Database
from stores.errors import NotFoundError

WEEK = timedelta(days=7)
MOST_AUDIENCES = 200  # of a campaign: segments, channels and moods of one category make some eighty


@dataclass(frozen=True, slots=True)
class Placement:
    """What was placed for a decision."""

    decision_id: str
    campaign_id: str
    variant: Variant
    propensity: float
    explored: bool


class SqlPlacer:
    """Places creatives, and reads back what was placed."""

    def __init__(self, db: Database, rng: np.random.Generator) -> None:
        self._db, self._rng = db, rng

    def for_product(self, product_id: str, *, at: datetime, member_id: str | None = None) -> str | None:
        """Return the running campaign for a product that is for the member, or for anybody; of several the one that began last."""
        c = creative_campaigns.c
        query = (
            select(c.campaign_id)
            .where(c.product_id == product_id, *runs(at))
            .order_by(c.starts_at.desc(), c.campaign_id)
            .limit(1)
        )
        with self._db.read() as connection:
            return connection.scalar(query.where(open_to(connection, member_id)))

    def place(
        self,
        campaign_id: str,
        audience: Audience,
        subject: Subject,
        *,
        decision_id: str,
        at: datetime,
        one_person: bool = True,
    ) -> Placement | None:
        """Draw, count and log one placement; None where nothing approved and not yet seen too often is left, or the campaign is for others.

        The same decision gets the same placement again. `one_person` False: whoever passes by shares the id, so that no cap per
        shopper can be kept. Raises NotFoundError for a campaign that is not there or does not run.
        """
        with self._db.write() as connection:
            c = creative_campaigns.c
            running = (c.campaign_id == campaign_id, *runs(at))
            campaign = connection.execute(select(creative_campaigns).where(*running).with_for_update()).first()
            if campaign is None:
                raise NotFoundError(f"No campaign {campaign_id} runs now.")
            if connection.scalar(select(c.campaign_id).where(*running, open_to(connection, subject.member_id))) is None:
                return None
            before = connection.execute(
                select(creative_placements).where(creative_placements.c.decision_id == decision_id)
            ).first()
            if before is not None:
                return _placement(connection, before)
            standing = _standing(connection, campaign_id, audience, at)
            approved = _approved(connection, campaign_id)
            if standing is None:  # nothing is worked out yet: those approved, evenly
                if not approved:
                    return None
                standing = Shares(tuple(approved), (1.0 / len(approved),) * len(approved), 0)
            seen = _seen(connection, campaign_id, subject, at) if one_person else {}
            placed = place(
                standing, allowed=frozenset(approved), seen=seen, explored=campaign.explored, placed=campaign.placed,
                limits=Limits(**campaign.limits), rng=self._rng,
            )  # fmt: skip
            if placed is None:
                return None
            connection.execute(
                update(creative_campaigns).where(c.campaign_id == campaign_id)
                .values(placed=c.placed + 1, explored=c.explored + int(placed.explored))
            )  # fmt: skip
            connection.execute(
                insert(creative_placements).values(_row(placed, campaign_id, audience, subject, decision_id, at))
            )
            variant = _variant(connection, campaign_id, placed.variant_id)
        return Placement(decision_id, campaign_id, variant, placed.propensity, placed.explored)

    def best(self, campaign_id: str, audience: Audience) -> Variant | None:
        """Return the approved variant with the largest share for an audience, or for everybody where it was not met yet; nothing is placed."""
        with self._db.read() as connection:
            approved = _approved(connection, campaign_id)
            standing = _shares(connection, campaign_id, audience)
            known = (
                []
                if standing is None
                else sorted(zip(standing.shares, standing.variant_ids, strict=True), reverse=True)
            )
            first = next((name for _, name in known if name in approved), approved[0] if approved else None)
            return None if first is None else _variant(connection, campaign_id, first)

    def of_decision(self, decision_id: str) -> Placement | None:
        """Return what was placed for a decision."""
        with self._db.read() as connection:
            row = connection.execute(
                select(creative_placements).where(creative_placements.c.decision_id == decision_id)
            ).first()
            return None if row is None else _placement(connection, row)


def outcomes(db: Database, campaign_id: str, *, conversions: bool = False) -> list[Outcome]:
    """Return a campaign's placements with what came of each, for off-policy evaluation; not those where the old policy had no choice."""
    p, k = creative_placements.c, creative_credits.c
    rewarded = and_(k.placement == p.seq, k.kind == (CONVERSION if conversions else CLICK))
    query = (
        select(creative_placements, k.seq.label("rewarded"))
        .outerjoin(creative_credits, rewarded)
        .where(p.campaign_id == campaign_id, p.capped.is_(False))
        .order_by(p.seq)
    )
    with db.read() as connection:
        return [
            Outcome(
                audience_of(row.audience), row.variant_id, tuple(row.variant_ids), row.propensity, float(row.rewarded is not None),
                row.member_id or row.visitor_id or "",
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def performed(db: Database, campaign_id: str) -> list[tuple[Audience, str, int, int]]:
    """Return audience, variant, how often it was shown to the audience, and how often that was clicked."""
    p, k = creative_placements.c, creative_credits.c
    clicked = and_(k.placement == p.seq, k.kind == CLICK)
    query = (
        select(p.audience, p.variant_id, func.count().label("shown"), func.count(k.seq).label("clicked"))
        .select_from(creative_placements.outerjoin(creative_credits, clicked))
        .where(p.campaign_id == campaign_id)
        .group_by(p.audience, p.variant_id)
    )
    with db.read() as connection:
        return [
            (audience_of(row.audience), row.variant_id, row.shown, row.clicked) for row in connection.execute(query)
        ]


def _row(
    placed: Placed, campaign_id: str, audience: Audience, subject: Subject, decision_id: str, at: datetime
) -> dict[str, Any]:
    return {
        "decision_id": decision_id, "campaign_id": campaign_id, "audience": key_of(audience), "member_id": subject.member_id,
        "visitor_id": subject.visitor_id, "at": at, "variant_id": placed.variant_id, "variant_ids": list(placed.variant_ids),
        "shares": list(placed.shares), "propensity": placed.propensity, "explored": placed.explored, "capped": placed.capped,
    }  # fmt: skip


def _standing(connection: Connection, campaign_id: str, audience: Audience, at: datetime) -> Shares | None:
    """Return the audience's shares, else everybody's; one that was not met before is noted for the worker, up to MOST_AUDIENCES.

    Their words come from whoever places, and every one costs the worker a set; who comes later gets everybody's.
    """
    c = creative_sets.c
    mine = c.campaign_id == campaign_id
    met = connection.scalar(select(c.audience).where(mine, c.audience == key_of(audience)))
    if met is None and (connection.scalar(select(func.count()).where(mine)) or 0) < MOST_AUDIENCES:
        connection.execute(insert(creative_sets).values(campaign_id=campaign_id, audience=key_of(audience), at=at))
    return _shares(connection, campaign_id, audience)


def _shares(connection: Connection, campaign_id: str, audience: Audience) -> Shares | None:
    query = select(creative_sets.c.audience, creative_sets.c.shares).where(
        creative_sets.c.campaign_id == campaign_id, creative_sets.c.audience.in_([key_of(audience), key_of(Audience())])
    )
    found = {row.audience: row.shares for row in connection.execute(query)}
    return shares_from(found.get(key_of(audience)) or found.get(key_of(Audience())))


def _approved(connection: Connection, campaign_id: str) -> list[str]:
    query = select(creative_variants.c.variant_id).where(
        creative_variants.c.campaign_id == campaign_id, creative_variants.c.state == State.APPROVED.value
    )
    return list(connection.scalars(query.order_by(creative_variants.c.position)))


def _seen(connection: Connection, campaign_id: str, subject: Subject, at: datetime) -> dict[str, int]:
    """Return how often the shopper was shown each variant of the campaign within a week."""
    p = creative_placements.c
    if subject.member_id is not None:
        mine = p.member_id == subject.member_id
    else:
        mine = and_(p.visitor_id == subject.visitor_id, p.member_id.is_(None))
    query = select(p.variant_id).where(mine, p.campaign_id == campaign_id, p.at > at - WEEK, p.at <= at)
    return Counter(connection.scalars(query))


def _variant(connection: Connection, campaign_id: str, variant_id: str) -> Variant:
    query = select(creative_variants).where(
        creative_variants.c.campaign_id == campaign_id, creative_variants.c.variant_id == variant_id
    )
    row = connection.execute(query).one()
    return Variant(row.variant_id, row.choices, row.measures)


def _placement(connection: Connection, row: Row[Any]) -> Placement:
    variant = _variant(connection, row.campaign_id, row.variant_id)
    return Placement(row.decision_id, row.campaign_id, variant, row.propensity, row.explored)
