"""Creatives: make a poster, read how it was made, and get it in a format."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Form, Header, Response, UploadFile

from api.answers import answers, content
from api.answers_creative import CreativeInfo
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.routes.uploads import licensed, read_upload
from api.services.creatives import MEDIA_TYPES, Creatives, Wish
from personalization.creative.errors import CreativeError
from personalization.creative.prices import check_before
from personalization.creative.product_pictures import picture_of
from personalization.creative.studio import facts_of
from personalization.creative.variants import Audience, mood_of
from personalization.creative.words import Facts
from personalization.decisions import Creative
from personalization.types import CreativeId, ProductId
from stores.decisions import SqlCreatives

router = APIRouter(prefix="/creatives", tags=["Creatives"])
ASPECTS = {"kiosk": "kiosk", "widget": "1:1", "api": "4:5", "": "4:5"}
_one_at_a_time = CapacityLimiter(1)  # composing takes Python time that answers need
_Key = Depends(api_key("creatives"))
_WORD = {"max_length": 64, "pattern": r"^[^\x00-\x1f]*$"}
_GONE = {"brand-changed", "picture-gone"}


@router.post("", summary="Make a creative", dependencies=[_Key], **answers(CreativeInfo, 201))
async def make(
    services: ServicesDep,
    response: Response,
    product_id: Annotated[str, Form(max_length=64, description="What it is about; its facts are the catalogue's. Without it, give `name` and `picture`.", examples=["1082185"])] = "",
    name: Annotated[str, Form(max_length=200, description="The product's name, where it is none of the catalogue's.", examples=["Butter croissants"])] = "",
    price: Annotated[str, Form(description="Its price as it is to be read, with `name`.", examples=["$2.79"], **_WORD)] = "",
    was: Annotated[str, Form(description="The price before, truly higher, with `name`.", **_WORD)] = "",
    category: Annotated[str, Form(description="Its category, with `name`.", **_WORD)] = "",
    aspect: Annotated[Literal["9:16", "1:1", "4:5", "16:9", "kiosk", ""], Form(description="Shape. Left out: what the channel shows.")] = "",
    channel: Annotated[Literal["widget", "kiosk", "api", ""], Form(description="Where it will be shown.")] = "",
    language: Annotated[str, Form(max_length=8, examples=["en"])] = "en",
    affect: Annotated[str, Form(description="How those who will see it seem to feel; nobody jokes with `angry` people.", examples=["neutral"], **_WORD)] = "neutral",
    segment: Annotated[str, Form(description="Who will see it: where the product has a campaign, the approved variant that does best for them is made.", **_WORD)] = "",
    like: Annotated[str, Form(max_length=64, description="Id of an earlier creative whose design is taken.")] = "",
    seed: Annotated[int | None, Form(ge=0, le=1_000_000, description="Another number, another design.")] = None,
    licence: Annotated[str, Form(description="Under which licence the picture may be used; needed with a picture.", examples=["our own photograph"], **_WORD)] = "",
    picture: Annotated[UploadFile | None, File(description="PNG, JPEG, WebP or SVG, at most 8 MB and 100 million pixels; without one a drawing is shown, and marked. An address is never fetched.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Compose a poster in the shop's brand kit, check it against every rule, and return where its files are; they are drawn when they are asked for.

    The same wish is the same creative, however often it is sent.
    """
    licence = licensed(licence, "the picture", picture)
    facts, shown, declared = await _facts(
        services, product_id, name, price, was, category, language, pictured=picture is not None
    )
    uploaded = await read_upload(picture)
    wish = Wish(
        facts, aspect or ASPECTS[channel], language, affect or "neutral", seed, product_id=product_id,
        audience=Audience(segment, channel, mood_of(affect), facts.category) if segment or channel else None,
        picture=uploaded, licence=licence if uploaded is not None else declared, shown=shown, like=like,
    )  # fmt: skip
    try:
        creative = await run_sync(partial(Creatives(services).make, wish), limiter=_one_at_a_time)
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    response.headers["Location"] = f"/v1/creatives/{creative.creative_id}"
    return await run_sync(Creatives(services).told, creative)


async def _facts(
    services: Any, product_id: str, name: str, price: str, was: str, category: str, language: str, *, pictured: bool
) -> tuple[Facts, str, str]:
    """Return what is true, and what shows the product where no file is sent, with its licence."""
    if product_id:
        product = (await run_sync(services.catalogue.products, [ProductId(product_id)])).get(ProductId(product_id))
        if product is None:
            raise ProblemError(404, "not-found", f"There is no product {product_id}.")
        return facts_of(product, None, language), *picture_of(product)
    if not name or not pictured:
        raise ProblemError(422, "nothing-to-show", "Give a `product_id`, or a `name` and a `picture`.")
    try:
        check_before(price, was)
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    return Facts(name, price, was, category=category), "", ""


@router.get(
    "/{creative_id}.{kind}",
    summary="Get a creative in a format",
    response_class=Response,
    **content(*MEDIA_TYPES.values(), about="The file.", but=[410, 503]),
)
def read_file(
    creative_id: str,
    kind: Literal["png", "webp", "jpg", "svg", "pdf"],
    services: ServicesDep,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=400)] = None,
) -> Response:
    """Return the poster, drawn at the first request and kept; PDF is for print, with 3 mm of bleed. A poster shows an item, never a person."""
    found = _found(services.creatives, creative_id)
    tag = f'"{creative_id}.{kind}"'
    headers = {
        "ETag": tag, "Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }  # fmt: skip
    if known is not None and (tag in known or known.strip() == "*"):
        return Response(status_code=304, headers=headers)
    try:
        return Response(Creatives(services).file(found, kind), media_type=MEDIA_TYPES[kind], headers=headers)
    except CreativeError as error:
        status = 410 if error.code in _GONE else 503 if error.code == "signer" else 422
        raise ProblemError(status, error.code, str(error)) from None


@router.get("/{creative_id}", summary="Read how a creative was made", dependencies=[_Key], **answers(CreativeInfo))
def read(creative_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return the spec, the words, the inputs with their licences, the marks and who approved it."""
    return Creatives(services).told(_found(services.creatives, creative_id))


def _found(creatives: SqlCreatives, creative_id: str) -> Creative:
    found = creatives.get(CreativeId(creative_id))
    if found is None:
        raise ProblemError(404, "not-found", f"There is no creative {creative_id}.")
    return found
