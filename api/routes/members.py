"""Members, their consents, export and erasure: for integrators with a key, and for the member with a widget token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api import views
from api.answers import (
    ConsentLedger,
    Export,
    Granted,
    LinkCode,
    MemberOut,
    MembersPage,
    MemberWithProfile,
    Receipt,
    answers,
)
from api.auth import api_key, member, member_on_record, member_or_key, sees_addresses
from api.cursors import Cursor, Limit, numbered, place_before, write_place
from api.errors import ProblemError
from api.routes.deps import PrivacyDep, ServicesDep, get_member
from api.schemas import ConsentIn, MemberIn, MemberPatch
from api.shoppers import Visitor
from api.tags import IfMatch, tag
from personalization.types import MemberId, Subject
from stores.keys import Key
from stores.members import Member

router = APIRouter()
Me = Annotated[MemberId, Depends(member)]
MeOnRecord = Annotated[MemberId, Depends(member_on_record)]
Reader = Annotated[Key, Depends(api_key("members:read"))]


@router.get(
    "/members",
    tags=["Members"],
    summary="List members",
    **answers(MembersPage),
)
def list_members(
    services: ServicesDep,
    key: Reader,
    response: Response,
    cursor: Cursor = None,
    after: Annotated[
        str | None, Query(description="`next` of the page before.", max_length=36, deprecated=True)
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    name: Annotated[str, Query(description="Start of the display name.", max_length=120)] = "",
    external_id: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """Return members in id order."""
    behind = place_before(response, cursor, after)
    address = sees_addresses(key)
    if external_id is not None:
        found = services.members.by_external_id(external_id)
        return {"members": [views.member(found, address=address)] if found else [], "next": None, "next_cursor": None}
    page = services.members.page(after=behind, limit=limit, name_prefix=name)
    last = page[-1].member_id if len(page) == limit else None
    return {
        "members": [views.member(one, address=address) for one in page],
        "next": last,
        "next_cursor": None if last is None else write_place(last),
    }


@router.post(
    "/members",
    tags=["Members"],
    summary="Add a member",
    dependencies=[Depends(api_key("members:write"))],
    **answers(MemberOut, 201, but=[409]),
)
def add_member(body: MemberIn, services: ServicesDep, request: Request) -> dict[str, Any]:
    """Store a new member. Nothing is profiled before a consent is recorded under `/v1/consents`."""
    made = services.members.create(
        external_id=body.external_id, display_name=body.display_name, email=body.email, at=datetime.now(UTC)
    )
    request.state.about = made.member_id
    return views.member(made)


@router.get(
    "/members/{member_id}",
    tags=["Members"],
    summary="Read a member with their profile",
    **answers(MemberWithProfile),
)
def read_member(member_id: str, services: ServicesDep, key: Reader, response: Response) -> dict[str, Any]:
    """Return master data, consents and, where profiling was agreed to, the profile as of now."""
    found, now = get_member(services, member_id), datetime.now(UTC)
    response.headers["ETag"] = _tag(found)
    granted = services.consents.granted(Subject(found.member_id), at=now)
    profile: dict[str, Any] | None = None
    seen = services.profiler.profile(found.member_id, at=now)
    if seen is not None:
        top = sorted(seen.category_shares.items(), key=lambda pair: -pair[1])[:8]
        profile = {
            "as_of": seen.as_of.isoformat(), "recency_days": None if seen.recency_days is None else round(seen.recency_days, 2),
            "orders_in_26_weeks": seen.frequency, "spent_in_26_weeks": views.money(seen.monetary) if seen.monetary else None,
            "top_categories": [{"category": name, "share": round(share, 4)} for name, share in top],
            "segment": {"segment_id": seen.segment.segment_id, "name": seen.segment.name, "description": seen.segment.description} if seen.segment else None,
        }  # fmt: skip
    told = views.member(found, address=sees_addresses(key))
    return told | {"consents": sorted(granted), "profile": profile}


@router.patch(
    "/members/{member_id}",
    tags=["Members"],
    summary="Rename a member",
    dependencies=[Depends(api_key("members:write"))],
    **answers(MemberOut, but=[412]),
)
def change_member(
    member_id: str, body: MemberPatch, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Change the name that greetings use."""
    found, check = get_member(services, member_id).member_id, if_match.against(_tag, "the member")
    services.members.rename(found, body.display_name, check=check)
    changed = get_member(services, found)
    response.headers["ETag"] = _tag(changed)
    return views.member(changed)


@router.get(
    "/members/{member_id}/export",
    tags=["Privacy"],
    summary="Export a member",
    dependencies=[Depends(api_key("export"))],
    **answers(Export),
)
def export(member_id: str, services: ServicesDep, privacy: PrivacyDep) -> dict[str, Any]:
    """Return everything that is stored about the member, machine-readable (GDPR articles 15 and 20)."""
    return privacy.export(get_member(services, member_id).member_id)


@router.post(
    "/members/{member_id}/erase",
    tags=["Privacy"],
    summary="Erase a member",
    dependencies=[Depends(api_key("erase"))],
    **answers(Receipt),
)
def erase(member_id: str, services: ServicesDep, privacy: PrivacyDep) -> dict[str, Any]:
    """Delete the member everywhere and return a receipt without personal data (GDPR article 17)."""
    return privacy.erase(get_member(services, member_id).member_id)


@router.get("/me/export", tags=["Privacy"], summary="Export myself", **answers(Export))
def export_me(me: MeOnRecord, privacy: PrivacyDep) -> dict[str, Any]:
    """Return everything that is stored about the token's member."""
    return privacy.export(me)


@router.post("/me/erase", tags=["Privacy"], summary="Erase myself", **answers(Receipt))
def erase_me(me: MeOnRecord, privacy: PrivacyDep) -> dict[str, Any]:
    """Delete the token's member everywhere."""
    return privacy.erase(me)


@router.post("/me/link-codes", tags=["Kiosks"], summary="Get a code for the kiosk", **answers(LinkCode, 201))
def link_code(me: Me, services: ServicesDep) -> dict[str, Any]:
    """Return a six-digit code that ties one enrolment at a kiosk to the token's member; good once, for ten minutes."""
    get_member(services, me)
    code, expires_at = services.link_codes.issue(me, at=datetime.now(UTC))
    return {"code": code, "expires_at": expires_at.isoformat()}


@router.get("/consents", tags=["Privacy"], summary="Read the consent ledger of a member", **answers(ConsentLedger))
def read_consents(
    services: ServicesDep, who: Annotated[Visitor | Key, Depends(member_or_key("consent"))],
    member_id: Annotated[str | None, Query(max_length=36)] = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> dict[str, Any]:  # fmt: skip
    """Return what stands now, and the entries with the text that was shown, oldest first."""
    found = get_member(services, _whose(who, member_id)).member_id
    page, following = numbered(services.consents.history(found), cursor=cursor, limit=limit)
    history = [
        {
            "purpose": e.purpose,
            "granted": e.granted,
            "at": e.at.isoformat(),
            "channel": e.channel,
            "text_version": e.text_version,
            "expires_at": e.expires_at.isoformat() if e.expires_at else None,
        }
        for e in page
    ]
    granted = services.consents.granted(Subject(found), at=datetime.now(UTC))
    return {"member_id": found, "granted": sorted(granted), "history": history, "next_cursor": following}


@router.post("/consents", tags=["Privacy"], summary="Record a consent or a withdrawal", **answers(Granted, 201))
def record_consent(
    body: ConsentIn,
    services: ServicesDep,
    privacy: PrivacyDep,
    who: Annotated[Visitor | Key, Depends(member_or_key("consent"))],
    request: Request,
) -> dict[str, Any]:
    """Append to the ledger; it takes effect with the next request. Withdrawing face recognition deletes the templates."""
    found = get_member(services, _whose(who, body.member_id)).member_id
    channel = "widget" if isinstance(who, Visitor) else body.channel
    request.state.about = found
    request.state.told = {"purpose": body.purpose.value, "granted": body.granted, "channel": channel}
    privacy.record(found, {body.purpose: body.granted}, channel=channel, text_version=body.text_version)
    return {"member_id": found, "granted": sorted(services.consents.granted(Subject(found), at=datetime.now(UTC)))}


def _tag(one: Member) -> str:
    return tag(
        "member", one.external_id, one.display_name
    )  # no address: who may not see it could try some against the tag


def _whose(who: Visitor | Key, member_id: str | None) -> str:
    if isinstance(who, Visitor):
        if who.member_id is None or member_id not in {None, who.member_id}:
            raise ProblemError(403, "forbidden", "A widget token speaks only for its own member.")
        return who.member_id
    if member_id is None:
        raise ProblemError(422, "invalid", "member_id is missing.")
    return member_id
