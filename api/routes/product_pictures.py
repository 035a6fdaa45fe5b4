"""Photographs of products: sent by who keeps the catalogue, shown by cards and posters."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Form, Header, Response, UploadFile

from api.answers import answers, content
from api.answers_creative import ProductPictureOut
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.routes.uploads import licensed, read_upload
from personalization.creative.errors import CreativeError
from personalization.types import ProductId
from stores.errors import NotFoundError

router = APIRouter(prefix="/products", tags=["Creatives"])
_one_at_a_time = CapacityLimiter(1)  # reading a picture takes time that answers need
_Key = Depends(api_key("creatives"))


@router.put(
    "/{product_id}/picture",
    summary="Give a product a photograph",
    dependencies=[_Key],
    **answers(ProductPictureOut, but=[413]),
)
async def put_picture(
    product_id: str,
    services: ServicesDep,
    picture: Annotated[UploadFile, File(description="PNG, JPEG, WebP, AVIF or SVG, at most 8 MB and 100 million pixels.")],
    licence: Annotated[str, Form(max_length=200, pattern=r"^[^\x00-\x1f]*$", description="Under which licence it may be used.", examples=["our own photograph"])] = "",
) -> dict[str, Any]:  # fmt: skip
    """Keep a photograph in place of an earlier one: cards show it, and posters and films are made of it from now on.

    It is kept as WebP of at most 1600 pixels, without what cameras write into files. No address is ever fetched.
    """
    licence = licensed(licence, "the picture", picture)
    sent = await read_upload(picture)
    call = partial(services.product_pictures.put, product_id, sent or b"", licence, at=datetime.now(UTC))
    try:
        kept = await run_sync(call, limiter=_one_at_a_time)
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    except NotFoundError as error:
        raise ProblemError(404, "not-found", str(error)) from None
    services.catalogue.forget(ProductId(product_id))
    return {
        "product_id": product_id, "sha256": kept.digest, "licence": kept.licence, "at": kept.at.isoformat(),
        "picture_url": f"/v1/products/{product_id}/picture",
    }  # fmt: skip


@router.get(
    "/{product_id}/picture",
    summary="A product's photograph",
    response_class=Response,
    **content("image/webp", about="The photograph."),
)
def picture(
    product_id: str,
    services: ServicesDep,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=400)] = None,
) -> Response:
    """Return the photograph that was sent for a product; 404 where it has none, `picture.svg` is its drawing then."""
    found = services.product_pictures.file(product_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no photograph of {product_id}.")
    tag = f'"{found[0]}"'
    headers = {
        "ETag": tag, "Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    if known is not None and tag in known:
        return Response(status_code=304, headers=headers)
    return Response(found[1], media_type="image/webp", headers=headers)


@router.delete(
    "/{product_id}/picture", summary="Take a product's photograph away", dependencies=[_Key], status_code=204
)
def remove_picture(product_id: str, services: ServicesDep) -> None:
    """Show the product's drawing again. Posters that were made of the photograph can be drawn for as long as its file is kept."""
    if not services.product_pictures.remove(product_id):
        raise ProblemError(404, "not-found", f"There is no photograph of {product_id}.")
    services.catalogue.forget(ProductId(product_id))
