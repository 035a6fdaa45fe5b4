"""What every creative keeps to, declared in one place: each constraint has a name, a reason, and a check of a composed poster.

`violations` checks what geometry and words tell; `contrast_violations` measures rendered pixels behind every text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import skia

from personalization.creative.colour import LEAST_CONTRAST, luminance, luminances, ratio
from personalization.creative.geometry import Box
from personalization.creative.layers import LEAST_GRAPHIC, Layer
from personalization.creative.poster import Material, Poster
from personalization.creative.words import legal_lines, rejected

READ = frozenset({"kicker", "headline", "line", "price", "was", "big_price", "action", "legal", "mark"})
"""Roles that are read; the logo is one only where it is the retailer's name, set in type."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule of all creatives. `check` yields what breaks it, in words."""

    name: str
    why: str
    check: Callable[[Poster, Material], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with a creative."""

    constraint: str
    what: str


def violations(poster: Poster, of: Material) -> list[Violation]:
    """Return all that geometry and words tell to be wrong; empty when it may be shown."""
    return [Violation(one.name, what) for one in CONSTRAINTS for what in one.check(poster, of)]


def contrast_violations(poster: Poster, *, least: float = LEAST_CONTRAST) -> list[Violation]:
    """Return the texts whose ink has less than this contrast to any pixel that is really behind them, labels included, at full size."""
    return [
        Violation("contrast", f"{layer.role}: {worst:.2f} to 1 for {layer.text!r}")
        for layer, worst in contrasts(poster)
        if worst < (least if layer.text else LEAST_GRAPHIC)
    ]


def contrasts(poster: Poster) -> list[tuple[Layer, float]]:
    """Return every text with its worst contrast to what is really behind it.

    Layer by layer: before a text is drawn, the pixels of its box are what it will be read against. A label brings its own ground; there what
    is measured is the label as drawn, and that it fills its middle.
    """
    found = []
    surface = skia.Surface(poster.width, poster.height)
    canvas = surface.getCanvas()
    for layer in poster.layers:
        if layer.ink and not layer.ground:  # texts, and a logo's picture by its main colour
            found.append((layer, _worst(layer.ink, _pixels(surface, layer.box))))
        layer.draw(canvas)
        if layer.ground:
            found.append((layer, _on_label(layer, _pixels(surface, layer.box))))
    return found


def _worst(ink: str, behind: Any) -> float:
    """Return the contrast to the lightest or the darkest pixel, but for one in five hundred on either side."""
    return min(ratio(luminance(ink), float(edge)) for edge in np.percentile(behind, (0.2, 99.8)))


def _on_label(layer: Layer, drawn: Any) -> float:
    """Return the contrast of ink and label where pixels show that both are there, else 1."""
    shares = [float((np.abs(drawn - luminance(tone)) < 0.01).mean()) for tone in (layer.ink, layer.ground)]
    return ratio(luminance(layer.ink), luminance(layer.ground)) if shares[0] > 0.01 and shares[1] > 0.25 else 1.0


def _pixels(surface: Any, box: Box) -> Any:
    """Return the luminances in a box, as drawn so far."""
    left, top = max(int(box.x), 0), max(int(box.y), 0)
    right, bottom = min(math.ceil(box.right), surface.width()), min(math.ceil(box.bottom), surface.height())
    pixels = surface.makeImageSnapshot(skia.IRect.MakeLTRB(left, top, right, bottom)).toarray(
        colorType=skia.kRGBA_8888_ColorType
    )
    return luminances(pixels[..., :3].reshape(-1, 3))


def _inside(poster: Poster, of: Material) -> Iterator[str]:
    for layer in poster.layers:
        if (layer.role in READ or layer.role == "logo") and not poster.frame.safe.holds(layer.box, slack=1.5):
            yield f"{layer.role} {layer.text!r} leaves the safe area"


def _apart(poster: Poster, of: Material) -> Iterator[str]:
    read = [layer for layer in poster.layers if layer.role in READ or layer.role == "logo"]
    for place, one in enumerate(read):
        for other in read[place + 1 :]:
            if one.box.inset(1).meets(other.box.inset(1)):
                yield f"{one.role} and {other.role} overlap"


def _clear(poster: Poster, of: Material) -> Iterator[str]:
    logo = next((layer for layer in poster.layers if layer.role == "logo"), None)
    if logo is None:
        yield "there is no logo"
        return
    room = logo.box.inset(-of.brand.clear_space * logo.box.h * 0.5)
    for layer in poster.layers:
        if layer.role in READ and room.meets(layer.box):
            yield f"{layer.role} comes too near to the logo"


def _said(poster: Poster, of: Material) -> Iterator[str]:
    shown = {layer.role for layer in poster.texts}
    if "headline" not in shown:
        yield "there is no headline"
    if (
        of.facts.price
        and not shown & {"price", "big_price"}
        and of.facts.price not in " ".join(layer.text for layer in poster.texts)
    ):
        yield "the price is missing"
    if (why := rejected(poster.message, of.facts, of.brand)) is not None:
        yield why


def _small_print(poster: Poster, of: Material) -> Iterator[str]:
    wanted = legal_lines(of.facts, of.brand, of.language)
    if wanted and not any(layer.role == "legal" and layer.text == wanted for layer in poster.texts):
        yield "the legal line is missing"
    if (of.picture.stand_in or of.background is not None) and not any(layer.role == "mark" for layer in poster.texts):
        yield "a drawing stands in for a photograph, or a model painted the background, and it is not marked"


def _coloured(poster: Poster, of: Material) -> Iterator[str]:
    colours = poster.colours
    yield from (f"{tone} is a forbidden colour" for tone in _tones(colours) if of.brand.forbids(tone))


def _tones(colours: Any) -> list[str]:
    return [colours.ground, colours.ground_2, colours.panel, colours.shape, colours.accent, colours.pale]


CONSTRAINTS = (
    Constraint("safe-area", "channels cover edges with their own controls, and printers cut them", _inside),
    Constraint("no-overlap", "words on words are not read", _apart),
    Constraint("clear-space", "a logo needs room", _clear),
    Constraint("complete", "an offer names the thing and its price, and claims what is true", _said),
    Constraint("legal", "who shows a price says the conditions; who shows a drawing says so", _small_print),
    Constraint("colours", "a brand's colours exclude some", _coloured),
)
