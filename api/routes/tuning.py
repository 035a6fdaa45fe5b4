"""The dials: read, tried out, proposed, applied, and taken back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from api.answers import answers
from api.answers_tuning import TuningNow, TuningPreview, TuningVersionOut, TuningVersions
from api.auth import api_key
from api.cursors import VersionCursor
from api.errors import ProblemError
from api.routes.campaigns import person
from api.routes.deps import ServicesDep
from api.schemas_campaigns import TuningIn, TuningPreviewIn
from api.services.tuning import preview as try_out
from api.services.tuning import sample, shipped
from api.tags import IfMatch, tag
from api.versions import page_of_versions
from api.wiring import Services
from personalization.tuning import DIALS, TuningError, TuningPolicy, parse
from stores.keys import Key
from stores.tunings import TuningVersion

router = APIRouter(prefix="/tuning", tags=["Tuning"])
Marketer = Annotated[Key, Depends(api_key("tuning"))]
Number = Annotated[int, Path(ge=0, lt=2**31)]


def _told(services: Services, one: TuningVersion, key: Key) -> dict[str, Any]:
    [told] = _all_told(services, [one], key)
    return told


def _all_told(services: Services, found: Sequence[TuningVersion], key: Key) -> list[dict[str, Any]]:
    own, bases = shipped(services), {one.base for one in found}
    made_from, measured_from = services.tunings.several(bases), services.tunings.measured_from(bases)
    told = []
    for one in found:
        change = made_from[one.base].policy.change(one.policy, own)
        far = measured_from[one.base].policy.change(one.policy, own)
        told.append(_version_told(one, change, one.restored is None and _large(services, far), key))
    return told


def _version_told(one: TuningVersion, change: dict[str, float], second: bool, key: Key) -> dict[str, Any]:
    return {
        "version": one.version, "base": one.base, "values": one.policy.tree(), "note": one.note, "state": one.state, "author": one.author,
        "at": one.at.isoformat() if one.version else None, "decided_by": one.decided_by,
        "decided_at": one.decided_at.isoformat() if one.decided_at else None, "restored": one.restored, "change": change,
        "wants_second_person": second, "may_apply": one.state == "proposed" and not (second and key.key_id == one.author_id),
    }  # fmt: skip


def _large(services: Services, change: dict[str, float]) -> bool:
    return max(change.values(), default=0.0) > services.settings.tuning_second_person


def _parsed(values: dict[str, Any]) -> TuningPolicy:
    try:
        return parse(values)
    except TuningError as error:
        flaws = [{"where": f"values.{where}", "reason": reason} for where, reason in error.flaws]
        raise ProblemError(422, "invalid", f"{error}.", errors=flaws) from None


def _base(if_match: IfMatch) -> int:
    return if_match.version("tuning", "the dials")


@router.get("", summary="Read the dials", **answers(TuningNow))
def read(services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Return where the dials stand, what each may be and does, with an `ETag` to propose by."""
    found, own = services.tunings.applied(), shipped(services)
    response.headers["ETag"] = tag("tuning", found.version)
    return {
        "current": _told(services, found, key), "second_person_above": services.settings.tuning_second_person,
        "dials": [
            {"name": name, "least": dial.least, "most": dial.most, "step": dial.step, "told": dial.told, "shipped": own[name]}
            for name, dial in DIALS.items()
        ],
    }  # fmt: skip


@router.get("/versions", summary="List versions of the tuning", **answers(TuningVersions))
def list_versions(
    services: ServicesDep, key: Marketer, limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: VersionCursor = None,
) -> dict[str, Any]:  # fmt: skip
    """Return proposals and versions that counted, newest first."""
    return page_of_versions(services.tunings, lambda some: _all_told(services, some, key), cursor=cursor, limit=limit)


@router.post("/preview", summary="Try dials out", **answers(TuningPreview))
def preview(body: TuningPreviewIn, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Show what sample members would see, and last week's log under these dials; nothing is kept, and nobody notices.

    Members of the caller's own choice take the scope `members:read`, too: their slates say what they like.
    """
    if body.member_ids and "members:read" not in key.scopes:
        raise ProblemError(
            403,
            "forbidden",
            "Slates of chosen members take the scope members:read; without `member_ids` a sample is shown.",
        )
    started, tried, now = time.perf_counter(), _parsed(body.values), services.tunings.applied().policy
    members = body.member_ids or sample(services)
    found = try_out(services, now, tried, members, at=datetime.now(UTC))
    own = shipped(services)
    far = services.tunings.measured_from([now.version])[now.version].policy.change(tried, own)
    return found | {
        "change": now.change(tried, own), "wants_second_person": _large(services, far), "took_ms": round((time.perf_counter() - started) * 1000, 1)
    }  # fmt: skip


@router.post("/versions", summary="Propose a tuning", **answers(TuningVersionOut, 201, but=[409, 412, 428]))
def propose(body: TuningIn, services: ServicesDep, key: Marketer, if_match: IfMatch) -> dict[str, Any]:
    """Store a version that counts for nobody until it is applied. `If-Match` names the dials that it was made from."""
    made = services.tunings.propose(
        _parsed(body.values), base=_base(if_match), note=body.note, by=person(key), at=datetime.now(UTC)
    )
    return _told(services, made, key)


@router.post("/versions/{version}/apply", summary="Apply a tuning", **answers(TuningVersionOut, but=[409]))
def apply(version: Number, services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Let a proposal count from the next decision on. Above `AISLE_TUNING_SECOND_PERSON` its author may not.

    Turns are measured from the newest version that a second person applied, so that many small ones are as large as they are.
    """
    found = services.tunings.get(version)
    far = services.tunings.measured_from([found.base])[found.base].policy.change(found.policy, shipped(services))
    done = services.tunings.apply(version, second=_large(services, far), by=person(key), at=datetime.now(UTC))
    response.headers["ETag"] = tag("tuning", done.version)
    return _told(services, done, key)


@router.post("/versions/{version}/refuse", summary="Refuse a tuning", **answers(TuningVersionOut, but=[409]))
def refuse(version: Number, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Put a proposal away; it stays in the list."""
    return _told(services, services.tunings.refuse(version, by=person(key), at=datetime.now(UTC)), key)


@router.post(
    "/versions/{version}/restore", summary="Go back to a tuning", **answers(TuningVersionOut, but=[409, 412, 428])
)
def restore(
    version: Number, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Let the values of a version that counted before count again, at once; 0 is how the dials ship."""
    done = services.tunings.restore(version, base=_base(if_match), by=person(key), at=datetime.now(UTC))
    response.headers["ETag"] = tag("tuning", done.version)
    return _told(services, done, key)
