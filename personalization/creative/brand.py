"""A retailer's brand kit: what every creative keeps to."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from personalization.creative.colour import Lch, lch, oklab
from personalization.creative.errors import CreativeError
from personalization.creative.typography import PAIRINGS, add_fonts

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
TONES = ("warm", "plain", "playful", "refined")
TOO_NEAR = 0.06
"""Distance in OKLab (about three just noticeable differences) under which a colour counts as a forbidden one."""


@dataclass(frozen=True, slots=True)
class BrandKit:
    """What is the same on all of a retailer's creatives.

    `hue` (OKLCH degrees) and `chroma` are the brand's colour. `clear_space` is the free room around the logo, as a share of its height. `forbidden_words` are
    never said, `forbidden_colours` never used, `legal` stands wherever a price or a coupon is shown. `fonts` are names and SHA-256 of the files that the
    retailer brings; each licence says under which the files of its kind may be used.
    """

    retailer: str
    hue: float
    chroma: float = 0.13
    logo: bytes | None = field(default=None, repr=False)
    clear_space: float = 0.5
    tones: tuple[str, ...] = TONES
    pairings: tuple[str, ...] = ()
    forbidden_words: tuple[str, ...] = ()
    forbidden_colours: tuple[str, ...] = ()
    legal: str = ""
    logo_licence: str = ""
    fonts: tuple[tuple[str, str], ...] = ()
    fonts_licence: str = ""

    @property
    def inputs(self) -> list[dict[str, str]]:
        """What of the retailer's own a creative is made of: kind, SHA-256 and declared licence."""
        told = [
            {"kind": f"font {name}", "sha256": digest, "licence": self.fonts_licence} for name, digest in self.fonts
        ]
        if self.logo is not None:
            licence = self.logo_licence or "not declared"
            told.append({"kind": "logo", "sha256": hashlib.sha256(self.logo).hexdigest(), "licence": licence})
        return told

    @property
    def colour(self) -> Lch:
        """The brand's colour at a middle lightness."""
        return Lch(0.62, self.chroma, self.hue)

    @property
    def told(self) -> list[str]:
        """What tells this kit from another on a creative, in order."""
        return [
            self.retailer, f"{self.hue:.3f}", f"{self.chroma:.4f}", hashlib.sha256(self.logo or b"").hexdigest(), self.legal, f"{self.clear_space:g}",
            *self.forbidden_words, *self.forbidden_colours, *([f"logo: {self.logo_licence}"] if self.logo_licence else []),
        ]  # fmt: skip

    @property
    def digest(self) -> str:
        """Names the kit: what was made under it is drawn under it again."""
        return hashlib.sha256(json.dumps([*self.told, self.tones, self.pairings]).encode()).hexdigest()[:16]

    def forbids(self, colour: str) -> bool:
        """Whether a hex colour is, to the eye, one that the brand does not use."""
        if not self.forbidden_colours:
            return False
        pixels = np.array(
            [[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in (colour, *self.forbidden_colours)], float
        )
        lab = oklab(pixels)
        return bool((np.linalg.norm(lab[1:] - lab[0], axis=1) < TOO_NEAR).any())

    def said_amiss(self, text: str) -> str | None:
        """Return the first forbidden word that a text has, whole words only and in any case."""
        for word in self.forbidden_words:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
                return word
        return None


def load_brand(path: Path) -> BrandKit:
    """Read a brand kit from TOML; CreativeError naming the entry that is wrong.

    >>> # brand.toml:  retailer = "Hofladen"   colour = "#2f6b3c"   logo = "logo.svg"   logo_licence = "our own"   tones = ["warm"]   legal = "While stocks last."
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CreativeError("bad-brand", f"{path} cannot be read as a brand kit: {error}") from error
    return brand_of(told, path.parent)


def brand_of(told: Mapping[str, Any], folder: Path, *, logo: bytes | None = None) -> BrandKit:
    """Return the kit that a table tells; files are looked for in `folder`, where `logo` is not given."""
    allowed = {
        "retailer",
        "colour",
        "logo",
        "clear_space",
        "tones",
        "pairings",
        "forbidden_words",
        "forbidden_colours",
        "legal",
        "fonts",
        "logo_licence",
        "fonts_licence",
    }
    if unknown := sorted(set(told) - allowed):
        raise CreativeError(
            "bad-brand", f"A brand kit has no entry {unknown[0]!r}; it has {', '.join(sorted(allowed))}."
        )
    if not isinstance(told.get("retailer"), str) or not told["retailer"].strip():
        raise CreativeError("bad-brand", "`retailer`, the shop's name, is missing.")
    colours = [told.get("colour", "#2f6b5e"), *told.get("forbidden_colours", [])]
    if wrong := [one for one in colours if not isinstance(one, str) or not _HEX.fullmatch(one)]:
        raise CreativeError("bad-brand", f"{wrong[0]!r} is no colour; write it as #rrggbb.")
    if wrong := [one for one in told.get("tones", []) if one not in TONES]:
        raise CreativeError("bad-brand", f"There is no tone {wrong[0]!r}; there are {', '.join(TONES)}.")
    if wrong := [one for one in told.get("pairings", []) if one not in PAIRINGS]:
        raise CreativeError("bad-brand", f"There is no pairing {wrong[0]!r}; there are {', '.join(PAIRINGS)}.")
    if not isinstance(told.get("clear_space", 0.5), int | float):
        raise CreativeError("bad-brand", "`clear_space` is a number: the room around the logo, in its heights.")
    licences = _licences(told)
    fonts = add_fonts(folder / told["fonts"]) if "fonts" in told else ()
    if "logo" in told:
        try:
            logo = (folder / told["logo"]).read_bytes()
        except OSError as error:
            raise CreativeError("bad-brand", f"The logo {told['logo']!r} cannot be read: {error}") from error
    main = lch(colours[0])
    return BrandKit(
        told["retailer"].strip(), main.hue, max(main.chroma, 0.03), logo, float(told.get("clear_space", 0.5)), tuple(told.get("tones", TONES)),
        tuple(told.get("pairings", ())), tuple(told.get("forbidden_words", ())), tuple(told.get("forbidden_colours", ())), str(told.get("legal", "")),
        licences["logo"] if logo is not None else "", fonts, licences["fonts"],
    )  # fmt: skip


def _licences(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the licences of logo and fonts; CreativeError for files without one."""
    found = {part: str(told.get(f"{part}_licence", "")).strip() for part in ("logo", "fonts")}
    if missing := [part for part, licence in found.items() if part in told and not licence]:
        part = missing[0]
        raise CreativeError(
            "bad-brand", f"`{part}_licence`, under which licence {told[part]!r} may be used, is missing."
        )
    return found
