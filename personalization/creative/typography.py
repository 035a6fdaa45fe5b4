"""Type: the fonts that ship, their pairings, and paragraphs shaped in any script and direction (Skia's SkParagraph: HarfBuzz and ICU)."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import skia

from personalization.creative.errors import CreativeError

FONTS = Path(__file__).parent / "fonts"
OTHER_SCRIPTS = ("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans", "Noto Emoji")


@dataclass(frozen=True, slots=True)
class Face:
    """A family at a weight; `tracking` in em, `leading` as a multiple of the size, `upper`: set in capitals."""

    family: str
    weight: int
    tracking: float = 0.0
    leading: float = 1.08
    upper: bool = False
    larger: float = 1.0


@dataclass(frozen=True, slots=True)
class Pairing:
    """A face to be seen and a face to be read."""

    display: Face
    text: Face
    strong: Face


def _pair(display: Face, family: str, text: int, strong: int) -> Pairing:
    return Pairing(display, Face(family, text, 0, 1.3), Face(family, strong, 0, 1.15))


PAIRINGS: dict[str, Pairing] = {
    "fraunces": _pair(Face("Fraunces", 800, -0.015, 1.04), "DM Sans", 400, 800),
    "fraunces_soft": _pair(Face("Fraunces", 500, -0.02, 1.06), "Manrope", 500, 800),
    "bricolage": _pair(Face("Bricolage Grotesque", 800, -0.02, 1.0), "Bricolage Grotesque", 500, 800),
    "space": _pair(Face("Space Grotesk", 700, -0.03, 1.04), "Space Grotesk", 400, 700),
    "lora": _pair(Face("Lora", 700, -0.01, 1.1), "Inter", 400, 700),
    "nunito": _pair(Face("Nunito", 900, -0.015, 1.06), "Nunito", 500, 900),
    "archivo": _pair(Face("Archivo", 900, -0.02, 1.0), "Archivo", 500, 900),
    "archivo_caps": _pair(Face("Archivo", 900, 0.0, 1.0, upper=True, larger=0.88), "Lora", 400, 700),
    "manrope": _pair(Face("Manrope", 800, -0.025, 1.06), "Manrope", 500, 800),
    "abril": _pair(Face("Abril Fatface", 400, 0.0, 1.06), "DM Sans", 400, 800),
    "bebas": _pair(Face("Bebas Neue", 400, 0.01, 0.98, upper=True, larger=1.28), "Inter", 400, 700),
    "caveat": _pair(Face("Caveat", 700, 0.0, 0.98, larger=1.3), "Nunito", 500, 900),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text and how it is set: size in pixels, `align` left, centre or right."""

    text: str
    face: Face
    size: float
    align: str = "left"

    @property
    def shown(self) -> str:
        """The text as set."""
        return self.text.upper() if self.face.upper else self.text

    def at(self, size: float) -> Words:
        """Return the same at another size."""
        return replace(self, size=size)


def right_to_left(text: str) -> bool:
    """Whether a text reads from the right: its first letter with a direction says so (UAX 9, rule P2)."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False


def paragraph(words: Words, width: float, colour: int = 0xFF000000) -> Any:
    """Return Skia's paragraph, laid out at `width` pixels."""
    face, from_right = words.face, right_to_left(words.text)
    text = skia.textlayout_TextStyle()
    text.setFontFamilies([face.family, *OTHER_SCRIPTS, "Inter", *_ADDED.values()])
    text.setFontSize(words.size)
    text.setFontStyle(skia.FontStyle(face.weight, 5, skia.FontStyle.kUpright_Slant))
    text.setHeight(face.leading)
    text.setHeightOverride(True)
    text.setLetterSpacing(0.0 if from_right else face.tracking * words.size)
    text.setColor(colour)
    style = skia.textlayout_ParagraphStyle()
    style.setTextStyle(text)
    style.setTextAlign(_ALIGN[words.align])
    builder = skia.textlayout_ParagraphBuilder.make(style, _collection(), _unicode())
    builder.pushStyle(text)
    # an isolate gives the paragraph its direction, which this binding has no setter for
    builder.addText(f"\u2067{words.shown}\u2069" if from_right else words.shown)
    made = builder.Build()
    made.layout(width)
    return made


_ALIGN = {
    "left": skia.textlayout_TextAlign.kLeft, "centre": skia.textlayout_TextAlign.kCenter, "right": skia.textlayout_TextAlign.kRight,
}  # fmt: skip
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
"""Languages whose pages begin on the right, whatever a product is called."""


def without_unknown(text: str) -> str:
    """Return `text` in NFC without control characters; CreativeError for letters that none of the fonts has."""
    clean = " ".join(
        "".join(
            " " if unicodedata.category(x) in {"Cc", "Zl", "Zp"} else x for x in unicodedata.normalize("NFC", text)
        ).split()
    )
    missing = sorted(
        {
            x
            for x in clean
            if not x.isspace() and unicodedata.category(x) not in {"Cf", "Mn", "Cs"} and not _known(ord(x))
        }
    )
    if missing:
        raise CreativeError(
            "missing-glyphs",
            f"No font here has {' '.join(missing[:8])}: name a folder with fonts for this script as `fonts` in the brand kit.",
        )
    return clean


@lru_cache(maxsize=8192)
def _known(letter: int) -> bool:
    return any(face.unicharToGlyph(letter) for face in _faces())


@lru_cache(maxsize=1)
def _faces() -> list[Any]:
    return [face for _, face in _registered()]


@lru_cache(maxsize=1)
def _registered() -> list[tuple[str, Any]]:
    manifest: dict[str, dict[str, Any]] = json.loads((FONTS / "manifest.json").read_text())
    families = {name: str(told["family"]) for name, told in manifest.items()}
    families |= {"Inter-400.ttf": "Inter", "Inter-700.ttf": "Inter"}
    return [(family, skia.Typeface.MakeFromFile(str(FONTS / name))) for name, family in families.items()]


@lru_cache(maxsize=1)
def _collection() -> Any:
    provider = skia.textlayout_TypefaceFontProvider()
    for family, face in _registered():
        provider.registerTypeface(face, family)
    collection = skia.textlayout_FontCollection()
    collection.setDefaultFontManager(provider)
    return collection


@lru_cache(maxsize=1)
def _unicode() -> Any:
    return skia.Unicodes.ICU.Make()


_ADDED: dict[Path, str] = {}


def add_fonts(folder: Path) -> tuple[tuple[str, str], ...]:
    """Register an operator's fonts for what the others lack, by their own family names; return the files' names and SHA-256.

    Raises CreativeError when there is none or one cannot be read.
    """
    paths = sorted(folder.glob("*.[to]tf"))
    if not paths:
        raise CreativeError("bad-font", f"There is no .ttf or .otf file in {folder}.")
    for path in paths:
        if path in _ADDED:
            continue
        face = skia.Typeface.MakeFromFile(str(path))
        if face is None:
            raise CreativeError("bad-font", f"{path.name} is no font that can be read.")
        _registered().append((face.getFamilyName(), face))
        _ADDED[path] = face.getFamilyName()
    for cached in (_faces, _collection, _known):
        cached.cache_clear()
    return tuple((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths)
