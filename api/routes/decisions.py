"""Recommendations, decisions, coupons and creatives."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Response

from api import views
from api.answers import DecisionOut, IssuedCoupon, KnownCoupon, RedeemedCoupon, answers, content
from api.auth import Visitor, api_key, visitor_or_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas import CouponIn, RecommendationIn, RedeemIn
from personalization.creative.product_pictures import picture_name, picture_svg
from personalization.types import (
    Affect,
    Channel,
    Context,
    CreativeId,
    Decision,
    DecisionId,
    EventType,
    ProductId,
    StoreId,
    Subject,
    VisitorId,
)
from stores.database import new_id
from stores.events import Event
from stores.keys import Key

router = APIRouter()
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "cross-origin"}


@router.post("/recommendations", tags=["Decisions"], summary="Ask the brain", **answers(DecisionOut))
def recommend(
    body: RecommendationIn, services: ServicesDep, who: Annotated[Visitor | Key, Depends(visitor_or_key("recommend"))]
) -> dict[str, Any]:
    """Return a slate and, if wanted, a coupon and a poster, each with its reason; the decision is logged under its id."""
    if isinstance(who, Visitor):
        subject = who.subject
    elif body.member_id is None and body.visitor_id is None:
        subject = Subject(visitor_id=VisitorId(new_id()))
    else:
        known = get_member(services, body.member_id).member_id if body.member_id else None
        subject = Subject(known, VisitorId(body.visitor_id) if body.visitor_id else None)
    affect = Affect(body.affect.valence, body.affect.arousal) if body.affect else None
    context = Context(
        body.channel, datetime.now(UTC), StoreId(body.store_id) if body.store_id else None, body.query, affect, body.slate_size,
        body.wants_coupon, body.wants_creative,
    )  # fmt: skip
    decision = services.core.decide(subject, context)
    services.metrics.decisions.labels(context.channel).inc()
    return _shown(decision, who)


@router.get("/decisions/{decision_id}", tags=["Decisions"], summary="Open a decision", **answers(DecisionOut))
def read_decision(
    decision_id: str, services: ServicesDep, who: Annotated[Visitor | Key, Depends(visitor_or_key("decisions:read"))]
) -> dict[str, Any]:
    """Return a decision with its inputs, what was withheld, reasons, fallbacks and model versions."""
    decision = services.decisions.get(DecisionId(decision_id))
    own = decision is not None and (
        not isinstance(who, Visitor) or who.may_see(decision.subject.visitor_id, decision.subject.member_id)
    )
    if decision is None or not own:
        raise ProblemError(404, "not-found", f"There is no decision {decision_id}.")
    return _shown(decision, who)


def _shown(decision: Decision, who: Visitor | Key) -> dict[str, Any]:
    """Shoppers do not see what segment they are in, nor the cause of a fallback; integrators do."""
    view = views.decision(decision)
    if isinstance(who, Visitor):
        view = {**view, "segment": None, "fallbacks": [{**f, "cause": ""} for f in view["fallbacks"]]}
    return view


@router.post(
    "/coupons",
    tags=["Coupons"],
    summary="Issue a coupon",
    dependencies=[Depends(api_key("coupons:issue"))],
    **answers(IssuedCoupon, 201, but=[409]),
)
def issue_coupon(body: CouponIn, services: ServicesDep) -> dict[str, Any]:
    """Let the brain choose a coupon for a member within the campaigns' budgets; 409 when there is none to give."""
    found = get_member(services, body.member_id)
    context = Context(Channel.API, datetime.now(UTC), slate_size=10, wants_coupon=True)
    decision = services.core.decide(Subject(found.member_id), context)
    if decision.coupon is None:
        raise ProblemError(409, "no-coupon", "No running campaign has an offer for this member, a consent to marketing or money left.",
                           decision_id=decision.decision_id)  # fmt: skip
    return {**views.coupon(decision.coupon), "decision_id": decision.decision_id}


@router.get(
    "/coupons/{code}",
    tags=["Coupons"],
    summary="Look a coupon up",
    dependencies=[Depends(api_key("coupons:redeem"))],
    **answers(KnownCoupon),
)
def read_coupon(code: str, services: ServicesDep) -> dict[str, Any]:
    """Return the coupon and whether it is open, redeemed or expired."""
    found, status, subject = services.ledger.get(code.upper())
    return {**views.coupon(found), "status": status, "member_id": subject.member_id}


@router.post(
    "/coupons/{code}/redeem",
    tags=["Coupons"],
    summary="Redeem a coupon",
    dependencies=[Depends(api_key("coupons:redeem"))],
    **answers(RedeemedCoupon, but=[409, 410]),
)
def redeem_coupon(code: str, body: RedeemIn, services: ServicesDep) -> dict[str, Any]:
    """Turn the promise into spending. Sending the same order again returns the same answer; another order gets 409."""
    now = datetime.now(UTC)
    done = services.ledger.redeem(code.upper(), at=now, order_id=body.order_id)
    product = next(iter(done.coupon.product_ids), None)
    event_id = f"redeemed-{done.coupon.code}"  # one per coupon: a repetition makes up for an event that was lost
    event = Event(
        event_id, EventType.REDEEMED, done.at, "api", done.member_id, None, done.decision_id, product, {"code": done.coupon.code}
    )  # fmt: skip
    services.events.append_batch([event], received_at=now)
    return {
        **views.coupon(done.coupon),
        "status": "redeemed",
        "redeemed_at": done.at.isoformat(),
        "order_id": done.order_id,
        "repeated": done.repeated,
    }


@router.get(
    "/coupons/{code}/qr.svg",
    tags=["Coupons"],
    summary="A coupon as a QR code",
    response_class=Response,
    **content("image/svg+xml", "The picture."),
)
def coupon_qr(code: str, services: ServicesDep) -> Response:
    """Return the code as a QR picture for a till's scanner. Who has the code may see it."""
    found, _, _ = services.ledger.get(code.upper())
    out = BytesIO()
    segno.make(found.code, error="m", micro=False).save(
        out, kind="svg", scale=10, border=3, dark="#111111", light="#ffffff", xmldecl=False
    )
    return Response(out.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})


@router.get(
    "/creatives/{creative_id}",
    tags=["Creatives"],
    summary="A poster",
    response_class=Response,
    **content("image/png", "The pixels."),
)
def read_creative(creative_id: str, services: ServicesDep) -> Response:
    """Return the poster's pixels. A poster shows an item, never a person."""
    found = services.creatives.get(CreativeId(creative_id))
    if found is None:
        raise ProblemError(404, "not-found", f"There is no creative {creative_id}.")
    return Response(found.content, media_type=found.media_type, headers=_FOREVER)


@router.get(
    "/products/{product_id}/picture.svg",
    tags=["Creatives"],
    summary="A product's picture",
    response_class=Response,
    **content("image/svg+xml", "The picture."),
)
def product_picture(product_id: str, services: ServicesDep) -> Response:
    """Return a flat illustration of what kind of product it is."""
    product = services.catalogue.products([ProductId(product_id)]).get(ProductId(product_id))
    if product is None:
        raise ProblemError(404, "not-found", f"There is no product {product_id}.")
    headers = {"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(picture_svg(picture_name(product)), media_type="image/svg+xml", headers=headers)
