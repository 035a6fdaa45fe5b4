"""OKLCH colours (Ottosson 2020), WCAG 2.2 contrast, and the main colours of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA, for text of any size."""

_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lch:
    """A colour: lightness 0 to 1, chroma 0 to about 0.37, hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    @property
    def hex(self) -> str:
        """The sRGB colour; chroma shrinks until it fits."""
        return oklch(self.lightness, self.chroma, self.hue)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return the sRGB hex colour of an OKLCH one (lightness 0..1, hue in degrees); chroma shrinks until it fits sRGB."""
    while chroma > 0:
        channels = _linear(lightness, chroma, hue)
        if all(-1e-4 <= channel <= 1 + 1e-4 for channel in channels):
            break
        chroma -= 0.004
    return "#" + "".join(f"{round(255 * _gamma(channel)):02x}" for channel in _linear(lightness, max(chroma, 0.0), hue))


def lch(colour: str) -> Lch:
    """Return the OKLCH colour of a hex one."""
    lightness, a, b = oklab(np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)]], float))[0]
    return Lch(float(lightness), float(math.hypot(a, b)), math.degrees(math.atan2(b, a)) % 360)


def oklab(pixels: Floats) -> Floats:
    """Return OKLab of sRGB pixels, (n, 3) in 0 to 255."""
    lms = np.cbrt(_linear_rgb(pixels) @ _TO_LMS.T)
    return np.asarray(lms @ _TO_LAB.T)


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two hex colours, 1 to 21."""
    return ratio(luminance(first), luminance(second))


def ratio(first: float, second: float) -> float:
    """Return the WCAG contrast ratio of two relative luminances."""
    high, low = max(first, second), min(first, second)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the WCAG relative luminance of a hex colour, 0 to 1."""
    return float(luminances(np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)]], float))[0])


def luminances(pixels: NDArray[np.uint8] | Floats) -> Floats:
    """Return the WCAG relative luminance of sRGB pixels, (n, 3) in 0 to 255; bytes by a table."""
    linear = _LINEAR[pixels] if pixels.dtype == np.uint8 else _linear_rgb(np.asarray(pixels, float))
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def readable(ground: str, hue: float, *, chroma: float = 0.06, least: float = LEAST_CONTRAST) -> str:
    """Return an ink of `hue` with at least this contrast on `ground`: dark on light, light on dark, tinted as far as it goes."""
    dark = contrast("#000000", ground) >= contrast("#ffffff", ground)
    lightness, step = (0.30, -0.02) if dark else (0.97, 0.01)
    while contrast(colour := oklch(lightness, chroma, hue), ground) < least and 0 < lightness < 1:
        lightness += step
        chroma = max(chroma - 0.004, 0.0)
    return colour if contrast(colour, ground) >= least else ("#000000" if dark else "#ffffff")


def main_colours(pixels: Floats, count: int = 4) -> list[Lch]:
    """Return up to `count` main colours of sRGB pixels (n, 3), the most telling first: k-means in OKLab from fixed seeds.

    Large counts, and so does colourfulness: grey grounds say little of a product. White and black are left out if anything else is there.
    """
    lab = oklab(pixels[:: max(len(pixels) // 4000, 1)])
    order = np.argsort(lab[:, 0], kind="stable")
    centres = lab[order[np.linspace(0, len(lab) - 1, 8).astype(int)]]
    for _ in range(12):
        nearest = np.argmin(((lab[:, None] - centres[None]) ** 2).sum(-1), 1)
        centres = np.array(
            [lab[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(len(centres))]
        )
    share = np.bincount(nearest, minlength=len(centres)) / len(lab)
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    weight = share**0.6 * (0.02 + chroma) * ((centres[:, 0] > 0.12) & (centres[:, 0] < 0.97))
    found: list[Lch] = []
    for k in np.argsort(-weight, kind="stable"):
        one = Lch(float(centres[k, 0]), float(chroma[k]), math.degrees(math.atan2(centres[k, 2], centres[k, 1])) % 360)
        if weight[k] > 0 and all(
            _apart(one.hue, other.hue) > 18 or abs(one.lightness - other.lightness) > 0.25 for other in found
        ):
            found.append(one)
    return found[:count]


def _apart(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)


def _linear_rgb(pixels: Floats) -> Floats:
    scaled = np.asarray(pixels, float) / 255
    return np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(channel: float) -> float:
    channel = min(max(channel, 0.0), 1.0)
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


_LINEAR = _linear_rgb(np.arange(256, dtype=float))
