"""Campaigns, offers and coupons, and the budgets that cannot be overspent.

A reservation is one conditional UPDATE of the budget in the same transaction as the coupon; the table's own CHECK
is the second lock. Both hold for any number of processes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from personalization.types import (
    BudgetState,
    Campaign,
    CampaignId,
    Coupon,
    CouponId,
    DecisionId,
    MemberId,
    Money,
    Offer,
    ProductId,
    Reason,
    Subject,
    VisitorId,
)
from stores.database import Database, new_id
from stores.errors import (
    ConflictError,
    CouponAlreadyRedeemedError,
    CouponExpiredError,
    CouponNotFoundError,
)
from stores.tables import (
    budgets,
    campaign_audience,
    campaigns,
    coupons,
    ledger_entries,
    offer_products,
    offers,
)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon that was turned into spending; `repeated` when the same order had redeemed it before."""

    coupon: Coupon
    member_id: MemberId | None
    decision_id: DecisionId | None
    at: datetime
    order_id: str | None
    repeated: bool


class SqlCampaigns:
    """The `Campaigns` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def active_offers(self, subject: Subject, *, at: datetime, product_ids: Collection[ProductId]) -> Sequence[Offer]:
        """Return offers on `product_ids`, or on anything, of running campaigns whose audience includes `subject`.

        An offer names those of `product_ids` that it covers, not the thousands of others.
        """
        wanted = set(product_ids)
        audience = select(campaign_audience.c.campaign_id).where(
            campaign_audience.c.member_id == (subject.member_id or "")
        )
        covering = select(offer_products.c.offer_id).where(offer_products.c.product_id.in_(wanted))
        query = (
            select(offers, campaigns.c.starts_at, campaigns.c.ends_at)
            .join(campaigns, campaigns.c.campaign_id == offers.c.campaign_id)
            .where(campaigns.c.starts_at <= at, campaigns.c.ends_at > at)
            .where(or_(campaigns.c.for_everybody, campaigns.c.campaign_id.in_(audience)))
            .where(or_(offers.c.offer_id.in_(covering), offers.c.for_any_product))
            .order_by(offers.c.offer_id)
        )
        with self._db.read() as connection:
            rows = connection.execute(query).all()
            pairs = connection.execute(
                select(offer_products).where(
                    offer_products.c.offer_id.in_([row.offer_id for row in rows]),
                    offer_products.c.product_id.in_(wanted),
                )
            ).all()
        covered: dict[str, set[ProductId]] = {}
        for offer_id, product_id in pairs:
            covered.setdefault(offer_id, set()).add(ProductId(product_id))
        return [
            Offer(
                row.offer_id,
                CampaignId(row.campaign_id),
                Money(row.discount_minor, row.currency),
                frozenset(covered.get(row.offer_id, ())),
                row.starts_at,
                row.ends_at,
            )
            for row in rows
        ]

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        """Return one campaign with its budget, or None."""
        query = (
            select(campaigns, budgets.c.total, budgets.c.currency)
            .join(budgets, budgets.c.campaign_id == campaigns.c.campaign_id)
            .where(campaigns.c.campaign_id == campaign_id)
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Campaign(
            campaign_id,
            row.name,
            row.starts_at,
            row.ends_at,
            Money(row.total, row.currency),
        )


class SqlLedger:
    """The `BudgetLedger` of the brain, and redemption."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def reserve(self, coupon: Coupon, subject: Subject, *, decision_id: DecisionId | None) -> bool:
        """Store `coupon` and hold its discount; False, storing nothing, when the budget has too little left.

        Asking again for the same coupon id changes nothing. ConflictError when another coupon has the code.
        """
        if coupon.discount.minor_units <= 0:
            raise ValueError(f"a coupon's discount is above nothing; this one is {coupon.discount}")
        try:
            with self._db.write() as connection:
                return _hold(connection, coupon, subject, decision_id)
        except IntegrityError as error:
            with self._db.read() as connection:
                if _is_held(connection, coupon):
                    return True
            raise ConflictError("another coupon has this code; make the coupon with a new one") from error

    def redeem(self, code: str, *, at: datetime, order_id: str | None = None) -> Redemption:
        """Turn the hold of the coupon `code` into spending.

        The same order may ask again and gets the same answer. Raises CouponNotFoundError, CouponExpiredError,
        CouponAlreadyRedeemedError.
        """
        with self._db.write() as connection:
            row = connection.execute(select(coupons).where(coupons.c.code == code).with_for_update()).first()
            if row is None:
                raise CouponNotFoundError(f"no coupon has the code {code}")
            if row.status == "redeemed":
                if order_id is not None and row.order_id == order_id:
                    return _redemption(row, row.redeemed_at, order_id, repeated=True)
                raise CouponAlreadyRedeemedError(f"the coupon {code} was redeemed before")
            if row.status == "expired" or row.expires_at <= at:
                raise CouponExpiredError(f"the coupon {code} was valid until {row.expires_at:%Y-%m-%d %H:%M} UTC")
            amount = row.discount_minor
            connection.execute(
                update(coupons)
                .where(coupons.c.coupon_id == row.coupon_id)
                .values(status="redeemed", redeemed_at=at, order_id=order_id)
            )
            connection.execute(
                update(budgets)
                .where(budgets.c.campaign_id == row.campaign_id)
                .values(reserved=budgets.c.reserved - amount, spent=budgets.c.spent + amount)
            )
            _enter(connection, row.campaign_id, row.coupon_id, "redeem", amount, at)
        return _redemption(row, at, order_id, repeated=False)

    def release_expired(self, at: datetime) -> int:
        """Give the money of expired open coupons back to their budgets; return how many there were."""
        overdue = (
            select(coupons)
            .where(coupons.c.status == "open", coupons.c.expires_at <= at)
            .order_by(coupons.c.campaign_id, coupons.c.coupon_id)  # everybody locks budgets in one order
        )
        with self._db.write() as connection:
            rows = connection.execute(overdue.with_for_update(skip_locked=True)).all()
            for row in rows:
                connection.execute(update(coupons).where(coupons.c.coupon_id == row.coupon_id).values(status="expired"))
                connection.execute(
                    update(budgets)
                    .where(budgets.c.campaign_id == row.campaign_id)
                    .values(reserved=budgets.c.reserved - row.discount_minor)
                )
                _enter(
                    connection,
                    row.campaign_id,
                    row.coupon_id,
                    "release",
                    row.discount_minor,
                    at,
                )
        return len(rows)

    def open_coupon(self, subject: Subject, *, at: datetime) -> Coupon | None:
        """Return the newest coupon of `subject` that is neither redeemed nor expired."""
        if subject.member_id is not None:
            whose = coupons.c.member_id == subject.member_id
        else:
            whose = (coupons.c.visitor_id == subject.visitor_id) & coupons.c.member_id.is_(None)
        query = (
            select(coupons)
            .where(whose, coupons.c.status == "open", coupons.c.expires_at > at)
            .order_by(coupons.c.issued_at.desc())
            .limit(1)
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _coupon(row)

    def get(self, code: str) -> tuple[Coupon, str, Subject]:
        """Return the coupon `code`, its status and whose it is; CouponNotFoundError when there is none."""
        with self._db.read() as connection:
            row = connection.execute(select(coupons).where(coupons.c.code == code)).first()
        if row is None:
            raise CouponNotFoundError(f"no coupon has the code {code}")
        visitor = row.visitor_id or (None if row.member_id else "erased")
        return _coupon(row), row.status, Subject(row.member_id, None if visitor is None else VisitorId(visitor))

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        """Return the budget's figures."""
        with self._db.read() as connection:
            row = connection.execute(select(budgets).where(budgets.c.campaign_id == campaign_id)).first()
        if row is None:
            return None
        total, reserved, spent = (Money(value, row.currency) for value in (row.total, row.reserved, row.spent))
        return BudgetState(campaign_id, total, reserved, spent)


def _hold(connection: Connection, coupon: Coupon, subject: Subject, decision_id: DecisionId | None) -> bool:
    amount, reason = coupon.discount.minor_units, coupon.reason
    hold = (
        update(budgets)
        .where(budgets.c.campaign_id == coupon.campaign_id, budgets.c.currency == coupon.discount.currency)
        .where(budgets.c.reserved + budgets.c.spent + amount <= budgets.c.total)
        .values(reserved=budgets.c.reserved + amount)
    )
    if connection.execute(hold).rowcount != 1:
        return _is_held(connection, coupon)
    connection.execute(
        insert(coupons).values(
            coupon_id=coupon.coupon_id,
            code=coupon.code,
            campaign_id=coupon.campaign_id,
            offer_id=coupon.offer_id,
            member_id=subject.member_id,
            visitor_id=subject.visitor_id,
            decision_id=decision_id,
            discount_minor=amount,
            currency=coupon.discount.currency,
            product_ids=sorted(coupon.product_ids),
            reason=reason and {"code": reason.code, "sentence": reason.sentence, "facts": dict(reason.facts)},
            issued_at=coupon.issued_at,
            expires_at=coupon.expires_at,
            status="open",
        )
    )
    _enter(connection, coupon.campaign_id, coupon.coupon_id, "reserve", amount, coupon.issued_at)
    return True


def _is_held(connection: Connection, coupon: Coupon) -> bool:
    return connection.scalar(select(coupons.c.code).where(coupons.c.coupon_id == coupon.coupon_id)) is not None


def _enter(
    connection: Connection,
    campaign_id: str,
    coupon_id: str,
    kind: str,
    amount: int,
    at: datetime,
) -> None:
    connection.execute(
        insert(ledger_entries).values(
            entry_id=new_id(),
            campaign_id=campaign_id,
            coupon_id=coupon_id,
            kind=kind,
            amount_minor=amount,
            at=at,
        )
    )


def _coupon(row: Row[Any]) -> Coupon:
    return Coupon(
        coupon_id=CouponId(row.coupon_id),
        code=row.code,
        campaign_id=CampaignId(row.campaign_id),
        offer_id=row.offer_id,
        discount=Money(row.discount_minor, row.currency),
        product_ids=frozenset(map(ProductId, row.product_ids)),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        reason=None if row.reason is None else Reason(**row.reason),
    )


def _redemption(row: Row[Any], at: datetime, order_id: str | None, *, repeated: bool) -> Redemption:
    return Redemption(_coupon(row), row.member_id, row.decision_id, at, order_id, repeated)
