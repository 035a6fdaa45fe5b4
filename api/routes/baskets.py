"""The shopper's basket, the same in the chat and on the shop's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from api.answers import answers
from api.answers_talk import BasketOut
from api.auth import Visitor, visitor
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas import BasketAddIn, BasketPutIn
from api.services.baskets import Baskets
from personalization.types import DecisionId, ProductId

router = APIRouter(tags=["Baskets"])
Who = Annotated[Visitor, Depends(visitor)]


@router.get("/basket", summary="Read the basket", **answers(BasketOut))
def read(services: ServicesDep, who: Who) -> dict[str, Any]:
    """Return what is in the shopper's basket: the member's on all devices, or this visitor's."""
    return dict(Baskets(services).read(who.subject).card or {})


@router.post("/basket/lines", summary="Put something in", **answers(BasketOut))
def add(body: BasketAddIn, services: ServicesDep, who: Who) -> dict[str, Any]:
    """Put so many pieces more of a product in. Return the whole basket.

    A page reports `added_to_basket` to `/v1/events` itself, with what showed the product.
    """
    product_id = _known(services, body.product_id)
    decision_id = DecisionId(body.decision_id) if body.decision_id else None
    services.baskets.add(who.subject, product_id, body.quantity, at=datetime.now(UTC), decision_id=decision_id)
    return dict(Baskets(services).read(who.subject).card or {})


@router.put("/basket/lines/{product_id}", summary="Change a line of the basket", **answers(BasketOut))
def put(product_id: str, body: BasketPutIn, services: ServicesDep, who: Who) -> dict[str, Any]:
    """Make it `quantity` pieces; 0 takes the line out. Return the whole basket.

    A page reports `added_to_basket` to `/v1/events` itself, with what showed the product.
    """
    if body.quantity:
        _known(services, product_id)
    decision_id = DecisionId(body.decision_id) if body.decision_id else None
    basket = Baskets(services).put(
        who.subject, ProductId(product_id), body.quantity, at=datetime.now(UTC), decision_id=decision_id
    )
    return dict(basket.card or {})


@router.delete("/basket", summary="Empty the basket", **answers(BasketOut))
def clear(services: ServicesDep, who: Who) -> dict[str, Any]:
    """Take everything out."""
    return dict(Baskets(services).clear(who.subject).card or {})


def _known(services: ServicesDep, product_id: str) -> ProductId:
    if ProductId(product_id) not in services.catalogue.products([ProductId(product_id)]):
        raise ProblemError(404, "not-found", f"There is no product {product_id}.")
    return ProductId(product_id)
