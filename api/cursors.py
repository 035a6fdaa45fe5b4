"""Pages of lists: an answer has `next_cursor`, by which the page behind it is read, and which is null at the end.

A cursor names the place of the last entry, not its number, so that what is added or deleted meanwhile moves nothing. What it says is nobody's business.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Query, Response

from api import older
from api.errors import ProblemError

T = TypeVar("T")
LONGEST = 1000
_LONE = re.compile("[\ud800-\udfff]")  # half a character, which no database takes
Cursor = Annotated[str | None, Query(max_length=LONGEST, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
VersionCursor = Annotated[int | None, Query(ge=1, lt=2**31, description="`next_cursor` of the page before.")]
"""For lists of numbered versions, newest first."""


def write_place(*place: str) -> str:
    """Return the cursor of a page that ends here."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":"), ensure_ascii=False).encode()).decode()


def read_place(cursor: str | None, parts: int) -> tuple[str, ...] | None:
    """Return what `write_place` was given, of so many parts. ProblemError 422 for another one."""
    if cursor is None:
        return None
    try:
        found = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error):  # also where it is no ASCII, or no UTF-8
        raise _bad() from None
    if not isinstance(found, list) or len(found) != parts:
        raise _bad()
    if not all(isinstance(part, str) and "\0" not in part and not _LONE.search(part) for part in found):
        raise _bad()
    return tuple(found)


def place_before(response: Response, cursor: str | None, after: object) -> str | None:
    """Return the place that the page before ended with, by `cursor` or by its older name; whoever uses that one is told (RFC 9745)."""
    if after is not None:
        response.headers.update(older.FIELDS)
    place = read_place(cursor, 1)
    if place is not None:
        return place[0]
    return None if after is None else str(after)


def read_number(place: str | None) -> int:
    """Return a place that is a number, 0 for none. ProblemError 422 for another one."""
    if place is None:
        return 0
    if not re.fullmatch("[0-9]{1,16}", place):
        raise _bad()
    return int(place)


def write_cursor(at: datetime, last: str) -> str:
    """Return the cursor of a page that ends with what was made then, of this id."""
    return write_place(at.isoformat(), last)


def read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """Return what `write_cursor` was given. ProblemError 422 for another one."""
    place = read_place(cursor, 2)
    if place is None:
        return None
    try:
        when = datetime.fromisoformat(place[0])
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC), place[1]
    except (ValueError, OverflowError):
        raise _bad() from None


def page_of(
    every: Iterable[T], place: Callable[[T], tuple[str, ...]], parts: int, *, cursor: str | None, limit: int
) -> tuple[list[T], str | None]:
    """Return the page of a list that is in memory anyway, in the order of its entries' places, and the next cursor."""
    behind = read_place(cursor, parts)
    found = [one for one in sorted(every, key=place) if behind is None or place(one) > behind]
    return found[:limit], write_place(*place(found[limit - 1])) if len(found) > limit else None


def numbered(every: Iterable[T], *, cursor: str | None, limit: int) -> tuple[list[T], str | None]:
    """Return the page of a list that only grows at its end, and the next cursor."""
    found, following = page_of(enumerate(every), lambda one: (f"{one[0]:012}",), 1, cursor=cursor, limit=limit)
    return [one for _, one in found], following


def _bad() -> ProblemError:
    return ProblemError(422, "invalid", "`cursor` is none that a page gave; begin without one.")
