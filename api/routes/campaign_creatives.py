"""The creatives of a campaign: what stands ready, what is missing before the launch, and what came of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from scipy.stats import binomtest

from api import views
from api.answers import answers
from api.answers_campaigns import CampaignCreatives, CampaignProducts
from api.auth import api_key
from api.routes.campaigns import CampaignPath
from api.routes.deps import ServicesDep
from api.schemas import Id
from personalization.coupons.campaign_plan import CampaignPlan
from personalization.types import Product, ProductId
from stores.campaign_creatives import OwnedCreatives

router = APIRouter(tags=["Campaigns"], dependencies=[Depends(api_key("campaigns"))])
MOST_PRODUCTS = 20


@router.get("/campaign-products", summary="Find products for posters", **answers(CampaignProducts))
def products(
    services: ServicesDep,
    q: Annotated[str | None, Query(min_length=1, max_length=80, description="Words of a name, a category or a brand; or an id.")] = None,
    ids: Annotated[list[Id], Query(max_length=MOST_PRODUCTS, description="Without `q`: the products with these ids.")] = [],  # noqa: B006
) -> dict[str, Any]:  # fmt: skip
    """Return products that can be shown and have all these words, or those with these ids, at most twenty."""
    if q is None:
        named = services.catalogue.products([ProductId(one) for one in ids])
        found = [named[ProductId(one)] for one in ids if ProductId(one) in named]
    else:
        found = list(services.catalogue.like(q.replace("\0", " "), limit=MOST_PRODUCTS))
    return {
        "products": [
            {"product_id": one.product_id, "name": one.name, "category": one.category, "price": views.money(one.price)}
            for one in found
        ]
    }


@router.get("/campaigns/{campaign_id}/creatives", summary="Read a campaign's creatives", **answers(CampaignCreatives))
def creatives(campaign_id: CampaignPath, services: ServicesDep) -> dict[str, Any]:
    """Return its campaigns of posters with how many variants are approved, what is missing, and views, clicks and purchases."""
    plan, now = services.campaign_plans.get(campaign_id).plan, datetime.now(UTC)
    found = services.campaign_creatives.of(plan)
    named = services.catalogue.products([ProductId(one.product_id) for one in found])
    return {
        "creatives": [_told(one, plan, named.get(ProductId(one.product_id)), now) for one in found],
        "approved": sum(one.approved for one in found), "proposed": sum(one.proposed for one in found),
    }  # fmt: skip


def _told(one: OwnedCreatives, plan: CampaignPlan, product: Product | None, now: datetime) -> dict[str, Any]:
    low, high = binomtest(one.clicked, one.shown).proportion_ci(method="wilson") if one.shown else (None, None)
    return {
        "creative_campaign_id": one.creative_campaign_id, "product_id": one.product_id, "product": product.name if product else None,
        "approval": one.approval, "state": _state(one, plan, now), "missing": _missing(one), "taken_by": one.taken_by,
        "starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat(), "proposed": one.proposed, "approved": one.approved,
        "shown": one.shown, "clicked": one.clicked, "converted": one.converted, "rate": one.clicked / one.shown if one.shown else None,
        "rate_low": low, "rate_high": high,
    }  # fmt: skip


def _state(one: OwnedCreatives, plan: CampaignPlan, now: datetime) -> str:
    """Return where it stands. `own` runs by its own dates until the plan is launched."""
    if one.ends_at <= now:
        return "ended"
    if one.held:
        return "held"
    if one.owner != plan.campaign_id:
        return "own"
    return "running" if one.starts_at <= now else "ready"


def _missing(one: OwnedCreatives) -> str | None:
    """Return what has to be done before anything of it can be shown."""
    if one.taken_by is not None:
        return "taken"
    if one.approved:
        return None
    return "approval" if one.proposed else "drawing"
