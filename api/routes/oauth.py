"""OAuth 2.0 client credentials (RFC 6749, section 4.4): an API key is exchanged for a short-lived access token."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Header, Request, Response

from api.access import LIFETIME
from api.answers import answers
from api.answers_access import AccessToken, AuthorizationServer
from api.auth import SCOPES, check_guess, count, count_guess
from api.errors import ProblemError
from api.routes.deps import ServicesDep

router = APIRouter(tags=["Access"])
well_known = APIRouter(tags=["Access"])
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="aisle"', "Cache-Control": "no-store"}


@router.post("/oauth/token", summary="Exchange an API key for an access token", **answers(AccessToken, but=[400, 401]))
def make_access_token(
    request: Request,
    response: Response,
    services: ServicesDep,
    grant_type: Annotated[str, Form(max_length=64, examples=["client_credentials"])],
    scope: Annotated[
        str, Form(max_length=1000, description="Scopes, separated by blanks. Empty: all that the key has.")
    ] = "",
    client_id: Annotated[str, Form(max_length=64, description="The key's id (`aisle keys list`).")] = "",
    client_secret: Annotated[str, Form(max_length=128, description="The key itself, `ak_…`.")] = "",
    authorization: Annotated[str, Header(description="`Basic`: key id and key, instead of the form's.")] = "",
) -> dict[str, Any]:
    """Return a bearer token for 30 minutes with the scopes that were asked for; it ends at once when its key is revoked.

    The key stays on the machine that asks; what travels with every request is worth little when it is lost. Problems carry
    OAuth's own `error` as well (RFC 6749, section 5.2).
    """
    if authorization.lower().startswith("basic "):
        client_id, client_secret = _basic(authorization)
    count(request, services.token_limit, client_id or (request.client.host if request.client else ""))
    if grant_type != "client_credentials":
        raise _refused(400, "unsupported_grant_type", "Only the grant type client_credentials is served.")
    check_guess(request, client_secret)
    key = services.keys.find(client_secret) if client_secret.startswith("ak_") else None
    if key is None:
        count_guess(request, client_secret)
    else:
        services.guesses.worked(client_secret)
    if key is None or key.kind != "api" or key.revoked or key.key_id != client_id:
        raise _refused(401, "invalid_client", "No working API key has this id and this secret.", _CHALLENGE)
    wanted = frozenset(scope.split()) or key.scopes
    if not wanted <= key.scopes:
        lacking = ", ".join(sorted(wanted - key.scopes))
        raise _refused(400, "invalid_scope", f"This key does not have {lacking}.")
    response.headers["Cache-Control"] = "no-store"
    token = services.access.issue(key, wanted)
    return {
        "access_token": token, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds()),
        "scope": " ".join(sorted(wanted)),
    }  # fmt: skip


@well_known.get(
    "/.well-known/oauth-authorization-server",
    summary="Where access tokens come from",
    **answers(AuthorizationServer),
)
def metadata(services: ServicesDep) -> dict[str, Any]:
    """Return the metadata of RFC 8414."""
    url = services.settings.resolved_public_url
    return {
        "issuer": url, "token_endpoint": f"{url}/v1/oauth/token", "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": [], "scopes_supported": list(SCOPES),
    }  # fmt: skip


def _basic(header: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _refused(401, "invalid_client", "The Basic credentials cannot be read.", _CHALLENGE) from error
    return unquote_plus(name), unquote_plus(secret)


def _refused(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> ProblemError:
    """Return a problem that an OAuth client understands too."""
    code = error.replace("_", "-")
    return ProblemError(status, code, detail, headers=headers, error=error, error_description=detail)
