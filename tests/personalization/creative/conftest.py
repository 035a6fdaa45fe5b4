"""Material for creatives: a drawing, a photograph, a brand."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from personalization.creative.brand import BrandKit
from personalization.creative.words import Facts

BRAND = BrandKit("Corner Market", 155, legal="While stocks last. Prices include tax.")
FACTS = Facts("Butter croissants", "$2.79", was="$3.49", percent="20%", category="Bakery", stock=True, food=True)


def photograph(wide: int = 640, high: int = 480, kind: str = "JPEG") -> bytes:
    """Return a picture with light and dark places everywhere, as photographs have."""
    y, x = np.mgrid[:high, :wide]
    waves = 128 + 100 * np.sin(x / 31) * np.cos(y / 23)
    pixels = np.dstack([waves, 255 - waves, (x * 255 / wide)]).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


@pytest.fixture
def brand() -> BrandKit:
    return BRAND


@pytest.fixture
def facts() -> Facts:
    return FACTS
