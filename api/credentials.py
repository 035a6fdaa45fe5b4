"""What lets somebody in, as the OpenAPI document tells it: each dependency that checks a credential is marked with the kinds that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant

MEANINGS = {
    "events:write": "Report events, Segment's messages included.",
    "members:read": "Read members, their profiles and labels, segments, alerts and merges.",
    "members:write": "Add and change members, labels, vetoes and segments; end shoppers' sessions; undo merges.",
    "decisions:read": "Open decisions and their explanations.",
    "recommend": "Ask for recommendations.",
    "coupons:issue": "Issue coupons.",
    "coupons:redeem": "Validate, redeem and take back coupons.",
    "kiosks": "Add kiosks, and see how they do.",
    "display": "Change what kiosks show.",
    "vision": "Switch cameras on and off, and name staff whom they leave out.",
    "consent": "Read and record consents.",
    "export": "Export what is known of a member.",
    "erase": "Erase members.",
    "widget-tokens": "Make tokens for shoppers' pages.",
    "experiments": "Run experiments, and read their results.",
    "agents": "Take conversations over.",
    "creatives": "Make posters and films, and keep the brand kit.",
    "webhooks": "Manage webhook endpoints, and replay deliveries.",
    "overview": "See the shop's figures.",
    "campaigns": "Plan, launch and judge campaigns.",
    "tuning": "Turn dials.",
    "audit": "Read the fairness report, the audit log, consents, deletions and model cards.",
    "accounts": "Manage staff accounts.",
}
"""What each scope lets its holder do."""
API_KEY, ACCESS_TOKEN, STAFF_SESSION = "apiKey", "accessToken", "staffSession"
WIDGET_TOKEN, DEVICE_KEY, BASIC_KEY = "widgetToken", "deviceKey", "basicKey"
MEMBER = "member"
"""Not a scope, but what a widget token has to be where a visitor's will not do."""
Takes = Mapping[str, tuple[str, ...]]
_Check = TypeVar("_Check", bound=Callable[..., Any])


def takes(kinds: Takes) -> Callable[[_Check], _Check]:
    """Mark a dependency with the kinds of credential that it lets in, any one of them, each with the scopes that it needs."""

    def mark(check: _Check) -> _Check:
        check.takes = kinds  # type: ignore[attr-defined]
        return check

    return mark


def key_with(*scopes: str) -> dict[str, tuple[str, ...]]:
    """Return the kinds that stand for scopes: an API key, an access token that it was exchanged for, or somebody signed in."""
    return dict.fromkeys((API_KEY, ACCESS_TOKEN, STAFF_SESSION), scopes)


def security(dependant: Dependant) -> list[dict[str, list[str]]]:
    """Return an operation's `security`: the kinds that each of its checks takes, with all their scopes; empty where there is no check."""
    checks = list(_checks(dependant))
    kinds = [kind for kind in (checks[0] if checks else ()) if all(kind in check for check in checks)]
    return [{kind: sorted({scope for check in checks for scope in check[kind]})} for kind in kinds]


def _checks(dependant: Dependant) -> Iterator[Takes]:
    marked: Takes | None = getattr(dependant.call, "takes", None)
    if marked is not None:
        yield marked
    for below in dependant.dependencies:
        yield from _checks(below)


def schemes(url: str, cookie: str) -> dict[str, dict[str, Any]]:
    """Return the document's `securitySchemes` of a server at `url`; `cookie`: the name of the one that a staff session has."""

    def bearer(looks: str, description: str) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": looks, "description": description}

    return {
        API_KEY: bearer("ak_…", "An integrator's key (`aisle keys create`), within its scopes and origins."),
        ACCESS_TOKEN: {
            "type": "oauth2",
            "description": "A key exchanged for a token of 30 minutes: client credentials, the key's id and the key.",
            "flows": {"clientCredentials": {"tokenUrl": f"{url}/v1/oauth/token", "scopes": MEANINGS}},
        },
        STAFF_SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "Somebody of the staff who is signed in, with the scopes of their roles; it counts from the console's own pages alone.",
        },
        WIDGET_TOKEN: bearer(
            "JWT",
            f"One shopper's (`POST /v1/widget-tokens`), for 15 minutes. `{MEMBER}`: of a member who is signed in, not of a visitor.",
        ),
        DEVICE_KEY: bearer("dk_…", "A kiosk's (`POST /v1/kiosks`), for itself alone."),
        BASIC_KEY: {
            "type": "http",
            "scheme": "basic",
            "description": "An API key as the user and no password, as Segment's libraries send it.",
        },
    }
