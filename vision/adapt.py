"""May a template that was made in passing join a member's? Only if it is plainly theirs, by the templates they enrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vision.faces import Template

ABOVE = 0.15
"""How far above the threshold of a match it must be like an enrolled template."""
BESIDE = 0.10
"""How much less it must be like anybody else's."""
SAME = 0.92
"""More alike than this to one that is there, it teaches nothing."""
QUALITY = 0.70
"""The least quality of its crop; a match needs .25."""


class Verdict(StrEnum):
    """What becomes of a sample."""

    TAKEN = "taken"
    UNLIKE = "not like what was enrolled"
    AMBIGUOUS = "too much like somebody else"
    KNOWN = "nothing new"
    POOR = "not good enough a picture"
    MALFORMED = "no template"


@dataclass(frozen=True, slots=True)
class Sample:
    """A template that a camera made in passing, of a member whom it recognised. `live`: None where no liveness plug-in looked."""

    member_id: str
    template: Template
    quality: float
    live: bool | None


def worth(similarity: float, quality: float, threshold: float) -> bool:
    """Say whether a camera should offer what it has just recognised; who takes it looks again (`judge`)."""
    return similarity >= threshold + ABOVE and quality >= QUALITY


def sound(template: Template, enrolled: Sequence[Template]) -> bool:
    """Say whether `template` is a unit vector of the kind that was enrolled, and there is one to compare it with."""
    if not enrolled or template.shape != enrolled[0].shape or not np.isfinite(template).all():
        return False
    return abs(float(np.linalg.norm(template)) - 1) < 1e-3


def judge(
    sample: Sample,
    *,
    enrolled: Sequence[Template],
    adapted: Sequence[Template],
    beside: float,
    threshold: float,
    needs_life: bool,
) -> Verdict:
    """Say whether `sample` may join the member's adapted templates.

    enrolled, adapted : the member's own. Only the enrolled ones can vouch: a chain of templates, each like the one before, cannot
        drift away from them, and an impostor, who is less like them than `threshold`, changes nothing whatever was adapted before.
    beside : similarity to whoever else is most alike (`Gallery.beside`).
    """
    template = sample.template
    if not sound(template, enrolled):
        return Verdict.MALFORMED
    if sample.quality < QUALITY or (needs_life and sample.live is not True):
        return Verdict.POOR
    own = _most(template, enrolled)
    if own < threshold + ABOVE:
        return Verdict.UNLIKE
    if own - beside < BESIDE:
        return Verdict.AMBIGUOUS
    return Verdict.KNOWN if max(own, _most(template, adapted)) > SAME else Verdict.TAKEN


def _most(template: Template, known: Sequence[Template]) -> float:
    """Return the similarity of the most alike, -1 where there is none."""
    return float((np.stack(known) @ template).max()) if known else -1.0
