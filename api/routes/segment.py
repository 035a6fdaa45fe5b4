"""Events in by Segment's spec, for any client library that speaks it; each message is told what became of it."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State

from api.answers import answers
from api.answers_segment import BatchTaken, MergeOut, MergesPage, MessageTaken
from api.auth import Credentials, api_key
from api.credentials import BASIC_KEY, key_with, takes
from api.cursors import Cursor, place_before, write_place
from api.errors import ProblemError
from api.limits import LARGEST_BODY
from api.routes.deps import ServicesDep
from api.services.segment import MessageError, Outcome, Taker, parse_time
from stores.keys import Key
from stores.merges import Merge

router = APIRouter(tags=["Segment"])
MOST_MESSAGES = 500
_basic = HTTPBasic(auto_error=False)
_check = api_key("events:write")
_MESSAGE = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["identify", "track", "page", "screen", "alias", "group"]},
        "messageId": {"type": "string", "maxLength": 255}, "userId": {"type": "string", "maxLength": 64},
        "anonymousId": {"type": "string", "maxLength": 255}, "event": {"type": "string"}, "name": {"type": "string"},
        "properties": {"type": "object"}, "traits": {"type": "object"}, "previousId": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"}, "sentAt": {"type": "string", "format": "date-time"},
    },
}  # fmt: skip
_BATCH = {
    "type": "object", "required": ["batch"],
    "properties": {"batch": {"type": "array", "minItems": 1, "maxItems": MOST_MESSAGES, "items": _MESSAGE},
                   "sentAt": {"type": "string", "format": "date-time"}, "writeKey": {"type": "string"}},
}  # fmt: skip


class Sent:
    """A request of a Segment library: its content and its key; `state` is what is left to those who log it."""

    def __init__(self, body: dict[str, Any], key: Key, state: State) -> None:
        self.body, self.key, self.state = body, key, state


@takes({**key_with("events:write"), BASIC_KEY: ("events:write",)})
async def _sent(
    request: Request, bearer: Credentials, basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)]
) -> Sent:
    """Read the body, gzipped or not. The key is a header's, or `writeKey` in the body, as one of the libraries sends it."""
    body, problem = None, None
    try:
        body = _json(await request.body(), request.headers.get("content-encoding", "identity"))
    except ProblemError as error:
        problem = error
    if bearer is None:
        written = basic.username if basic is not None else (body or {}).get("writeKey")
        if isinstance(written, str) and written:
            bearer = HTTPAuthorizationCredentials(scheme="Bearer", credentials=written)
    key = await run_in_threadpool(_check, request, bearer)
    if problem is not None or body is None:
        raise problem or ProblemError(422, "invalid", "The body is missing.")
    return Sent(body, key, request.state)


def _json(raw: bytes, encoding: str) -> dict[str, Any]:
    if encoding == "gzip":
        raw = _unpacked(raw)
    elif encoding != "identity":
        raise ProblemError(415, "unsupported-media-type", "A body is sent plainly or with Content-Encoding: gzip.")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, "invalid", "The body is no JSON.") from error
    if not isinstance(found, dict):
        raise ProblemError(422, "invalid", "The body is a JSON object.")
    return found


def _unpacked(raw: bytes) -> bytes:
    """Unpack no more than a body may have, however small it was packed."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(raw, LARGEST_BODY + 1)
    except zlib.error as error:
        raise ProblemError(422, "invalid", "The body is not packed with gzip, though its header says so.") from error
    if len(found) > LARGEST_BODY:
        raise ProblemError(413, "too-large", f"A body has at most {LARGEST_BODY:,} bytes, unpacked.")
    if not unpacking.eof:
        raise ProblemError(422, "invalid", "The body's gzip ends too early.")
    return found


SentDep = Annotated[Sent, Depends(_sent)]


def _documented(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _taken(services: Any, sent: Sent, messages: list[Any]) -> list[Outcome]:
    now, given = datetime.now(UTC), sent.body.get("sentAt")
    try:
        sent_at = None if given is None else parse_time(given, "sentAt")
    except MessageError as error:
        raise ProblemError(422, "invalid", f"{error}.") from None
    taker = Taker(services, sent.key, sent_at=sent_at, now=now)
    outcomes = taker.take(messages)
    if taker.changed:  # most requests only report: they stay out of the audit log
        sent.state.about = {one: {"changed": what} for one, what in taker.changed.items()}
        sent.state.told = {"members": len(taker.changed)}
    return outcomes


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "message_id": outcome.message_id, "status": outcome.status, "reason": outcome.reason, "notes": outcome.notes,
        "events": len(outcome.events),
    }  # fmt: skip


@router.post("/batch", summary="Take a batch of Segment messages", openapi_extra=_documented(_BATCH),
             **answers(BatchTaken, but=[415]))  # fmt: skip
def batch(sent: SentDep, services: ServicesDep) -> dict[str, Any]:
    """Take up to 500 messages, each judged on its own; `results` says what became of each, in their order.

    A `messageId` that was seen before changes nothing. Names of events are translated by api/services/segment.yml.
    """
    messages = sent.body.get("batch")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_MESSAGES:
        raise ProblemError(422, "invalid", f"batch is a list of 1 to {MOST_MESSAGES} messages.")
    results = [_told(outcome) for outcome in _taken(services, sent, messages)]
    return {"success": all(one["status"] != "rejected" for one in results), "results": results}


def _single(kind: str, summary: str) -> None:
    """Add the route of one kind of message."""

    def take(sent: SentDep, services: ServicesDep) -> dict[str, Any]:
        told = _told(_taken(services, sent, [{**sent.body, "type": kind}])[0])
        if told["status"] == "rejected":
            raise ProblemError(422, "invalid", f"{told['reason']}.")
        return {"success": True, **told}

    take.__doc__ = "Take one message of Segment's spec; see `/v1/batch`."
    take.__name__ = kind
    schema = {**_MESSAGE, "properties": {k: v for k, v in _MESSAGE["properties"].items() if k != "type"}}  # type: ignore[attr-defined]
    router.post(f"/{kind}", summary=summary, openapi_extra=_documented(schema), **answers(MessageTaken, but=[415]))(
        take
    )


_single("identify", "Say who somebody is (Segment)")
_single("track", "Say what somebody did (Segment)")
_single("page", "Say which page was seen (Segment)")
_single("screen", "Say which screen was seen (Segment)")
_single("alias", "Say that a visitor is a member (Segment)")


@router.get("/merges", tags=["Members"], summary="List merges of visitors and members",
            dependencies=[Depends(api_key("members:read"))], **answers(MergesPage))  # fmt: skip
def list_merges(
    services: ServicesDep,
    response: Response,
    member_id: Annotated[str | None, Query(max_length=36)] = None,
    cursor: Cursor = None,
    after: Annotated[
        str | None, Query(max_length=36, description="`next` of the page before.", deprecated=True)
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Return who was said to be who, by what, and whether it was undone."""
    behind = place_before(response, cursor, after) or ""
    page = services.merges.page(member_id=member_id, after=behind, limit=limit)
    last = page[-1].merge_id if len(page) == limit else None
    return {
        "merges": [_merge(one) for one in page],
        "next": last,
        "next_cursor": None if last is None else write_place(last),
    }


@router.post("/merges/{merge_id}/undo", tags=["Members"], summary="Undo a merge", **answers(MergeOut, but=[409, 410]))
def undo(
    merge_id: str, services: ServicesDep, key: Annotated[Key, Depends(api_key("members:write"))]
) -> dict[str, Any]:
    """Make the visitor nobody again: what the merge had named is unnamed, the profile is made anew, and it is not merged again.

    A merge that is past its term (`merges` of `GET /v1/trust/retention`) is 410 `past-term`.
    """
    now, term = datetime.now(UTC), services.schedule.data.get("merges")
    undone = services.merges.undo(merge_id, at=now, by=key.name, kept_days=term.days if term else None)
    services.experiments.forget_running()  # and who has which arm
    services.profiles.rebuild([undone.member_id], now=now)
    return _merge(undone)


def _merge(one: Merge) -> dict[str, Any]:
    return {
        "merge_id": one.merge_id, "member_id": one.member_id, "visitor_id": one.visitor_id, "source": one.source,
        "events": one.events, "at": one.at.isoformat(), "undone_at": None if one.undone_at is None else one.undone_at.isoformat(),
        "undone_by": one.undone_by,
    }  # fmt: skip
