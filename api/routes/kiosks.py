"""Kiosks: the display's stream, frames of the browser's camera, observations of an agent, enrolment."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Form, Header, Request, Response, UploadFile
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.answers import answers, content
from api.answers_kiosks import (
    Adapted,
    Changed,
    Coached,
    Enrolled,
    Forgotten,
    FrameOut,
    GalleryOut,
    KioskMade,
    KioskOut,
    KiosksOut,
)
from api.auth import api_key, count, device
from api.cursors import Cursor, Limit, page_of
from api.errors import ProblemError, problems
from api.routes.deps import AdaptingDep, DisplaysDep, EyesDep, PrivacyDep, ServicesDep, get_member
from api.schemas_kiosks import ForgetIn, KioskIn, ObservationIn, SampleIn, ZonesIn
from api.services.adapting import vector_of
from api.services.cameras import must_be_on
from api.services.kiosk_tickets import members_of
from api.sessions import while_signed_in
from api.tags import seen, tag
from personalization.types import Purpose
from stores.kiosks import Kiosk
from stores.switches import Use
from vision.adapt import Sample, Verdict
from vision.enrol import ADVICE, NOBODY, SEVERAL
from vision.errors import EnrolmentError, ModelError
from vision.faces import Template

router = APIRouter(tags=["Kiosks"])
Device = Annotated[str, Depends(device)]
LARGEST_FRAME = 1_000_000
HEARTBEAT_S = 2
"""A display that hears nothing for three of them blanks what is personal."""
LOOK_AGAIN_S = 0.5  # what another process switched off, such as the command line, is off the screens within a second
ADVICE_CODES = {NOBODY: "nobody", SEVERAL: "several", **{text: name for name, text in ADVICE.items()}}
"""What a page in another language says instead."""


def find(services: ServicesDep, kiosk_id: str) -> Kiosk:
    """Return the kiosk, or ProblemError 404."""
    found = services.kiosks.find(kiosk_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no kiosk {kiosk_id}.")
    return found


@router.get("/kiosks", summary="List kiosks", dependencies=[Depends(api_key("kiosks"))], **answers(KiosksOut))
def list_kiosks(services: ServicesDep, cursor: Cursor = None, limit: Limit = 200) -> dict[str, Any]:
    """Return kiosks, by name."""
    page, following = page_of(
        services.kiosks.all(), lambda one: (one.name, one.kiosk_id), 2, cursor=cursor, limit=limit
    )
    return {"kiosks": [asdict(kiosk) for kiosk in page], "next_cursor": following}


@router.post(
    "/kiosks", summary="Add a kiosk", dependencies=[Depends(api_key("kiosks"))], **answers(KioskMade, 201, but=[409])
)
def add_kiosk(body: KioskIn, services: ServicesDep) -> dict[str, Any]:
    """Return the kiosk and its device key, which is shown this once."""
    now = datetime.now(UTC)
    kiosk = services.kiosks.create(body.name, store_id=body.store_id, at=now)
    _, secret = services.keys.create("device", f"kiosk {kiosk.name}", at=now, kiosk_id=kiosk.kiosk_id)
    return {**asdict(kiosk), "device_key": secret}


@router.put(
    "/kiosks/{kiosk_id}/zones",
    summary="Have a kiosk's camera leave zones out",
    dependencies=[Depends(api_key("kiosks"))],
    **answers(KioskOut),
)
def exclude_zones(kiosk_id: str, body: ZonesIn, services: ServicesDep) -> dict[str, Any]:
    """Look at nobody in these zones, such as the place behind the till, from the browser's next frame and within seconds at an agent.

    They take the place of those before.
    """
    kiosk = find(services, kiosk_id)
    services.kiosks.exclude(kiosk.kiosk_id, body.zones())
    return asdict(find(services, kiosk.kiosk_id))


@router.get(
    "/kiosks/{kiosk_id}/display",
    summary="Follow the display",
    response_class=EventSourceResponse,
    **content("text/event-stream", about="Displays, as docs/api.md describes them."),
)
async def follow_display(
    kiosk_id: str, request: Request, services: ServicesDep, displays: DisplaysDep, key: Device
) -> EventSourceResponse:
    """Stream display states as server-sent events named `display`: the current one first, then every change, until the key is revoked."""
    kiosk = await run_sync(find, services, kiosk_id)

    async def stream() -> AsyncGenerator[ServerSentEvent, None]:
        changes = services.bus.listen(kiosk.kiosk_id)
        upcoming, look, old = anext_task(changes), asyncio.ensure_future(look_again(0)), False
        last = None
        try:
            while True:
                # a change does not wait for a look that waits for who makes a display
                done, _ = await asyncio.wait({upcoming, look}, return_when=asyncio.FIRST_COMPLETED)
                if upcoming in done:
                    display, upcoming, old = upcoming.result(), anext_task(changes), True
                elif old:  # that look may have begun before the change
                    look, old = asyncio.ensure_future(look_again(LOOK_AGAIN_S)), False
                    continue
                else:
                    display, look = look.result(), asyncio.ensure_future(look_again(LOOK_AGAIN_S))
                if display["revision"] != last:
                    last = display["revision"]
                    yield _event(display)
        finally:
            upcoming.cancel()
            look.cancel()

    async def look_again(after_s: float) -> dict[str, Any]:
        await asyncio.sleep(after_s)
        return await run_sync(see)

    def see() -> dict[str, Any]:
        services.kiosk_health.display(kiosk.kiosk_id, at=datetime.now(UTC))
        return displays.display(kiosk)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(while_signed_in(request, stream()), ping=HEARTBEAT_S, headers=headers)


def anext_task(changes: AsyncIterator[dict[str, Any]]) -> asyncio.Future[dict[str, Any]]:
    """Start waiting for the next change now, so that none is missed while something else is sent."""
    return asyncio.ensure_future(anext(changes))


def _event(display: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(display), event="display", id=str(display["revision"]), retry=2000)


@router.post(
    "/kiosks/{kiosk_id}/frames",
    summary="Show a frame to the pipeline",
    openapi_extra={
        "requestBody": {"required": True, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    },
    **answers(FrameOut, but=[415, 503]),
)
async def post_frame(
    kiosk_id: str,
    request: Request,
    services: ServicesDep,
    eyes: EyesDep,
    displays: DisplaysDep,
    adapting: AdaptingDep,
    key: Device,
) -> dict[str, Any]:
    """Look at one JPEG frame (up to 1 MB) and change the display if need be. The frame is neither stored nor logged."""
    jpeg = await limited_body(request)
    return await run_sync(_look, request, kiosk_id, services, eyes, displays, adapting, jpeg)


async def limited_body(request: Request) -> bytes:
    """Return the request's body, at most LARGEST_FRAME bytes of it; ProblemError 413 beyond."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FRAME:
            raise ProblemError(413, "too-large", f"A frame has at most {LARGEST_FRAME} bytes; send a smaller picture.")
    return body


def _written(request: Request, kiosk: Kiosk, members: Collection[str], **told: Any) -> None:
    """Have the audit log say what the kiosk did to these members; where there are none, it says nothing."""
    if members:
        request.state.about, request.state.told = set(members), {"kiosk_id": kiosk.kiosk_id, **told}


def _look(
    request: Request, kiosk_id: str, services: ServicesDep, eyes: EyesDep, displays: DisplaysDep, adapting: AdaptingDep,
    jpeg: bytes,
) -> dict[str, Any]:  # fmt: skip
    started = time.perf_counter()
    kiosk = find(services, kiosk_id)
    try:
        seen = eyes.observe(kiosk, jpeg)
    except ModelError as error:
        raise ProblemError(503, "no-models", str(error)) from error
    if seen is None:
        return {"observation": None, "changed": False}
    changed = displays.observe(kiosk, [asdict(person) for person in seen.people])
    took = time.perf_counter() - started
    services.metrics.frame_seconds.observe(took)
    model = eyes.engine.name
    taken = {one.member_id for one in seen.samples if adapting.consider(kiosk, one, model) == Verdict.TAKEN}
    _written(request, kiosk, taken, changed=["template"])
    nearest = seen.nearest
    shown = {
        "people": len(seen.people),
        "present": seen.present,
        "recognised": any(person.member_id is not None for person in seen.people),
        "expression": nearest.expression if nearest else None,
        "dwell_ms": nearest.dwell_ms if nearest else 0,
    }
    return {
        "observation": {**shown, "stages_ms": seen.stages_ms, "latency_ms": round(took * 1000, 1)},
        "changed": changed,
    }


@router.post("/kiosks/{kiosk_id}/observations", summary="Report what an agent saw", **answers(Changed, 202))
def post_observation(
    kiosk_id: str, body: ObservationIn, services: ServicesDep, displays: DisplaysDep, key: Device
) -> dict[str, Any]:
    """Take in who (of the consenting) is there and how they seem. Consent is checked again here."""
    kiosk = find(services, kiosk_id)
    name = f"{kiosk.kiosk_id}/{body.observation_id}"
    if not services.observed.first(name):
        return {"changed": False}
    people = [person.model_dump() for person in body.people]
    try:
        return {"changed": displays.observe(kiosk, people, at=body.at)}
    except Exception:
        services.observed.forget(name)  # the agent sends it again, and it counts then
        raise


@router.post(
    "/kiosks/{kiosk_id}/not-me",
    summary="Somebody is not whom the display greets",
    status_code=204,
    responses=problems(410),
)
def not_me(
    kiosk_id: str, services: ServicesDep, displays: DisplaysDep, key: Device, body: ForgetIn | None = None
) -> None:
    """Turn the display anonymous; nobody is taken for that member again before they have left.

    With the display's `ticket` it counts for whom that display greeted, and for nobody who came after.
    """
    kiosk = find(services, kiosk_id)
    displays.not_me(kiosk, members_of(services.db, kiosk, body.ticket) if body and body.ticket else None)


@router.post(
    "/kiosks/{kiosk_id}/forget-me",
    summary="Forget the face of whom the display greets",
    **answers(Forgotten, but=[410]),
)
def forget_me(
    request: Request,
    kiosk_id: str,
    services: ServicesDep,
    displays: DisplaysDep,
    privacy: PrivacyDep,
    key: Device,
    body: ForgetIn | None = None,
) -> dict[str, Any]:
    """Withdraw the consent to recognition and to expressions of whom the display greets, and delete their templates, now.

    To end it is as easy as it was to begin: whoever stands there need not sign in. With the display's `ticket` it counts
    for whom that display greeted, even where the kiosk could tell it only later.
    """
    kiosk = find(services, kiosk_id)
    members = members_of(services.db, kiosk, body.ticket) if body and body.ticket else displays.known(kiosk)
    _written(request, kiosk, members)
    for member_id in members:
        privacy.forget_face(member_id, channel=f"kiosk {kiosk.name}")
    return {"forgotten": len(members)}


@router.get(
    "/kiosks/{kiosk_id}/gallery", summary="Fetch the consenting members' templates", **answers(GalleryOut, but=[503])
)
def read_gallery(
    kiosk_id: str,
    services: ServicesDep,
    eyes: EyesDep,
    key: Device,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Any:
    """Return templates for matching at the camera, only of members whose consent stands; `ETag` saves the repetition.

    Where the store has not switched recognition on, it is empty; `expression_notice` tells whether strangers' expressions may be read.
    """
    kiosk = find(services, kiosk_id)
    uses = services.switches.uses(kiosk.store_id)
    try:
        model = eyes.engine.name
    except ModelError as error:
        raise ProblemError(503, "no-models", str(error)) from error
    adaptive = services.settings.vision_adaptive and {Use.RECOGNITION, Use.ADAPTATION} <= uses
    # whatever is in the answer: an agent keeps it until the tag changes
    etag = tag("gallery", services.templates.state(), model, eyes.threshold, adaptive, sorted(uses), kiosk.excluded)
    if seen(if_none_match, etag):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    may_read = services.consents.members_with(Purpose.EXPRESSION) if Use.EXPRESSION in uses else frozenset()
    entries = services.templates.gallery(model) if Use.RECOGNITION in uses else []
    staff = services.staff.templates(model) if uses else []
    return {
        "model": model, "threshold": eyes.threshold, "expression_notice": Use.EXPRESSION in uses,
        "templates": [{"member_id": member_id, "vector": _base64(vector), "expression": member_id in may_read} for member_id, vector in entries],
        "adaptive": adaptive,
        "staff": [_base64(vector) for vector in staff], "excluded": kiosk.excluded,
    }  # fmt: skip


def _base64(vector: Template) -> str:
    return base64.b64encode(vector.tobytes()).decode()


@router.post(
    "/kiosks/{kiosk_id}/adaptations", summary="Offer a template made in passing", **answers(Adapted, 202, but=[503])
)
def adapt(
    request: Request, kiosk_id: str, body: SampleIn, services: ServicesDep, adapting: AdaptingDep, key: Device
) -> dict[str, Any]:
    """Add a template of a member whom this kiosk greets now, if it is plainly theirs by what they enrolled; `why` says why not.

    For cameras whose gallery says `adaptive`. It is asked again here: switched on, agreed to, alive, like the enrolled templates, unlike
    everybody else's, once a day.
    """
    kiosk = find(services, kiosk_id)
    count(request, services.enrolment_limit, f"adapt {kiosk.kiosk_id}")
    request.state.about = body.member_id
    sample = Sample(body.member_id, vector_of(body.vector), body.quality, body.live)
    try:
        why = adapting.consider(kiosk, sample, body.model)
    except ModelError as error:
        raise ProblemError(503, "no-models", str(error)) from error
    if why == Verdict.TAKEN:
        _written(request, kiosk, [body.member_id], changed=["template"])
    return {"taken": why == Verdict.TAKEN, "why": why}


@router.post(
    "/kiosks/{kiosk_id}/enrolments/looks",
    summary="Is this picture good enough to enrol with?",
    openapi_extra={
        "requestBody": {"required": True, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    },
    **answers(Coached, but=[415, 503]),
)
async def coach(kiosk_id: str, request: Request, services: ServicesDep, eyes: EyesDep, key: Device) -> dict[str, Any]:
    """Look at one JPEG picture of who has just agreed to be enrolled, and say what to change. It is neither stored nor logged."""
    kiosk = await run_sync(find, services, kiosk_id)
    await run_sync(must_be_on, services, kiosk, Use.RECOGNITION)
    jpeg = await limited_body(request)
    try:
        advice = await run_sync(eyes.coach, jpeg)
    except ModelError as error:
        raise ProblemError(503, "no-models", str(error)) from error
    return {"good": not advice, "advice": advice, "code": ADVICE_CODES.get(advice, "other") if advice else ""}


def template_of(uploads: Sequence[UploadFile], eyes: EyesDep) -> Template:
    """Return the template of the one person in three to eight pictures, which are not kept; ProblemError says what is wrong."""
    if not 3 <= len(uploads) <= 8:
        raise ProblemError(422, "invalid", "Send three to eight pictures.")
    pictures = [upload.file.read(LARGEST_FRAME + 1) for upload in uploads]
    if any(len(picture) > LARGEST_FRAME for picture in pictures):
        raise ProblemError(413, "too-large", f"A picture has at most {LARGEST_FRAME} bytes.")
    try:
        return eyes.template(pictures)
    except EnrolmentError as error:
        raise ProblemError(422, "enrolment", str(error)) from error
    except ModelError as error:
        raise ProblemError(503, "no-models", str(error)) from error


@router.post(
    "/kiosks/{kiosk_id}/enrolments",
    summary="Enrol a member's face, with consent",
    **answers(Enrolled, 201, but=[415, 503]),
)
def enrol(
    request: Request, kiosk_id: str, services: ServicesDep, eyes: EyesDep, privacy: PrivacyDep, displays: DisplaysDep, key: Device,
    code: Annotated[str, Form(pattern=r"^\d{6}$", description="The six-digit code that the member got in the chat.")],
    consent_text_version: Annotated[str, Form(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")],
    consents: Annotated[str, Form(description="`face_recognition`, or `face_recognition,expression`.", pattern=r"^face_recognition(,expression)?$")],
    frames: Annotated[list[UploadFile], File(description="Three to eight JPEG pictures of the one person.")],
) -> dict[str, Any]:  # fmt: skip
    """Record the consent, then store the template, encrypted. The pictures are not kept.

    403 `not-switched-on` where the store's operator has not switched recognition on.
    """
    kiosk = find(services, kiosk_id)
    must_be_on(services, kiosk, Use.RECOGNITION)
    count(request, services.enrolment_limit, str(kiosk.kiosk_id))
    now = datetime.now(UTC)
    services.link_codes.peek(code, at=now)
    template = template_of(frames, eyes)
    member = get_member(services, services.link_codes.use(code, at=now))
    granted = {Purpose(purpose): True for purpose in consents.split(",")}
    _written(request, kiosk, [member.member_id], purposes=sorted(granted))
    privacy.record(member.member_id, granted, channel=f"kiosk {kiosk.name}", text_version=consent_text_version)
    services.templates.add(member.member_id, template, model=eyes.engine.name, at=now, store_id=kiosk.store_id)
    return {"display_name": member.display_name, "first_name": member.first_name}
