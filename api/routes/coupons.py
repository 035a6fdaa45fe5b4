"""Coupons: issue, look up, validate on a basket, redeem, roll back. Tills and CRMs make the same calls."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Request, Response

from api import views
from api.answers import IssuedCoupon, KnownCoupon, PricedBasket, RedeemedCoupon, RolledBackCoupon, answers, content
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas import BasketIn, CouponIn, RedeemIn, RollbackIn
from api.services.till import Till
from personalization.coupons.fraud import Signal
from personalization.types import Channel, Context, ProductId, Subject
from stores.keys import Key
from stores.outcomes import tell

router = APIRouter()
TillKey = Annotated[Key, Depends(api_key("coupons:redeem"))]


def _source(request: Request, key: Key | None = None, till_id: str | None = None) -> str:
    """Return where guesses are counted: a till where it names itself, else the address that asks."""
    where = till_id or (request.client.host if request.client else "")
    return f"{key.key_id if key else ''} {where}"


def _till(services: ServicesDep, request: Request) -> Till:
    """Return a till; whose coupons it reads, they are whom the request is about."""
    till = Till(services)
    request.state.about = till.owners
    return till


@router.post(
    "/coupons",
    tags=["Coupons"],
    summary="Issue a coupon",
    dependencies=[Depends(api_key("coupons:issue"))],
    **answers(IssuedCoupon, 201, but=[409]),
)
def issue_coupon(body: CouponIn, services: ServicesDep, request: Request) -> dict[str, Any]:
    """Let the brain choose a coupon for a member within the campaigns' budgets; 409 when there is none to give."""
    found = get_member(services, body.member_id)
    request.state.about = found.member_id
    context = Context(Channel.API, datetime.now(UTC), slate_size=10, wants_coupon=True)
    decision = services.core.decide(
        Subject(found.member_id), context, about=[ProductId(each) for each in body.product_ids]
    )
    if decision.coupon is None:
        raise ProblemError(409, "no-coupon", "There is none to give: no running campaign has an offer that fits, no consent to marketing, no money left, or none is worth its price. The decision tells.",
                           decision_id=decision.decision_id)  # fmt: skip
    return {**views.coupon(decision.coupon), "decision_id": decision.decision_id}


@router.post("/coupons/validate", tags=["Coupons"], summary="Try coupons on a basket", **answers(PricedBasket))
def validate_coupons(body: BasketIn, services: ServicesDep, request: Request, key: TillKey) -> dict[str, Any]:
    """Return what each code takes off each line, or the reason why it does not. Nothing is held or changed.

    Codes may come in any order. Of coupons that go together the larger one comes first; one that stops others lets none
    after it count; a `best` one counts alone, where that takes more off than all others together.
    """
    till = _till(services, request)
    applied = till.price(body, _source(request, key, body.till_id), at=datetime.now(UTC))
    return views.priced(body.lines, applied, services.settings.currency)


@router.get("/coupons/{code}", tags=["Coupons"], summary="Look a coupon up", **answers(KnownCoupon))
def read_coupon(code: str, services: ServicesDep, request: Request, key: TillKey) -> dict[str, Any]:
    """Return the coupon, its terms, whether it is open, redeemed or expired, and its redemptions."""
    coupon = Till(services).find(code, _source(request, key))
    found, status, subject = services.ledger.get(coupon.code)
    done = services.ledger.redemptions(found.code)
    return {
        **views.coupon(found), "status": status, "member_id": subject.member_id, "terms": views.terms(found.terms),
        "redemptions": [views.redemption(one) for one in done],
    }  # fmt: skip


@router.post(
    "/coupons/{code}/redeem",
    tags=["Coupons"],
    summary="Redeem a coupon",
    **answers(RedeemedCoupon, but=[409, 410, 503]),
)
def redeem_coupon(code: str, body: RedeemIn, services: ServicesDep, request: Request, key: TillKey) -> dict[str, Any]:
    """Turn the promise into spending, once: what the basket does not use of the value goes back to the budget.

    Without an amount or a basket the whole value is redeemed. Sending the same request again returns the same answer,
    whatever happened meanwhile; another order gets 409.
    """
    till, now = _till(services, request), datetime.now(UTC)
    source = _source(request, key, body.till_id)
    busy = {Signal.KEY: key.key_id, **({Signal.TILL: source} if body.till_id else {})}
    till.slow_down(busy)
    for signal, who in busy.items():
        services.fraud.add(signal, who)
    done = till.redeem(till.find(code, source), body, source, at=now)
    tell(services.db, now=now, redemption_id=done.redemption_id)
    return {
        **views.coupon(done.coupon),
        "status": "redeemed",
        "redeemed_at": done.at.isoformat(),
        "order_id": done.order_id,
        "repeated": done.repeated,
        "redemption_id": done.redemption_id,
        "redeemed": views.money(done.amount),
    }


@router.post(
    "/coupons/{code}/rollback",
    tags=["Coupons"],
    summary="Take a redemption back",
    **answers(RolledBackCoupon, but=[503]),
)
def roll_back(code: str, body: RollbackIn, services: ServicesDep, request: Request, key: TillKey) -> dict[str, Any]:
    """Undo one redemption, after a return or a payment that failed. Sending it again changes nothing.

    The money goes back to the budget. A coupon that is still valid is open again: with its old value where the budget
    still has the part that had not been redeemed, else with what was redeemed. `status` and `discount` tell.
    """
    coupon = _till(services, request).find(code, _source(request, key))
    now = datetime.now(UTC)
    done = services.ledger.rollback(coupon.code, at=now, order_id=body.order_id, redemption_id=body.redemption_id)
    tell(services.db, now=now, redemption_id=done.redemption_id)
    return {**views.coupon(done.coupon), "status": done.status, "repeated": done.repeated, **views.redemption(done)}


@router.get(
    "/coupons/{code}/qr.svg",
    tags=["Coupons"],
    summary="A coupon as a QR code",
    response_class=Response,
    **content("image/svg+xml", about="The picture."),
)
def coupon_qr(code: str, services: ServicesDep, request: Request) -> Response:
    """Return the code as a QR picture for a till's scanner. Who has the code may see it."""
    found = Till(services).find(code, _source(request))
    out = BytesIO()
    segno.make(found.code, error="m", micro=False).save(
        out, kind="svg", scale=10, border=3, dark="#111111", light="#ffffff", xmldecl=False
    )
    return Response(
        out.getvalue(), media_type="image/svg+xml; charset=utf-8", headers={"Cache-Control": "private, max-age=3600"}
    )
