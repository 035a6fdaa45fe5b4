"""The routes of the API, in the order in which they are tried."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api import demo, docs_page, errors
from api.routes import (
    accounts,
    agents,
    attachments,
    baskets,
    brand_kit,
    campaign_creatives,
    campaign_figures,
    campaigns,
    conversations,
    coupons,
    creative_campaigns,
    creatives,
    decisions,
    desk,
    display_policy,
    events,
    experiments,
    films,
    fleet,
    following,
    kiosks,
    member_views,
    members,
    oauth,
    oidc,
    operations,
    overview,
    passkeys,
    plays,
    product_pictures,
    profiles,
    segment,
    segments,
    session,
    staff,
    stores,
    trust,
    tuning,
    webhooks,
    widget_sessions,
)

_MODULES = (
    conversations,
    following,
    decisions,
    coupons,
    events,
    member_views,
    members,
    profiles,
    experiments,
    campaigns,
    campaign_creatives,
    campaign_figures,
    tuning,
    overview,
    segments,
    creative_campaigns,
    brand_kit,
    creatives,
    films,
    attachments,
    agents,
    desk,
    baskets,
    kiosks,
    fleet,
    plays,
    product_pictures,
    display_policy,
    stores,
    staff,
    session,
    passkeys,
    oidc,
    accounts,
    trust,
    oauth,
    webhooks,
    widget_sessions,
    segment,
)
"""First what every message of a shopper needs."""


@lru_cache(maxsize=2)
def route_table(*, with_demo: bool) -> APIRouter:
    """Return all routes; made once, since to read the signatures of some 250 functions takes a moment."""
    router = APIRouter(
        generate_unique_id_function=_operation_id, responses=errors.problems(400, 401, 403, 404, 413, 422, 429)
    )
    router.include_router(operations.router)
    router.include_router(oauth.well_known)
    router.include_router(docs_page.router)
    for module in _MODULES:
        router.include_router(module.router, prefix="/v1")
    if with_demo:
        router.include_router(demo.router)
    return router


def _operation_id(route: APIRoute) -> str:
    """Return a name that clients call the operation by: stable as long as its module and function are."""
    return f"{route.endpoint.__module__.rsplit('.', 1)[-1]}_{route.name}"
