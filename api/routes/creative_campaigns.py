"""Campaigns of creatives: variants are proposed, approved, placed, and judged by what comes of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import answers, content
from api.answers_creative import (
    CreativeCampaignOut,
    CreativeCampaignsPage,
    HistoryOut,
    PerformanceOut,
    PlacementOut,
    VariantsPage,
)
from api.auth import api_key, author
from api.cursors import Cursor, Limit, numbered, page_of, read_place, write_place
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas_creative import ApprovalIn, CreativeCampaignIn, DesignsIn, PlacementIn, VariantsIn
from api.services.creatives import Creatives
from api.services.performance import performance_of
from api.tags import IfMatch, tag
from api.wiring import Services
from personalization.creative.approval import POLICY, ApprovalError, State, Step
from personalization.creative.errors import CreativeError
from personalization.types import Product
from stores.creatives import CreativeCampaign, Standing
from stores.keys import Key

_one_at_a_time = CapacityLimiter(1)  # drawing takes Python time that answers need
router = APIRouter(prefix="/creative-campaigns", tags=["Creatives"], dependencies=[Depends(api_key("creatives"))])
Studio = Annotated[Key, Depends(api_key("creatives"))]


@router.post("", summary="Start a campaign of creatives", **answers(CreativeCampaignOut, 201, but=[409]))
def create(body: CreativeCampaignIn, services: ServicesDep) -> dict[str, Any]:
    """Store a campaign; it places what is approved from `starts_at` to `ends_at`."""
    services.creative_campaigns.create(body.campaign())
    return _campaign(services.creative_campaigns.get(body.campaign_id))


@router.get("", summary="List campaigns of creatives", **answers(CreativeCampaignsPage))
def list_all(services: ServicesDep, cursor: Cursor = None, limit: Limit = 200) -> dict[str, Any]:
    """Return campaigns by their ids."""
    place = read_place(cursor, 1)
    found = services.creative_campaigns.page(limit=limit + 1, after=place[0] if place else "")
    following = write_place(found[limit - 1].campaign_id) if len(found) > limit else None
    return {"campaigns": [_campaign(one) for one in found[:limit]], "next_cursor": following}


@router.get("/{campaign_id}", summary="Read a campaign of creatives", **answers(CreativeCampaignOut))
def read(campaign_id: str, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return the campaign with its counts."""
    response.headers["ETag"] = _tag(len(services.creative_campaigns.history(campaign_id)))
    return _campaign(services.creative_campaigns.get(campaign_id))


@router.post("/{campaign_id}/variants", summary="Propose variants", **answers(HistoryOut, 201))
def propose(campaign_id: str, body: VariantsIn, services: ServicesDep, key: Studio) -> dict[str, Any]:
    """Add variants that are new; the campaign's policy says whether a person has to approve them."""
    steps = services.creative_campaigns.propose(
        campaign_id, body.proposed(), by=_signed(key, body.by), at=datetime.now(UTC)
    )
    return {"steps": [_step(step) for step in steps]}


@router.post("/{campaign_id}/designs", summary="Draw and propose variants", **answers(HistoryOut, 201))
async def draw(campaign_id: str, body: DesignsIn, services: ServicesDep, key: Studio) -> dict[str, Any]:
    """Draw designs of the campaign's product, spread over the space, measure each picture, and propose them as variants."""
    signed = _signed(key, body.by)
    campaign = await run_sync(services.creative_campaigns.get, campaign_id)
    product = await run_sync(_product, services, campaign)
    try:
        found = await run_sync(
            partial(Creatives(services).variants, product, count=body.count, seed=body.seed), limiter=_one_at_a_time
        )
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    steps = await run_sync(
        partial(services.creative_campaigns.propose, campaign_id, found, by=signed, at=datetime.now(UTC))
    )
    return {"steps": [_step(step) for step in steps]}


@router.get(
    "/{campaign_id}/variants/{variant_id}/preview",
    summary="Look at a variant",
    response_class=Response,
    **content("image/webp", about="How it looks."),
)
def preview(
    campaign_id: str, variant_id: str, services: ServicesDep,
    aspect: Annotated[Literal["1:1", "kiosk"], Query(description="A chat's card, or a kiosk's page.")] = "1:1",
    language: Annotated[str, Query(max_length=8, description="Of its words; a text that the language has not gives way to the plain one.")] = "en",
) -> Response:  # fmt: skip
    """Return the variant as a poster of the campaign's product, for who is to approve it; it is neither kept nor signed."""
    campaign = services.creative_campaigns.get(campaign_id)
    variant = services.creative_campaigns.variant(campaign_id, variant_id)
    if variant is None:
        raise ProblemError(404, "not-found", f"There is no variant {variant_id} in the campaign {campaign_id}.")
    try:
        pixels = Creatives(services).preview(
            _product(services, campaign), campaign_id, variant, aspect=aspect, language=language
        )
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    return Response(pixels, media_type="image/webp", headers={"Cache-Control": "private, max-age=300"})


def _tag(steps: int) -> str:
    return tag("approvals", steps)


def _product(services: Services, campaign: CreativeCampaign) -> Product:
    found = services.catalogue.products([campaign.product_id]).get(campaign.product_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no product {campaign.product_id}.")
    return found


@router.get("/{campaign_id}/variants", summary="List variants", **answers(VariantsPage))
def variants(
    campaign_id: str, services: ServicesDep, state: Annotated[State | None, Query()] = None, cursor: Cursor = None,
    limit: Limit = 500,
) -> dict[str, Any]:  # fmt: skip
    """Return variants with their outcomes, in the order in which they were proposed; those `proposed` wait for a person."""
    every = services.creative_campaigns.standings(campaign_id, state=state)
    page, following = page_of(every, lambda one: (f"{one.position:012}",), 1, cursor=cursor, limit=limit)
    return {"variants": [_standing(one) for one in page], "next_cursor": following}


@router.post(
    "/{campaign_id}/approvals", summary="Approve, reject or retire", **answers(HistoryOut, 201, but=[409, 412])
)
def decide(campaign_id: str, body: ApprovalIn, services: ServicesDep, key: Studio, if_match: IfMatch) -> dict[str, Any]:
    """Write a person's decision about a variant or a family into the history. What was approved is placed at once."""
    try:
        steps = services.creative_campaigns.decide(
            campaign_id,
            body.subject,
            body.state,
            of_family=body.of_family,
            by=_signed(key, body.by),
            at=datetime.now(UTC),
            note=body.note,
            seen=if_match.against(_tag, "what was decided about the campaign"),
        )
    except ApprovalError as error:
        raise ProblemError(409, "conflict", f"{error}.") from None
    return {"steps": [_step(step) for step in steps]}


@router.get("/{campaign_id}/approvals", summary="Read who approved what", **answers(HistoryOut))
def history(
    campaign_id: str, services: ServicesDep, response: Response, cursor: Cursor = None, limit: Limit = 500
) -> dict[str, Any]:
    """Return the history, oldest first, with an `ETag` to decide by; nothing in it is ever changed."""
    services.creative_campaigns.get(campaign_id)
    steps = services.creative_campaigns.history(campaign_id)
    response.headers["ETag"] = _tag(len(steps))
    page, following = numbered(steps, cursor=cursor, limit=limit)
    return {"steps": [_step(step) for step in page], "next_cursor": following}


@router.post("/{campaign_id}/placements", summary="Place a creative", **answers(PlacementOut, 201, but=[409]))
def place(campaign_id: str, body: PlacementIn, services: ServicesDep, request: Request) -> dict[str, Any]:
    """Draw a variant for a shopper and log it with its probability; 409 when there is none that may be shown now.

    Tell `viewed`, `clicked` and `bought` events with the decision's id, so that the next placement knows.
    """
    if body.member_id is not None:
        get_member(services, body.member_id)
    request.state.about = body.member_id or body.visitor_id
    found = services.placer.place(
        campaign_id, body.audience(), body.subject(), decision_id=body.decision_id, at=datetime.now(UTC)
    )
    if found is None:
        raise ProblemError(
            409,
            "no-creative",
            "There is none to show: nothing is approved, this shopper has seen it all often enough, or the campaign is for others.",
        )
    return {
        "decision_id": found.decision_id, "campaign_id": found.campaign_id, "variant_id": found.variant.variant_id,
        "choices": dict(found.variant.choices), "propensity": found.propensity, "explored": found.explored,
    }  # fmt: skip


@router.get("/{campaign_id}/performance", summary="Read what is predicted, and what came", **answers(PerformanceOut))
def performance(campaign_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return each variant before each audience: the predictor's guess with its interval, and views and clicks with theirs."""
    services.creative_campaigns.get(campaign_id)
    return performance_of(services, campaign_id)


def _signed(key: Key, told: str) -> str:
    """Return who a line of the history is by; ProblemError 422 for the name that stands for the campaign's policy."""
    name = author(key, told)
    if name.strip().casefold() == POLICY:
        raise ProblemError(
            422, "invalid", f"by: {POLICY!r} stands for the campaign's own policy; give a person's name."
        )
    return name


def _campaign(one: CreativeCampaign) -> dict[str, Any]:
    return {
        "campaign_id": one.campaign_id, "product_id": one.product_id, "objective": one.objective, "approval": one.mode.value,
        "starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat(), "limits": asdict(one.limits),
        "screened": one.rules.size, "placed": one.placed, "explored": one.explored, "owner": one.owner, "held": one.held,
    }  # fmt: skip


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "variant_id": one.variant.variant_id, "family": one.variant.family, "choices": dict(one.variant.choices),
        "measures": dict(one.variant.measures), "state": one.state.value, "shown": one.shown, "clicked": one.clicked,
        "converted": one.converted,
    }  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    found = asdict(step) | {"state": step.state.value, "at": step.at.isoformat()}
    del found["campaign_id"]
    return found
