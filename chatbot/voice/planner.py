"""The planner: from an act, its values and the shopper's state to the words.

In this order: the lines for the state before those for any; no second apology in a stretch; of what is left the line that was
not said for longest; before a solution, once in a stretch, the trouble of somebody in distress is acknowledged; and nobody in
distress is shouted at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from chatbot.languages import DEFAULT, available, load_language
from chatbot.languages.language import FOLDER as LANGUAGES
from chatbot.languages.phrases import Phrases, read_phrases
from chatbot.voice.brand import BRAND, Brand, load_brand
from chatbot.voice.responses import RESPONSES, Line, Lines, VoiceError, load

__all__ = ["Voice", "VoiceError", "default_voice", "voice_of"]


class Voice:
    """Knows every act's lines in one language, and picks the one that is said."""

    def __init__(
        self,
        acts: Lines,
        brand: Brand | None = None,
        *,
        language: str = DEFAULT,
        phrases: Mapping[str, str] | None = None,
    ) -> None:
        self._acts, self.brand, self.language = acts, brand or load_brand(BRAND), language
        self.phrases = Phrases(phrases or {}, load_language(language))
        self._others: Mapping[str, Voice] = {}

    def beside(self, others: Mapping[str, Voice]) -> Voice:
        """Return this voice, which from now on knows the same brand's voices in other languages."""
        self._others = others
        return self

    def speaking(self, language: str) -> Voice:
        """Return the same brand's voice in a language; this one where there is none."""
        return self._others.get(language, self)

    @property
    def languages(self) -> str:
        """The languages that are served, each by its own name: "English, Deutsch"."""
        return ", ".join(load_language(code).own_name for code in self._others or (self.language,))

    def knows(self, act: str) -> bool:
        """Whether there are lines for `act`."""
        return act in self._acts

    def word(
        self,
        act: str,
        values: Mapping[str, str | int] | None = None,
        state: str = "neutral",
        already_said: Sequence[str] = (),
        *,
        plain: bool = True,
    ) -> str:
        """Return the words of `act`; `already_said` holds what the assistant said lately, oldest first.

        `plain` tells that the state is clear enough to be named: without it nothing is acknowledged.

        VoiceError when the act is unknown or a value is missing.
        """  # fmt: skip
        said = list(already_said)[-self.brand.stretch :]
        filled = {name: self.phrases.say(one) if isinstance(one, str) else one for name, one in (values or {}).items()}
        text = self._line(act, filled, state, already_said, said)
        opening = self.brand.acknowledge_with
        if plain and self.brand.acknowledges(act, state) and opening in self._acts and not self._acknowledged(said):
            text = f"{self._line(opening, {}, state, already_said, said)} {text}"
        return text.replace("!", ".") if state in self.brand.distressed else text

    def _line(
        self, act: str, values: Mapping[str, str | int], state: str, already_said: Sequence[str], stretch: Sequence[str]
    ) -> str:
        lines = self._acts.get(act)
        if lines is None:
            raise VoiceError(f"there is no response {act}")
        texts = [line.fill(act, values) for line in _fitting(lines, state)]
        if any(self.brand.apologises(text) for text in stretch):
            plain = [text for text in texts if not self.brand.apologises(text)]
            others = [
                line.fill(act, values) for line in lines if not line.when and not self.brand.apologises(line.text)
            ]
            texts = plain or others or texts
        last = {text: position for position, text in enumerate(already_said)}
        return min(texts, key=lambda text: last.get(text, _said_after_opening(text, already_said)))

    def _acknowledged(self, said: Sequence[str]) -> bool:
        openings = tuple(line.text for line in self._acts[self.brand.acknowledge_with])
        return any(text.startswith(openings) for text in said)


def _said_after_opening(text: str, already_said: Sequence[str]) -> int:
    """Return when a line was said last behind an acknowledgement, -1 for never."""
    return max((place for place, one in enumerate(already_said) if one.endswith(f" {text}")), default=-1)


def _fitting(lines: tuple[Line, ...], state: str) -> list[Line]:
    fitting = [line for line in lines if state in line.when]
    if not fitting:
        return [line for line in lines if not line.when]
    fewest = min(len(line.when) for line in fitting)
    return [line for line in fitting if len(line.when) == fewest]


def voice_of(folder: Path | None = None, languages: Sequence[str] = ()) -> Voice:
    """Return the voice of the first language, which knows those of the others; all that are there where none are named.

    An operator's `folder` may have `brand.yml`, `LANGUAGE/*.yml` and `LANGUAGE/phrases/phrases.yml`; what it has goes before Aisle's.
    """
    if folder is None:
        return _shipped(tuple(languages))
    return _together(folder, languages)


@cache
def _shipped(languages: tuple[str, ...]) -> Voice:
    return _together(None, languages)


def _together(folder: Path | None, languages: Sequence[str]) -> Voice:
    voices = {language: _voice(folder, language) for language in languages or available()}
    for voice in voices.values():
        voice.beside(voices)
    return next(iter(voices.values()))


def _voice(folder: Path | None, language: str) -> Voice:
    acts, brands = load(RESPONSES / language), [BRAND]
    phrases = read_phrases(LANGUAGES / language / "phrases.yml")
    if folder is not None:
        acts |= load(folder / language)
        brands += [folder / BRAND.name] if (folder / BRAND.name).exists() else []
        phrases |= read_phrases(folder / language / "phrases" / "phrases.yml")
    return Voice(acts, load_brand(*brands, language=language), language=language, phrases=phrases)


@cache
def default_voice(language: str = DEFAULT) -> Voice:
    """Return the voice that comes with Aisle."""
    return voice_of().speaking(language)
