"""The held-out messages: enough of each intent, each once, and each where it belongs."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

HELD_OUT = Path(__file__).parent / "intents_held_out"
INTENTS = Path(__file__).parents[2] / "chatbot" / "intents.yaml"


def messages() -> dict[str, list[str]]:
    """Every held-out message by its intent."""
    found: dict[str, list[str]] = {}
    for file in sorted(HELD_OUT.glob("*.yml")):
        for intent, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            assert intent not in found, f"{intent} stands in two files"
            found[intent] = texts
    return found


def guessable() -> list[str]:
    """The intents that free text can mean."""
    groups = yaml.safe_load(INTENTS.read_text(encoding="utf-8"))
    return [intent for group, of in groups.items() if group != "by_button_only" for intent in of]


def test_exactly_the_guessable_intents_are_held_out() -> None:
    assert sorted(messages()) == sorted(guessable())


@pytest.mark.parametrize("intent", guessable())
def test_every_intent_has_forty_different_messages_and_what_is_out_of_scope_more(intent: str) -> None:
    texts = messages()[intent]
    assert all(isinstance(text, str) and text.strip() for text in texts)
    assert len({text.casefold() for text in texts}) == len(texts) >= (150 if intent == "out_of_scope" else 40)


def test_no_message_stands_under_two_intents() -> None:
    counted = Counter(text.casefold() for texts in messages().values() for text in texts)
    assert [text for text, times in counted.items() if times > 1] == []
