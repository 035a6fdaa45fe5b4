"""What came of allotments, as the response model learns from it: of members who agree to profiling now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, func, select

from personalization.coupons.dependence import dependence, evidence
from personalization.coupons.features import FEATURES
from personalization.coupons.log import CouponLog
from personalization.decisions import Decision
from personalization.offers import Allotment
from personalization.types import MemberId, Purpose, Subject
from stores.allotments import SqlCouponRecords, bodies
from stores.consents import granted_to
from stores.coupon_tables import allotments, coupons, redemptions
from stores.database import Database
from stores.tables import order_lines

PAGE = 500


def coupon_log(db: Database, *, since: datetime, until: datetime, horizon: timedelta) -> CouponLog:
    """Return the allotments to members from `since` to `until`; converted : the product was bought within `horizon` after."""
    after, rows, numbers, records = 0, [], dict[MemberId, int](), SqlCouponRecords(db)
    while True:
        with db.read() as connection:
            page = list(
                bodies(
                    connection, allotments.c.seq > after, allotments.c.at >= since, allotments.c.at < until, most=PAGE
                )
            )
            rows += _rows(connection, [decision for _, decision in page], horizon, numbers, records)
        if len(page) < PAGE:
            break
        after = page[-1][0]
    columns = [np.array([row[column] for row in rows], float) for column in (2, 3, 4, 5, 7, 8, 9)]
    return CouponLog(
        member=np.array([row[0] for row in rows], np.int64),
        features=np.array([row[1] for row in rows], float).reshape(len(rows), len(FEATURES)),
        discount=columns[0],
        propensity=columns[1],
        converted=columns[2],
        cost=columns[3],
        segment=np.array([row[6] for row in rows], np.str_),
        full_before=columns[4],
        full_after=columns[5],
        dependence=columns[6],
    )


def _rows(
    connection: Connection,
    page: Iterable[Decision],
    horizon: timedelta,
    numbers: dict[MemberId, int],
    records: SqlCouponRecords,
) -> list[tuple[int, list[float], float, float, float, float, str, float, float, float]]:
    given = {d.decision_id: (d, d.subject.member_id, d.allotment) for d in page}
    granted = granted_to(connection, {member_id for _, member_id, _ in given.values() if member_id is not None})
    paid = dict(
        map(
            tuple,
            connection.execute(
                select(coupons.c.decision_id, func.sum(redemptions.c.amount_minor))
                .join(redemptions, redemptions.c.coupon_id == coupons.c.coupon_id)
                .where(coupons.c.decision_id.in_(list(given)), redemptions.c.rolled_back_at.is_(None))
                .group_by(coupons.c.decision_id)
            ),
        )
    )
    found = []
    for decision, member_id, allotment in given.values():
        if member_id is None or allotment is None or len(allotment.features) != len(FEATURES):
            continue
        if Purpose.PROFILING not in granted.get(member_id, ()):
            continue
        rung, known = allotment.rung, numbers.get(member_id)
        waits = np.nan  # it takes two look-ups, and its mean is what is asked for: a member's first decision serves
        if known is None:
            past = records.history(Subject(member_id), at=decision.at)
            waits = float(dependence(evidence(past)[None])[0])
        found.append(
            (
                numbers.setdefault(member_id, len(numbers)),
                [np.nan if x is None else x for x in allotment.features], float(rung.discount_minor), rung.probability,
                float(_bought(connection, member_id, allotment, decision.at, horizon)),
                float(paid.get(decision.decision_id, 0)), allotment.segment,
                _full_price(connection, member_id, decision.at - horizon, decision.at),
                _full_price(connection, member_id, decision.at, decision.at + horizon), waits,
            )
        )  # fmt: skip
    return found


def _full_price(connection: Connection, member_id: MemberId, since: datetime, until: datetime) -> float:
    c = order_lines.c
    undiscounted = (c.discount_minor == 0, c.coupon_minor == 0)
    query = select(func.sum(c.amount_minor)).where(c.member_id == member_id, c.at > since, c.at <= until, *undiscounted)
    return float(connection.scalar(query) or 0)


def _bought(
    connection: Connection, member_id: MemberId, allotment: Allotment, at: datetime, horizon: timedelta
) -> bool:
    c = order_lines.c
    query = select(c.order_id).where(
        c.member_id == member_id, c.product_id == allotment.product_id, c.at > at, c.at <= at + horizon
    )
    return connection.execute(query.limit(1)).first() is not None
