"""docs/data.md and its examples tell what the import does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stores.database import Database
from stores.importing.files import import_folder
from stores.importing.schema import SCHEMAS
from stores.members import SqlMembers

DOCS = Path(__file__).parent.parent.parent / "docs"
HOLDS = {
    "text": "text",
    "list": "list",
    "whole": "whole number",
    "money": "amount, for example `3.49`",
    "time": "time",
    "flag": "`true` or `false`",
    "consents": "purposes",
    "words": "words",
    "placement": "`display` or `mailer`",
    "percent": "percentage",
    "stacking": "`stack`, `stop` or `best`",
    "caps": "caps",
    "objective": "`orders`, `revenue`, `margin` or `lifetime`",
}


@pytest.mark.parametrize("table", SCHEMAS)
def test_the_page_lists_every_column_as_the_import_reads_it(table: str) -> None:
    section = (DOCS / "data.md").read_text().split(f"\n## {table}\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \| (yes|no) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    expected = [
        (spec.name, "yes" if spec.required else "no", HOLDS[spec.kind], spec.meaning) for spec in SCHEMAS[table]
    ]
    assert told == expected


def test_the_example_files_import_without_an_error_and_hold_every_column(sqlite_database: Database) -> None:
    report = import_folder(sqlite_database, DOCS / "examples", currency="USD", progress=lambda *_: None)
    assert report.errors == []
    assert set(report.kept) == set(SCHEMAS)
    member = SqlMembers(sqlite_database).by_external_id("crm-1")
    assert member is not None
    assert member.email == "maya@example.org"
    for table, specs in SCHEMAS.items():
        header = (DOCS / "examples" / f"{table}.csv").read_text().splitlines()[0]
        assert header.split(",") == [spec.name for spec in specs]
