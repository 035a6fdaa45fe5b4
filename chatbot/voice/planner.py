"""The planner: from an act, its values and the shopper's state to the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from chatbot.voice.responses import RESPONSES, Line, Lines, VoiceError, load

__all__ = ["Voice", "VoiceError", "default_voice"]


class Voice:
    """Knows every act's lines in one language, and picks the one that is said.

    The lines for the shopper's state come before those for any state, and among them the ones for the fewest states.
    Of those that are left the one that was not said for longest is said.
    """

    def __init__(self, acts: Lines) -> None:
        self._acts = acts

    def knows(self, act: str) -> bool:
        """Whether there are lines for `act`."""
        return act in self._acts

    def word(
        self,
        act: str,
        values: Mapping[str, str | int] | None = None,
        state: str = "neutral",
        already_said: Sequence[str] = (),
    ) -> str:
        """Return the words of `act`; `already_said` holds what the assistant said lately, oldest first.

        VoiceError when the act is unknown or a value is missing.
        """  # fmt: skip
        lines = self._acts.get(act)
        if lines is None:
            raise VoiceError(f"there is no response {act}")
        texts = [line.fill(act, values or {}) for line in _fitting(lines, state)]
        last = {text: position for position, text in enumerate(already_said)}
        return min(texts, key=lambda text: last.get(text, -1))


def _fitting(lines: tuple[Line, ...], state: str) -> list[Line]:
    fitting = [line for line in lines if state in line.when]
    if not fitting:
        return [line for line in lines if not line.when]
    fewest = min(len(line.when) for line in fitting)
    return [line for line in fitting if len(line.when) == fewest]


@cache
def default_voice(language: str = "en") -> Voice:
    """Return the voice of the responses that come with Aisle."""
    return Voice(load(RESPONSES / language))
