"""Living profiles: features, labels and what people say about them, alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from api import views
from api.answers import answers
from api.answers_profiles import AlertsPage, LabelsOut, LivingProfile, VetoOut
from api.auth import api_key, member
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.schemas_segments import VetoIn
from api.tags import IfMatch, Precondition, tag
from api.wiring import Services
from personalization.profiling.labels import MemberView
from personalization.types import MemberId
from stores.events import alerts_after
from stores.labels import By, Said

router = APIRouter(tags=["Profiles"])
Me = Annotated[MemberId, Depends(member)]
LabelName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_:.-]{0,63}$", description="The label's name.")]
WHAT = "what people say about the member's labels"


@router.get("/members/{member_id}/profile", summary="Read a member's living profile",
            dependencies=[Depends(api_key("members:read"))], **answers(LivingProfile))  # fmt: skip
def read_profile(member_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return every feature and label as of now. Without consent to profiling both are empty, and `consented` says why."""
    found, now = get_member(services, member_id).member_id, datetime.now(UTC)
    view, until = services.profiles.view(found, at=now), services.profiles.complete_until()
    shares = sorted(view.shares.items(), key=lambda pair: (-pair[1], pair[0]))[:12] if view else []
    return {
        "member_id": found, "as_of": now.isoformat(), "complete_until": until.isoformat() if until else None,
        "consented": services.profiles.consented(found),
        "features": {name: round(value, 6) for name, value in view.features.items()} if view else {},
        "top_categories": [{"category": name, "share": round(share, 4)} for name, share in shares],
        "basket_embedding": _embedding(services, view), "readings": dict(view.readings) if view else {},
        **_labels(services, found, now),
    }  # fmt: skip


@router.get("/members/{member_id}/labels", summary="Read a member's labels",
            dependencies=[Depends(api_key("members:read"))], **answers(LabelsOut))  # fmt: skip
def read_labels(member_id: str, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return the labels that may be used now, each with its reason, confidence and expiry; and what was vetoed."""
    return told(services, get_member(services, member_id).member_id, response)


@router.put("/members/{member_id}/labels/{name}/veto", summary="Say that a label is not true",
            dependencies=[Depends(api_key("members:write"))], **answers(VetoOut, but=[412]))  # fmt: skip
def veto(
    member_id: str, name: LabelName, services: ServicesDep, if_match: IfMatch, body: VetoIn | None = None
) -> dict[str, Any]:
    """Delete the label and keep it from coming back, until the veto is taken back. Repeating it changes nothing but the reason."""
    reason = body.reason if body else None
    return _veto(services, get_member(services, member_id).member_id, name, "staff", if_match, reason)


@router.delete("/members/{member_id}/labels/{name}/veto", summary="Take a veto back",
               dependencies=[Depends(api_key("members:write"))], **answers(VetoOut, but=[409, 412]))  # fmt: skip
def lift_veto(member_id: str, name: LabelName, services: ServicesDep, if_match: IfMatch) -> dict[str, Any]:
    """Let the label come back when its rule or model says so. What the member vetoed, only the member can take back."""
    return _lift(services, get_member(services, member_id).member_id, name, "staff", if_match)


@router.get("/me/labels", summary="Read my labels", **answers(LabelsOut))
def my_labels(me: Me, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return what Aisle concludes about the token's member, in sentences, and what they vetoed."""
    return told(services, get_member(services, me).member_id, response)


@router.put("/me/labels/{name}/veto", summary="This is not me", **answers(VetoOut, but=[412]))
def my_veto(name: LabelName, me: Me, services: ServicesDep, if_match: IfMatch) -> dict[str, Any]:
    """Delete a label of mine and keep it from coming back."""
    return _veto(services, get_member(services, me).member_id, name, "member", if_match)


@router.delete("/me/labels/{name}/veto", summary="This is me after all", **answers(VetoOut, but=[409, 412]))
def lift_my_veto(name: LabelName, me: Me, services: ServicesDep, if_match: IfMatch) -> dict[str, Any]:
    """Let a label of mine come back."""
    return _lift(services, get_member(services, me).member_id, name, "member", if_match)


@router.get("/alerts", summary="Read what Aisle noticed", dependencies=[Depends(api_key("members:read"))],
            **answers(AlertsPage))  # fmt: skip
def read_alerts(
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before; 0 for the oldest.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Return alerts in the order in which they were made: members at risk of lapsing, members who moved between segments."""
    page = alerts_after(services.db, after, limit)
    return {"alerts": page, "next": page[-1]["position"] if page else after}


def labels_tag(said: Said) -> str:
    """Return the tag of what people say about a member's labels; what rules and models say, nobody overwrites."""
    edits = [(one.name, one.value, one.reason, one.by, one.at) for one in said.edits]
    return tag("labels", edits, [(one.name, one.by, one.at, one.reason) for one in said.vetoes])


def told(services: Services, member_id: MemberId, response: Response) -> dict[str, Any]:
    """Return a member's labels, with the tag of what can be changed about them."""
    response.headers["ETag"] = labels_tag(services.labels.said(member_id))
    now = datetime.now(UTC)
    return {"member_id": member_id, "as_of": now.isoformat(), **_labels(services, member_id, now)}


def _labels(services: Services, member_id: MemberId, now: datetime) -> dict[str, Any]:
    labels, vetoes = services.labels.of_member(member_id, at=now), services.labels.vetoes(member_id)
    return {
        "labels": [views.label(label) for label in labels],
        "vetoed": [views.veto(veto) for veto in vetoes],
    }


def _embedding(services: Services, view: MemberView | None) -> list[float]:
    trained = services.artifacts
    return (
        []
        if view is None or trained is None
        else [round(float(x), 6) for x in trained.embedding.of_shares(view.shares)]
    )


def _veto(
    services: Services, member_id: MemberId, name: str, by: By, if_match: Precondition, reason: str | None = None
) -> dict[str, Any]:
    check = if_match.against(labels_tag, WHAT)
    services.labels.veto(member_id, name, by=by, at=datetime.now(UTC), reason=reason, check=check)
    return {"member_id": member_id, "name": name, "vetoed": True}


def _lift(services: Services, member_id: MemberId, name: str, by: By, if_match: Precondition) -> dict[str, Any]:
    lifted = services.labels.lift(member_id, name, by=by, check=if_match.against(labels_tag, WHAT))
    if not lifted and any(veto.name == name for veto in services.labels.vetoes(member_id)):
        raise ProblemError(409, "members_veto", "The member vetoed this label; only the member can take that back.")
    if lifted:
        services.profiles.relabel([member_id], now=datetime.now(UTC))
    return {"member_id": member_id, "name": name, "vetoed": False}
