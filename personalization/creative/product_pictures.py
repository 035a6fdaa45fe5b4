"""What shows a product: its photograph, else a flat illustration by the words of its name and category."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from personalization.types import Product

_HERE = Path(__file__).parent
_DEFAULT = "shopping-cart"


@lru_cache
def _words() -> list[tuple[str, str]]:
    """Return (word, picture), longest words first, so that "ice cream" comes before "cream"."""
    table: dict[str, list[str]] = json.loads((_HERE / "picture_words.json").read_text())
    pairs = [(word, picture) for picture, found in table.items() for word in found]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def picture_name(product: Product) -> str:
    """Return the name of the picture that fits: the first word that the name has, else the category, else the department."""
    return picture_for(product.name, product.category, product.department)


def picture_of(product: Product) -> tuple[str, str]:
    """Return what shows the product and its licence: its photograph by the file's SHA-256, else a drawing by its name."""
    return (product.picture, product.picture_licence) if product.picture else (picture_name(product), "")


def picture_for(*texts: str) -> str:
    """Return the name of the picture for the first text that has a word for one."""
    for text in texts:
        padded = f" {text.lower()} "
        for word, picture in _words():
            if f" {word}" in padded:
                return picture
    return _DEFAULT


@lru_cache(maxsize=256)
def picture_svg(name: str) -> str:
    """Return the SVG of a picture."""
    return (_HERE / "pictures" / f"{name}.svg").read_text()
