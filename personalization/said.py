"""What is said in words with the facts that the words are made of, so that another language can say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Fact = str | int | float | bool | None | Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in English. `code` is stable and names what is said; `facts` is all that a sentence in any language needs.

    Facts are plain: shares of one, amounts in minor units, ids and names as they are stored.
    """

    code: str
    sentence: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return code and facts, JSON-ready."""
        return {"code": self.code, "facts": {name: _plain(value) for name, value in self.facts.items()}}


def _plain(value: Fact) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else list(value)
