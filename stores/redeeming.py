"""Spending a coupon, taking a redemption back, and closing what is over; always on a coupon's row that is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update

from personalization.coupons.caps import Cap
from personalization.coupons.fraud import judge
from personalization.offers import Coupon, Terms
from personalization.types import (
    CampaignId,
    CouponId,
    DecisionId,
    MemberId,
    Money,
    ProductId,
    Reason,
    Subject,
    VisitorId,
)
from stores import accounts
from stores.coupon_tables import coupons, redemptions
from stores.database import new_id
from stores.errors import (
    AmountError,
    CouponBoundError,
    CouponNotFoundError,
    RequestMismatchError,
    RolledBackError,
    SuspiciousError,
)
from stores.issuing import redeemed_lately

ERASED = VisitorId("erased")
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


def locked(connection: Connection, code: str) -> Row[Any]:
    """Return the row of the coupon, locked; CouponNotFoundError when there is none."""
    row = connection.execute(select(coupons).where(coupons.c.code == code).with_for_update()).first()
    if row is None:
        raise unknown(code)
    return row


def unknown(code: str) -> CouponNotFoundError:
    """Return the error for a code that no coupon has."""
    return CouponNotFoundError(f"no coupon has the code {code}; type it again, or scan it")


def same_request(
    connection: Connection, row: Row[Any], key: str | None, order_id: str | None, asked: str
) -> Redemption | None:
    """Return the answer to the same request where it came before; RequestMismatchError, RolledBackError."""
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
    return redemption_of(row, found, repeated=True)


def spend(
    connection: Connection,
    row: Row[Any],
    amount: int | None,
    subject: Subject | None,
    key: str | None,
    asked: str,
    order_id: str | None,
    at: datetime,
) -> Redemption:
    """Redeem an open coupon. Raises CouponBoundError, AmountError, SuspiciousError."""
    worth = row.discount_minor
    taken = worth if amount is None else amount
    if subject is not None and not is_for(row, subject):
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
    coupon = coupon_of(row)
    return Redemption(redemption_id, coupon, row.member_id, row.decision_id, at, order_id, Money(taken, row.currency), None,
                      "redeemed", False)  # fmt: skip


def is_for(owner: Row[Any] | Subject, subject: Subject) -> bool:
    """Whether the owner's coupon may be this shopper's: a member's is no other member's, a session's no other session's."""
    if owner.member_id is not None and subject.member_id is not None:
        return bool(owner.member_id == subject.member_id)
    if owner.member_id is None and owner.visitor_id not in {None, ERASED} and subject.visitor_id is not None:
        return bool(owner.visitor_id == subject.visitor_id)
    return True


def take_back(connection: Connection, row: Row[Any], redemption: Row[Any], at: datetime) -> None:
    """Undo a standing redemption; its coupon is open again where it is still valid."""
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


def expire(connection: Connection, campaign_id: str, rows: Sequence[Row[Any]], at: datetime) -> None:
    """Close open coupons of one campaign for good, and give their money back."""
    these = coupons.c.coupon_id.in_([row.coupon_id for row in rows])
    connection.execute(update(coupons).where(these).values(status="expired"))
    released = [accounts.Movement(row.coupon_id, _caps(row), [("release", row.discount_minor)]) for row in rows]
    accounts.post(connection, campaign_id, released, at)


def _move(
    connection: Connection, row: Row[Any], moves: list[tuple[accounts.Kind, int]], at: datetime, redemption_id: str
) -> None:
    accounts.post(connection, row.campaign_id, [accounts.Movement(row.coupon_id, _caps(row), moves, redemption_id)], at)


def _caps(row: Row[Any]) -> list[Cap]:
    return [(scope, scope_id) for scope, scope_id in row.caps or ()]


def redemption_row(connection: Connection, redemption_id: str) -> Row[Any]:
    """Return one redemption."""
    return connection.execute(select(redemptions).where(redemptions.c.redemption_id == redemption_id)).one()


def coupon_of(row: Row[Any]) -> Coupon:
    """Return the coupon of a row."""
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


def redemption_of(coupon: Row[Any], row: Row[Any], *, repeated: bool) -> Redemption:
    """Return the redemption of two rows."""
    return Redemption(
        row.redemption_id, coupon_of(coupon), coupon.member_id, coupon.decision_id, row.at, row.order_id,
        Money(row.amount_minor, coupon.currency), row.rolled_back_at, coupon.status, repeated,
    )  # fmt: skip
