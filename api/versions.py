"""Numbered versions that staff save: their list, and what is told to whoever was slower."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from api.errors import ProblemError
from api.tags import tag

V = TypeVar("V", bound="Version")


class Version(Protocol):
    """One of them; its author is "" where nobody has saved any."""

    @property
    def version(self) -> int:
        """Its number, from 1; 0 is how it came."""

    @property
    def author(self) -> str:
        """Who saved it."""


class Paged(Protocol[V]):
    """Where they are stored."""

    def page(self, *, limit: int, before: int | None = None) -> list[V]:
        """Return the newest `limit` versions, of those older than `before`, newest first."""


def page_of_versions(
    stored: Paged[V], told: Callable[[Sequence[V]], Any], *, cursor: int | None, limit: int
) -> dict[str, Any]:
    """Return a page of versions, newest first, with the cursor of the next one."""
    found = stored.page(limit=limit + 1, before=cursor)
    following = str(found[limit - 1].version) if len(found) > limit else None
    return {"versions": told(found[:limit]), "next_cursor": following}


def saved_meanwhile(kind: str, now: Version) -> ProblemError:
    """Return the 412 for who has not seen the version that counts now; `by` names who saved it."""
    who = now.author or "Somebody"
    detail = f"{who} has saved version {now.version} meanwhile; nothing of yours was saved."
    return ProblemError(412, "changed", detail, headers={"ETag": tag(kind, now.version)}, by=now.author or None)
