"""Responses as a marketer writes them: one file per topic and language, several lines per act."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.voice.states import STATES
from chatbot.written import read_yaml

RESPONSES = Path(__file__).parent.parent / "responses"
PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class VoiceError(Exception):
    """A response is missing or not sound; the message names the act and what is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """One way to say something; `when` holds the states it is for, none of them: any."""

    text: str
    when: frozenset[str] = frozenset()

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the values that the line needs."""
        return frozenset(PLACEHOLDER.findall(self.text))

    def fill(self, act: str, values: Mapping[str, str | int]) -> str:
        """Return the line with its values; VoiceError when one is missing. A value is never read as a placeholder."""
        missing = self.placeholders - values.keys()
        if missing:
            raise VoiceError(f"{act}: no value for {', '.join(sorted(missing))}")
        return PLACEHOLDER.sub(lambda match: str(values[match[1]]), self.text)


Lines = Mapping[str, tuple[Line, ...]]


def load(folder: Path) -> dict[str, tuple[Line, ...]]:
    """Return every act's lines from the folder of one language; VoiceError names the file and the act that are wrong."""
    acts: dict[str, tuple[Line, ...]] = {}
    for path in sorted(folder.glob("*.yml")):
        read = read_yaml(path) or {}
        if not isinstance(read, dict):
            raise VoiceError(f"{path.name}: acts with their lines are expected")
        for act, entries in read.items():
            if act in acts:
                raise VoiceError(f"{path.name}: {act} stands in two files")
            acts[str(act)] = _lines(f"{path.name}: {act}", entries)
    return acts


def _lines(where: str, entries: Any) -> tuple[Line, ...]:
    if not isinstance(entries, list) or not entries:
        raise VoiceError(f"{where}: a list of lines is expected")
    lines = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or entry.keys() - {"text", "when"}:
            raise VoiceError(f"{where}: a line has a text, and may have a when")
        when = entry.get("when", [])
        states = frozenset([when] if isinstance(when, str) else when)
        if states - STATES:
            raise VoiceError(f"{where}: there is no state {', '.join(sorted(states - STATES))}")
        lines.append(Line(entry["text"].strip(), states))
    if all(line.when for line in lines):
        raise VoiceError(f"{where}: at least one line must be for any state")
    return tuple(lines)
