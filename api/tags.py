"""Entity tags (RFC 9110, sections 8.8.3 and 13.1): what has not changed is not sent again, and nobody overwrites what they have not seen.

A tag is `"kind-state"`, where the state is what a writer can change: a version number, or a digest. An answer to GET has `"kind-state.rest"`,
where the rest is a digest of the whole answer, so that a count that has moved is sent although nobody would overwrite anything. `If-Match` holds
against the first part, `If-None-Match` against all of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemError

T = TypeVar("T")
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_DROPPED = ("content-length", "content-type", "content-encoding")


def tag(kind: str, *state: object) -> str:
    """Return the tag of something in a state: a number stands in it as it is, anything else as a digest."""
    if len(state) == 1 and isinstance(state[0], int):
        return f'"{kind}-{state[0]}"'
    return f'"{kind}-{_digest(json.dumps(state, default=str, sort_keys=True).encode())}"'


def listed(header: str) -> frozenset[str] | None:
    """Return the tags of `If-Match` or `If-None-Match`, None for `*`: any. A proxy that packs answers makes tags weak; they count, too."""
    return None if header.strip() == "*" else frozenset(_TAG.findall(header))


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a writer has seen, by `If-Match`; nothing is asked where it was not sent."""

    header: str | None

    def against(self, tag_of: Callable[[T], str], what: str) -> Callable[[T], None] | None:
        """Return what refuses the state that is there when it is not the one that was seen: 412, with the tag that counts now.

        To be called where nobody can change it any more before it is written. None: the writer asked for nothing.
        """
        if self.header is None:
            return None
        tags = listed(self.header)

        def check(current: T) -> None:
            now = tag_of(current)
            if tags is not None and _state(now) not in map(_state, tags):
                detail = f"Somebody has changed {what} since you read it; read it again. Nothing was changed now."
                raise ProblemError(412, "changed", detail, headers={"ETag": now})

        return check

    def version(self, kind: str, what: str) -> int:
        """Return the version that was seen: 428 where none is told, 412 where the tag is of something else."""
        if self.header is None:
            raise ProblemError(428, "if-match", f"Send `If-Match` with the `ETag` of {what} that you read.")
        numbers = [_state(one).removeprefix(f"{kind}-") for one in listed(self.header) or () if one.startswith(kind)]
        if len(numbers) != 1 or not (numbers[0].isascii() and numbers[0].isdigit() and len(numbers[0]) < 10):
            raise ProblemError(412, "changed", f"`If-Match` is no `ETag` of {what}; read it again.")
        return int(numbers[0])


async def _sent(
    if_match: Annotated[
        str | None,
        Header(max_length=1000, description="The `ETag` of what was read: 412 when somebody has changed it since."),
    ] = None,
) -> Precondition:
    return Precondition(if_match)


IfMatch = Annotated[Precondition, Depends(_sent)]


def seen(if_none_match: str | None, now: str) -> bool:
    """Whether who asks has the state that `now` is the tag of: for a route that would rather not make its answer."""
    if if_none_match is None:
        return False
    tags = listed(if_none_match)
    return tags is None or _state(now) in map(_state, tags)


class Tags:
    """Gives each JSON answer to GET its tag, and answers 304 to who has it already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at its answer."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match")
        start: Message = {}
        silent = False

        async def look(message: Message) -> None:
            nonlocal silent
            if silent:
                return
            if message["type"] == "http.response.start":
                start.update(message)
                if not _of_api(scope, message):
                    silent = await _begin(send, start, known)
                return
            if message["type"] == "http.response.body" and start and _of_api(scope, start):
                if not message.get("more_body", False):
                    _complete(start, message.get("body", b""))
                silent = await _begin(send, start, known)
                start.clear()
                if silent:
                    return
            await send(message)

        await self._app(scope, receive, look)


async def _begin(send: Send, start: Message, known: str | None) -> bool:
    """Send the head of an answer; return whether it says that there is nothing new."""
    fields = MutableHeaders(scope=start)
    now = fields.get("etag")
    if start["status"] != 200 or known is None or now is None:
        await send(dict(start))
        return False
    tags = listed(known)
    if tags is not None and _TAG.findall(now)[0] not in tags:
        await send(dict(start))
        return False
    for name in _DROPPED:
        del fields[name]
    await send({**start, "status": 304})
    await send({"type": "http.response.body", "body": b""})
    return True


def _of_api(scope: Scope, start: Message) -> bool:
    fields = Headers(scope=start)
    return (
        scope["path"].startswith("/v1/")
        and start["status"] == 200
        and fields.get("content-type", "").startswith("application/json")
    )


def _complete(start: Message, body: bytes) -> None:
    fields, rest = MutableHeaders(scope=start), _digest(body)
    own = fields.get("etag")
    fields["ETag"] = f'"{rest}"' if own is None else f'{own.removesuffix(chr(34))}.{rest}"'


def _state(one: str) -> str:
    return one.removeprefix("W/").strip('"').partition(".")[0]


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()
