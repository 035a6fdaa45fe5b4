"""What people say beside the matter steers nothing; what they say with it stays."""

from __future__ import annotations

import pytest

from chatbot.asides import without_asides
from chatbot.openings import wishes_of


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("let me guess, you have no soup either?", "you have any soup?"),
        ("nvm make it 1", "make it 1"),
        ("no human. just show me eggs", "just show me eggs"),
        ("no, no person, i just want to shop", "i just want to shop"),
        ("no you know what never mind that just show me potatoes please", "just show me potatoes please"),
        ("Good morning dear, would you be so kind as to show me your milk?", "show me your milk?"),
        ("Increase said quantity to three (3).", "Increase said quantity to three."),
        ("do you have that question mark", "do you have that?"),
        ("and now some bread, if it is no trouble.", "some bread."),
    ],
)
def test_what_only_accompanies_a_wish_is_left_out(said: str, wish: str) -> None:
    assert wishes_of(said) == [wish]


@pytest.mark.parametrize(
    "said",
    [
        "what do you know about me",
        "do you know where the bread is",
        "you have no idea",
        "surprise me",
        "never mind",
        "no person please",
        "milk w/o sugar",
        "bread with no salt",
        "cake where there are no nuts, do you have one?",
        "my son can only eat sweets if they have no gelatine, do you sell those?",
        "never mind, I'll get it elsewhere",
        "add milk (2) and bread (1)",
        "I need a 60 W bulb",
        "do you have a lol surprise doll",
        "lol",
        "/restart",
    ],
)
def test_what_is_the_matter_itself_stays(said: str) -> None:
    assert without_asides(said) == said


def test_lines_are_a_list_and_a_page_of_blanks_is_nothing() -> None:
    assert wishes_of("milk\neggs\n\nbread") == ["milk, eggs, bread"]
    assert wishes_of("hello!\n  I need milk") == wishes_of("hello! I need milk")
    assert wishes_of(" \n" * 500) == [""]
