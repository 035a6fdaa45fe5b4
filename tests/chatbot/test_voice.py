"""The planner: which line is said, and what a faulty response file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.voice import Voice, VoiceError, default_voice
from chatbot.voice.responses import Line, load

VOICE = Voice(
    {
        "found": (
            Line("Here is what I found."),
            Line("These {count} fit."),
            Line("Found {count}.", frozenset(("impatient", "angry"))),
            Line("{count}.", frozenset(("angry",))),
        )
    }
)


def test_the_same_line_is_never_said_twice_running() -> None:
    said: list[str] = []
    for _ in range(4):
        said.append(VOICE.word("found", {"count": 3}, already_said=said))
    assert said == ["Here is what I found.", "These 3 fit."] * 2


def test_the_line_for_the_state_comes_before_the_one_for_any_and_the_most_specific_first() -> None:
    assert VOICE.word("found", {"count": 3}, "impatient") == "Found 3."
    assert VOICE.word("found", {"count": 3}, "angry") == "3."
    assert VOICE.word("found", {"count": 3}, "sad") == "Here is what I found."


def test_a_value_is_never_read_as_a_placeholder() -> None:
    voice = Voice({"echo": (Line("You said {said}."),)})
    assert voice.word("echo", {"said": "{secret}", "secret": "x"}) == "You said {secret}."


def test_an_unknown_act_and_a_missing_value_are_named() -> None:
    with pytest.raises(VoiceError, match="there is no response lost"):
        VOICE.word("lost")
    with pytest.raises(VoiceError, match="found: no value for count"):
        VOICE.word("found", {})


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a.b: hello", "a list of lines is expected"),
        ("a.b:\n  - text: Hi\n    wen: angry", "a line has a text"),
        ("a.b:\n  - text: Hi\n    when: hungry", "there is no state hungry"),
        ("a.b:\n  - text: Hi\n    when: angry", "at least one line must be for any state"),
    ],
)
def test_a_marketers_slip_is_told_with_file_and_act(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "topic.yml").write_text(written, encoding="utf-8")
    with pytest.raises(VoiceError, match=rf"topic\.yml: a\.b.*{told}"):
        load(tmp_path)


def test_the_english_responses_can_be_read() -> None:
    assert default_voice().word("search.found") == "Here is what I found."
