"""The promises of the house on paper: two commands, true docs, locks that anyone can use, errors of one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
AISLE = str(Path(sys.executable).with_name("aisle"))


def test_the_readme_begins_with_the_two_commands() -> None:
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:8])
    assert "make demo" in head
    assert "make test" in head


def test_every_relative_link_in_the_docs_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    missing = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert missing == []


def test_the_docs_name_only_targets_that_make_knows() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {name for page in pages for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert named - targets == set()


def test_make_help_tells_of_every_target_that_people_use() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"prepare-check"}
    assert {line.split()[1] for line in told.splitlines() if line.startswith("  make ")} == targets


def test_the_settings_page_is_what_the_settings_say() -> None:
    subprocess.run([sys.executable, "tools/settings_doc.py", "--check"], cwd=ROOT, check=True)


def test_the_import_page_names_every_column() -> None:
    from stores.importing.schema import SCHEMAS

    page = (ROOT / "docs" / "data.md").read_text()
    assert [spec.name for specs in SCHEMAS.values() for spec in specs if f"| `{spec.name}` |" not in page] == []


def test_the_events_page_lists_what_every_source_may_bring() -> None:
    from personalization.profiling.sources import SOURCES

    page = (ROOT / "docs" / "events.md").read_text()
    rows = {
        row[0].strip("` "): row
        for row in (line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `"))
    }
    assert rows.keys() == {type_.value for type_ in SOURCES}
    for type_, source in SOURCES.items():
        _, _, fields, purpose, kept, dropped = (cell.strip() for cell in rows[type_.value])
        told = {name.strip("`"): not optional for name, optional in re.findall(r"(`\w+`)(\?)?", fields)}
        assert told == {name: name in source.must for name in source.fields}, type_
        assert purpose.split(":")[0] == (source.purpose.value if source.purpose else "none"), type_
        assert (kept, dropped) == (f"{source.retention_days} days", source.dropped), type_


@pytest.mark.parametrize("name", ["aisle", "dev", "rasa", "rasa-build"])
def test_the_locked_requirements_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^[A-Za-z0-9][^ =]*==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert pins
    assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
    assert "://" not in text
    assert not re.search(r"^torch==", text, re.MULTILINE)


def test_the_lock_of_the_demo_is_part_of_the_lock_of_the_tests() -> None:
    pins = {
        name: set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("aisle", "dev")
    }
    assert pins["aisle"] - pins["dev"] == set()


def test_every_dependency_of_the_project_is_locked_as_it_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["demo"],
    ]
    locked = set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE))
    plain = {re.sub(r"\[.*?\]", "", pin).lower() for pin in locked}
    assert [pin for pin in asked if re.sub(r"\[.*?\]", "", pin).lower() not in plain] == []


def test_a_command_line_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "AISLE_STATE_DIR": str(tmp_path)}
    for arguments, said in (
        (["import", str(tmp_path / "nowhere")], "is not a folder"),
        (["train"], "import orders first"),
        (["keys", "create", "x", "--scope", "everything"], "no such scope"),
        (["vision", "run", "--source", "nothing.mp4", "--kiosk", "k", "--key", "dk"], "aisle models pull"),
    ):
        done = subprocess.run([AISLE, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1, arguments
        assert said in done.stderr.strip().splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_the_security_checklist_counts_itself_right_and_names_tests_and_files_that_there_are() -> None:
    page = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    states = ("met", "partly", "no", "not applicable", "not checked")
    rows = re.findall(r"^\| \d+\.\d+\.\d+ \| (\d) \| .*? \| (" + "|".join(states) + r") \| .* \|$", page, re.MULTILINE)
    for name, levels in (("1", "1"), ("2", "2"), ("1 and 2", "12"), ("3, for faces", "3")):
        counts = [sum(level in levels and is_ == state for level, is_ in rows) for state in states]
        assert f"| {name} | {' | '.join(map(str, [*counts, sum(counts)]))} |" in page
    known = set[str]()
    for file in (ROOT / "tests").rglob("*.py"):
        known.update(re.findall(r"\bdef (test_\w+)", file.read_text(encoding="utf-8")))
    named = set(re.findall(r"`(test_\w+)`", page + (ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
    assert named - known == set()
    paths = re.findall(r"`((?:api|bench|chatbot|docs|personalization|stores|tests|vision|web)/[^`# ]+)", page)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_audit_asks_about_every_lock_file_and_fails_where_something_was_found() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\naudit:")[2].partition("\nsbom:")[0]
    locks = {f"requirements/{one.name}" for one in (ROOT / "requirements").glob("*.txt")}
    tools = {"requirements/audit.txt", "requirements/sbom.txt"}
    asked = {word for line in recipe.splitlines() if "pip-audit" in line for word in line.split()}
    assert locks - tools <= asked, "pip-audit reads every lock of the product"
    assert recipe.count("bin/pip-audit --strict") == recipe.count("bin/pip-audit"), (
        "else what nobody was asked about passes"
    )
    assert "detect-secrets-hook" in recipe, "which fails for a secret; `detect-secrets scan` only prints"
    assert (ROOT / ".secrets.baseline").exists()
