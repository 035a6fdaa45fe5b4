"""Recommendations, decisions and pictures of products."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api import views
from api.answers import DecisionOut, answers, content
from api.answers_explanation import ExplanationOut
from api.auth import visitor_or_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas import RecommendationIn
from api.shoppers import Visitor
from api.wiring import Services
from personalization.creative.product_pictures import picture_name, picture_svg
from personalization.decisions import Decision
from personalization.trust import explanation
from personalization.trust.gate import readable
from personalization.types import Affect, Context, DecisionId, ProductId, StoreId, Subject, VisitorId
from stores.database import new_id
from stores.keys import Key

router = APIRouter()


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
        body.wants_coupon, body.wants_creative, language=body.language,
    )  # fmt: skip
    decision = services.core.decide(subject, context)
    services.metrics.decisions.labels(context.channel).inc()
    return _shown(decision, who)


@router.get("/decisions/{decision_id}", tags=["Decisions"], summary="Open a decision", **answers(DecisionOut))
def read_decision(
    decision_id: str, services: ServicesDep, who: Annotated[Visitor | Key, Depends(visitor_or_key("decisions:read"))]
) -> dict[str, Any]:
    """Return a decision with its inputs, what was withheld, reasons, fallbacks and model versions.

    Of a member who does not agree to profiling any more, what was concluded about them is left out, and `inputs_withheld` says so.
    """
    return _shown(_own(decision_id, services, who), who)


@router.get(
    "/decisions/{decision_id}/explanation",
    tags=["Decisions"],
    summary="Why a decision came out as it did",
    **answers(ExplanationOut),
)
def explain_decision(
    decision_id: str, services: ServicesDep, who: Annotated[Visitor | Key, Depends(visitor_or_key("decisions:read"))]
) -> dict[str, Any]:
    """Return one set of facts as a sentence for the shopper, a panel for staff, and JSON.

    Inputs used and withheld, where candidates came from, what each item's score loses without each kind of evidence, the price of
    money and the budget, what would have changed the outcome, and model versions. Nothing is computed anew: it is what was logged.
    """
    decision = _own(decision_id, services, who)
    trimmed = explanation.is_trimmed(decision)
    found = explanation.explain(decision, None if trimmed else services.decisions.candidates(decision.decision_id))
    facts = asdict(found)
    facts.pop("trimmed")  # the sentence says so
    told = {"decision_id": facts.pop("decision_id"), "at": facts.pop("at"), "sentence": explanation.sentence(found)}
    if isinstance(who, Visitor):  # what a budget's money is worth is the shop's own
        return {**told, "panel": [], "facts": {**facts, "coupon": None, "fallbacks": ()}}
    return {**told, "panel": explanation.panel(found), "facts": facts}


def _own(decision_id: str, services: Services, who: Visitor | Key) -> Decision:
    """Return the decision as far as its member agrees now; a problem when there is none, or when it is another shopper's."""
    decision = services.decisions.get(DecisionId(decision_id))
    if decision is None or (
        isinstance(who, Visitor) and not who.may_see(decision.subject.visitor_id, decision.subject.member_id)
    ):
        raise ProblemError(404, "not-found", f"There is no decision {decision_id}.")
    return readable(decision, services.consents.granted(decision.subject, at=datetime.now(UTC)))


def _shown(decision: Decision, who: Visitor | Key) -> dict[str, Any]:
    """Shoppers do not see their segment, what else was weighed, nor the cause of a fallback; integrators do."""
    view = views.decision(decision)
    if isinstance(who, Visitor):
        hidden = {"segment": None, "allotment": None}
        view = {**view, **hidden, "fallbacks": [{**f, "cause": ""} for f in view["fallbacks"]]}
    return view


@router.get(
    "/products/{product_id}/picture.svg",
    tags=["Creatives"],
    summary="A product's picture",
    response_class=Response,
    **content("image/svg+xml", about="The picture."),
)
def product_picture(product_id: str, services: ServicesDep) -> Response:
    """Return a flat illustration of what kind of product it is."""
    product = services.catalogue.products([ProductId(product_id)]).get(ProductId(product_id))
    if product is None:
        raise ProblemError(404, "not-found", f"There is no product {product_id}.")
    headers = {"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(picture_svg(picture_name(product)), media_type="image/svg+xml; charset=utf-8", headers=headers)
