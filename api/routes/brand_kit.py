"""The brand kit: read, tried on posters, and saved, by marketers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.answers import answers
from api.answers_creative import BrandKitNow, BrandKitOut, BrandKits, BrandPreview
from api.auth import api_key
from api.cursors import Limit, VersionCursor
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas import BrandKitIn, BrandKitSaved
from api.services.brands import body_of
from api.tags import IfMatch, tag
from api.versions import page_of_versions, saved_meanwhile
from api.wiring import Services
from personalization.creative import render
from personalization.creative.brand import TONES, BrandKit, brand_of
from personalization.creative.errors import CreativeError
from personalization.creative.picture import read_picture
from personalization.creative.product_pictures import picture_of
from personalization.creative.studio import creative_of, designs, facts_of
from personalization.creative.typography import PAIRINGS
from stores.brand_kits import KitVersion
from stores.errors import ConflictError
from stores.keys import Key

router = APIRouter(prefix="/brand-kit", tags=["Creatives"])
Marketer = Annotated[Key, Depends(api_key("creatives"))]
KIND = "brand-kit"
PREVIEWS = 3


@router.get("", summary="Read the brand kit", **answers(BrandKitNow))
def read_kit(services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Return the kit that counts now, with an `ETag` to save by."""
    newest = _newest(services)
    response.headers["ETag"] = tag(KIND, newest.version)
    return {**_told(newest), "all_tones": list(TONES), "all_pairings": sorted(PAIRINGS)}


@router.get("/versions", summary="List versions of the brand kit", **answers(BrandKits))
def list_versions(
    services: ServicesDep, key: Marketer, cursor: VersionCursor = None, limit: Limit = 50
) -> dict[str, Any]:
    """Return versions, newest first."""
    return page_of_versions(services.brand_kits, lambda some: [_told(one) for one in some], cursor=cursor, limit=limit)


@router.put("", summary="Save a brand kit", **answers(BrandKitOut, but=[412, 428]))
def save_kit(
    body: BrandKitSaved, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Save a new version; what is made from now on keeps to it, what was made before stays as it was."""
    read = if_match.version(KIND, "the kit")
    newest = _newest(services)
    if body.logo is not None and not body.logo_licence.strip():
        raise ProblemError(
            422,
            "licence-missing",
            "Say under which licence the logo may be used: `logo_licence`.",
            errors=[{"where": "logo_licence", "reason": "is needed with a logo"}],
        )
    kit, entries = _kit(body, newest)
    made = KitVersion(newest.version + 1, kit.digest, entries, kit.logo, body.note, key.name, datetime.now(UTC))
    try:
        if read != newest.version:
            raise ConflictError("it has changed")
        services.brand_kits.save(made)
    except ConflictError as error:
        raise saved_meanwhile(KIND, _newest(services)) from error
    services.brands.look_again()
    response.headers["ETag"] = tag(KIND, made.version)
    return _told(made)


@router.post("/preview", summary="Try a brand kit", **answers(BrandPreview))
def preview(body: BrandKitIn, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Return a few posters of what is bought most as they would look under a kit that is not saved."""
    kit, _ = _kit(body, _newest(services))
    posters = []
    for product in services.popular_products()[:PREVIEWS]:
        picture, licence = picture_of(product)
        try:
            [(design, poster)] = designs(
                facts_of(product, None), services.drafts.picture(picture, licence), kit, aspect="1:1", count=1, seed=1
            )
        except CreativeError as error:
            raise ProblemError(422, error.code, str(error)) from None
        told = creative_of(design, picture)
        pixels = base64.b64encode(render.webp(poster)).decode()
        posters.append({"alt": told.alt, "webp": pixels, "width": told.width, "height": told.height})
    return {"posters": posters}


def _newest(services: Services) -> KitVersion:
    saved = services.brand_kits.newest()
    if saved is not None:
        return saved
    kit = services.brands.first
    return KitVersion(0, kit.digest, body_of(kit), kit.logo, "As it came", "", datetime.fromtimestamp(0, UTC))


def _kit(body: BrandKitIn, counts: KitVersion) -> tuple[BrandKit, dict[str, Any]]:
    """Return the kit of a body, and its entries as they are stored."""
    entries = body.model_dump(exclude={"logo", "without_logo", "note"})
    logo = None if body.without_logo else counts.logo
    if logo is not None and body.logo is None and not body.logo_licence.strip():
        entries["logo_licence"] = counts.body.get("logo_licence", "")
    try:
        if body.logo is not None:
            logo = base64.b64decode(body.logo, validate=True)
            read_picture(logo)
        return brand_of(entries, Path(), logo=logo), entries
    except CreativeError as error:
        raise ProblemError(422, error.code, str(error)) from None
    except ValueError:  # from base64, also for what is no ASCII
        raise ProblemError(
            422, "invalid", "`logo` is no base64.", errors=[{"where": "logo", "reason": "is no base64"}]
        ) from None


def _told(one: KitVersion) -> dict[str, Any]:
    kit = brand_of(one.body, Path(), logo=one.logo)
    return {
        **body_of(kit), "colour": one.body["colour"], "version": one.version, "logo": one.logo is not None, "note": one.note,
        "author": one.author, "at": one.at.isoformat() if one.version else None,
    }  # fmt: skip
