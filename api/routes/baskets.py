"""The shopper's basket, the same in the chat and on the shop's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.answers import answers
from api.answers_talk import BasketOut
from api.auth import visitor
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas import BasketAddIn, BasketPutIn
from api.services.baskets import Baskets
from api.shoppers import Visitor
from api.tags import IfMatch, tag
from personalization.types import DecisionId, ProductId
from stores.baskets import BasketLine

router = APIRouter(tags=["Baskets"])
Who = Annotated[Visitor, Depends(visitor)]


@router.get("/basket", summary="Read the basket", **answers(BasketOut))
def read(services: ServicesDep, who: Who, response: Response) -> dict[str, Any]:
    """Return what is in the shopper's basket: the member's on all devices, or this visitor's."""
    response.headers["ETag"] = _tag(services.baskets.lines(who.subject))
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


@router.put("/basket/lines/{product_id}", summary="Change a line of the basket", **answers(BasketOut, but=[412]))
def put(product_id: str, body: BasketPutIn, services: ServicesDep, who: Who, if_match: IfMatch) -> dict[str, Any]:
    """Make it `quantity` pieces; 0 takes the line out. Return the whole basket.

    A page reports `added_to_basket` to `/v1/events` itself, with what showed the product.
    """
    if body.quantity:
        _known(services, product_id)
    decision_id = DecisionId(body.decision_id) if body.decision_id else None
    basket = Baskets(services).put(
        who.subject, ProductId(product_id), body.quantity, at=datetime.now(UTC), decision_id=decision_id,
        check=if_match.against(_tag, "the basket"),
    )  # fmt: skip
    return dict(basket.card or {})


@router.delete("/basket", summary="Empty the basket", **answers(BasketOut, but=[412]))
def clear(services: ServicesDep, who: Who, if_match: IfMatch) -> dict[str, Any]:
    """Take everything out."""
    return dict(Baskets(services).clear(who.subject, check=if_match.against(_tag, "the basket")).card or {})


def _tag(lines: list[BasketLine]) -> str:
    return tag("basket", [(line.product_id, line.quantity) for line in lines])


def _known(services: ServicesDep, product_id: str) -> ProductId:
    if ProductId(product_id) not in services.catalogue.products([ProductId(product_id)]):
        raise ProblemError(404, "not-found", f"There is no product {product_id}.")
    return ProductId(product_id)
