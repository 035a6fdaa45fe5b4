"""Staff whom cameras leave out: whoever matches is dropped before anything else is inferred, and nobody is told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, UploadFile

from api.answers import Receipt, answers
from api.answers_kiosks import StaffListOut, StaffOut
from api.auth import api_key
from api.cursors import Cursor, Limit, page_of
from api.routes.deps import EyesDep, ServicesDep
from api.routes.kiosks import template_of
from api.services.cameras import who
from stores.keys import Key
from stores.staff import Consent, StaffMember

router = APIRouter(prefix="/staff", tags=["Cameras"])
Operator = Annotated[Key, Depends(api_key("vision"))]


@router.get("", summary="List the staff whom cameras leave out", **answers(StaffListOut))
def list_staff(services: ServicesDep, operator: Operator, cursor: Cursor = None, limit: Limit = 200) -> dict[str, Any]:
    """Return people by name, with what they agreed to and when. There is nothing else to show: no visit of theirs is ever recorded."""
    page, following = page_of(services.staff.all(), lambda one: (one.name, one.staff_id), 2, cursor=cursor, limit=limit)
    return {"staff": [_out(one) for one in page], "next_cursor": following}


@router.post("", summary="Have cameras leave somebody of the staff out", **answers(StaffOut, 201, but=[409, 415, 503]))
def add_staff(
    services: ServicesDep, eyes: EyesDep, operator: Operator,
    name: Annotated[str, Form(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$", examples=["Ana Diaz"])],
    consent_text_version: Annotated[str, Form(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$", description="The text that they agreed to.", examples=["staff-2"])],
    pictures: Annotated[list[UploadFile], File(description="Three to eight JPEG or PNG pictures of the one person.")],
) -> dict[str, Any]:  # fmt: skip
    """Store a template, encrypted, with the consent. The pictures are not kept. A name that is there gets a further template."""
    template = template_of(pictures, eyes)
    consent = Consent(consent_text_version, datetime.now(UTC), who(operator))
    return _out(services.staff.add(name, template, model=eyes.engine.name, consent=consent))


@router.delete("/{staff_id}", summary="Delete somebody of the staff", **answers(Receipt))
def remove_staff(staff_id: str, services: ServicesDep, operator: Operator) -> dict[str, Any]:
    """Delete their templates and their consent record; return a receipt without personal data."""
    return services.staff.remove(staff_id, at=datetime.now(UTC))


def _out(one: StaffMember) -> dict[str, Any]:
    return {
        "staff_id": one.staff_id, "name": one.name, "templates": one.templates, "consent_text_version": one.consent.text_version,
        "consented_at": one.consent.at.isoformat(), "recorded_by": one.consent.recorded_by,
    }  # fmt: skip
