"""The planner: which line is said, and what a faulty response file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.voice import Voice, VoiceError, default_voice, voice_of
from chatbot.voice.lint import _against, lint, lint_acts, used
from chatbot.voice.responses import RESPONSES, Line, load

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


def test_somebody_in_distress_is_acknowledged_once_and_never_shouted_at() -> None:
    voice, said = default_voice(), list[str]()
    for act in ("search.close", "coupon.none", "search.found"):
        said.append(voice.word(act, {}, "angry", said))
    openings = [text for text in said if text.startswith(("I see that this is annoying.", "That should not be"))]
    assert openings == said[:1]
    assert "!" not in voice.word("conversation.greet", {}, "angry")
    assert voice.word("search.close", {}, "neutral") == "These come closest to what you asked for."


def test_a_guess_at_distress_is_not_told() -> None:
    voice = default_voice()
    assert voice.word("search.found", {}, "frustrated") == "I see that this is annoying. Here is what I found."
    assert voice.word("search.found", {}, "frustrated", plain=False) == "Here is what I found."


def test_there_is_one_apology_in_a_stretch() -> None:
    voice = default_voice()
    first = voice.word("people.complaint", {}, "frustrated")
    assert voice.brand.apologises(first)
    assert not voice.brand.apologises(voice.word("people.complaint", {}, "frustrated", [first, "And now?"]))


def test_nobody_in_distress_is_sold_anything() -> None:
    brand = default_voice().brand
    assert not brand.may_offer("any coupons for me", "sad")
    assert brand.may_offer("any coupons for me", "content")
    assert not brand.may_offer("any coupons for me", "content", sells=False)
    assert not brand.may_show_items("search.nothing", "neutral", sells=False)
    assert brand.may_show_items("search.found", "neutral", sells=False), "what was asked for is shown"
    assert not brand.may_show_items("search.nothing", "angry")
    assert brand.may_show_items("search.found", "angry"), "what was asked for is shown"


def test_a_joke_is_not_told_to_the_angry() -> None:
    voice = default_voice()
    assert voice.word("conversation.chitchat", {}, "angry") == "Let me help you with the shop. What do you need?"


def test_an_operators_voice_replaces_what_it_repeats(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "own.yml").write_text('search.found:\n  - text: "Voilà."\n', encoding="utf-8")
    (tmp_path / "brand.yml").write_text("emoji: sparing\nacknowledge: {states: [sad]}\n", encoding="utf-8")
    voice = voice_of(tmp_path)
    assert voice.word("search.found") == "Voilà."
    assert voice.word("search.found", {}, "angry") == "Voilà."
    assert voice.word("search.close") == default_voice().word("search.close")
    assert (voice.brand.emoji, voice.brand.longest_sentence) == ("sparing", default_voice().brand.longest_sentence)


def test_every_response_keeps_to_the_brands_voice() -> None:
    assert [str(finding) for finding in lint()] == []


@pytest.mark.parametrize(
    ("file", "act"),
    [
        ("api/services/desk.py", "handoff.withdrawn"),
        ("api/services/desk.py", "handoff.requeued"),
        ("api/services/desk.py", "handoff.sensitive.closed"),
        ("api/services/desk.py", "handoff.queued.again"),
        ("api/services/tongues.py", "conversation.language.unserved"),
        ("chatbot/engines.py", "conversation.fallback"),
        ("chatbot/engines.py", "conversation.left_out"),
        ("chatbot/actions/search.py", "search.close"),
    ],
)
def test_the_linter_sees_what_is_said_by_whatever_way(tmp_path: Path, file: str, act: str) -> None:
    source = Path(__file__).parents[2] / file
    copy = tmp_path / source.name
    copy.write_text(source.read_text("utf-8").replace(f'"{act}"', '"no.such.act"'), "utf-8")
    assert ("no.such.act", copy.name) in used([tmp_path])
    assert (act, copy.name) not in used([tmp_path])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (Line("Unfortunately not."), "“unfortunately” is to be avoided"),
        (Line("Yep, found."), "“yep” is too casual"),
        (Line("Wow! Great!"), "an exclamation mark too many"),
        (Line("Found! {count}", frozenset(("angry",))), "an exclamation mark too many"),
        (Line("Found it 🎉"), "an emoji too many"),
        (Line("Here {Count}"), "a brace that is no placeholder"),
        (Line(" ".join(["word"] * 40) + "."), "a sentence of 40 words"),
        (Line(" ".join(["one two three."] * 9), frozenset(("impatient",))), "27 words for the impatient"),
        (Line("Sorry, I apologise."), "more than one apology"),
        (Line("FOUND IT"), "shouting"),
    ],
)
def test_the_linter_names_what_is_wrong(line: Line, told: str) -> None:
    others = () if not line.when else (Line("One."), Line("Two."))
    found = lint_acts("en", {"a.b": (line, *others), "tone.x": (Line("a"), Line("b"))}, default_voice().brand)
    assert told in " ".join(str(finding) for finding in found)


def test_a_second_language_must_say_everything_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "search.yml").write_text('search.found:\n  - text: "{zahl} gefunden."\n', encoding="utf-8")
    found = [str(finding) for finding in _against("de", load(tmp_path / "de"), load(RESPONSES / "en"))]
    assert "de search.close: is missing" in found
    assert "de search.found: nothing fills zahl" in found
