"""What a conversation keeps of its last search: the wish, what was shown in order, and what is being talked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from chatbot.shopping.wish import Wish

MOST_PAGES = 8


@dataclass(frozen=True, slots=True)
class SearchState:
    """`pages` are the lists of product ids that were shown, oldest first; `focus` is the product that was talked of last."""

    wish: Wish = field(default_factory=Wish)
    pages: tuple[tuple[str, ...], ...] = ()
    focus: str | None = None
    kind: Literal["search", "recommend", "order"] = "search"
    at: int = -1  # the page that is shown

    @property
    def shown(self) -> tuple[str, ...]:
        """What was shown last, in its order."""
        return self.pages[self.at] if self.pages else ()

    @property
    def seen(self) -> frozenset[str]:
        """Everything that was shown for this wish."""
        return frozenset(one for page in self.pages for one in page)

    def showing(self, product_ids: Sequence[str], wish: Wish | None = None, *, more: bool = False) -> SearchState:
        """Return the state after a new list was shown, which continues the last one with `more`."""
        pages = (*(self.pages if more else self.pages[-1:]), tuple(product_ids))[-MOST_PAGES:]
        focus = product_ids[0] if len(product_ids) == 1 else None
        return replace(self, wish=self.wish if wish is None else wish, pages=pages, focus=focus, at=-1)

    def about(self, product_id: str) -> SearchState:
        """Return the state in which this product is talked of."""
        return replace(self, focus=product_id)

    def turned(self, by: int) -> SearchState:
        """Return the state with an earlier page open."""
        count = len(self.pages)
        at = (self.at % count if count else 0) + by
        return replace(self, at=max(at, 0) - count if count else -1, focus=None)

    def as_json(self) -> dict[str, Any]:
        """Return the state for a slot."""
        return {
            "wish": self.wish.as_json(), "pages": [list(page) for page in self.pages], "focus": self.focus, "kind": self.kind, "at": self.at,
        }  # fmt: skip

    @classmethod
    def from_json(cls, found: object) -> SearchState:
        """Return the state that `as_json` wrote; an empty one of anything else."""
        if not isinstance(found, Mapping):
            return cls()
        try:
            pages = tuple(tuple(map(str, page)) for page in found.get("pages") or ())
            kind = found.get("kind", "search")
            at = int(found.get("at", -1))
            return cls(
                Wish.from_json(found.get("wish") or {}),
                pages,
                found.get("focus"),
                kind,
                at if -len(pages) <= at < 0 else -1,
            )
        except (TypeError, ValueError):
            return cls()
