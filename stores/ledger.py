"""Coupons and their money: reserve, redeem, roll back, expire, each one transaction whose entries explain the budget.

Whoever comes at the same moment waits for the coupon's row first and for the budgets' rows then, in one order, and
decides on what stands once the rows are locked. Asking again with the same coupon id, order or request changes
nothing and gets the same answer. The tables' own constraints (no budget overspent, one standing redemption of a
coupon) are the second lock. All of it holds for any number of processes, and for one that is killed anywhere.

An expired coupon stays expired, whatever the clock says later. A coupon is used once: what a redemption leaves of its
value goes back to the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from personalization.coupons.caps import Cap
from personalization.offers import BudgetState, Coupon
from personalization.types import CampaignId, DecisionId, Subject
from stores import accounts
from stores.coupon_tables import coupons, redemptions
from stores.database import Database
from stores.errors import (
    ConflictError,
    CouponAlreadyRedeemedError,
    CouponExpiredError,
    LedgerBusyError,
    NoRedemptionError,
)
from stores.issuing import hold
from stores.outbox import Topic, tell
from stores.redeeming import (
    ERASED,
    Redemption,
    coupon_of,
    expire,
    locked,
    redemption_of,
    redemption_row,
    same_request,
    spend,
    take_back,
    unknown,
)

LOCK_TIMEOUT_MS = 3000
RELEASED_AT_ONCE = 500
_BUSY = {"55P03", "40P01", "40001"}  # PostgreSQL: lock not available, deadlock, serialization failure


_OPEN = (
    select(coupons)
    .where(coupons.c.status == "open", coupons.c.expires_at > bindparam("at"))
    .order_by(coupons.c.issued_at.desc())
    .limit(1)
)
_OPEN_OF_MEMBER = _OPEN.where(coupons.c.member_id == bindparam("who"))
_OPEN_OF_VISITOR = _OPEN.where(coupons.c.visitor_id == bindparam("who"), coupons.c.member_id.is_(None))


class SqlLedger:
    """The `BudgetLedger` of the brain, and what tills ask for. `on_refusal` hears why a reservation was refused."""

    def __init__(self, db: Database, on_refusal: Callable[[str], None] = lambda _: None) -> None:
        self._db, self._on_refusal = db, on_refusal

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._db.write() as connection:
                if not self._db.is_sqlite:
                    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                yield connection
        except OperationalError as error:
            code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
            if code in _BUSY or (code or "").startswith("SQLITE_BUSY"):
                raise LedgerBusyError("the budget is busy; send the same request again") from error
            raise

    def reserve(
        self,
        coupon: Coupon,
        subject: Subject,
        *,
        decision_id: DecisionId | None,
        caps: Sequence[Cap] = (),
    ) -> bool:
        """Store `coupon` and hold its discount; False, storing nothing, when a budget or a limit allows no more.

        The campaign's budget and those of `caps` that it has have to allow it, all of them. Asking
        again for the same coupon id changes nothing. ConflictError when another coupon has the id or the code.
        """
        if coupon.discount.minor_units <= 0:
            raise ValueError(f"a coupon's discount is above nothing; this one is {coupon.discount}")
        try:
            with self._transaction() as connection:
                refusal = hold(connection, coupon, subject, decision_id, caps)
                if refusal is None:
                    facts = {**_facts(coupon), "decision_id": decision_id, "expires_at": coupon.expires_at.isoformat()}
                    tell(self._db, connection, Topic.COUPON_ISSUED, subject, facts, at=coupon.issued_at,
                         about=coupon.coupon_id)  # fmt: skip
        except IntegrityError as error:
            raise ConflictError("another coupon has this code; make the coupon with a new one") from error
        if refusal is not None:
            self._on_refusal(refusal)
        return refusal is None

    def redeem(
        self,
        code: str,
        *,
        at: datetime,
        order_id: str | None = None,
        request_id: str | None = None,
        amount: int | None = None,
        asked: str = "",
        subject: Subject | None = None,
    ) -> Redemption:
        """Turn the hold of the coupon `code` into spending of `amount` (minor units; None: all of its value).

        The same `request_id` (else the same order) may ask again and gets the same answer; `asked` is what must not
        differ then. `subject` is who stands at the till, where that is known. Raises CouponNotFoundError,
        CouponExpiredError, CouponAlreadyRedeemedError, CouponBoundError, AmountError, RequestMismatchError,
        RolledBackError, SuspiciousError, LedgerBusyError.
        """
        with self._transaction() as connection:
            row = locked(connection, code)
            key = request_id or order_id
            asked = asked or ("all" if amount is None else str(amount))
            if (before := same_request(connection, row, key, order_id, asked)) is not None:
                return before
            if row.status == "redeemed":
                raise CouponAlreadyRedeemedError(f"the coupon {code} was redeemed before")
            late = row.status == "expired" or row.expires_at <= at
            if late and row.status == "open":  # at once and for good, so that a clock that goes back revives nothing
                expire(connection, row.campaign_id, [row], at)
            if not late:
                done = spend(connection, row, amount, subject, key, asked, order_id, at)
                self._tell_redeemed(connection, row, done)
        if late:
            raise CouponExpiredError(f"the coupon {code} was valid until {row.expires_at:%Y-%m-%d %H:%M} UTC")
        return done

    def _tell_redeemed(self, connection: Connection, row: Row[Any], done: Redemption) -> None:
        if row.member_id is None and row.visitor_id is None:
            return  # whose it was is erased
        facts = {
            **_facts(done.coupon), "decision_id": done.decision_id, "redemption_id": done.redemption_id, "order_id": done.order_id,
            "redeemed": {"minor_units": done.amount.minor_units, "currency": done.amount.currency},
        }  # fmt: skip
        who = Subject(row.member_id, row.visitor_id)
        tell(self._db, connection, Topic.COUPON_REDEEMED, who, facts, at=done.at, about=done.redemption_id)

    def repeated(self, code: str, *, order_id: str | None, request_id: str | None, asked: str) -> Redemption | None:
        """Return the answer to this request where it came before; raises as `redeem` does then."""
        with self._db.read() as connection:
            row = connection.execute(select(coupons).where(coupons.c.code == code)).first()
            if row is None:
                raise unknown(code)
            return same_request(connection, row, request_id or order_id, order_id, asked)

    def rollback(
        self, code: str, *, at: datetime, order_id: str | None = None, redemption_id: str | None = None
    ) -> Redemption:
        """Take one redemption of the coupon `code` back, named by its id or its order.

        Its money leaves the spending. A coupon that is still valid is open again, worth its old value where the budget
        still has the part that was not redeemed, else what was; one that is not is expired. Asking again changes
        nothing. Raises CouponNotFoundError, NoRedemptionError, LedgerBusyError.
        """
        with self._transaction() as connection:
            row = locked(connection, code)
            named = (
                redemptions.c.redemption_id == redemption_id if redemption_id else redemptions.c.order_id == order_id
            )
            query = select(redemptions).where(redemptions.c.coupon_id == row.coupon_id, named)
            found = connection.execute(
                query.order_by(redemptions.c.rolled_back_at.is_not(None), redemptions.c.redemption_id.desc())
            ).first()
            if found is None:
                raise NoRedemptionError(
                    f"the coupon {code} was not redeemed for this order; where a redemption was never answered, send it again first"
                )
            if found.rolled_back_at is not None:
                return redemption_of(row, found, repeated=True)
            take_back(connection, row, found, at)
            return redemption_of(
                locked(connection, code), redemption_row(connection, found.redemption_id), repeated=False
            )

    def release_expired(self, at: datetime) -> int:
        """Give the money of expired open coupons back to their budgets; return how many there were."""
        overdue = (
            select(coupons)
            .where(coupons.c.status == "open", coupons.c.expires_at <= at)
            .order_by(coupons.c.campaign_id, coupons.c.coupon_id)  # everybody locks budgets in one order
            .limit(RELEASED_AT_ONCE)
        )
        released = 0
        while True:
            with self._transaction() as connection:
                rows = connection.execute(overdue.with_for_update(skip_locked=True)).all()
                for campaign_id, theirs in groupby(rows, key=lambda row: str(row.campaign_id)):
                    expire(connection, campaign_id, list(theirs), at)
            released += len(rows)
            if len(rows) < RELEASED_AT_ONCE:
                return released

    def open_coupon(self, subject: Subject, *, at: datetime) -> Coupon | None:
        """Return the newest coupon of `subject` that is neither redeemed nor expired."""
        member = subject.member_id
        asked = {"who": subject.visitor_id if member is None else member, "at": at}
        with self._db.read() as connection:
            row = connection.execute(_OPEN_OF_VISITOR if member is None else _OPEN_OF_MEMBER, asked).first()
        return None if row is None else coupon_of(row)

    def coupons_of(self, subject: Subject, *, limit: int = 10) -> list[tuple[Coupon, str]]:
        """Return the newest coupons of `subject`, each with its status."""
        query = select(coupons).where(_of(subject)).order_by(coupons.c.issued_at.desc()).limit(limit)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [(coupon_of(row), row.status) for row in rows]

    def get(self, code: str) -> tuple[Coupon, str, Subject]:
        """Return the coupon `code`, its status and whose it is; CouponNotFoundError when there is none."""
        with self._db.read() as connection:
            row = connection.execute(select(coupons).where(coupons.c.code == code)).first()
        if row is None:
            raise unknown(code)
        visitor = row.visitor_id or (None if row.member_id else ERASED)
        return coupon_of(row), row.status, Subject(row.member_id, visitor)

    def redemptions(self, code: str) -> list[Redemption]:
        """Return every redemption of the coupon, oldest first, those that were rolled back too."""
        query = select(redemptions).join(coupons, coupons.c.coupon_id == redemptions.c.coupon_id)
        with self._db.read() as connection:
            coupon = connection.execute(select(coupons).where(coupons.c.code == code)).first()
            rows = connection.execute(query.where(coupons.c.code == code).order_by(redemptions.c.redemption_id)).all()
        return [] if coupon is None else [redemption_of(coupon, row, repeated=False) for row in rows]

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        """Return the campaign's own budget."""
        with self._db.read() as connection:
            return next(iter(accounts.states(connection, campaign_id, whole=True)), None)

    def budgets(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, BudgetState]:
        """Return what `state` does of each of these campaigns, in one query; nothing of one without a budget."""
        with self._db.read() as connection:
            return accounts.wholes(connection, campaign_ids)

    def states(self, campaign_id: CampaignId) -> list[BudgetState]:
        """Return the campaign's own budget and the caps of stores and channels within it."""
        with self._db.read() as connection:
            return accounts.states(connection, campaign_id)


def _facts(coupon: Coupon) -> dict[str, Any]:
    worth = {"minor_units": coupon.discount.minor_units, "currency": coupon.discount.currency}
    return {"coupon_id": coupon.coupon_id, "code": coupon.code, "campaign_id": coupon.campaign_id, "discount": worth}


def _of(subject: Subject) -> ColumnElement[bool]:
    if subject.member_id is not None:
        return coupons.c.member_id == subject.member_id
    return and_(coupons.c.visitor_id == subject.visitor_id, coupons.c.member_id.is_(None))
