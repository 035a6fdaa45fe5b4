"""`aisle creative`: posters on disk, and one clear line for what cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.creative import app
from api.settings import settings
from personalization.creative import provenance
from tests.personalization.creative.conftest import photograph


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AISLE_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_posters_lie_beside_what_they_were_made_of(tmp_path: Path) -> None:
    (tmp_path / "bread.jpg").write_bytes(photograph())
    out = tmp_path / "out"
    told = [
        "make",
        str(tmp_path / "bread.jpg"),
        "--name",
        "Rye bread",
        "--price",
        "$3.20",
        "--licence",
        "our own",
        "--count",
        "2",
        "--formats",
        "webp",
    ]
    ran = CliRunner().invoke(app, [*told, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    made = sorted(out.glob("*.json"))
    assert len(made) == 2
    spec = json.loads(made[0].read_text())
    assert spec["inputs"][0]["licence"] == "our own"
    state, manifest = provenance.read((out / f"{spec['creative_id']}.webp").read_bytes(), "webp")
    assert state == "Valid"
    assert manifest["title"] == spec["headline"]
    again = CliRunner().invoke(app, [*told, "--out", str(tmp_path / "again")])
    assert again.exit_code == 0
    assert {path.name for path in (tmp_path / "again").iterdir()} == {path.name for path in out.iterdir()}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (["--name", "Bread", "--formats", "bmp"], "there is no format 'bmp'"), (["--name", "Bread", "--aspect", "2:1"], "there is no aspect '2:1'"),
        (["--name", "茶"], "No font here has 茶"), (["--name", ""], "1 to 120 characters"), (["--name", "Bread", "--language", "xx"], "no texts in 'xx'"),
        (["nowhere.jpg", "--name", "Bread", "--licence", "x"], "nowhere.jpg cannot be read"), (["x.jpg", "--name", "Bread"], "under which licence"),
        (["--name", "Bread", "--brand", "nowhere.toml"], "cannot be read as a brand kit"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(told: list[str], line: str) -> None:
    ran = CliRunner().invoke(app, ["make", *told])
    assert ran.exit_code == 1
    assert line in str(ran.exception) + ran.output


def test_the_space_is_counted_for_who_asks() -> None:
    ran = CliRunner().invoke(app, ["size"])
    assert ran.exit_code == 0
    assert int(ran.output.split("leave ")[1].split(" specs")[0].replace(",", "")) > 700_000_000
