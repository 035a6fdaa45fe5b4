"""Declared groups, and what the fairness audit reads of the log."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import delete, func, insert, select

from personalization.decisions import Decision
from personalization.trust.fair_prices import Arrived
from personalization.trust.fairness import Measure, fifths
from personalization.types import MemberId
from stores.codec import load_decision
from stores.database import Database, upsert
from stores.group_tables import fair_prices, member_groups
from stores.tables import conversations, decisions, handoffs, members

PRICES_FOR_S = 60.0
_SOURCE = "operator"


class SqlGroups:
    """Declared groups of members."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def declare(self, rows: Iterable[tuple[str, str, str]], *, source: str = _SOURCE, at: datetime) -> int:
        """Keep (member's id or external id, attribute, value) of members that exist; return how many. A later value replaces an earlier one."""
        with self._db.write() as connection:
            known = {row.member_id: row.member_id for row in connection.execute(select(members.c.member_id))}
            named = select(members.c.external_id, members.c.member_id).where(members.c.external_id.is_not(None))
            known |= {row.external_id: row.member_id for row in connection.execute(named)}
            kept = {
                (known[who], attribute): {"member_id": known[who], "attribute": attribute, "value": value, "source": source, "at": at}
                for who, attribute, value in rows
                if who in known and value
            }  # fmt: skip
            upsert(connection, member_groups, list(kept.values()))
        return len(kept)

    def declared(self) -> dict[str, dict[str, str]]:
        """Return, by attribute, each member's group."""
        found: dict[str, dict[str, str]] = {}
        with self._db.read() as connection:
            for row in connection.execute(select(member_groups)):
                found.setdefault(row.attribute, {})[row.member_id] = row.value
        return found


class SqlFairPrices:
    """The `FairPrices` of the allocator: what a minor unit of discount for a member is charged beside its cost."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._until, self._any = 0.0, False

    def price(self, member_id: MemberId) -> float:
        """Return the sum of the prices of the member's groups; 0 where no limit is enforced, without looking at groups."""
        if time.monotonic() >= self._until:
            with self._db.read() as connection:
                self._any = bool(connection.scalar(select(func.count()).select_from(fair_prices)))
            self._until = time.monotonic() + PRICES_FOR_S
        if not self._any:
            return 0.0
        same = (member_groups.c.attribute == fair_prices.c.attribute) & (member_groups.c.value == fair_prices.c.value)
        query = select(func.sum(fair_prices.c.price)).select_from(member_groups.join(fair_prices, same))
        with self._db.read() as connection:
            return float(connection.scalar(query.where(member_groups.c.member_id == member_id)) or 0.0)

    def set(self, prices: Mapping[str, Mapping[str, float]], *, at: datetime) -> None:
        """Replace all prices; none ends the enforcement."""
        rows = [
            {"attribute": attribute, "value": value, "price": price, "at": at}
            for attribute, each in prices.items()
            for value, price in each.items()
            if price
        ]
        with self._db.write() as connection:
            connection.execute(delete(fair_prices))
            if rows:
                connection.execute(insert(fair_prices), rows)
        self._until = 0.0


def logged_decisions(db: Database, *, since: datetime, most: int) -> list[Decision]:
    """Return the newest decisions for members from `since` on, oldest first."""
    query = (
        select(decisions.c.body)
        .where(decisions.c.member_id.is_not(None), decisions.c.at >= since)
        .order_by(decisions.c.at.desc())
        .limit(most)
    )
    with db.read() as connection:
        return [load_decision(body) for body in connection.scalars(query)][::-1]


def measures(found: list[Decision], db: Database, *, since: datetime, now: datetime) -> list[Measure]:
    """Return what the audit compares: coupon value, share with a coupon, exposure of deals, and how long hand-offs waited."""
    weighed = [one for one in found if one.allotment is not None]
    coupon = _columns(weighed)
    stratum = fifths(np.array([one.allotment.rungs[0].conversion for one in weighed if one.allotment], float))
    off = np.array([one.allotment.rung.discount_minor for one in weighed if one.allotment], float)
    shown = [one for one in found if one.slate]
    plain = np.zeros(len(shown), np.int64)
    return [
        Measure("coupon_value", "minor units", *coupon, stratum, off),
        Measure("discount_rate", "share", *coupon, stratum, (off > 0).astype(float)),
        Measure("deal_exposure", "share", *_columns(shown), plain, np.array([_deals(one) for one in shown], float)),
        _waits(db, since, now),
    ]


def arrived(found: list[Decision], groups: Mapping[str, Mapping[str, str]]) -> Arrived:
    """Return the ladders of decisions with an allotment, as the optimiser reads them, before any fairness price."""
    each = [one.allotment for one in found if one.allotment is not None]
    members_ = [str(one.subject.member_id) for one in found if one.allotment is not None]
    k = max((len(one.rungs) for one in each), default=1)
    value, cost, discount = (np.zeros((len(each), k)) for _ in range(3))
    allowed = np.zeros((len(each), k), bool)
    for row, one in enumerate(each):
        for place, rung in enumerate(one.rungs):
            value[row, place] = rung.value + one.fairness * rung.discount_minor
            cost[row, place], discount[row, place], allowed[row, place] = rung.cost, rung.discount_minor, True
    label = {name: np.array([own.get(member, "") for member in members_]) for name, own in groups.items()}
    return Arrived(value, cost, discount, allowed, fifths(np.array([one.rungs[0].conversion for one in each])), label)


def _columns(found: list[Decision]) -> tuple[np.ndarray, np.ndarray]:
    member = np.array([str(one.subject.member_id) for one in found], dtype=str)
    segment = np.array([one.segment.segment_id if one.segment else "" for one in found], dtype=str)
    return member, segment


def _deals(one: Decision) -> float:
    """Return the share of a slate's exposure (1 / log2(1 + rank), as in nDCG) that goes to products below their regular price."""
    weight = [1 / math.log2(1 + item.rank) for item in one.slate]
    deal = [item.product.regular_price is not None and item.product.regular_price.minor_units > item.product.price.minor_units for item in one.slate]  # fmt: skip
    return sum(w for w, own in zip(weight, deal, strict=True) if own) / sum(weight)


def _waits(db: Database, since: datetime, now: datetime) -> Measure:
    """Return how long each hand-off waited: to its first answer, else to its end, else until now."""
    query = (
        select(conversations.c.member_id, handoffs.c.queued_at, handoffs.c.first_claimed_at, handoffs.c.ended_at)
        .join(conversations, conversations.c.conversation_id == handoffs.c.conversation_id)
        .where(conversations.c.member_id.is_not(None), handoffs.c.queued_at >= since)
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
    until = [row.first_claimed_at or row.ended_at or now for row in rows]
    waited = np.array([(end - row.queued_at).total_seconds() for row, end in zip(rows, until, strict=True)], float)
    member = np.array([row.member_id for row in rows], dtype=str)
    none = np.zeros(len(rows), dtype="<U1")
    return Measure("handoff_wait_s", "s", member, none, np.zeros(len(rows), np.int64), waited)
