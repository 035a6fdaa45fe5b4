"""`Idempotency-Key`: a request that changes something may be sent again, and is answered again without being done again.

Also where the process is killed between what it commits and its answer: then it is answered that it was done, at least in part (`stores.asked`).
A refusal that may have another end later leaves nothing, whatever it counted; an error of ours after something was committed does.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.about import about
from api.access import RateLimit, TooManyError
from api.errors import problem
from stores.asked import answering
from stores.replies import ABANDONED, SqlReplies, Ticket

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST_ANSWER = 1_000_000
RENEWED_S = ABANDONED.total_seconds() / 4
RETRIED = frozenset({401, 403, 408, 429})  # the same request may have another end later
_KEY = re.compile(r'^(?:"([\x20-\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$')
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_LEAD_TO_SOMEBODY = frozenset({"member_id", "visitor_id", "conversation_id", "handoff_id"})
_KEPT_HEADERS = ("content-type", "location", "etag")
_renewing = CapacityLimiter(2)  # who works at a request says so in time, also while all threads answer

_REFUSALS = {
    "working": (409, "idempotency-key-in-use", "This request is being answered right now; send it again in a moment."),
    "other": (422, "idempotency-key-reused", "Another request was sent with this Idempotency-Key; make a new key for each request."),
    "lost": (409, "idempotency-answer-lost", "This request was done, at least in part, and its answer is lost. It is not done again. Look at what it was about, and send what is still to be done with a new key."),
    "erased": (409, "idempotency-answer-erased", "This request was answered, and whom the answer told of was erased since, or withdrew a consent. It is not done again."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `name` cannot be guessed by others, `who` is what `limit` counts them by, `people` whom they are, where they are a shopper."""

    name: str
    who: str
    limit: RateLimit
    people: tuple[str, ...] = ()


class Idempotency:
    """Keeps the answers of unsafe requests that carry the header, for a day, per caller.

    `caller` tells who asks: a name that only they have with their quota, or None when nobody does whom a route would let in (then
    nothing is kept). The quota is counted first: who has used it up fills no memory.
    """

    def __init__(self, app: ASGIApp, replies: SqlReplies, caller: Callable[[Scope], Caller | None]) -> None:
        self._app, self._replies, self._caller = app, replies, caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, refuse, or pass the request on and remember its answer."""
        headers = Headers(scope=scope) if scope["type"] == "http" and scope["method"] in UNSAFE else None
        given = headers.get("idempotency-key") if headers is not None else None
        if headers is None or given is None:
            await self._app(scope, receive, send)
            return
        fits = _KEY.match(given.strip())
        if fits is None:
            detail = "An Idempotency-Key is 1 to 255 printable ASCII characters, such as a UUID."
            await problem(Request(scope), 400, "idempotency-key-invalid", detail)(scope, receive, send)
            return
        caller = await anyio.to_thread.run_sync(self._caller, scope)
        if caller is None:
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        try:
            state["quota"] = caller.limit.take(caller.who)
        except TooManyError as error:
            state["quota"] = error.quota
            wait = {"Retry-After": str(error.wait_s)}
            await problem(Request(scope), 429, "too-many-requests", str(error), wait)(scope, receive, send)
            return
        state["counted"] = (caller.limit, caller.who)
        try:
            body = await _whole(receive)
        except HTTPException as error:  # too large, and not announced
            await problem(Request(scope), error.status_code, "too-large", str(error.detail))(scope, receive, send)
            return
        if body is None:  # the caller went away in the middle: nothing was asked
            return
        ticket = Ticket(caller.name, fits[1] or fits[2], _fingerprint(caller.name, scope, headers, body))
        found = await anyio.to_thread.run_sync(lambda: self._replies.begin(ticket, clock=_now))
        if found == "new":
            await _Try(self._replies, ticket, caller.people, scope).make(self._app, _again(body, receive), send)
        elif isinstance(found, str):
            await _refusal(found, scope)(scope, receive, send)
        else:
            await _replay(found, send)


class _Try:
    """One try at a request: what it is answered, and what is kept of that."""

    def __init__(self, replies: SqlReplies, ticket: Ticket, people: tuple[str, ...], scope: Scope) -> None:
        self._replies, self._ticket, self._people, self._scope = replies, ticket, people, scope
        self._asked, self._kept = ticket.asked(), False
        self._start: Message = {}
        self._parts = list[bytes]()

    async def make(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        """Have `app` answer; who got the answer may ask again at once."""
        refused = False

        async def listen(message: Message) -> None:
            nonlocal refused
            if self._asked.given_up and not self._start:  # whoever caught that answers from what was rolled back
                if not refused:
                    refused = True
                    await _refusal("working", self._scope)(self._scope, receive, send)
                return
            await self._listen(message)
            await send(message)

        renewing = asyncio.ensure_future(self._renew())
        try:
            with answering(self._asked):
                await app(self._scope, receive, listen)
        except Exception:  # where it is cancelled a thread may go on with it: it is nobody else's until that is over
            await self._end()
            raise
        else:
            await self._end()
        finally:
            renewing.cancel()

    async def _listen(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False) and _worth_keeping(self._start, self._parts):
                whole = b"".join(self._parts)
                await self._keep(_packed(self._start, whole), {*self._people, *_about(self._scope, whole)})

    async def _end(self) -> None:
        if self._kept:
            return
        self._asked.over = True
        later = self._start.get("status") in RETRIED
        let_go = partial(self._replies.let_go, self._ticket, whatever=later)
        if not await anyio.to_thread.run_sync(let_go) and not later:
            lost = _refusal("lost", self._scope)
            start = {"status": lost.status_code, "headers": lost.raw_headers}
            await self._keep(_packed(start, bytes(lost.body)), {*self._people, *_about(self._scope, b"")})

    async def _keep(self, packed: bytes, about: set[str]) -> None:
        self._asked.over = True
        await anyio.to_thread.run_sync(partial(self._replies.keep, self._ticket, packed, about=about))
        self._kept = True

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_S)
            renew = partial(self._replies.renew, self._ticket, clock=_now)
            with suppress(SQLAlchemyError):  # a database that is away for a moment
                if not await anyio.to_thread.run_sync(renew, limiter=_renewing):
                    return


def _now() -> datetime:
    return datetime.now(UTC)


def _refusal(found: str, scope: Scope) -> Response:
    status, code, detail = _REFUSALS[found]
    wait = {"Retry-After": "1"} if found == "working" else {}
    return problem(Request(scope), status, code, detail, wait)


def _about(scope: Scope, answer: bytes) -> Iterator[str]:
    """Yield the ids of whom an answer tells of: by the path, by what the route left in `state.about`, and by what it says itself."""
    yield from (str(value) for name, value in scope.get("path_params", {}).items() if name in _LEAD_TO_SOMEBODY)
    yield from about(scope.get("state", {}))
    try:
        yield from _ids(json.loads(answer))
    except ValueError:  # it is no JSON
        return


def _ids(told: Any) -> Iterator[str]:
    if isinstance(told, list):
        for one in told:
            yield from _ids(one)
    elif isinstance(told, dict):
        for name, value in told.items():
            if name in _LEAD_TO_SOMEBODY and isinstance(value, str):
                yield value
            else:
                yield from _ids(value)


def _worth_keeping(start: Message, parts: list[bytes]) -> bool:
    status = int(start["status"])
    return status < 500 and status not in RETRIED and sum(map(len, parts)) <= LONGEST_ANSWER


def _fingerprint(secret: str, scope: Scope, headers: Headers, body: bytes) -> str:
    """Return a hash of what is asked, keyed: no password is guessed from it. A form's boundary, which clients draw anew for each try, does not count."""
    kind = headers.get("content-type", "")
    if (boundary := _BOUNDARY.search(kind)) is not None:
        body = body.replace(boundary[1].encode(), b"")
    asked = b"\n".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"], body])
    return hmac.new(secret.encode(), asked, hashlib.sha256).hexdigest()


async def _whole(receive: Receive) -> bytes | None:
    """Return the body; None when the caller went away before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    told = False

    async def once_more() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def _packed(start: Message, body: bytes) -> bytes:
    names = {name.decode().lower(): value.decode("latin-1") for name, value in start.get("headers", [])}
    head = {"status": start["status"], "headers": {name: names[name] for name in _KEPT_HEADERS if name in names}}
    return json.dumps(head).encode() + b"\n" + body


async def _replay(packed: bytes, send: Send) -> None:
    head, body = packed.split(b"\n", 1)
    told: dict[str, Any] = json.loads(head)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in told["headers"].items()]
    headers += [(b"content-length", str(len(body)).encode()), (b"idempotent-replayed", b"true")]
    if told["status"] == 204:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    await send({"type": "http.response.start", "status": told["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body})
