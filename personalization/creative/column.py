"""A column of words: sizes, breaks and places of kicker, headline, line, price and call to action, so that all of it fits its box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from personalization.creative.geometry import Box
from personalization.creative.layouts import Block
from personalization.creative.space import CreativeSpec
from personalization.creative.typography import PAIRINGS, Pairing, Words, paragraph

SCALES = {"quiet": 7.0, "regular": 8.6, "loud": 10.6, "huge": 13.0}
"""Size of the headline in hundredths of the page's shorter side."""
LEAST_HEADLINE, LEAST_TEXT, LEAST_SMALL = 4.0, 2.9, 1.9
_STEP = 0.94
_GAPS = {"kicker": 0.30, "headline": 0.34, "line": 0.44, "price": 0.52, "big_price": 0.30, "action": 0.0}
"""Room below an item, in sizes of the headline."""
DROPPED_FIRST = ("line", "kicker", "action")


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of text in its place. `box` is the ink's box with its padding, `words` how it is set, `text_box` where the paragraph is drawn."""

    role: str
    words: Words
    box: Box
    text_box: Box


@dataclass(frozen=True, slots=True)
class Told:
    """What a creative has to say: each item's text, "" for what it does not say; `was` is the struck-through price."""

    items: Mapping[str, str]
    was: str = ""


def fit(block: Block, told: Told, spec: CreativeSpec, unit: float) -> tuple[list[Placed], list[str]]:
    """Return the block's texts in place, and what had to be left out; what does not fit even so overflows, which `constraints` sees.

    The type shrinks first, down to what is still read from two metres; then the line goes, then the kicker, then the action.
    """
    items = [name for name in block.items if told.items.get(name)]
    dropped: list[str] = []
    while True:
        size = SCALES[spec["scale"]] * unit * block.larger
        while True:
            placed = _stacked(block, items, told, spec, size, unit)
            if placed is not None or size <= LEAST_HEADLINE * unit:
                break
            size = max(size * _STEP, LEAST_HEADLINE * unit)
        if placed is not None:
            return placed, dropped
        goes = next((name for name in DROPPED_FIRST if name in items and len(items) > 1), None)
        if goes is None:
            return _stacked(block, items, told, spec, LEAST_HEADLINE * unit, unit, anyway=True) or [], dropped
        items.remove(goes)
        dropped.append(goes)


def _stacked(
    block: Block, items: list[str], told: Told, spec: CreativeSpec, size: float, unit: float, *, anyway: bool = False
) -> list[Placed] | None:
    """Return the items under each other at this size of headline; None when they do not fit."""
    pairing = PAIRINGS[spec["type"]]
    found: list[Placed] = []
    y = 0.0
    for name in items:
        words, pad = _set(name, told.items[name], pairing, spec, size, unit, block.align)
        width = block.box.w - 2 * pad[0]
        high, long, shortest = measured(words, width)
        if shortest > width + 0.5 and not anyway:
            return None
        if name in {"price", "big_price"} and high > 1.6 * words.size * words.face.leading and not anyway:
            return None  # a price stays on one line
        if name == "headline" and high > words.size * words.face.leading * 1.5:
            width = _balanced(words, width, high)
            long = measured(words, width)[1]
        tail = _was(name, told.was, words, pairing, block.box.w - long - 2 * pad[0], unit)
        more = 0.0 if tail is None else measured(tail, 1e6)[1] + 0.4 * tail.size
        x = _x(block, long + 2 * pad[0] + more)
        from_right = block.align == "right"
        box = Box(x + more if from_right else x, y, long + 2 * pad[0], high + 2 * pad[1])
        text_x = box.x + pad[0]
        if name == "action" and spec["action"] == "arrow" and block.align != "centre":
            text_x = (
                box.right - long if from_right else box.x
            )  # words stand on the column's edge, the arrow behind them
        found.append(Placed(name, words, box, Box(text_x, y + pad[1], long, high)))
        if tail is not None:
            tall, wide, _ = measured(tail, 1e6)
            beside = Box(
                x if from_right else box.right + 0.4 * tail.size,
                box.bottom - pad[1] - 0.2 * words.size - tall,
                wide,
                tall,
            )
            found.append(Placed("was", tail, beside, beside))
        y = box.bottom + _GAPS[name] * min(size, 9 * unit)
    if not found:
        return []
    high = max(one.box.bottom for one in found)
    if high > block.box.h + 0.5 and not anyway:
        return None
    down = block.box.y + {"top": 0.0, "middle": (block.box.h - high) / 2, "bottom": block.box.h - high}[block.stand]
    return [replace(one, box=_moved(one.box, down), text_box=_moved(one.text_box, down)) for one in found]


def _was(name: str, text: str, price: Words, pairing: Pairing, room: float, unit: float) -> Words | None:
    """Return how the struck-through price is set beside the price, None where there is none or no room."""
    if name not in {"price", "big_price"} or not text:
        return None
    words = Words(text, pairing.text, max(price.size * (0.5 if name == "price" else 0.26), LEAST_TEXT * unit))
    return words if measured(words, 1e6)[1] + 0.4 * words.size <= room else None


def _moved(box: Box, down: float) -> Box:
    return replace(box, y=box.y + down)


def _x(block: Block, width: float) -> float:
    if block.align == "centre":
        return block.box.x + (block.box.w - width) / 2
    return block.box.right - width if block.align == "right" else block.box.x


def _set(
    name: str, text: str, pairing: Pairing, spec: CreativeSpec, size: float, unit: float, align: str
) -> tuple[Words, tuple[float, float]]:
    """Return how an item is set, and its padding across and down."""
    headline = size * pairing.display.larger
    if name == "headline":
        return Words(text, pairing.display, headline, align), (0.0, 0.0)
    if name == "kicker":
        face = replace(pairing.strong, tracking=0.02)
        return Words(text, face, _between(size * 0.36, LEAST_TEXT * unit, 4.0 * unit), align), (0.0, 0.0)
    if name == "line":
        return Words(text, pairing.text, _between(size * 0.42, LEAST_TEXT * unit, 4.6 * unit), align), (0.0, 0.0)
    if name == "action":
        small = _between(size * 0.36, LEAST_TEXT * unit, 3.9 * unit)
        pads = {"pill": (1.15, 0.55), "outline": (1.15, 0.55), "underline": (0.0, 0.18), "arrow": (0.0, 0.12)}[
            spec["action"]
        ]
        extra = 1.5 * small if spec["action"] == "arrow" else 0.0  # room for the arrow, on both sides of the centre
        return Words(text, pairing.strong, small), (pads[0] * small + extra / 2, pads[1] * small)
    if name == "big_price":
        face = replace(pairing.display, leading=0.95)
        return Words(text, face, headline * 3.1, align), (0.0, 0.0)
    price = _between(size * 0.86, 4.4 * unit, 9.5 * unit)
    pads = {"plain": (0.0, 0.0), "pill": (0.42, 0.12), "tag": (0.62, 0.16), "burst": (0.42, 0.12)}[spec["price"]]
    return Words(text, pairing.strong, price), (pads[0] * price, pads[1] * price)


def _between(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


@lru_cache(maxsize=4096)
def measured(words: Words, width: float) -> tuple[float, float, float]:
    """Return the height, the longest line and the longest word of a text set to a width, in pixels."""
    made = paragraph(words, 1e6)
    shortest = float(made.MinIntrinsicWidth)  # at a narrow width it would count words already broken
    made.layout(width)
    return float(made.Height), float(made.LongestLine), shortest


def _balanced(words: Words, width: float, high: float) -> float:
    """Return the narrowest width with as many lines: no lonely last word."""
    low, top = min(max(measured(words, width)[2], width * 0.4), width), width
    for _ in range(5):
        middle = (low + top) / 2
        if measured(words, middle)[0] <= high + 0.5:
            top = middle
        else:
            low = middle
    return top + 1
