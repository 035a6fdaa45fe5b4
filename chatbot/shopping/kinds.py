"""What kind of goods a word is that a catalogue may not know: "kielbasa" is sausage, "migraine" wants a pain reliever."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml


@cache
def _kinds() -> dict[str, str]:
    told = yaml.safe_load(Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8"))
    return {str(word).lower(): kind for kind, words in told.items() for word in words}


@cache
def _rule() -> re.Pattern[str]:
    longest = sorted(_kinds(), key=len, reverse=True)
    return re.compile(rf"(?<![\w&])(?:{'|'.join(map(re.escape, longest))})(?![\w&])")


def kinds(text: str) -> list[tuple[str, str]]:
    """Return (word, kind) of the words whose kind is known, in the order of the text."""
    return [(match.group(), _kinds()[match.group()]) for match in _rule().finditer(text.lower())]
