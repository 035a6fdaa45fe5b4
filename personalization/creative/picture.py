"""Pictures of products: read with care, freed of a plain background, or a drawn stand-in that says that it is one."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import resvg_py
import skia
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from personalization.creative.colour import Lch, main_colours
from personalization.creative.errors import CreativeError
from personalization.creative.product_pictures import picture_svg
from personalization.creative.svg import bounded, drawn, tidied

LARGEST_BYTES = 30_000_000
LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 1600
STAND_IN_SIDE = 1000
READ = ("PNG", "JPEG", "WEBP", "AVIF")
"""What of Pillow's formats is read: others bring decoders that few look at, and one of them runs a program (Ghostscript)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image for Skia with what a design needs to know of it.

    `kind` is "cutout" (the product alone, the rest transparent) or "photo"; `colours` are its main ones, the most telling first; `stand_in` marks a drawing in place of a
    photograph; `licence` is what its owner declared; `digest` is the SHA-256 of what it was read from.
    """

    image: Any = field(repr=False)
    kind: str
    colours: tuple[Lch, ...]
    digest: str
    stand_in: bool = False
    licence: str = ""

    @property
    def aspect(self) -> float:
        """Width by height."""
        return float(self.image.width() / self.image.height())


@lru_cache(maxsize=128)
def drawing(name: str) -> Picture:
    """Return one of the drawings that ship."""
    return _of_svg(picture_svg(name), stand_in=True, licence="MIT (see pictures/LICENSE)")


def read_picture(content: bytes, *, licence: str = "", whole: bool = False) -> Picture:
    """Return the picture in a PNG, JPEG, WebP, AVIF or SVG file; CreativeError when there is none, or one too large to be meant.

    What is larger than 1600 pixels is made smaller, what stands on an even background is cut out unless the `whole` picture is wanted.
    """
    if not content:
        raise CreativeError("bad-picture", "The picture is empty.")
    if len(content) > LARGEST_BYTES:
        raise CreativeError(
            "picture-too-large",
            f"The picture has {len(content) / 1e6:.0f} MB; up to {LARGEST_BYTES / 1e6:.0f} MB are taken.",
        )
    if b"<svg" in content[:4096]:
        try:
            text = content.decode("utf-8")
            return _of_svg(tidied(text), stand_in=False, licence=licence, digest=hashlib.sha256(content).hexdigest())
        except (ValueError, UnicodeDecodeError) as error:
            raise CreativeError("bad-picture", f"The SVG cannot be drawn: {error}") from error
    try:
        with _own_limit(), Image.open(io.BytesIO(content), formats=READ) as found:
            if found.width * found.height > LARGEST_PIXELS:
                raise CreativeError(
                    "picture-too-large",
                    f"The picture has {found.width} × {found.height} pixels; up to {LARGEST_PIXELS / 1e6:.0f} million are taken.",
                )
            found.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            found.thumbnail((LONGEST_SIDE, LONGEST_SIDE))  # first: turning makes a copy
            pixels = np.asarray(ImageOps.exif_transpose(found).convert("RGBA"))
    except CreativeError:
        raise
    except Image.DecompressionBombError as error:
        raise CreativeError(
            "picture-too-large",
            f"The picture has far too many pixels; up to {LARGEST_PIXELS / 1e6:.0f} million are taken.",
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise CreativeError(
            "bad-picture", f"This is no picture that can be read ({error}); send PNG, JPEG, WebP, AVIF or SVG."
        ) from error
    if min(pixels.shape[:2]) < 16:
        raise CreativeError(
            "bad-picture", f"The picture has only {pixels.shape[1]} × {pixels.shape[0]} pixels; 16 × 16 is the least."
        )
    return _of_pixels(pixels, hashlib.sha256(content).hexdigest(), stand_in=False, licence=licence, whole=whole)


def as_kept(content: bytes) -> bytes:
    """Return a file as it is kept for a product: WebP of at most 1600 pixels, without what cameras write into files; CreativeError as `read_picture`."""
    image = read_picture(content, whole=True).image
    return bytes(image.encodeToData(skia.EncodedImageFormat.kWEBP, 92))


@contextmanager
def _own_limit() -> Iterator[None]:
    """Let Pillow not warn of what is large: what is too large is refused here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _of_svg(svg: str, *, stand_in: bool, licence: str, digest: str = "") -> Picture:
    bounded(svg)
    if stand_in:  # one of ours
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=STAND_IN_SIDE, skip_system_fonts=True))
    else:
        png = drawn(svg, STAND_IN_SIDE)
    pixels = np.asarray(Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGBA"))
    return _of_pixels(pixels, digest or hashlib.sha256(svg.encode()).hexdigest(), stand_in=stand_in, licence=licence)


def _of_pixels(pixels: Any, digest: str, *, stand_in: bool, licence: str, whole: bool = False) -> Picture:
    clear = (pixels[..., 3] < 128).mean()
    if not whole and clear < 0.02 and (cut := _without_ground(pixels)) is not None:
        pixels, clear = cut, 1.0
    kind = "cutout" if clear >= 0.02 else "photo"
    if kind == "cutout":
        pixels = _trimmed(pixels)
    seen = pixels[pixels[..., 3] > 200][:, :3].astype(float)
    colours = tuple(main_colours(seen)) if len(seen) else ()
    # premultiplied, so that nothing of the colour of clear pixels comes in where edges are made smaller
    shown = (pixels[..., :3] * (pixels[..., 3:] / 255.0) + 0.5).astype(np.uint8)
    image = skia.Image.fromarray(
        np.ascontiguousarray(np.dstack([shown, pixels[..., 3]])),
        colorType=skia.kRGBA_8888_ColorType,
        alphaType=skia.kPremul_AlphaType,
    )
    return Picture(image, kind, colours, digest, stand_in, licence)


def _trimmed(pixels: Any) -> Any:
    rows, columns = np.flatnonzero((pixels[..., 3] > 8).any(1)), np.flatnonzero((pixels[..., 3] > 8).any(0))
    if not len(rows):
        raise CreativeError("bad-picture", "The picture is transparent all over.")
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _without_ground(pixels: Any) -> Any | None:
    """Return the picture cut out of an even background, None when its border is not even.

    The background is what hangs together with the border and has nearly its colour; its edge is feathered over two pixels.
    """
    rgb = pixels[..., :3].astype(np.int16)
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    ground = np.median(border, axis=0)
    if (np.abs(border - ground).max(1) > 14).mean() > 0.03:
        return None
    even = np.abs(rgb - ground).max(2) <= 18
    parts, _ = ndimage.label(even)
    at_border = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    outside = np.isin(parts, at_border[at_border > 0])
    if not 0.08 < outside.mean() < 0.97:
        return None
    alpha = ndimage.gaussian_filter((~outside).astype(np.float32), 0.9)
    cut = pixels.copy()
    cut[..., 3] = np.clip((alpha - 0.35) / 0.5, 0, 1) * 255
    return cut
