"""Files of a poster: PNG, WebP or JPEG, SVG, and PDF for print with bleed."""

from __future__ import annotations

import base64
import io
from typing import Any

import skia
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from personalization.creative.poster import Poster

BLEED_MM = 3.0
_POINTS_PER_MM = 72 / 25.4
_BEHIND = frozenset({"ground", "texture", "shape", "stand", "product", "veil"})


def pixels(poster: Poster, scale: float = 1.0, *, without: frozenset[str] = frozenset()) -> Any:
    """Return the poster drawn as a Skia image."""
    surface = skia.Surface(round(poster.width * scale), round(poster.height * scale))
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    poster.draw(canvas, without=without)
    return surface.makeImageSnapshot()


def png(poster: Poster, scale: float = 1.0) -> bytes:
    """Return a PNG."""
    return _encoded(pixels(poster, scale), skia.kPNG, 100)


def webp(poster: Poster, scale: float = 1.0, quality: int = 84) -> bytes:
    """Return a WebP, about a tenth of the PNG."""
    return _encoded(pixels(poster, scale), skia.kWEBP, quality)


def jpeg(poster: Poster, scale: float = 1.0, quality: int = 88) -> bytes:
    """Return a JPEG."""
    return _encoded(pixels(poster, scale), skia.kJPEG, quality)


def _encoded(image: Any, kind: Any, quality: int) -> bytes:
    return bytes(image.encodeToData(kind, quality))


def svg(poster: Poster) -> bytes:
    """Return an SVG: words and marks as outlines, what is behind them as one embedded picture (SVG has no blur that all viewers agree on)."""
    front = frozenset(layer.role for layer in poster.layers) - _BEHIND
    behind = base64.b64encode(_encoded(pixels(poster, without=front), skia.kJPEG, 90)).decode()
    stream = skia.DynamicMemoryWStream()
    canvas = skia.SVGCanvas.Make(
        skia.Rect.MakeWH(poster.width, poster.height), stream, skia.SVGCanvas.kConvertTextToPaths_Flag
    )
    poster.draw(canvas, without=_BEHIND)
    del canvas
    drawn = bytes(stream.detachAsData()).decode()
    start = drawn.index("<svg")
    end = drawn.index(">", start) + 1
    title = f"<title>{_escaped(poster.message.headline)}</title>"
    image = f'<image width="{poster.width}" height="{poster.height}" xlink:href="data:image/jpeg;base64,{behind}"/>'
    return (drawn[start:end] + title + image + drawn[end:]).encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pdf(poster: Poster, *, width_mm: float = 210.0, bleed_mm: float = BLEED_MM) -> bytes:
    """Return a print-ready PDF: vector type, the trimmed page `width_mm` wide, and a bleed on all sides, told by its trim and bleed boxes."""
    scale = width_mm * _POINTS_PER_MM / poster.width
    bleed = bleed_mm * _POINTS_PER_MM
    wide, high = poster.width * scale, poster.height * scale
    stream = skia.DynamicMemoryWStream()
    meta = skia.PDF.Metadata()
    meta.fTitle, meta.fCreator, meta.fRasterDPI, meta.fEncodingQuality = poster.message.headline, "Aisle", 300, 92
    document = skia.PDF.MakeDocument(stream, meta)
    canvas = document.beginPage(wide + 2 * bleed, high + 2 * bleed)
    canvas.translate(bleed, bleed)
    canvas.scale(scale, scale)
    poster.draw(canvas)
    document.endPage()
    document.close()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(bytes(stream.detachAsData()))))
    page = writer.pages[0]
    page.bleedbox = RectangleObject((0, 0, wide + 2 * bleed, high + 2 * bleed))
    page.trimbox = RectangleObject((bleed, bleed, bleed + wide, bleed + high))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
