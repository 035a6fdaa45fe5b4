"""Members in the console: looking for them, the profile page, the timeline, and labels that staff set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from api.answers import answers
from api.answers_members import FoundMembers, MemberOverview, RiskOut, Timeline
from api.answers_profiles import LabelsOut
from api.auth import api_key, sees_addresses
from api.cursors import Cursor, read_cursor, read_place, write_cursor, write_place
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.routes.profiles import WHAT, LabelName, labels_tag, told
from api.schemas_segments import LabelIn
from api.services import member_views, segment_views
from api.tags import IfMatch
from personalization.types import Subject
from stores.keys import Key
from stores.labels import LabelEdit
from stores.member_views import KINDS, Wanted

router = APIRouter(prefix="/members", tags=["Members"])
_read = [Depends(api_key("members:read"))]
Reader = Annotated[Key, Depends(api_key("members:read"))]
_Text = r"^[^\x00-\x1f]*$"
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/search", summary="Look for members", **answers(FoundMembers))
def search(
    services: ServicesDep,
    key: Reader,
    q: Annotated[str, Query(max_length=254, pattern=_Text, description="An id, the retailer's own key, the start of a name, or a whole e-mail address.")] = "",
    segment: Annotated[str | None, Query(max_length=36, pattern=r"^[A-Za-z0-9-]+$", description="A segment's id.")] = None,
    label: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z][a-z0-9_:.-]*$", description="A label's name.")] = None,
    churn: Literal["low", "medium", "high"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """Return members for whom all of it holds, the newest first. Who does not agree to profiling is found by name and id only."""
    rule = segment_views.rule_of(services, segment) if segment else None
    if "@" in q and not sees_addresses(key):
        raise ProblemError(403, "forbidden", "This role does not see e-mail addresses, and does not search by them.")
    wanted = Wanted(q, rule, label, churn)
    before = read_place(cursor, 1)
    found = services.member_views.search(
        wanted, before=before[0] if before else None, limit=limit, now=datetime.now(UTC)
    )
    more = write_place(found[-1].member_id) if len(found) == limit else None
    return {"members": [member_views.row(services, one) for one in found], "next_cursor": more}


@router.get("/{member_id}/overview", summary="Read a member's page", **answers(MemberOverview))
def overview(member_id: str, services: ServicesDep, key: Reader, response: Response) -> dict[str, Any]:
    """Return consents, segments, labels with their evidence, worth, affect by channel where that was agreed to, and the basket."""
    member = get_member(services, member_id)
    etag = labels_tag(services.labels.said(member.member_id))
    response.headers["ETag"] = etag  # labels are what is changed there
    found = member_views.overview(services, member, now=datetime.now(UTC)) | {"labels_etag": etag}
    return found if sees_addresses(key) else found | {"email": None}


@router.get("/{member_id}/risk", summary="Read a member's risk of lapsing", dependencies=_read, **answers(RiskOut))
def risk(member_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return how likely the member is to stay away, why, and what today's model says of each of the last weeks."""
    return member_views.risk(services, get_member(services, member_id), now=datetime.now(UTC))


@router.get("/{member_id}/timeline", summary="Read what happened to a member", dependencies=_read, **answers(Timeline))
def timeline(
    member_id: str,
    services: ServicesDep,
    kind: Annotated[list[Literal["event", "decision", "coupon", "conversation", "consent"]] | None, Query(description="Only these.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """Return events, decisions, coupons, heads of conversations and consents, the newest first; no words of a conversation."""
    member, now = get_member(services, member_id), datetime.now(UTC)
    granted = services.consents.granted(Subject(member.member_id), at=now)
    found = services.member_views.timeline(
        member.member_id, granted, kinds=tuple(dict.fromkeys(kind or KINDS)), before=read_cursor(cursor), limit=limit
    )
    more = write_cursor(found[-1].at, found[-1].id) if len(found) == limit else None
    moments = [{"kind": one.kind, "at": one.at.isoformat(), "id": one.id, "facts": one.facts} for one in found]
    return {"moments": moments, "next_cursor": more}


@router.put("/{member_id}/labels/{name}", summary="Set a label", **answers(LabelsOut, but=[409, 412]))
def set_label(
    member_id: str, name: LabelName, body: LabelIn, services: ServicesDep, key: Annotated[Key, Depends(api_key("members:write"))],
    response: Response, if_match: IfMatch,
) -> dict[str, Any]:  # fmt: skip
    """Say what a label is to be, and why; it stands in the place of what rules and models say until it expires. A veto goes before it."""
    member, now = get_member(services, member_id), datetime.now(UTC)
    if not services.profiles.consented(member.member_id):
        raise ProblemError(
            409, "no-consent", "The member does not agree to profiling, so nothing is concluded about them."
        )
    if any(veto.name == name and veto.by == "member" for veto in services.labels.vetoes(member.member_id)):
        raise ProblemError(
            409, "members_veto", "The member said that this label is not true; only the member can take that back."
        )
    edit = LabelEdit(name, body.value, body.reason, key.name, now, now + timedelta(days=body.days))
    services.labels.edit(member.member_id, edit, check=if_match.against(labels_tag, WHAT))
    services.profiles.relabel([member.member_id], now=now)
    return told(services, member.member_id, response)


@router.delete("/{member_id}/labels/{name}", summary="Take a set label back", dependencies=[Depends(api_key("members:write"))],
               **answers(LabelsOut, but=[412]))  # fmt: skip
def unset_label(
    member_id: str, name: LabelName, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Let rules and models speak again. 404 where staff set no such label."""
    member = get_member(services, member_id)
    if not services.labels.take_back(member.member_id, name, check=if_match.against(labels_tag, WHAT)):
        raise ProblemError(404, "not-found", f"Staff set no label {name} of this member.")
    services.profiles.relabel([member.member_id], now=datetime.now(UTC))
    return told(services, member.member_id, response)
