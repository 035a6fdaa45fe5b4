"""Rasa's own checks of the project: `rasa data validate`, and `rasa test` on stories of every main flow.

Both read the model that the other tests train. Stories test what is understood and which action follows; no action runs, so that no
action server is needed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from chatbot.intents import BY_BUTTON
from chatbot.rasa_project import PROJECT, models_beside, run_rasa, train

pytestmark = pytest.mark.rasa
OUT = Path(os.environ.get("AISLE_STATE_DIR", PROJECT.parent.parent / "var")) / "rasa"
STORIES = Path(__file__).parent / "rasa_stories"


def test_rasa_finds_the_project_valid() -> None:
    done = run_rasa(["data", "validate", "--domain", "domain", "--data", "data"], models_beside(OUT))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "No story structure conflicts found" in said
    warned = {line.split("UserWarning: ", 1)[1] for line in said.splitlines() if "UserWarning: " in line and "rasa/" in line}  # fmt: skip
    untaught = {match[1] for text in warned if (match := re.search(r"The intent '(\w+)' is listed", text))}
    assert untaught == BY_BUTTON, "intents without examples are those that only buttons send"
    assert len(warned) == len(untaught), warned


def test_every_story_is_understood_and_answered_by_the_right_action(tmp_path: Path) -> None:
    model = train(OUT)
    report = ["--out", str(tmp_path), "--no-plot", "--fail-on-prediction-errors"]
    done = run_rasa(["test", "core", "--e2e", "--model", str(model), "--stories", str(STORIES), *report], models_beside(OUT))  # fmt: skip
    failed = tmp_path / "failed_test_stories.yml"
    assert done.returncode == 0, failed.read_text() if failed.exists() else done.stderr[-3000:]
    assert re.search(r"Correct:\s+(\d+) / \1\b", done.stdout + done.stderr), "no story was evaluated"
