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
