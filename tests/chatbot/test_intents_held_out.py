"""The two sets of held-out messages: enough of each intent, each once, and each where it belongs."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
HELD_OUT = HERE / "intents_held_out"
INTENTS = Path(__file__).parents[2] / "chatbot" / "intents.yaml"
SETS = {"intents_held_out": 40, "intents_unseen": 14}  # how many messages an intent has at least
OUT_OF_SCOPE = {"intents_held_out": 150, "intents_unseen": 14}
pytestmark = pytest.mark.parametrize("which", SETS)


def messages(which: str) -> dict[str, list[str]]:
    """Every held-out message of a set by its intent."""
    found: dict[str, list[str]] = {}
    for file in sorted((HERE / which).glob("*.yml")):
        for intent, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            assert intent not in found, f"{intent} stands in two files"
            found[intent] = texts
    return found


def guessable() -> list[str]:
    """The intents that free text can mean."""
    groups = yaml.safe_load(INTENTS.read_text(encoding="utf-8"))
    return [intent for group, of in groups.items() if group != "by_button_only" for intent in of]


def test_exactly_the_guessable_intents_are_held_out(which: str) -> None:
    assert sorted(messages(which)) == sorted(guessable())


def test_every_intent_has_enough_different_messages(which: str) -> None:
    for intent, texts in messages(which).items():
        assert all(isinstance(text, str) and text.strip() for text in texts)
        least = OUT_OF_SCOPE[which] if intent == "out_of_scope" else SETS[which]
        assert len({text.casefold() for text in texts}) == len(texts) >= least, intent


def test_no_message_stands_under_two_intents(which: str) -> None:
    counted = Counter(text.casefold() for texts in messages(which).values() for text in texts)
    assert [text for text, times in counted.items() if times > 1] == []
