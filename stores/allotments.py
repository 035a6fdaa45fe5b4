"""How coupons were chosen, read again: by the control loops, by the allocator and by training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, func, insert, select

from personalization.coupons.caps import WHOLE, Cap, caps_for
from personalization.coupons.commitment import LAST
from personalization.coupons.dependence import History, unknown
from personalization.coupons.features import DAY_S, LATELY_DAYS, NEVER_DAYS, Record
from personalization.coupons.planning import Account, Arrivals, Running, Visit
from personalization.decisions import Decision
from personalization.types import CampaignId, Product, ProductId, Subject
from stores.catalogue import SqlCatalogue
from stores.codec import load_decision
from stores.console_tables import pacing_points
from stores.coupon_tables import allotments, budgets, campaigns, coupons, offer_products, offers, pacing, redemptions
from stores.database import Database, upsert
from stores.tables import decisions, order_lines

Floats = NDArray[np.float64]
PRICE_FOR = timedelta(seconds=1)  # how long a price is used before it is looked up again


_MEMBER: BindParameter[str] = bindparam("member")
_AT: BindParameter[datetime] = bindparam("at")
# Made once: putting such a query together takes longer than asking it.
_INSERT = insert(allotments)
_OFFERED = select(func.count()).select_from(coupons).where(coupons.c.member_id == _MEMBER, coupons.c.issued_at < _AT)
_REDEEMED = (
    select(redemptions.c.at)
    .join(coupons, coupons.c.coupon_id == redemptions.c.coupon_id)
    .where(coupons.c.member_id == _MEMBER, redemptions.c.rolled_back_at.is_(None), redemptions.c.at < _AT)
)
_ORDERS = (
    select(func.min(order_lines.c.at), func.sum(order_lines.c.amount_minor), func.sum(order_lines.c.coupon_minor))
    .where(order_lines.c.member_id == _MEMBER, order_lines.c.at < _AT)
    .group_by(order_lines.c.order_id)
    .order_by(func.min(order_lines.c.at).desc())
    .limit(LAST)
)
_DECIDED = (
    select(allotments.c.at, allotments.c.discount_minor, allotments.c.explored)
    .join(decisions, decisions.c.decision_id == allotments.c.decision_id)
    .where(decisions.c.member_id == _MEMBER, allotments.c.at < _AT)
    .order_by(allotments.c.at.desc())
    .limit(LAST)
)


def put(connection: Connection, decision: Decision) -> None:
    """Give a decision's allotment a number; the allotment itself is in the decision's body."""
    if decision.allotment is not None:
        connection.execute(
            _INSERT,
            {
                "decision_id": decision.decision_id,
                "at": decision.at,
                "campaign_id": decision.allotment.campaign_id,
                "discount_minor": decision.allotment.rung.discount_minor,
                "explored": decision.allotment.explored,
            },
        )


class SqlCouponRecords:
    """The `CouponRecords` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of_subject(self, subject: Subject, *, at: datetime) -> Record:
        """Return what was offered and redeemed before `at`; a visitor has no record."""
        if subject.member_id is None:
            return Record()
        asked = {"member": subject.member_id, "at": at}
        with self._db.read() as connection:
            offered = connection.scalar(_OFFERED, asked) or 0
            days = [(at - when).total_seconds() / DAY_S for when in connection.scalars(_REDEEMED, asked)]
        return Record(offered, len(days), sum(d < LATELY_DAYS for d in days), min(days, default=NEVER_DAYS))

    def history(self, subject: Subject, *, at: datetime) -> History:
        """Return the last LAST orders and coupon decisions before `at`; a visitor has no history."""
        if subject.member_id is None:
            return unknown()
        asked = {"member": subject.member_id, "at": at}
        with self._db.read() as connection:
            bought, chosen = (connection.execute(query, asked).all()[::-1] for query in (_ORDERS, _DECIDED))
        return History(
            *(np.array(column, float) for column in _columns(bought)),
            *(np.array(column, kind) for column, kind in zip(_columns(chosen), (float, float, bool), strict=True)),
        )


def _columns(rows: Sequence[Any]) -> list[list[Any]]:
    """Return three columns, times as days since 1970."""
    return [[row[0].timestamp() / DAY_S for row in rows], [row[1] for row in rows], [row[2] for row in rows]]


class SqlPacing:
    """The `Pacing` of the control loops, and the `BudgetPrices` of the allocator."""

    def __init__(self, db: Database, catalogue: SqlCatalogue) -> None:
        self._db, self._catalogue = db, catalogue
        self._prices: dict[CampaignId, tuple[datetime, dict[Cap, float]]] = {}

    def price(self, campaign_id: CampaignId, caps: Sequence[Cap], *, at: datetime) -> float:
        """Return λ; 0 for a campaign whose loop has not begun, whose money the ledger guards all the same."""
        kept = self._prices.get(campaign_id)
        if kept is None or not timedelta(0) <= at - kept[0] < PRICE_FOR:
            query = select(pacing.c.scope, pacing.c.scope_id, pacing.c.price).where(pacing.c.campaign_id == campaign_id)
            with self._db.read() as connection:
                found = {(row.scope, row.scope_id): float(row.price) for row in connection.execute(query)}
            kept = self._prices[campaign_id] = (at, found)
        return sum(kept[1].get(cap, 0.0) for cap in (WHOLE, *caps))

    def running(self, *, at: datetime) -> Sequence[Running]:
        """Return the campaigns that run at `at`."""
        b, p = budgets.c, pacing.c
        same = (p.campaign_id == b.campaign_id) & (p.scope == b.scope) & (p.scope_id == b.scope_id)
        query = (
            select(campaigns, b.scope, b.scope_id, b.total, b.spent, p.state, p.seq)
            .join(budgets, b.campaign_id == campaigns.c.campaign_id)
            .outerjoin(pacing, same)
            .where(campaigns.c.starts_at <= at, campaigns.c.ends_at > at, b.total > 0, ~b.paused)
            .order_by(campaigns.c.campaign_id, b.scope, b.scope_id)
        )
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        found = []
        for campaign_id, group in groupby(rows, key=lambda row: str(row.campaign_id)):
            own = list(group)
            accounts = tuple(Account((r.scope, r.scope_id), r.total, r.spent, r.state) for r in own)
            if accounts[0].cap == WHOLE:
                found.append(
                    Running(CampaignId(campaign_id), own[0].objective, own[0].ends_at, accounts, own[0].seq or 0)
                )
        return found

    def arrivals(self, campaign_id: CampaignId, *, after: int, most: int) -> Arrivals | None:
        """Return up to `most` allotments after number `after`; None without any."""
        with self._db.read() as connection:
            found = list(
                bodies(connection, allotments.c.campaign_id == campaign_id, allotments.c.seq > after, most=most)
            )
        if not found:
            return None
        each = [decision.allotment for _, decision in found if decision.allotment is not None]
        k = max(len(one.rungs) for one in each)

        def table(name: str) -> Floats:
            return np.array([[getattr(r, name) for r in one.rungs] + [0.0] * (k - len(one.rungs)) for one in each])

        at = np.array([decision.at.timestamp() for _, decision in found])
        rung = np.array([one.chosen for one in each], np.int64)
        caps = [caps_for(decision.context, one.segment) for (_, decision), one in zip(found, each, strict=True)]
        return Arrivals(found[-1][0], at, table("value"), table("cost"), rung, caps)

    def order_times(self, *, since: datetime) -> Floats:
        """Return when members ordered since then, (n,) POSIX seconds."""
        query = select(func.min(order_lines.c.at)).where(order_lines.c.at >= since).group_by(order_lines.c.order_id)
        with self._db.read() as connection:
            return np.array([at.timestamp() for at in connection.scalars(query)], float)

    def visits(self, campaign_id: CampaignId, *, most: int) -> Sequence[Visit]:
        """Return the newest order lines of products that the campaign covers; of anything where it covers anything."""
        with self._db.read() as connection:
            given = connection.execute(select(offers).where(offers.c.campaign_id == campaign_id)).all()
            anything = sorted({row.discount_minor for row in given if row.for_any_product})
            by_product: dict[str, set[int]] = {}
            pairs = connection.execute(
                select(offer_products.c.product_id, offers.c.discount_minor)
                .join(offers, offers.c.offer_id == offer_products.c.offer_id)
                .where(offers.c.campaign_id == campaign_id)
            )
            for product_id, discount in pairs:
                by_product.setdefault(product_id, set(anything)).add(discount)
            lines = select(order_lines.c.product_id, order_lines.c.at).order_by(order_lines.c.at.desc())
            if not anything:
                covered = select(offer_products.c.product_id).join(
                    offers, offers.c.offer_id == offer_products.c.offer_id
                )
                lines = lines.where(order_lines.c.product_id.in_(covered.where(offers.c.campaign_id == campaign_id)))
            rows = connection.execute(lines.limit(most)).all()
        products = self._catalogue.products([ProductId(row.product_id) for row in rows])
        known: list[tuple[datetime, Product]] = [
            (row.at, products[ProductId(row.product_id)]) for row in rows if row.product_id in products
        ]
        return [Visit(at, p, tuple(sorted(by_product.get(p.product_id, anything)))) for at, p in known]

    def save(
        self, campaign_id: CampaignId, kept: Mapping[Cap, tuple[dict[str, Any], float]], *, seq: int, at: datetime
    ) -> None:
        """Keep the state and price of each of a campaign's accounts."""
        rows = [
            {"campaign_id": campaign_id, "scope": scope, "scope_id": one, "state": state, "price": price, "seq": seq, "at": at}
            for (scope, one), (state, price) in kept.items()
        ]  # fmt: skip
        own = budgets.c.campaign_id == campaign_id, budgets.c.scope == ""
        five = at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)
        with self._db.write() as connection:
            upsert(connection, pacing, rows)
            money = connection.execute(select(budgets.c.spent, budgets.c.reserved).where(*own)).first()
            if money is not None and WHOLE in kept:
                point = {"campaign_id": campaign_id, "at": five, "price": kept[WHOLE][1], **money._mapping}
                upsert(connection, pacing_points, [point])


def bodies(connection: Connection, *conditions: ColumnElement[bool], most: int) -> Iterator[tuple[int, Decision]]:
    """Yield up to `most` decisions with an allotment, each with its number, in the order of the log."""
    query = (
        select(allotments.c.seq, decisions.c.body)
        .join(decisions, decisions.c.decision_id == allotments.c.decision_id)
        .where(*conditions)
        .order_by(allotments.c.seq)
        .limit(most)
    )
    for seq, body in connection.execute(query):
        yield seq, load_decision(body)
