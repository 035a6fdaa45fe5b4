"""What is screened and placed: a variant of a creative, and the audience that it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from personalization.types import Affect

DISTRESSED, FINE = "distressed", "fine"
_DISTRESS = -0.3  # valence below which it counts
_SAID = {
    "": "", "neutral": "",
    **dict.fromkeys(("angry", "frustrated", "sad", "anxious", "negative"), DISTRESSED),
    **dict.fromkeys(("content", "calm", "happy", "pleased", "excited", "grateful"), FINE),
}  # fmt: skip

FAMILY = ("layout", "type", "scheme")
"""The design dimensions that make a family: variants that agree in them look like one another at first sight."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One point of the design space.

    choices : a design dimension ("layout", "scheme", "motion", "message", ...) to its option; measures : what was measured on
    the picture ("contrast", "clutter", "colourfulness", "text_share", "warmth"), each in [0, 1].
    """

    variant_id: str
    choices: Mapping[str, str]
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The family's name, from the choices in FAMILY; a dimension that the variant lacks is told as "-"."""
        return "/".join(self.choices.get(dimension, "-") for dimension in FAMILY)


def names_of(campaign_id: str, variant_ids: Sequence[str]) -> list[str]:
    """Return what variants are called among all campaigns': two campaigns may each have one of the same id."""
    return [f"{campaign_id}\x1f{name}" for name in variant_ids]


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a creative is chosen: a segment's id, a channel, how the shopper seems to feel (`mood_of`), and the product's category.

    Each is a word; an empty one is not known, and the answer is then what suits everybody.
    """

    segment: str = ""
    channel: str = ""
    affect: str = ""
    category: str = ""

    @property
    def values(self) -> Mapping[str, str]:
        """What is known, by attribute."""
        named = {"segment": self.segment, "channel": self.channel, "affect": self.affect, "category": self.category}
        return {attribute: value for attribute, value in named.items() if value}


def mood_of(felt: Affect | str | None) -> str:
    """Return an audience's word for how somebody seems to feel: distressed, fine, or "" for what is not known.

    In words "neutral" says that nothing is known; what the chat has no word for ("bored") stays a mood of its own.
    """
    if felt is None or isinstance(felt, str):
        return _SAID.get(felt or "", felt or "")
    return DISTRESSED if felt.valence < _DISTRESS else FINE
