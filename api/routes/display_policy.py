"""The display policy: read, tried out, saved, and taken back, by marketers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Response

from api.answers import answers
from api.answers_display import PoliciesOut, PolicyNow, PolicyOut, PreviewOut
from api.auth import api_key, author
from api.cursors import Limit, VersionCursor
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas_kiosks import PolicyIn, PreviewIn
from api.tags import IfMatch, tag
from api.versions import page_of_versions, saved_meanwhile
from personalization.display import LIMITS, DisplayPolicy, DisplayPolicyError, parse, where
from personalization.display_preview import VISITS, play
from stores.display_policies import PolicyVersion
from stores.errors import ConflictError
from stores.keys import Key

router = APIRouter(prefix="/display-policy", tags=["Kiosks"])
Marketer = Annotated[Key, Depends(api_key("display"))]
KIND = "display-policy"
Name = Annotated[
    str | None, Header(alias="X-Agent-Name", max_length=64, description="Who saves it; the key's name without it.")
]


def _newest(services: ServicesDep) -> PolicyVersion:
    saved = services.display_policies.newest()
    if saved is not None:
        return saved
    return PolicyVersion(0, services.display_policy, "As it came", "", datetime.fromtimestamp(0, UTC))


def _told(one: PolicyVersion) -> dict[str, Any]:
    return {
        "version": one.version, "values": one.policy.tree(), "note": one.note, "author": one.author,
        "at": one.at.isoformat() if one.version else None, "restored": one.restored,
    }  # fmt: skip


def _parsed(values: dict[str, Any]) -> DisplayPolicy:
    try:
        return parse(values)
    except DisplayPolicyError as error:
        flaws = [{"where": f"values.{flaw.where}", "reason": flaw.reason} for flaw in error.flaws]
        raise ProblemError(422, "invalid", str(error), errors=flaws) from error


@router.get("", summary="Read the display policy", **answers(PolicyNow))
def read_policy(services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Return the policy that counts now, with an `ETag` to save by."""
    newest = _newest(services)
    response.headers["ETag"] = tag(KIND, newest.version)
    return _told(newest) | {
        "limits": {where(name): asdict(limit) for name, limit in LIMITS.items()},
        "visits": list(VISITS),
    }


@router.put("", summary="Save a display policy", **answers(PolicyOut, but=[412, 428]))
def save_policy(
    body: PolicyIn,
    services: ServicesDep,
    key: Marketer,
    response: Response,
    if_match: IfMatch,
    name: Name = None,
) -> dict[str, Any]:
    """Save a new version; kiosks follow it within two seconds. `If-Match` names the version that it was made from."""
    return _save(services, response, if_match, _parsed(body.values), body.note, author(key, name))


@router.get("/versions", summary="List versions of the display policy", **answers(PoliciesOut))
def list_versions(
    services: ServicesDep, key: Marketer, cursor: VersionCursor = None, limit: Limit = 100
) -> dict[str, Any]:
    """Return versions, newest first."""
    return page_of_versions(
        services.display_policies, lambda some: [_told(one) for one in some], cursor=cursor, limit=limit
    )


@router.post(
    "/versions/{version}/restore",
    summary="Go back to a version of the display policy",
    **answers(PolicyOut, but=[412, 428]),
)
def restore(
    version: Annotated[int, Path(ge=1, lt=2**31)], services: ServicesDep, key: Marketer, response: Response,
    if_match: IfMatch, name: Name = None,
) -> dict[str, Any]:  # fmt: skip
    """Save the values of an earlier version as a new one: nothing that was in between is lost."""
    old = services.display_policies.get(version)
    return _save(services, response, if_match, old.policy, old.note, author(key, name), restored=version)


@router.post("/preview", summary="Try a display policy", **answers(PreviewOut))
def preview(body: PreviewIn, key: Marketer) -> dict[str, Any]:
    """Play a made visit through a policy that is not saved, as `aisle kiosk preview` does."""
    if body.visit not in VISITS:
        reason = f"is none of {', '.join(VISITS)}"
        raise ProblemError(422, "invalid", f"visit {reason}", errors=[{"where": "visit", "reason": reason}])
    return asdict(play(_parsed(body.values), body.visit))


def _save(
    services: ServicesDep, response: Response, if_match: IfMatch, policy: DisplayPolicy, note: str, author: str,
    *, restored: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    newest = _newest(services)
    read = if_match.version(KIND, "the policy")
    made = PolicyVersion(newest.version + 1, policy, note, author, datetime.now(UTC), restored)
    try:
        if read != newest.version:
            raise ConflictError("it has changed")
        services.display_policies.save(made)
    except ConflictError as error:
        raise saved_meanwhile(KIND, _newest(services)) from error
    response.headers["ETag"] = tag(KIND, made.version)
    return _told(made)
