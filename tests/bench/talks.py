"""A shop of paper: it says what a test tells it to, and takes down what it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.conversations.heard import Heard
from bench.conversations.outcomes import Outcomes
from bench.conversations.script import Script, load

OUTCOMES = {
    "greets": ["talk.greet"], "clarifies": ["talk.clarify*"], "falls_back": ["talk.fallback"], "fails": ["talk.failed"], "repeats": ["talk.repeat"],
    "shows_products": ["search.found*"], "finds_nothing": ["search.nothing"], "asks_identity": ["order.identity"], "asks_order": ["order.which"],
    "order_cancelled": ["order.cancel.done"], "queues_human": ["handoff.queued"],
}  # fmt: skip


def item(number: int, name: str, *, cents: int = 300, category: str = "Dairy") -> dict[str, Any]:
    """A product as the api answers it."""
    return {
        "product_id": f"p-{number}",
        "name": name,
        "category": category,
        "price": {"minor_units": cents, "currency": "USD", "text": f"${cents / 100:.2f}"},
    }


def said(act: str = "talk.greet", text: str = "Hello.", **more: Any) -> dict[str, Any]:
    """A message of the assistant."""
    return {"act": act, "text": text, **more}


@dataclass
class PaperTalk:
    """Gives the answers it was made with, one after the other."""

    answers: Sequence[Heard]
    heard: list[tuple[str, str | None]] = field(default_factory=list)
    kept: bool = True

    def say(self, text: str, title: str | None = None, *, basket: bool = False) -> Heard:
        """Take the message down and give the next answer."""
        self.heard.append((text, title))
        return self.answers[len(self.heard) - 1]

    def history(self) -> list[Mapping[str, Any]]:
        """Return what was said, unless it was lost."""
        return [message for heard in self.answers[: len(self.heard)] for message in heard.messages] if self.kept else []


def answer(*messages: Mapping[str, Any], **more: Any) -> Heard:
    """An answer of the assistant to any message."""
    found = {"affect": {"state": "neutral"}, "engine": "rasa", "handoff": "bot", "seconds": 0.1, **more}
    return Heard("…", messages or (said(),), **found)


def folder_of(path: Path, *scripts: Mapping[str, Any]) -> Path:
    """Write scripts and the outcomes that they may name."""
    (path / "outcomes.yml").write_text(yaml.safe_dump(OUTCOMES))
    (path / "talk.yml").write_text(yaml.safe_dump(list(scripts), allow_unicode=True))
    return path


def scripts_of(path: Path, *turns: Mapping[str, Any], **more: Any) -> list[Script]:
    """Return one script with these turns, read as from a file."""
    folder = folder_of(path, {"id": "talk-one", "split": "tune", "turns": list(turns), **more})
    return load(folder, outcomes_of(folder).names)


def outcomes_of(folder: Path) -> Outcomes:
    """Read the outcomes of a folder."""
    return Outcomes.of(folder)
