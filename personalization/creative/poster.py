"""Posters: an item and a brand kit, laid out as SVG and rendered to PNG."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID
from xml.sax.saxutils import escape

import resvg_py
from PIL import ImageFont

from personalization.creative.colour import contrast, oklch
from personalization.creative.product_pictures import picture_name, picture_svg
from personalization.types import Channel, Context, Coupon, Creative, CreativeId, SlateItem

_FONTS = Path(__file__).parent / "fonts"
_FILES = [str(_FONTS / "Inter-400.ttf"), str(_FONTS / "Inter-700.ttf")]
LEAST_CONTRAST = 4.5


@dataclass(frozen=True, slots=True)
class BrandKit:
    """A retailer's name and its one hue, in OKLCH degrees; all colours follow from it."""

    retailer: str
    hue: float

    @property
    def colours(self) -> dict[str, str]:
        """Return paper, glow, ink, accent and on_accent; text on its ground has a contrast of at least 4.5."""
        paper, glow = oklch(0.965, 0.02, self.hue), oklch(0.90, 0.065, self.hue)
        return {
            "paper": paper,
            "glow": glow,
            "ink": _ink(glow, self.hue),
            "accent": _ink("#ffffff", self.hue, 0.55),
            "on_accent": "#ffffff",
        }


def _ink(ground: str, hue: float, start: float = 0.34) -> str:
    lightness = start
    while contrast(colour := oklch(lightness, 0.09, hue), ground) < LEAST_CONTRAST and lightness > 0:
        lightness -= 0.02
    return colour


class PosterMaker:
    """Renders one poster per distinct spec and remembers the latest ones; the id follows from the spec."""

    version = "poster-1"

    def __init__(self, brand: BrandKit) -> None:
        self._brand = brand

    def make(self, context: Context, item: SlateItem, coupon: Coupon | None, segment_name: str | None) -> Creative:
        """Return a poster for `item`: 1080 × 1920 for a kiosk, else 1080 × 1080."""
        height = 1920 if context.channel is Channel.KIOSK else 1080
        product = item.product
        spec = {
            "version": self.version, "retailer": self._brand.retailer, "hue": f"{self._brand.hue:g}", "size": f"1080x{height}",
            "picture": picture_name(product), "name": product.name, "price": str(product.price),
            "regular_price": str(product.regular_price or ""), "saving": str(coupon.discount) if coupon else "",
        }  # fmt: skip
        digest = hashlib.sha256("\x1f".join(spec.values()).encode()).digest()
        alt = f"Poster: {product.name}, {product.price}" + (f", {coupon.discount} off with a coupon" if coupon else "")
        return Creative(
            CreativeId(str(UUID(bytes=digest[:16], version=5))),
            "image/png",
            1080,
            height,
            alt,
            spec,
            _render(tuple(spec.items())),
        )


@lru_cache(maxsize=64)
def _render(spec: tuple[tuple[str, str], ...]) -> bytes:
    png: bytes = resvg_py.svg_to_bytes(
        svg_string=layout(dict(spec)),
        font_files=_FILES,
        skip_system_fonts=True,
        font_family="Inter",
        sans_serif_family="Inter",
    )
    return bytes(png)


def layout(spec: dict[str, str]) -> str:
    """Return the poster as SVG."""
    width, height = (int(side) for side in spec["size"].split("x"))
    colours = BrandKit(spec["retailer"], float(spec["hue"])).colours
    tall = height > width
    radius = 370 if tall else 250
    centre_y = 830 if tall else 420
    picture = re.sub(
        r"<svg ",
        f'<svg x="{width / 2 - radius * 0.62:.0f}" y="{centre_y - radius * 0.62:.0f}" width="{radius * 1.24:.0f}" height="{radius * 1.24:.0f}" ',
        picture_svg(spec["picture"]),
        count=1,
    )
    top = 190 if tall else 110
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="Inter">',
        f'<rect width="{width}" height="{height}" fill="{colours["paper"]}"/>',
        f'<circle cx="{width}" cy="{height}" r="{height * 0.42:.0f}" fill="{colours["glow"]}" opacity="0.55"/>',
        f'<circle cx="{width / 2}" cy="{centre_y}" r="{radius}" fill="{colours["glow"]}"/>',
        picture,
        _line(spec["retailer"], 80, top, 44 if tall else 34, colours["ink"], bold=True),
    ]
    size, lines = fit(spec["name"], width - 160, 88 if tall else 62, least=40, most_lines=3 if tall else 2)
    y: float = 1390 if tall else 770
    for number, text in enumerate(lines):
        parts.append(_line(text, 80, y + number * size * 1.14, size, colours["ink"], bold=True))
    y += len(lines) * size * 1.14 + (30 if tall else 22)
    price_size = 84 if tall else 62
    parts.append(_line(spec["price"], 80, y + price_size * 0.6, price_size, colours["accent"], bold=True))
    if spec["regular_price"]:
        x = 80 + measure(spec["price"], price_size, bold=True) + 36
        small = price_size * 0.5
        parts.append(_line(spec["regular_price"], x, y + price_size * 0.6, small, colours["ink"]))
        across = measure(spec["regular_price"], small)
        parts.append(
            f'<rect x="{x}" y="{y + price_size * 0.6 - small * 0.36:.0f}" width="{across:.0f}" height="3" fill="{colours["ink"]}"/>'
        )
    if spec["saving"]:
        parts.append(_badge(f"{spec['saving']} off", width, centre_y - radius, colours))
    return "".join(parts) + "</svg>"


def _badge(text: str, width: int, y: float, colours: dict[str, str]) -> str:
    box = measure(text, 56, bold=True) + 88
    x = width - box - 64
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{box:.0f}" height="112" rx="56" fill="{colours["accent"]}"/>' + _line(
        text, x + 44, y + 75, 56, colours["on_accent"], bold=True
    )


def _line(text: str, x: float, y: float, size: float, colour: str, *, bold: bool = False) -> str:
    weight = 700 if bold else 400
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size:.0f}" font-weight="{weight}" fill="{colour}">{escape(text)}</text>'


@lru_cache(maxsize=2)
def _face(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FILES[bold], 100)


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of `text` in pixels at `size`."""
    return float(_face(bold).getlength(text)) * size / 100


def fit(text: str, width: float, size: float, *, least: float, most_lines: int) -> tuple[float, list[str]]:
    """Return a size and lines of at most `width` pixels: smaller type first, then an ellipsis at the end."""
    while True:
        lines = _wrap(text, width, size)
        if len(lines) <= most_lines and all(measure(line, size, bold=True) <= width for line in lines):
            return size, lines
        if size <= least:
            kept = [_cut(line, width, size) for line in lines[:most_lines]]
            if len(lines) > most_lines:
                kept[-1] = _cut(kept[-1] + " …", width, size, always=True)
            return size, kept
        size = max(size * 0.92, least)


def _wrap(text: str, width: float, size: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}", size, bold=True) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def _cut(line: str, width: float, size: float, *, always: bool = False) -> str:
    if measure(line, size, bold=True) <= width and not always:
        return line
    line = line.rstrip(" …")
    while line and measure(line + "…", size, bold=True) > width:
        line = line[:-1]
    return line + "…"
