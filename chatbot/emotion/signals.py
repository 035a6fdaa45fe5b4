"""What capitals, signs and emoji add to the states: written rules, since shops' training texts have few of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chatbot.emotion.labels import STATES
from chatbot.emotion.text import SHOUTED, markers

_FACES: Mapping[str, Mapping[str, float]] = {
    "😡🤬😠👿💢🖕": {"angry": 4.0, "frustrated": 2.0},
    "🙄😤😒😑👎🤦": {"frustrated": 4.0},
    "😢😭😞😔💔🥺😿🙁☹": {"sad": 4.0},
    "😰😨😱😟😧😥😬": {"anxious": 4.0},
    "🤔😕🤷😵🤨": {"confused": 2.5},
    "🎉🥳🤩🎊🚀🔥": {"excited": 4.0},
    "😍🥰❤💕💖😊🙂😀😃😄😁😂🤣👍👌😋😉✅💯": {"content": 4.0},
    "🙏💐": {"grateful": 2.5},
    "⏰⏳⌛🐌": {"impatient": 3.0},
}
"""Emoji, and the log-odds that one adds to states."""
FACES: Mapping[str, Mapping[str, float]] = {face: states for faces, states in _FACES.items() for face in faces}
LOUD: Mapping[bool, Mapping[str, float]] = {
    False: {"neutral": -4.0, "angry": 3.0, "frustrated": 3.0, "impatient": 2.5},
    True: {"excited": 3.0, "content": 1.0, "grateful": 1.0},
}
"""What shouting adds where the words are not, or are, pleasant."""
INSISTING: Mapping[str, float] = {"neutral": -1.0, "impatient": 1.5, "frustrated": 1.0, "confused": 1.0}

_INSISTING = re.compile(r"\?{2,}|\?!|!\?")
_PLEASANT = 0.5  # probability of the positive group


def state_shift(text: str, positive: float) -> NDArray[np.float32]:
    """Return the log-odds that the text's surface adds to each state; `positive` is how pleasant its words are."""
    shift = np.zeros(len(STATES), np.float32)

    def add(states: Mapping[str, float]) -> None:
        for name, odds in states.items():
            shift[STATES.index(name)] += odds

    for face in {letter for letter in text if letter in FACES}:
        add(FACES[face])
    if SHOUTED in markers(text):
        add(LOUD[positive > _PLEASANT])
    if _INSISTING.search(text):
        add(INSISTING)
    return shift
