"""Layers of a creative, and the inks that words take: measured against what is really behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import skia

from personalization.creative.colour import LEAST_CONTRAST, luminance, luminances, ratio
from personalization.creative.focal import paint
from personalization.creative.geometry import Box
from personalization.creative.layouts import Frame
from personalization.creative.palette import Palette

SPARE = 0.6
"""Contrast beyond the least when inks are chosen on a small rendering, for what full size shows and a thumbnail does not."""
LEAST_GRAPHIC = 3.0
LOOK = 0.25
"""The size of that rendering."""


Draw = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Layer:
    """Something to draw. `role` says what it is; `text` and `ink` are set for words, `ground` for the label that they bring along."""

    role: str
    box: Box
    draw: Draw
    text: str = ""
    ink: str = ""
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Inked:
    """Something that waits for its ink: `draw` makes it of the ink and the colour of the `label` that it brings along, "" for none.

    `own` is the main colour of a picture of a logo, which takes no ink and gets a plate where it would not be seen.
    """

    role: str
    box: Box
    text: str
    draw: Callable[[str, str], Draw]
    label: bool = False
    column: int = -1
    own: str = ""


def inked(
    layers: Sequence[Layer], words: Sequence[Inked], colours: Palette, frame: Frame
) -> tuple[list[Layer], list[str]]:
    """Return the texts in inks that can be read over what is really behind them, and the roles that needed a veil."""
    behind = _seen(layers, frame)
    found: list[Layer] = []
    veiled: list[str] = []
    columns: dict[int, list[Inked]] = {}
    for place, one in enumerate(words):
        columns.setdefault(one.column if one.column >= 0 else -1 - place, []).append(one)
    for column in columns.values():
        ranges = [_range(behind, one.box) for one in column]
        inks = [
            colours.accent if one.label or not one.text else _ink(colours, *seen, one.role)
            for one, seen in zip(column, ranges, strict=True)
        ]
        if None in inks:  # one veil under all of a column is calmer than one under each of its words
            veil, light = _veil(colours, column, ranges, frame)
            found.append(veil)
            veiled += [one.role for one in column]
            ranges = [(light, light)] * len(column)
            inks = [_ink(colours, light, light, one.role) for one in column]
        for one, ink, seen in zip(column, inks, ranges, strict=True):
            if one.own:
                found += _plate(one, *seen, colours)
                found.append(Layer(one.role, one.box, one.draw("", ""), "", one.own))
                continue
            ground = _label_ground(colours, *seen) if one.label else ""
            tone = colours.ink(ground) if one.label else str(ink)
            found.append(Layer(one.role, one.box, one.draw(tone, ground), one.text, tone if one.text else "", ground))
    return found, veiled


def _seen(layers: Sequence[Layer], frame: Frame) -> Any:
    """Return the luminance of what is drawn so far, at a quarter of the size."""
    surface = skia.Surface(max(int(frame.width * LOOK), 1), max(int(frame.height * LOOK), 1))
    canvas = surface.getCanvas()
    canvas.scale(LOOK, LOOK)
    for layer in layers:
        layer.draw(canvas)
    pixels = surface.toarray(colorType=skia.kRGBA_8888_ColorType)
    flat = pixels[..., :3].reshape(-1, 3)
    return luminances(flat).reshape(pixels.shape[:2])


def _range(behind: Any, box: Box) -> tuple[float, float]:
    top, left = max(int(box.y * LOOK), 0), max(int(box.x * LOOK), 0)
    part = behind[
        top : max(int(np.ceil(box.bottom * LOOK)), top + 1), left : max(int(np.ceil(box.right * LOOK)), left + 1)
    ]
    return (float(part.min()), float(part.max())) if part.size else (1.0, 1.0)


def _ink(colours: Palette, low: float, high: float, role: str) -> str | None:
    """Return the ink for a ground between two luminances: the accent for a kicker or a price where it can be read, else dark or light."""
    inks = [colours.ink(colours.ground), colours.ink("#ffffff"), colours.ink("#101010")]
    if role in {"kicker", "price", "big_price"}:
        inks.insert(0, colours.accent)
    for ink in inks:
        own = luminance(ink)
        if min(ratio(own, low), ratio(own, high)) >= LEAST_CONTRAST + SPARE:
            return ink
    return None


def _veil(
    colours: Palette, column: list[Inked], ranges: list[tuple[float, float]], frame: Frame
) -> tuple[Layer, float]:
    """Return what is laid under a column so that it can be read, and its luminance."""
    left, top = min(one.box.x for one in column), min(one.box.y for one in column)
    right, bottom = max(one.box.right for one in column), max(one.box.bottom for one in column)
    box = Box(left, top, right - left, bottom - top).inset(-2.5 * frame.unit, -2.0 * frame.unit)
    dark = sum(low + high for low, high in ranges) / len(ranges) < 0.5
    tone = (
        min((colours.panel, colours.ground), key=luminance)
        if dark
        else max((colours.panel, colours.ground), key=luminance)
    )
    round_ = min(2.0 * frame.unit, box.h / 2)
    soft = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.55 * frame.unit)  # a veil, not a box
    return Layer(
        "veil", box, lambda canvas: canvas.drawRoundRect(box.rect, round_, round_, paint(tone, 0.97, MaskFilter=soft))
    ), luminance(tone)


def _plate(one: Inked, low: float, high: float, colours: Palette) -> list[Layer]:
    """Return what is laid under a logo that would not be seen on what is behind it (WCAG 1.4.11: 3 to 1); nothing where it is."""
    own = luminance(one.own)
    if min(ratio(own, low), ratio(own, high)) >= LEAST_GRAPHIC:
        return []
    tone = next(
        (
            tone
            for tone in (colours.panel, "#ffffff", "#101010")
            if ratio(luminance(tone), own) >= LEAST_GRAPHIC + SPARE
        ),
        "#ffffff",
    )
    box, round_ = one.box.inset(-0.3 * one.box.h), 0.3 * one.box.h
    return [Layer("plate", box, lambda canvas: canvas.drawRoundRect(box.rect, round_, round_, paint(tone)))]


def _label_ground(colours: Palette, low: float, high: float) -> str:
    """Return the colour of a button or tag: the accent unless it would not stand out from what is behind (1.4.11: 3 to 1)."""
    tones = [colours.accent, colours.ink(colours.ground), colours.ink("#ffffff"), colours.ink("#101010")]
    return next(
        (tone for tone in tones if min(ratio(luminance(tone), low), ratio(luminance(tone), high)) >= 3), colours.accent
    )
