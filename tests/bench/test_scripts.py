"""The scripts themselves: enough of them, each in the half that its id says, and every mistake in one told by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.conversations.outcomes import Outcomes
from bench.conversations.score import UPSET
from bench.conversations.script import PRACTICE, ScriptError, load, split_of
from bench.report import ROOT
from tests.bench.talks import folder_of, outcomes_of, scripts_of

FOLDER = ROOT / "tests" / "e2e" / "conversations"
TURN = {"user": "hi", "does": "greets"}


def test_there_are_many_scripts_of_many_topics_and_half_of_them_are_held_out() -> None:
    scripts = load(FOLDER, Outcomes.of(FOLDER).names)
    assert len(scripts) >= 150
    assert len({script.topic for script in scripts}) >= 8
    assert {script.persona for script in scripts} == {
        "calm", "impatient", "angry", "sad", "confused", "anxious", "excited"
    }  # fmt: skip
    halves = Counter(script.split for script in scripts if not script.topic.startswith(PRACTICE))
    assert halves["held_out"] >= 75  # half of the 150 that there have to be; 57 of the first 142 were opened


def test_a_second_set_that_nobody_tunes_on_stands_beside_them() -> None:
    scripts = load(FOLDER.with_name("conversations_second"), Outcomes.of(FOLDER).names)
    assert len(scripts) == 70
    assert {script.split for script in scripts} == {"held_out"}


def test_a_set_about_patience_has_two_halves_and_some_who_only_sound_upset() -> None:
    scripts = load(FOLDER.with_name("conversations_tempers"), Outcomes.of(FOLDER).names)
    held_out = [script for script in scripts if script.split == "held_out"]
    assert len(scripts) == 120
    assert {script.id.partition("-")[0] for script in held_out} == {"upset", "calm"}
    upset = [script for script in scripts if any(set(step.emotion) & set(UPSET) for step in script.steps)]
    assert {script.id.partition("-")[0] for script in upset} == {"upset"}


def test_the_half_follows_from_the_id_alone_and_practice_is_never_held_out() -> None:
    scripts = load(FOLDER, Outcomes.of(FOLDER).names)
    assert [script.id for script in scripts if script.split != split_of(script.id, script.topic)] == []
    assert {script.split for script in scripts if script.topic.startswith(PRACTICE)} == {"tune"}


def test_every_outcome_that_is_defined_is_expected_by_a_script_or_counted() -> None:
    outcomes = Outcomes.of(FOLDER)
    told = "\n".join(file.read_text() for file in FOLDER.glob("*.yml") if file.name != "outcomes.yml")
    counted = {"fails", "falls_back", "maybe_products"}
    assert {name for name in outcomes.names if name not in told} - counted == set()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"id": "a", "split": "tune"}, "talk.yml, a: it has no turns"),
        ({"id": "a", "turns": [TURN]}, "split is None"),
        ({"id": "a", "split": "tune", "turns": [{"user": True}]}, "turn 1: user must be a text; put it between quotes"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "press": "y"}]}, "turn 1 needs one of user, press"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "does": "dances"}]}, "there is no outcome dances"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "emotion": "hungry"}]}, "emotion is hungry"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "handoff": "lost"}]}, "handoff is lost"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "expects": "y"}]}, "turn 1: expects is not known here"),
        ({"id": "a", "split": "tune", "turns": [{"user": "x", "items": {"red": 1}}]}, "red is not known here"),
        ({"id": "a", "split": "tune", "turns": [{"answering": {"asks_identity": "x"}}]}, "answering needs answers, until and within"),
        ({"id": "a", "split": "tune", "turns": [TURN], "shop": "moon"}, "shop is moon"),
        ({"split": "tune"}, "talk.yml: a script has no id"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_script_is_told_with_its_place(tmp_path: Path, entry: Mapping[str, Any], told: str) -> None:
    folder = folder_of(tmp_path, entry)
    with pytest.raises(ScriptError, match=told.replace("(", "\\(")):
        load(folder, outcomes_of(folder).names)


def test_two_scripts_may_not_have_one_id(tmp_path: Path) -> None:
    entry = {"id": "a", "split": "tune", "turns": [TURN]}
    folder = folder_of(tmp_path, entry, entry)
    with pytest.raises(ScriptError, match="two scripts with the id a"):
        load(folder, outcomes_of(folder).names)


def test_a_folder_without_scripts_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="there is no folder"):
        load(tmp_path / "nowhere", frozenset())
    assert Outcomes.of(tmp_path).names == Outcomes.of(FOLDER).names, "a folder without outcomes takes ours"
    with pytest.raises(ScriptError, match="holds no scripts"):
        load(tmp_path, frozenset())


def test_what_is_not_yaml_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("- id: [")
    with pytest.raises(ScriptError, match="is not YAML") as told:
        load(tmp_path, frozenset())
    assert "\n" not in str(told.value)


def test_what_must_never_be_said_holds_for_every_turn(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, TURN, {"user": "x", "never": "b"}, never=["a"])
    assert [step.expected.never for step in script.steps] == [("a",), ("a", "b")]
