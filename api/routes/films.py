"""Films: order one, follow it, and play it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Form, Header, Response, UploadFile
from pydantic import Field

from api.answers import Shape, answers, content
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.routes.uploads import licensed, read_upload
from api.services.films import Films
from personalization.creative.errors import CreativeError
from personalization.creative.film import FORMATS
from personalization.types import ProductId
from stores.films import StoredFilm

router = APIRouter(prefix="/films", tags=["Creatives"])
MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "gif": "image/gif",
    "vtt": "text/vtt; charset=utf-8",
    "jpg": "image/jpeg",
}
_one_at_a_time = CapacityLimiter(1)  # composing takes Python time that answers need
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_OrderKey = Depends(api_key("creatives"))


class FilmProblem(Shape):
    """Why there is no film."""

    code: str = Field(examples=["silent-track"])
    detail: str


class FilmOut(Shape):
    """A film, ready or on its way; ask again until `status` is `done`, `failed` or `cancelled`."""

    film_id: str
    status: Literal["queued", "working", "done", "failed", "cancelled"]
    progress: float = Field(description="Share that is made, 0 to 1.", examples=[0.42])
    seconds: float = Field(description="Length that was asked for; the film ends on the beat nearest to it.")
    files: dict[str, str] = Field(
        description="Address by format, once it is done.", examples=[{"mp4": "/v1/films/018f….mp4"}]
    )
    problem: FilmProblem | None
    created_at: str


@router.post("", summary="Order a film", dependencies=[_OrderKey], **answers(FilmOut, 202, but=[415, 503]))
async def order(
    services: ServicesDep,
    response: Response,
    product_id: Annotated[str, Form(min_length=1, max_length=64, examples=["1082185"])],
    aspect: Annotated[Literal["9:16", "1:1", "4:5", "16:9", "kiosk"], Form(description="Shape.")] = "9:16",
    seconds: Annotated[
        float, Form(ge=6, le=15, allow_inf_nan=False, description="About how long.", examples=[10])
    ] = 10,
    side: Annotated[int, Form(ge=180, le=1080, description="Pixels of the shorter side.", examples=[720])] = 720,
    language: Annotated[str, Form(max_length=8, examples=["en"])] = "en",
    seed: Annotated[int, Form(ge=0, le=1_000_000, description="Another number, another design.")] = 0,
    campaign_id: Annotated[str, Form(max_length=64, description="With `variant_id`: the film looks as this variant says, and kiosks play it while the variant is approved.")] = "",
    variant_id: Annotated[str, Form(max_length=64)] = "",
    licence: Annotated[str, Form(max_length=64, pattern=r"^[^\x00-\x1f]*$", description="Under which licence picture and track may be used; needed with either.", examples=["our own"])] = "",
    picture: Annotated[
        UploadFile | None, File(description="PNG, JPEG, WebP or SVG; without one a drawing is shown.")
    ] = None,
    track: Annotated[
        UploadFile | None, File(description="WAV, OGG, MP3, FLAC or M4A; without one a track is made.")
    ] = None,
) -> dict[str, Any]:  # fmt: skip
    """Queue a film; the same product, wishes and files are one film, however often they are sent.

    The answer's `Location` tells how far it is. A picture and a track have at most 8 MB together.
    """
    product = (await run_sync(services.catalogue.products, [ProductId(product_id)])).get(ProductId(product_id))
    if product is None:
        raise ProblemError(404, "not-found", f"There is no product {product_id}.")
    licence = licensed(licence, "picture and track", picture, track)
    variant = None
    if variant_id:
        found = await run_sync(services.creative_campaigns.variant, campaign_id, variant_id)
        if found is None:
            raise ProblemError(404, "not-found", f"There is no variant {variant_id} in a campaign {campaign_id}.")
        campaign = await run_sync(services.creative_campaigns.get, campaign_id)
        if campaign.product_id != product_id:
            raise ProblemError(422, "other-product", f"The campaign {campaign_id} is not of the product {product_id}.")
        variant = campaign_id, found
    files = [await read_upload(one) for one in (picture, track)]
    call = partial(
        Films(services).order, product, aspect=aspect, seconds=seconds, side=side, language=language, seed=seed, picture=files[0],
        track=files[1], licence=licence, variant=variant,
    )  # fmt: skip
    try:
        film = await run_sync(call, limiter=_one_at_a_time)
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    if film is None:
        raise ProblemError(
            503, "queue-full", "Too many films wait; send it again later.", headers={"Retry-After": "60"}
        )
    response.headers["Location"] = f"/v1/films/{film.film_id}"
    return _view(film)


@router.get(
    "/{film_id}.{kind}",
    summary="Play a film",
    response_class=Response,
    **content(*MEDIA_TYPES.values(), about="The file, or the part of it that `Range` names.", but=[416]),
)
def read_file(
    film_id: str,
    kind: Literal["mp4", "webm", "gif", "vtt", "jpg"],
    services: ServicesDep,
    span: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=200)] = None,
) -> Response:
    """Return the video, its preview (GIF), its subtitles (WebVTT) or its still (JPEG). A film shows an item, never a person."""
    tag = f'"{film_id}.{kind}"'
    headers = {
        "ETag": tag, "Cache-Control": "public, max-age=31536000, immutable", "Accept-Ranges": "bytes",
        "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    found = services.films.file(film_id, kind)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no film {film_id}, or it is not made yet.")
    if known is not None and tag in known:
        return Response(status_code=304, headers=headers)
    if span is None or (asked := _RANGE.fullmatch(span.strip())) is None or asked.groups() == ("", ""):
        return Response(found, media_type=MEDIA_TYPES[kind], headers=headers)
    first, last = _span(asked[1], asked[2], len(found))
    if first >= len(found) or last < first:
        raise ProblemError(
            416,
            "no-such-range",
            f"The file has {len(found)} bytes.",
            headers={"Content-Range": f"bytes */{len(found)}"},
        )
    headers["Content-Range"] = f"bytes {first}-{last}/{len(found)}"
    return Response(found[first : last + 1], 206, media_type=MEDIA_TYPES[kind], headers=headers)


def _span(begin: str, end: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a range (RFC 9110, 14.1.2); without a begin it is the file's end."""
    if not begin:
        return max(size - int(end), 0), size - 1
    return int(begin), min(int(end), size - 1) if end else size - 1


@router.get("/{film_id}", summary="Follow a film", dependencies=[_OrderKey], **answers(FilmOut))
def read(film_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return how far a film is, and where its files are once it is done."""
    return _view(_found(services.films.get(film_id), film_id))


@router.delete("/{film_id}", summary="Cancel a film", dependencies=[_OrderKey], **answers(FilmOut))
def cancel(film_id: str, services: ServicesDep) -> dict[str, Any]:
    """Give a film up that is not made yet; one that is done stays."""
    return _view(_found(services.films.cancel(film_id, at=datetime.now(UTC)), film_id))


def _found(film: StoredFilm | None, film_id: str) -> StoredFilm:
    if film is None:
        raise ProblemError(404, "not-found", f"There is no film {film_id}.")
    return film


def _view(film: StoredFilm) -> dict[str, Any]:
    done = film.status == "done"
    return {
        "film_id": film.film_id, "status": film.status, "progress": round(film.progress, 3), "seconds": film.told["seconds"],
        "files": {kind: f"/v1/films/{film.film_id}.{kind}" for kind in FORMATS} if done else {}, "problem": film.problem,
        "created_at": film.created_at.isoformat(),
    }  # fmt: skip
