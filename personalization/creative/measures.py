"""What the predictor reads of a picture beside its choices: five measures of a drawn poster, each in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import skia

from personalization.creative import render
from personalization.creative.colour import luminance, luminances, ratio
from personalization.creative.poster import Poster

SCALE = 0.15
MOST_COLOURFUL, MOST_CLUTTERED, MOST_TEXT = 110.0, 0.35, 0.5
"""What counts as 1: "extremely colourful" of Hasler & Süsstrunk, the share of pixels on edges, the share of the page that texts take."""
WARMEST = np.deg2rad(45)


def measured(poster: Poster) -> Mapping[str, float]:
    """Return contrast (of the least readable text), clutter, colourfulness, text_share and warmth, read from a thumbnail."""
    behind, drawn = (
        _pixels(poster, without) for without in (frozenset(layer.role for layer in poster.texts), frozenset())
    )
    light = luminances(behind.reshape(-1, 3)).reshape(behind.shape[:2])
    contrast = min((_contrast(layer, light) for layer in poster.texts), default=1.0)
    area = sum(layer.box.w * layer.box.h for layer in poster.texts) / (poster.width * poster.height)
    found = {
        "contrast": np.log(contrast) / np.log(21.0), "clutter": _clutter(drawn) / MOST_CLUTTERED, "colourfulness": _colourfulness(drawn) / MOST_COLOURFUL,
        "text_share": area / MOST_TEXT, "warmth": _warmth(drawn),
    }  # fmt: skip
    return {name: round(float(np.clip(value, 0.0, 1.0)), 4) for name, value in found.items()}


def _pixels(poster: Poster, without: frozenset[str]) -> Any:
    image = render.pixels(poster, SCALE, without=without)
    return np.ascontiguousarray(image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3])


def _contrast(layer: Any, light: Any) -> float:
    """Return the contrast of a text's ink to the middle of what is behind it, or to the label that it brings."""
    if layer.ground:
        return ratio(luminance(layer.ink), luminance(layer.ground))
    box = layer.box
    top, left = max(int(box.y * SCALE), 0), max(int(box.x * SCALE), 0)
    part = light[top : max(int(box.bottom * SCALE), top + 1), left : max(int(box.right * SCALE), left + 1)]
    return ratio(luminance(layer.ink), float(np.median(part))) if part.size else 1.0


def _clutter(pixels: Any) -> float:
    """Return the share of pixels on an edge: what Rosenholtz et al. (2007) find nearly as telling as feature congestion."""
    return float((cv2.Canny(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 80, 160) > 0).mean())


def _colourfulness(pixels: Any) -> float:
    """Return Hasler & Süsstrunk's (2003) measure of how colourful natural pictures look."""
    red, green, blue = (pixels[..., channel].astype(float) for channel in range(3))
    first, second = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(first.std(), second.std()) + 0.3 * np.hypot(first.mean(), second.mean()))


def _warmth(pixels: Any) -> float:
    """Return 1 where all colour is orange, 0 where all is its opposite, 0.5 where there is none."""
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    a, b = lab[..., 1].ravel(), lab[..., 2].ravel()
    chroma = np.hypot(a, b)
    return float(
        0.5 + 0.5 * (a * np.cos(WARMEST) + b * np.sin(WARMEST)).sum() / max(float(chroma.sum()), len(chroma) * 4.0)
    )
