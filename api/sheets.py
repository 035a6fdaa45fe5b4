"""Tables for spreadsheets, as CSV that runs nothing when it is opened."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
MEDIA_TYPE = "text/csv; charset=utf-8"


def sheet(head: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> str:
    """Return a table as CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_ACTIVE) else value
