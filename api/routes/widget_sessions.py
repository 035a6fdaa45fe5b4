"""Shoppers' sessions: seeing and ending them, for the shopper and for the shop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from api.answers import answers
from api.answers_access import WidgetSessionOut, WidgetSessionsEnded, WidgetSessionsPage
from api.auth import api_key, member, visitor
from api.cursors import Cursor, Limit, page_of
from api.errors import ProblemError
from api.routes.deps import ServicesDep, get_member
from api.shoppers import Visitor
from personalization.types import MemberId

router = APIRouter(tags=["Sessions of shoppers"])
Who = Annotated[Visitor, Depends(visitor)]
Me = Annotated[MemberId, Depends(member)]
_reads, _ends = [Depends(api_key("members:read"))], [Depends(api_key("members:write"))]


@router.delete("/me/session", summary="Sign out here", **answers(WidgetSessionsEnded))
def sign_out(services: ServicesDep, who: Who) -> dict[str, int]:
    """End what the token's shopper has in this browser, all tabs of it: no token counts from the next request on."""
    return {"ended": services.widget_sessions.end(who.session_id)}


@router.get("/me/sessions", summary="List my sessions", **answers(WidgetSessionsPage))
def mine(services: ServicesDep, me: Me, who: Who, cursor: Cursor = None, limit: Limit = 50) -> dict[str, Any]:
    """Return where the token's member is signed in, by browser."""
    return _page(services, me, who.visitor_id, cursor, limit)


@router.delete("/me/sessions", summary="Sign out everywhere", **answers(WidgetSessionsEnded))
def sign_out_everywhere(services: ServicesDep, me: Me) -> dict[str, int]:
    """End all of the token's member's sessions, this one too."""
    return {"ended": services.widget_sessions.end_all(me)}


@router.delete("/me/sessions/{session_id}", summary="End one of my sessions", **answers(WidgetSessionsEnded))
def end_mine(session_id: str, services: ServicesDep, me: Me) -> dict[str, int]:
    """Sign the token's member out of one browser."""
    return _end(services, me, session_id)


@router.get(
    "/members/{member_id}/sessions",
    summary="List a member's sessions",
    dependencies=_reads,
    **answers(WidgetSessionsPage),
)
def of_member(member_id: str, services: ServicesDep, cursor: Cursor = None, limit: Limit = 50) -> dict[str, Any]:
    """Return where a member is signed in, by browser: those whose newest widget token has not run out."""
    return _page(services, get_member(services, member_id).member_id, None, cursor, limit)


@router.delete(
    "/members/{member_id}/sessions",
    summary="Sign a member out everywhere",
    dependencies=_ends,
    **answers(WidgetSessionsEnded),
)
def end_all(member_id: str, services: ServicesDep) -> dict[str, int]:
    """End all of a member's sessions, from their next request on; open streams close within ten seconds and tell nothing more."""
    return {"ended": services.widget_sessions.end_all(get_member(services, member_id).member_id)}


@router.delete(
    "/members/{member_id}/sessions/{session_id}",
    summary="Sign a member out in one place",
    dependencies=_ends,
    **answers(WidgetSessionsEnded),
)
def end_one(member_id: str, session_id: str, services: ServicesDep) -> dict[str, int]:
    """Sign them out of one browser, by a `session_id` that came with a token: what your server does when they log out of your site."""
    return _end(services, get_member(services, member_id).member_id, session_id)


def _end(services: ServicesDep, member_id: MemberId, session_id: str) -> dict[str, int]:
    ended = services.widget_sessions.end(session_id, member_id=member_id)
    if not ended:
        raise ProblemError(404, "not-found", f"There is no session {session_id}, or it is over.")
    return {"ended": ended}


def _page(
    services: ServicesDep, member_id: MemberId, own: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    found = services.widget_sessions.of(member_id, now=datetime.now(UTC))
    page, following = page_of(found, lambda one: (one.session_id,), 1, cursor=cursor, limit=limit)
    sessions = [
        WidgetSessionOut(
            session_id=one.session_id,
            visitor_id=one.visitor_id,
            started_at=one.started_at.isoformat(),
            renewed_at=one.renewed_at.isoformat(),
            expires_at=one.expires_at.isoformat(),
            current=one.visitor_id == own,
        ).model_dump()
        for one in page
    ]
    return {"sessions": sessions, "next_cursor": following}
