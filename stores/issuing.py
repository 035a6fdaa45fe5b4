"""Issuing a coupon: its money, limits per member and household, and devices that too many members share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from personalization.coupons.caps import Cap
from personalization.coupons.fraud import RULES, Signal, judge
from personalization.offers import Coupon, Terms
from personalization.types import DecisionId, Subject
from stores import accounts
from stores.coupon_tables import coupons, redemptions
from stores.errors import ConflictError
from stores.tables import members

_INSERT = insert(coupons)
_SAME_ID = select(coupons).where(coupons.c.coupon_id == bindparam("coupon_id"))


def hold(
    connection: Connection, coupon: Coupon, subject: Subject, decision_id: DecisionId | None, caps: Sequence[Cap]
) -> str | None:
    """Store the coupon and reserve its money; return why not, storing nothing."""
    budgets = accounts.lock(connection, coupon.campaign_id, caps)
    before = connection.execute(_SAME_ID, {"coupon_id": coupon.coupon_id}).first()
    if before is not None:
        if (before.code, before.campaign_id, before.offer_id) != (coupon.code, coupon.campaign_id, coupon.offer_id):
            raise ConflictError("another coupon has this id; make the coupon with a new one")
        return None
    amount, reason = coupon.discount.minor_units, coupon.reason
    if (closed := _closed(budgets, coupon)) is not None:
        return closed
    if (refusal := _over_limit(connection, coupon, subject, budgets[0])) is not None:
        return refusal
    if (refusal := _suspicious_device(connection, coupon, subject)) is not None:
        return refusal
    counted = [(account.scope, account.scope_id) for account in budgets[1:]]
    connection.execute(
        _INSERT,
        {
            "coupon_id": coupon.coupon_id,
            "code": coupon.code,
            "campaign_id": coupon.campaign_id,
            "offer_id": coupon.offer_id,
            "member_id": subject.member_id,
            "visitor_id": subject.visitor_id,
            "decision_id": decision_id,
            "discount_minor": amount,
            "currency": coupon.discount.currency,
            "product_ids": sorted(coupon.product_ids),
            "terms": None if coupon.terms == Terms() else _terms(coupon.terms),
            "caps": counted or None,
            "reason": reason and {**asdict(reason), "facts": dict(reason.facts)},
            "issued_at": coupon.issued_at,
            "expires_at": coupon.expires_at,
            "status": "open",
        },
    )
    held = accounts.Movement(coupon.coupon_id, counted, [("reserve", amount)])
    accounts.post(connection, coupon.campaign_id, [held], coupon.issued_at)
    return None


def _closed(budgets: Sequence[Row[Any]], coupon: Coupon) -> str | None:
    if not budgets or budgets[0].scope or budgets[0].currency != coupon.discount.currency:
        return "no_budget"
    if any(account.paused for account in budgets):
        return "paused"
    return "budget" if accounts.room(budgets) < coupon.discount.minor_units else None


def _terms(terms: Terms) -> dict[str, Any]:
    return {**asdict(terms), "categories": sorted(terms.categories)}


def _over_limit(connection: Connection, coupon: Coupon, subject: Subject, budget: Row[Any]) -> str | None:
    """Return "per_member" or "per_household" when the campaign gave that many already; its `budget` is locked meanwhile."""
    given = select(func.count()).select_from(coupons).where(coupons.c.campaign_id == coupon.campaign_id)
    if budget.per_member is not None:
        mine = coupons.c.member_id == subject.member_id
        if subject.member_id is None:
            mine = coupons.c.visitor_id == subject.visitor_id
        if (connection.scalar(given.where(mine)) or 0) >= budget.per_member:
            return "per_member"
    if budget.per_household is not None and subject.member_id is not None:
        household = select(members.c.household_id).where(members.c.member_id == subject.member_id).scalar_subquery()
        housemates = select(members.c.member_id).where(members.c.household_id == household)
        ours = coupons.c.member_id.in_(housemates) | (coupons.c.member_id == subject.member_id)
        if (connection.scalar(given.where(ours)) or 0) >= budget.per_household:
            return "per_household"
    return None


def _suspicious_device(connection: Connection, coupon: Coupon, subject: Subject) -> str | None:
    """Return the signal that stops another member's coupon on this device."""
    if subject.visitor_id is None or subject.member_id is None:
        return None
    since = coupon.issued_at - timedelta(seconds=RULES[Signal.MULTI_ACCOUNT].window_s)
    today = coupon.issued_at - timedelta(seconds=RULES[Signal.SHARED_DEVICE].window_s)
    query = (
        select(coupons.c.member_id, coupons.c.campaign_id, coupons.c.issued_at, members.c.household_id)
        .outerjoin(members, members.c.member_id == coupons.c.member_id)
        .where(coupons.c.visitor_id == subject.visitor_id, coupons.c.issued_at > since)
        .where(coupons.c.member_id.is_not(None), coupons.c.member_id != subject.member_id)
    )
    mine = connection.scalar(select(members.c.household_id).where(members.c.member_id == subject.member_id))
    others = connection.execute(query).all()
    households = {row.household_id or row.member_id for row in others if row.campaign_id == coupon.campaign_id} - {mine}
    found = judge(
        {
            Signal.SHARED_DEVICE: len({row.member_id for row in others if row.issued_at > today}),
            Signal.MULTI_ACCOUNT: len(households),
        }
    )
    return None if found is None else found.signal.value


def redeemed_lately(connection: Connection, coupon: Row[Any], at: datetime) -> dict[Signal, int]:
    """Return how many coupons of this one's member, and of its device, were redeemed within the rules' windows."""
    counts = {}
    for signal, column in ((Signal.MEMBER, coupons.c.member_id), (Signal.DEVICE, coupons.c.visitor_id)):
        who = coupon._mapping[column.name]
        since = at - timedelta(seconds=RULES[signal].window_s)
        query = (
            select(func.count()).select_from(coupons).join(redemptions, redemptions.c.coupon_id == coupons.c.coupon_id)
        )
        standing = (redemptions.c.at > since, redemptions.c.rolled_back_at.is_(None))
        if who is not None:
            counts[signal] = connection.scalar(query.where(column == who, *standing)) or 0
    return counts
