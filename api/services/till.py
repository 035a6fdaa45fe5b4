"""What tills ask: what coupons take off a basket, and whether the one who asks is slowed down."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api.errors import ProblemError
from api.schemas import BasketIn, BasketLineIn, RedeemIn
from api.wiring import Services
from personalization.coupons import basket, codes
from personalization.coupons.fraud import MISTYPED, UNKNOWN, Signal
from personalization.offers import Coupon, Terms
from personalization.types import MemberId, ProductId, Reason, Subject, VisitorId
from stores.errors import CouponNotFoundError
from stores.redeeming import ERASED, Redemption, is_for


@dataclass(frozen=True, slots=True)
class Examined:
    """What would come of a coupon: `off` minor units, or the reason why nothing."""

    coupon: Coupon | None
    reason: Reason | None
    off: int = 0


class Till:
    """Reads codes, prices baskets and redeems; `source` is where a request comes from."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.owners = set[str]()
        """Whose the coupons are that it has read."""

    def slow_down(self, asked: dict[Signal, str]) -> None:
        """Raise ProblemError 429 when one of these sources has to wait."""
        verdict = self._services.fraud.check(asked)
        if verdict is not None:
            code = verdict.signal.value.replace("_", "-")
            self._services.metrics.count_refusal(code)
            raise ProblemError(429, code, verdict.sentence, headers={"Retry-After": str(verdict.wait_s)})

    def find(self, typed: str, source: str) -> Coupon:
        """Return the coupon with this code. Wrong codes are counted and slow `source` down.

        Raises ProblemError 404 `mistyped-code` or 429 `code-guessing`, and CouponNotFoundError.
        """
        self.slow_down({Signal.GUESSING: source})
        try:
            coupon, _, owner = self._services.ledger.get(codes.read_code(typed))
        except codes.MistypedCodeError as error:
            self._services.fraud.add(Signal.GUESSING, source, MISTYPED)
            self._services.metrics.count_refusal("mistyped-code")
            raise ProblemError(404, "mistyped-code", f"{error}; type it again, or scan it.") from error
        except CouponNotFoundError:
            self._services.fraud.add(Signal.GUESSING, source, UNKNOWN)
            raise
        self.owners.update(one for one in (owner.member_id, owner.visitor_id) if one and one != ERASED)
        return coupon

    def price(self, body: BasketIn, source: str, *, at: datetime, order_id: str | None = None) -> basket.Applied:
        """Return what the codes take off the basket, each with its reason where it takes nothing; holds nothing.

        A coupon that was redeemed for `order_id` already still counts: an order redeems its coupons one by one.
        """
        found: dict[str, Coupon] = {}
        wrong: dict[str, Reason] = {}
        for typed in body.codes:
            try:
                coupon = self.find(typed, source)
            except CouponNotFoundError:
                wrong[typed] = Reason("unknown_code", "No coupon has this code; type it again, or scan it.")
                continue
            except ProblemError as error:
                if error.code != "mistyped-code":
                    raise
                wrong[typed] = Reason("mistyped_code", error.detail)
                continue
            if coupon.code in (one.code for one in found.values()):
                wrong[typed] = Reason("twice", "This code is in the list before.")
            elif (reason := self._unusable(coupon, body, order_id)) is not None:
                wrong[typed] = reason
            else:
                found[typed] = coupon
        lines = self._lines(body.lines)
        applied = basket.apply(lines, list(found.values()), currency=self._services.settings.currency, at=at)
        by_code = {use.code: use for use in applied.uses}
        none = (0,) * len(lines)
        uses = tuple(
            by_code[found[typed].code] if typed in found else basket.Use(typed, none, wrong[typed])
            for typed in body.codes
        )
        return replace(applied, uses=uses)

    def examine(
        self, typed: str, lines: Sequence[BasketLineIn], who: Subject, source: str, *, at: datetime
    ) -> Examined:
        """Return what would come of this code and this basket, for the shopper who asks about it.

        Without lines a coupon that could be used says `basket_empty`. Raises ProblemError 429 for who guesses codes.
        """
        try:
            coupon = self.find(typed, source)
        except CouponNotFoundError:
            return Examined(None, Reason("unknown_code", "No coupon has this code; type it again, or scan it."))
        except ProblemError as error:
            if error.code != "mistyped-code":
                raise
            return Examined(None, Reason("mistyped_code", error.detail))
        if (reason := self._refused(coupon, who, None)) is not None:
            return Examined(coupon, reason)
        if coupon.expires_at <= at:
            return Examined(coupon, Reason("expired", f"It was valid until {coupon.expires_at:%Y-%m-%d %H:%M} UTC."))
        if not lines:
            return Examined(coupon, Reason("basket_empty", "The basket is empty."))
        applied = basket.apply(self._lines(lines), [coupon], currency=self._services.settings.currency, at=at)
        return Examined(coupon, applied.uses[0].reason, applied.total)

    def redeem(self, coupon: Coupon, body: RedeemIn, source: str, *, at: datetime) -> Redemption:
        """Redeem what the body asks for, or what its basket comes to; the same request gets the same answer."""
        ledger = self._services.ledger
        asked = hashlib.sha256(body.model_dump_json(exclude={"till_id"}).encode()).hexdigest()
        order_id, request_id = body.order_id, body.request_id
        before = ledger.repeated(coupon.code, order_id=order_id, request_id=request_id, asked=asked)
        if before is not None:
            return before
        amount = body.amount_minor
        if body.basket is not None:
            amount = self._amount(coupon, body.basket, source, at=at, order_id=order_id)
        elif amount is None and replace(coupon.terms, stacking=Terms().stacking) != Terms():
            raise ProblemError(422, "basket-needed", "What this coupon takes off depends on the basket: send it, or the amount that "
                                                     "POST /v1/coupons/validate told.")  # fmt: skip
        return ledger.redeem(
            coupon.code, at=at, order_id=order_id, request_id=request_id, amount=amount, asked=asked,
            subject=_subject(body.member_id, body.visitor_id),
        )  # fmt: skip

    def _amount(self, coupon: Coupon, body: BasketIn, source: str, *, at: datetime, order_id: str | None) -> int | None:
        if coupon.expires_at <= at:
            return None  # the ledger says so, and closes it
        codes_ = body.codes if coupon.code in map(_read, body.codes) else [*body.codes, coupon.code]
        applied = self.price(body.model_copy(update={"codes": codes_}), source, at=at, order_id=order_id)
        use = next(use for typed, use in zip(codes_, applied.uses, strict=True) if _read(typed) == coupon.code)
        if use.reason is not None and use.reason.code == "redeemed":
            return None  # the ledger says so
        if use.reason is not None:
            self._services.metrics.count_refusal(use.reason.code)
            raise ProblemError(409, "not-applicable", f"{use.reason.sentence} Take the coupon off the basket, or change it.",
                               reason={"code": use.reason.code, "sentence": use.reason.sentence})  # fmt: skip
        return use.total

    def _unusable(self, coupon: Coupon, body: BasketIn, order_id: str | None) -> Reason | None:
        return self._refused(coupon, _subject(body.member_id, body.visitor_id), order_id)

    def _refused(self, coupon: Coupon, who: Subject | None, order_id: str | None) -> Reason | None:
        _, status, owner = self._services.ledger.get(coupon.code)
        if status == "redeemed":
            done = self._services.ledger.redemptions(coupon.code)
            if order_id is None or not any(one.order_id == order_id and one.rolled_back_at is None for one in done):
                return Reason("redeemed", "It was redeemed before.")
        if status == "expired":
            return Reason("expired", f"It was valid until {coupon.expires_at:%Y-%m-%d %H:%M} UTC.")
        if who is not None and not is_for(owner, who):
            return Reason("of_another", "It is another shopper's.")
        return None

    def _lines(self, lines: Sequence[BasketLineIn]) -> list[basket.Line]:
        known = self._services.catalogue.products([ProductId(line.product_id) for line in lines])
        return [
            basket.Line(product_id, line.amount_minor, known[product_id].category if product_id in known else "")
            for line in lines
            for product_id in [ProductId(line.product_id)]
        ]


def _read(typed: str) -> str:
    try:
        return codes.read_code(typed)
    except codes.MistypedCodeError:
        return ""


def _subject(member_id: str | None, visitor_id: str | None) -> Subject | None:
    if member_id is None and visitor_id is None:
        return None
    return Subject(
        None if member_id is None else MemberId(member_id), None if visitor_id is None else VisitorId(visitor_id)
    )
