"""What an import did, row by row where rows were bad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""

LISTED = 1000


@dataclass(frozen=True, slots=True)
class RowError:
    """One bad row: `line` counts from 1 and includes a CSV file's header."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}, column {self.column}: {self.reason}"


@dataclass(slots=True)
class ImportReport:
    """Rows kept and rows left out, by file; up to LISTED errors of each file in full, and `notes` for people."""

    source: str
    kept: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the report without its errors' texts, which may quote personal data."""
        return {
            "source": self.source,
            "kept": dict(self.kept),
            "left_out": dict(self.left_out),
            "notes": self.notes,
            "seconds": round(self.seconds, 2),
        }

    def write_errors(self, path: Path) -> None:
        """Write the listed errors as CSV."""
        lines = ["file,line,column,reason"]
        lines += [f'{e.file},{e.line},{e.column},"{e.reason.replace(chr(34), chr(34) * 2)}"' for e in self.errors]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
