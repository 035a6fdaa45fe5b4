"""`aisle vision enable`, `disable`, `status`, `staff` and `evaluate`, as an operator types them, well and badly."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from api.cli.main import main
from api.settings import settings
from tests.vision.fake_camera import astronaut, person, shelf

NOTICE = "A camera looks at who stands here. Members who agreed are greeted by name."


@dataclass(frozen=True, slots=True)
class Told:
    code: int
    out: str
    err: str


Aisle = Callable[..., Told]


@pytest.fixture
def aisle(
    tmp_path: Path, migrated_sqlite: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Aisle]:  # fmt: skip
    """Type a command in a folder with a notice, pictures, and things that are neither."""
    state = tmp_path / "var"
    state.mkdir()
    (state / "models").symlink_to(models_dir.resolve())
    shutil.copy(migrated_sqlite, state / "aisle.db")
    (tmp_path / "notice.txt").write_text(NOTICE)
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "long.txt").write_text("x" * 5000)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00notice")
    (tmp_path / "folder").mkdir()
    for number, shift in enumerate((-12, 0, 12)):
        cv2.imwrite(str(tmp_path / f"ana-{number}.jpg"), person(astronaut(), shift))
        cv2.imwrite(str(tmp_path / f"nobody-{number}.jpg"), shelf(number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AISLE_STATE_DIR", str(state))
    monkeypatch.delenv("AISLE_DATABASE_URL", raising=False)
    settings.cache_clear()

    def run(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["aisle", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return (
            Told(1, said.out, f"{said.err}{code}\n") if isinstance(code, str) else Told(code or 0, said.out, said.err)
        )

    yield run
    settings.cache_clear()


ENABLE = ["vision", "enable", "s9", "--purpose", "Greet members", "--retention", "365", "--notice"]
ANA = ["ana-0.jpg", "ana-1.jpg", "ana-2.jpg"]


def test_a_store_is_switched_on_told_of_changed_and_switched_off(aisle: Aisle) -> None:
    assert "nothing is switched on" in aisle("vision", "status", "s9").out
    on = aisle(*ENABLE, "notice.txt", "--use", "recognition", "--use", "expression")
    assert on.code == 0
    assert "expression, recognition on since" in on.out
    assert "Does this very text hang at the entrance?" in on.out
    assert aisle(*ENABLE, "notice.txt").code == 0  # other terms: the default is recognition alone
    told = aisle("vision", "status", "s9").out
    assert told.startswith("store s9: recognition on since")
    assert [line.split()[0] for line in told.splitlines()[1:3]] in (["1", "2"], ["2", "1"])
    assert NOTICE in told
    assert aisle("vision", "disable", "s9").code == 0
    assert "nothing is switched on" in aisle("vision", "status").out


def test_staff_are_added_listed_and_removed(aisle: Aisle) -> None:
    assert "Nobody yet" in aisle("vision", "staff", "list").out
    made = aisle("vision", "staff", "add", "Ana Diaz", *ANA, "--consent", "staff-2")
    assert "Ana Diaz: 1 of at most 5 templates, agreed to staff-2" in made.out
    listed = aisle("vision", "staff", "list").out
    assert "recorded by command line" in listed
    gone = aisle("vision", "staff", "remove", "Ana Diaz")
    assert gone.out.startswith("1 templates deleted, receipt ")
    assert "Nobody yet" in aisle("vision", "staff", "list").out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([*ENABLE, "notice.txt", "--use", "telepathy"], "no such use: telepathy; there are: recognition"),
        ([*ENABLE, "nowhere.txt"], "nowhere.txt"),
        ([*ENABLE, "folder"], "folder"),
        ([*ENABLE, "empty.txt"], "should hold the notice's text"),
        ([*ENABLE, "long.txt"], "at most 4000 characters"),
        ([*ENABLE, "bytes.txt"], "no text file in UTF-8"),
        ([*ENABLE, "notice.txt", "--purpose", "  "], "--purpose is a sentence"),
        ([*ENABLE, "notice.txt", "--retention", "0"], "--retention is 1 to 1095 days"),
        ([*ENABLE, "notice.txt", "--retention", "4000"], "--retention is 1 to 1095 days"),
        (["vision", "enable", " ", *ENABLE[3:], "notice.txt"], "a store's key has 1 to 64 characters"),
        (["vision", "disable", "s8"], "in store s8 nothing is switched on"),
        (["vision", "staff", "add", "Ana", "nowhere.jpg", *ANA, "--consent", "s"], "nowhere.jpg"),
        (["vision", "staff", "add", "Ana", "folder", *ANA, "--consent", "s"], "folder"),
        (["vision", "staff", "add", "Ana", "notice.txt", *ANA, "--consent", "s"], "notice.txt is no picture"),
        (["vision", "staff", "add", "Ana", "ana-0.jpg", "--consent", "s"], "three pictures"),
        (["vision", "staff", "add", "Ana", *[f"nobody-{n}.jpg" for n in range(3)], "--consent", "s"], "face"),
        (["vision", "staff", "add", " ", *ANA, "--consent", "s"], "a name has at most 120 characters"),
        (["vision", "staff", "add", "Ana", *ANA, "--consent", ""], "the version of a text at most 64"),
        (["vision", "staff", "remove", "Nobody"], "Nobody"),
        (["vision", "evaluate", "nowhere"], "nowhere is no folder"),
        (["vision", "evaluate", "folder"], "holds neither pairs.csv"),
    ],
)  # fmt: skip
def test_what_was_typed_badly_is_answered_in_one_line(aisle: Aisle, arguments: list[str], line: str) -> None:
    told = aisle(*arguments)
    assert (told.code, told.out) == (1, "")
    assert "Traceback" not in told.err
    assert [one for one in told.err.splitlines() if one.startswith("aisle: ")] == told.err.splitlines()[-1:]
    assert line in told.err


def people_folder(root: Path, *parts: str) -> None:
    """Two people, in the layout that `parts` begin: a folder for each, with two pictures."""
    other = cv2.flip(np.asarray(person(astronaut()))[:, ::-1], 1)
    for name, face in (("ana", person(astronaut())), ("ben", other)):
        for number in range(2):
            folder = root.joinpath(*(parts or ()), name) if not parts else root / parts[number] / name
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{number}.png"), face)


def figures(told: Told) -> dict[str, object]:
    assert told.code == 0, told.err
    return {one["figure"]: one["value"] for one in map(json.loads, told.out.splitlines())}


def test_labelled_folders_of_several_shapes_are_read_and_too_little_is_said(aisle: Aisle, tmp_path: Path) -> None:
    people_folder(tmp_path / "persons")
    assert figures(aisle("vision", "evaluate", "persons"))["faces not found"] == 0
    people_folder(tmp_path / "roles", "gallery", "probe")
    assert figures(aisle("vision", "evaluate", "roles"))["rank-1"] is not None
    moods = tmp_path / "moods"
    for mood in ("happy", "Sad", "smug"):
        (moods / mood).mkdir(parents=True)
        cv2.imwrite(str(moods / mood / "1.png"), person(astronaut())[60:300, 200:440])
    found = figures(aisle("vision", "evaluate", "moods"))
    assert (found["expression: faces not found"], found["expression: labels that are not known"]) == (0, 1)
    semicolons = tmp_path / "semicolons"
    semicolons.mkdir()
    shutil.copy("ana-0.jpg", semicolons)
    shutil.copy("ana-1.jpg", semicolons)
    (semicolons / "pairs.csv").write_text("﻿File1;img1;Image2;Label;skin\nx;ana-0.jpg;ana-1.jpg;yes;dark\n", "utf-8")
    found = figures(aisle("vision", "evaluate", "semicolons", "--group", "skin"))
    assert (found["ROC-AUC"], found["TAR at the threshold"]) == (None, 1.0)


@pytest.mark.parametrize(
    ("table", "text", "line"),
    [
        ("pairs.csv", "a,b\n1,2\n", "pairs.csv needs the columns image_a, image_b, same; it has a, b"),
        ("pairs.csv", "image_a,image_b,same\nx.jpg,y.jpg,maybe\n", "same is 'maybe'"),
        ("people.csv", "person,image\nana,\n", "line 2: a value of person, image is missing"),
        ("people.csv", "person,image\nana,gone.jpg\n", "gone.jpg is no picture"),
        ("labels.csv", "image,expression\nx.jpg,smug\n", "no label"),
        ("labels.csv", "", "needs the columns"),
    ],
)
def test_a_table_that_is_wrong_is_told_by_its_name(
    aisle: Aisle, tmp_path: Path, table: str, text: str, line: str
) -> None:
    (tmp_path / "folder" / table).write_text(text)
    told = aisle("vision", "evaluate", "folder")
    assert (told.code, told.out, "Traceback" in told.err) == (1, "", False)
    assert line in told.err.splitlines()[-1]
