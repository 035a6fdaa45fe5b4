"""What answers about access hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import Shape


class AccessToken(Shape):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.", examples=[1800])
    scope: str = Field(examples=["events:write members:read"])


class AuthorizationServer(Shape):
    """What OAuth clients look up (RFC 8414)."""

    issuer: str
    token_endpoint: str
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]


class WidgetSessionOut(Shape):
    """A browser in which a member is signed in."""

    session_id: str = Field(
        description="The newest there: a page that is loaded again begins another.",
        examples=["0197a3c2-5d3e-7c21-9a53-2f1f6f0f7a11"],
    )
    visitor_id: str = Field(examples=["0197a3c2-1b1d-7aa2-8c55-6b1e0d7f2c90"])
    started_at: str = Field(examples=["2026-11-27T09:30:00+00:00"])
    renewed_at: str = Field(description="When its newest token was made.", examples=["2026-11-27T09:44:10+00:00"])
    expires_at: str = Field(description="When that token runs out.", examples=["2026-11-27T09:59:10+00:00"])
    current: bool = Field(description="Whether it is the browser that asks.")


class WidgetSessionsPage(Shape):
    """Browsers in which a member is signed in."""

    sessions: list[WidgetSessionOut]
    next_cursor: str | None


class WidgetSessionsEnded(Shape):
    """How many sessions were ended."""

    ended: int = Field(examples=[1])
