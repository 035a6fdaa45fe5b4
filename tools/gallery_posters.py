"""Draw docs/gallery/posters.webp: 6 products for 8 audiences, a design of its own for each. `python tools/gallery_posters.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import skia

sys.path.insert(0, str(Path(__file__).parent.parent))

from personalization.creative import render
from personalization.creative.brand import BrandKit
from personalization.creative.picture import drawing
from personalization.creative.studio import designs
from personalization.creative.words import Facts

OUT = Path(__file__).parent.parent / "docs" / "gallery" / "posters.webp"
BRAND = BrandKit("Corner Market", 155, legal="While stocks last. Prices include tax.")
WIDTH, GAP = 300, 12
PRODUCTS = (
    ("croissant", Facts("Butter croissants", "$2.79", category="Bakery", stock=True, food=True)),
    ("strawberry", Facts("Strawberries", "$3.49", was="$4.99", percent="30%", category="Fruit", stock=True, food=True)),
    ("hot-beverage", Facts("Dark roast coffee", "$8.99", category="Coffee", rating="4.6", stock=True, food=True)),
    (
        "lotion-bottle",
        Facts("Lavender hand soap", "$1.99", was="$2.49", percent="20%", category="Household", stock=True),
    ),
    ("dog-face", Facts("Salmon dog food", "$12.49", category="Pets", rating="4.8", stock=True)),
    ("pizza", Facts("Stone-baked pizza Margherita", "$5.29", category="Frozen", stock=True, food=True)),
)
AUDIENCES: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    ("calm evening", "neutral", {"scheme": "dark"}, "en", ""), ("bargain hunters", "neutral", {"price": "burst"}, "en", ""),
    ("with a coupon", "neutral", {"scheme": "light"}, "en", "$1.00"), ("upset a moment ago", "frustrated", {"scheme": "paper", "scale": "quiet"}, "en", ""),
    ("families", "neutral", {"texture": "confetti"}, "en", ""), ("in a hurry", "neutral", {"scale": "huge"}, "en", ""),
    ("German", "neutral", {"scheme": "tint"}, "de", ""), ("bold", "neutral", {"scheme": "vivid"}, "en", ""),
)  # fmt: skip


def main() -> int:
    """Draw the sheet."""
    rng = np.random.default_rng(7)
    images = []
    for picture, facts in PRODUCTS:
        for audience, affect, given, language, saving in AUDIENCES:
            told = Facts(
                **{
                    **{name: getattr(facts, name) for name in facts.__slots__},
                    "saving": saving,
                    "until": "3 Dec" if saving else "",
                }
            )
            found = designs(
                told,
                drawing(picture),
                BRAND,
                aspect="4:5",
                count=1,
                language=language,
                affect=affect,
                seed=int(rng.integers(1000)),
                given=given,
            )
            images.append(render.pixels(found[0][1], WIDTH / 1080))
            print(f"{facts.name} for {audience}: {found[0][1].spec['layout']}, {found[0][1].spec['type']}")
    wide, high = images[0].width() + GAP, images[0].height() + GAP
    sheet = skia.Surface(wide * len(AUDIENCES) + GAP, high * len(PRODUCTS) + GAP)
    canvas = sheet.getCanvas()
    canvas.clear(0xFFEDEDED)
    for place, image in enumerate(images):
        canvas.drawImage(image, GAP + place % len(AUDIENCES) * wide, GAP + place // len(AUDIENCES) * high)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(bytes(sheet.makeImageSnapshot().encodeToData(skia.kWEBP, 80)))
    print(f"{OUT.stat().st_size / 1024:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
