"""Outcomes: what an answer amounts to, in the words of the scripts, and the acts that count as it.

Scripts say what must come of a message (`queues_human`), not what the assistant calls it; `outcomes.yml` is the only place that
knows both, so that a renamed act changes no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from bench.conversations.script import ANY, OUTCOMES, ScriptError
from bench.report import ROOT

OURS = ROOT / "tests" / "e2e" / "conversations"


class Outcomes:
    """Outcomes by name, each with the patterns of acts that it stands for."""

    def __init__(self, patterns: Mapping[str, tuple[str, ...]]) -> None:
        self._patterns = patterns

    @classmethod
    def of(cls, folder: Path) -> Outcomes:
        """Read `outcomes.yml` of a folder, or ours where it has none; ScriptError when that cannot be read."""
        file = folder / OUTCOMES if (folder / OUTCOMES).exists() else OURS / OUTCOMES
        try:
            found = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ScriptError(f"{file} cannot be read") from error
        return cls({name: tuple(patterns) for name, patterns in found.items()})

    @property
    def names(self) -> frozenset[str]:
        """The outcomes that scripts may name."""
        return frozenset(self._patterns)

    def patterns(self) -> Iterable[str]:
        """Every pattern of acts that stands for something."""
        return (pattern for patterns in self._patterns.values() for pattern in patterns)

    def are(self, acts: Iterable[str], names: Iterable[str]) -> bool:
        """Whether one of the acts amounts to one of the outcomes."""
        wanted = list(names)
        if ANY in wanted:
            return True
        patterns = [pattern for name in wanted for pattern in self._patterns.get(name, (name,))]
        return any(fnmatchcase(act, pattern) for act in acts for pattern in patterns)

    def which(self, acts: Iterable[str], names: Iterable[str]) -> str | None:
        """Return the first of the outcomes that the newest of the acts amounts to, or None."""
        for act in reversed(list(acts)):
            for name in names:
                if self.are((act,), (name,)):
                    return name
        return None
