"""Coupons and their money: reserve, redeem, roll back, expire, each one transaction whose entries explain the budget.

Whoever comes at the same moment waits for the coupon's row first and for the budgets' rows then, in one order, and
decides on what stands once the rows are locked. Asking again with the same coupon id, order or request changes
nothing and gets the same answer. The tables' own constraints (no budget overspent, one standing redemption of a
coupon) are the second lock. All of it holds for any number of processes, and for one that is killed anywhere.

An expired coupon stays expired, whatever the clock says later. A coupon is used once: what a redemption leaves of its
value goes back to the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from personalization.coupons.fraud import judge
from personalization.types import (
    BudgetState,
    CampaignId,
    Channel,
    Coupon,
    CouponId,
    DecisionId,
    MemberId,
    Money,
    ProductId,
    Reason,
    StoreId,
    Subject,
    Terms,
    VisitorId,
)
from stores import accounts
from stores.database import Database, new_id
from stores.errors import (
    AmountError,
    ConflictError,
    CouponAlreadyRedeemedError,
    CouponBoundError,
    CouponExpiredError,
    CouponNotFoundError,
    LedgerBusyError,
    NoRedemptionError,
    RequestMismatchError,
    RolledBackError,
    SuspiciousError,
)
from stores.issuing import over_limit, redeemed_lately, suspicious_device
from stores.tables import coupons, redemptions

LOCK_TIMEOUT_MS = 3000
RELEASED_AT_ONCE = 200
_BUSY = {"55P03", "40P01", "40001"}  # PostgreSQL: lock not available, deadlock, serialization failure
_TERMS = TypeAdapter(Terms)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon that was turned into spending; `repeated` when the same request was answered before.

    `status` is the coupon's now: "redeemed", or what a rollback made of it.
    """

    redemption_id: str
    coupon: Coupon
    member_id: MemberId | None
    decision_id: DecisionId | None
    at: datetime
    order_id: str | None
    amount: Money
    rolled_back_at: datetime | None
    status: str
    repeated: bool


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
        store_id: StoreId | None = None,
        channel: Channel | None = None,
    ) -> bool:
        """Store `coupon` and hold its discount; False, storing nothing, when a budget or a limit allows no more.

        The campaign's budget and the caps of `store_id` and `channel` within it have to allow it, all of them. Asking
        again for the same coupon id changes nothing. ConflictError when another coupon has the id or the code.
        """
        if coupon.discount.minor_units <= 0:
            raise ValueError(f"a coupon's discount is above nothing; this one is {coupon.discount}")
        caps = [(scope, value) for scope, value in (("store", store_id), ("channel", channel)) if value is not None]
        try:
            with self._transaction() as connection:
                refusal = _hold(
                    connection, coupon, subject, decision_id, [(scope, str(value)) for scope, value in caps]
                )
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
            row = _locked(connection, code)
            key = request_id or order_id
            asked = asked or ("all" if amount is None else str(amount))
            if (before := _same_request(connection, row, key, order_id, asked)) is not None:
                return before
            if row.status == "redeemed":
                raise CouponAlreadyRedeemedError(f"the coupon {code} was redeemed before")
            late = row.status == "expired" or row.expires_at <= at
            if late and row.status == "open":  # at once and for good, so that a clock that goes back revives nothing
                _expire(connection, row, at)
            if not late:
                done = _spend(connection, row, amount, subject, key, asked, order_id, at)
        if late:
            raise CouponExpiredError(f"the coupon {code} was valid until {row.expires_at:%Y-%m-%d %H:%M} UTC")
        return done

    def repeated(self, code: str, *, order_id: str | None, request_id: str | None, asked: str) -> Redemption | None:
        """Return the answer to this request where it came before; raises as `redeem` does then."""
        with self._db.read() as connection:
            row = connection.execute(select(coupons).where(coupons.c.code == code)).first()
            if row is None:
                raise _unknown(code)
            return _same_request(connection, row, request_id or order_id, order_id, asked)

    def rollback(
        self, code: str, *, at: datetime, order_id: str | None = None, redemption_id: str | None = None
    ) -> Redemption:
        """Take one redemption of the coupon `code` back, named by its id or its order.

        Its money leaves the spending. A coupon that is still valid is open again, worth its old value where the budget
        still has the part that was not redeemed, else what was; one that is not is expired. Asking again changes
        nothing. Raises CouponNotFoundError, NoRedemptionError, LedgerBusyError.
        """
        with self._transaction() as connection:
            row = _locked(connection, code)
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
                return _redemption(row, found, repeated=True)
            _take_back(connection, row, found, at)
            return _redemption(_locked(connection, code), _of(connection, found.redemption_id), repeated=False)

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
                for row in rows:
                    _expire(connection, row, at)
            released += len(rows)
            if len(rows) < RELEASED_AT_ONCE:
                return released

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
            raise _unknown(code)
        visitor = row.visitor_id or (None if row.member_id else "erased")
        return _coupon(row), row.status, Subject(row.member_id, None if visitor is None else VisitorId(visitor))

    def redemptions(self, code: str) -> list[Redemption]:
        """Return every redemption of the coupon, oldest first, those that were rolled back too."""
        query = select(redemptions).join(coupons, coupons.c.coupon_id == redemptions.c.coupon_id)
        with self._db.read() as connection:
            coupon = connection.execute(select(coupons).where(coupons.c.code == code)).first()
            rows = connection.execute(query.where(coupons.c.code == code).order_by(redemptions.c.redemption_id)).all()
        return [] if coupon is None else [_redemption(coupon, row, repeated=False) for row in rows]

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        """Return the campaign's own budget."""
        with self._db.read() as connection:
            return next(iter(accounts.states(connection, campaign_id, accounts.CAMPAIGN)), None)

    def states(self, campaign_id: CampaignId) -> list[BudgetState]:
        """Return the campaign's own budget and the caps of stores and channels within it."""
        with self._db.read() as connection:
            return accounts.states(connection, campaign_id)


def _hold(
    connection: Connection, coupon: Coupon, subject: Subject, decision_id: DecisionId | None, caps: list[accounts.Cap]
) -> str | None:
    """Store the coupon and reserve its money; return why not, storing nothing."""
    budgets = accounts.lock(connection, coupon.campaign_id, caps)
    before = connection.execute(select(coupons).where(coupons.c.coupon_id == coupon.coupon_id)).first()
    if before is not None:
        if (before.code, before.campaign_id, before.offer_id) != (coupon.code, coupon.campaign_id, coupon.offer_id):
            raise ConflictError("another coupon has this id; make the coupon with a new one")
        return None
    amount, reason = coupon.discount.minor_units, coupon.reason
    if not budgets or budgets[0].scope or budgets[0].currency != coupon.discount.currency:
        return "no_budget"
    if accounts.room(budgets) < amount:
        return "budget"
    if (refusal := over_limit(connection, coupon, subject, budgets[0])) is not None:
        return refusal
    if (refusal := suspicious_device(connection, coupon, subject)) is not None:
        return refusal
    counted = [(account.scope, account.scope_id) for account in budgets[1:]]
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
            terms=None if coupon.terms == Terms() else _TERMS.dump_python(coupon.terms, mode="json"),
            caps=counted or None,
            reason=reason and {**asdict(reason), "facts": dict(reason.facts)},
            issued_at=coupon.issued_at,
            expires_at=coupon.expires_at,
            status="open",
        )
    )
    accounts.move(connection, coupon.campaign_id, counted, coupon.coupon_id, [("reserve", amount)], coupon.issued_at)
    return None


def _locked(connection: Connection, code: str) -> Row[Any]:
    row = connection.execute(select(coupons).where(coupons.c.code == code).with_for_update()).first()
    if row is None:
        raise _unknown(code)
    return row


def _unknown(code: str) -> CouponNotFoundError:
    return CouponNotFoundError(f"no coupon has the code {code}; type it again, or scan it")


def _same_request(
    connection: Connection, row: Row[Any], key: str | None, order_id: str | None, asked: str
) -> Redemption | None:
    if key is None:
        return None
    mine = (redemptions.c.coupon_id == row.coupon_id, redemptions.c.request_key == key)
    found = connection.execute(select(redemptions).where(*mine)).first()
    if found is None:
        return None
    if found.order_id != order_id or found.asked not in {asked, ""}:  # "": from before this was kept
        raise RequestMismatchError(
            "the same request came before with another content; send a new request_id for a new request"
        )
    if found.rolled_back_at is not None:
        raise RolledBackError(
            f"this redemption was rolled back on {found.rolled_back_at:%Y-%m-%d %H:%M} UTC; to redeem again, send a new request_id"
        )
    return _redemption(row, found, repeated=True)


def _spend(
    connection: Connection,
    row: Row[Any],
    amount: int | None,
    subject: Subject | None,
    key: str | None,
    asked: str,
    order_id: str | None,
    at: datetime,
) -> Redemption:
    worth = row.discount_minor
    taken = worth if amount is None else amount
    if subject is not None and not _is_for(row, subject):
        raise CouponBoundError("the coupon is another shopper's; ask for a coupon of this one's own")
    if not 0 < taken <= worth:
        raise AmountError(f"the coupon is worth {Money(worth, row.currency)}; redeem that or a part of it")
    if (fraud := judge(redeemed_lately(connection, row, at))) is not None:
        raise SuspiciousError(fraud.signal, f"{fraud.sentence} Let somebody of the shop look at it.")
    redemption_id = new_id()
    connection.execute(update(coupons).where(coupons.c.coupon_id == row.coupon_id).values(status="redeemed"))
    connection.execute(
        insert(redemptions).values(
            redemption_id=redemption_id, coupon_id=row.coupon_id, request_key=key, asked=asked, order_id=order_id,
            amount_minor=taken, at=at, untold=True,
        )
    )  # fmt: skip
    _move(connection, row, [("redeem", taken), ("release", worth - taken)], at, redemption_id)
    coupon = _coupon(row)
    return Redemption(redemption_id, coupon, row.member_id, row.decision_id, at, order_id, Money(taken, row.currency), None,
                      "redeemed", False)  # fmt: skip


def _is_for(row: Row[Any], subject: Subject) -> bool:
    """Whether the coupon may be this shopper's: a member's is no other member's, a session's no other session's."""
    if row.member_id is not None and subject.member_id is not None:
        return bool(row.member_id == subject.member_id)
    if row.member_id is None and row.visitor_id is not None and subject.visitor_id is not None:
        return bool(row.visitor_id == subject.visitor_id)
    return True


def _take_back(connection: Connection, row: Row[Any], redemption: Row[Any], at: datetime) -> None:
    spent, worth = redemption.amount_minor, row.discount_minor
    moves: list[tuple[accounts.Kind, int]] = [("rollback", spent)]
    changed: dict[str, Any] = {"status": "expired"}
    if row.expires_at > at:
        free = accounts.room(accounts.lock(connection, row.campaign_id, _caps(row)))
        again = worth if free >= worth - spent else spent
        moves.append(("reserve", again))
        changed = {"status": "open", "discount_minor": again}
    connection.execute(update(coupons).where(coupons.c.coupon_id == row.coupon_id).values(changed))
    connection.execute(
        update(redemptions)
        .where(redemptions.c.redemption_id == redemption.redemption_id)
        .values(rolled_back_at=at, untold=True)
    )
    _move(connection, row, moves, at, redemption.redemption_id)


def _expire(connection: Connection, row: Row[Any], at: datetime) -> None:
    connection.execute(update(coupons).where(coupons.c.coupon_id == row.coupon_id).values(status="expired"))
    _move(connection, row, [("release", row.discount_minor)], at)


def _move(
    connection: Connection, row: Row[Any], moves: list[tuple[accounts.Kind, int]], at: datetime, redemption_id: str | None = None
) -> None:  # fmt: skip
    accounts.move(connection, row.campaign_id, _caps(row), row.coupon_id, moves, at, redemption_id)


def _caps(row: Row[Any]) -> list[accounts.Cap]:
    return [(scope, scope_id) for scope, scope_id in row.caps or ()]


def _of(connection: Connection, redemption_id: str) -> Row[Any]:
    return connection.execute(select(redemptions).where(redemptions.c.redemption_id == redemption_id)).one()


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
        terms=Terms() if row.terms is None else _TERMS.validate_python(row.terms),
    )


def _redemption(coupon: Row[Any], row: Row[Any], *, repeated: bool) -> Redemption:
    return Redemption(
        row.redemption_id, _coupon(coupon), coupon.member_id, coupon.decision_id, row.at, row.order_id,
        Money(row.amount_minor, coupon.currency), row.rolled_back_at, coupon.status, repeated,
    )  # fmt: skip
