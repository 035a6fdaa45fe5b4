"""A creative's colours: a scheme of lightness and chroma around one anchor hue, in OKLCH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from personalization.creative.brand import BrandKit
from personalization.creative.colour import Lch, contrast, oklch, readable
from personalization.creative.space import CreativeSpec


@dataclass(frozen=True, slots=True)
class Palette:
    """Hex colours. `ground` and `ground_2` fill the page, `panel` what stands on it, `shape` what the product stands on, `accent` what calls, `pale` marks."""

    ground: str
    ground_2: str
    panel: str
    shape: str
    accent: str
    pale: str
    hue: float

    def ink(self, ground: str) -> str:
        """Return the colour of text on a ground, tinted with the anchor hue."""
        return readable(ground, self.hue)


_SCHEMES: dict[str, tuple[tuple[float, float], ...]] = {
    # lightness and share of the anchor's chroma of: ground, ground_2, panel, shape, accent, pale
    "light": ((0.972, 0.10), (0.945, 0.22), (0.995, 0.02), (0.90, 0.55), (0.52, 1.15), (0.86, 0.5)),
    "tint": ((0.915, 0.42), (0.875, 0.60), (0.985, 0.08), (0.975, 0.15), (0.46, 1.15), (0.83, 0.75)),
    "vivid": ((0.50, 1.25), (0.455, 1.25), (0.975, 0.12), (0.60, 1.15), (0.95, 0.30), (0.535, 1.25)),
    "sunny": ((0.87, 1.15), (0.845, 1.2), (0.985, 0.12), (0.94, 0.75), (0.38, 0.9), (0.835, 1.15)),
    "dark": ((0.235, 0.40), (0.19, 0.35), (0.31, 0.50), (0.36, 0.70), (0.84, 0.95), (0.33, 0.5)),
    "duo": ((0.955, 0.16), (0.925, 0.24), (0.42, 1.05), (0.86, 0.65), (0.50, 1.20), (0.87, 0.4)),
    "paper": ((0.965, 0.00), (0.94, 0.02), (0.995, 0.00), (0.925, 0.12), (0.40, 0.95), (0.90, 0.05)),
}
_TURNS = {
    "brand": 0.0,
    "picture_1": 0.0,
    "picture_2": 0.0,
    "complement": 180.0,
    "near": 32.0,
    "far": -38.0,
    "triad": 120.0,
}


def palette(spec: CreativeSpec, brand: BrandKit, colours: Sequence[Lch]) -> Palette:
    """Return the colours of a spec; what the brand forbids is turned along the hue until it is another colour."""
    place = {"picture_1": 0, "picture_2": 1}.get(spec["anchor"], -1)
    base = colours[place] if 0 <= place < len(colours) else brand.colour
    hue = (base.hue + _TURNS[spec["anchor"]]) % 360
    chroma = min(max(base.chroma, 0.05), 0.17)
    if place < 0 and brand.chroma < 0.04:
        chroma = brand.chroma
    scheme = _scheme(spec["scheme"], hue)
    found = [_allowed(brand, lightness, chroma * share, hue) for lightness, share in _SCHEMES[scheme]]
    ground, ground_2, panel, shape, accent, pale = found
    second = _allowed(brand, *_accent(scheme), brand.hue if place >= 0 else hue)
    if spec["scheme"] in {"light", "paper", "duo"} and contrast(second, ground) >= 3:
        accent = second
    return Palette(ground, ground_2, panel, shape, accent, pale, hue)


def _scheme(name: str, hue: float) -> str:
    """Yellows are vivid only when they are light: a dark yellow is olive."""
    return "sunny" if name == "vivid" and 58 < hue < 118 else name


def _accent(scheme: str) -> tuple[float, float]:
    lightness, share = _SCHEMES[scheme][4]
    return lightness, 0.14 * share


def _allowed(brand: BrandKit, lightness: float, chroma: float, hue: float) -> str:
    for turn in (0, 14, -14, 28, -28, 45, -45, 70, -70, 100, 140, 180):
        colour = oklch(lightness, chroma, (hue + turn) % 360)
        if not brand.forbids(colour):
            return colour
    return oklch(lightness, 0, hue)
