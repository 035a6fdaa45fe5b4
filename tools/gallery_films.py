"""Make the three films of docs/gallery/films from the drawings that ship: `python tools/gallery_films.py [--out DIR]`.

The same command makes the same files: designs, tunes and cuts follow from the numbers below.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np

from personalization.creative.brand import BrandKit
from personalization.creative.film import make_film
from personalization.creative.picture import drawing
from personalization.creative.poster import Material
from personalization.creative.space import Space
from personalization.creative.studio import Design, inputs_of
from personalization.creative.tune import tune
from personalization.creative.words import Facts, by_key, messages

BRAND = BrandKit("Fresh & Co", 155.0, legal="While stocks last.")
SECONDS = {"honey": 10.0, "strawberries": 10.0, "coffee": 12.0}
FILMS: dict[str, tuple[str, Facts, int, dict[str, str]]] = {
    "honey": (
        "honey-pot", Facts("Golden Honey", "$4.99", "$6.49", percent="23%", category="Honey", stock=True, food=True), 3,
        {"motion": "slide", "easing": "out_back", "rhythm": "every_second", "scheme": "duo", "anchor": "brand", "type": "bricolage",
         "focal": "plain", "texture": "dots", "crop": "tilt_right", "message": "picked_for_today", "grid": "regular", "action": "pill"},
    ),
    "strawberries": (
        "strawberry", Facts("Fresh Strawberries", "$3.29", category="Fruit", stock=True, food=True), 5,
        {"motion": "pop", "easing": "spring", "rhythm": "bars", "scheme": "tint", "anchor": "picture_1", "type": "fraunces", "focal": "disc",
         "texture": "confetti", "crop": "whole", "message": "from_our_shelves", "grid": "regular", "action": "pill"},
    ),
    "coffee": (
        "hot-beverage", Facts("House Blend Coffee", "$7.49", "$8.99", percent="17%", category="Coffee", stock=True, food=True), 8,
        {"motion": "rise", "easing": "out_expo", "rhythm": "build", "scheme": "dark", "anchor": "picture_2", "type": "manrope", "focal": "ring",
         "texture": "none", "crop": "whole", "message": "picked_for_today", "grid": "regular", "action": "outline"},
    ),
}  # fmt: skip


def gallery_design(name: str) -> Design:
    """Return the design of one of the gallery's films."""
    shown, facts, seed, given = FILMS[name]
    picture = drawing(shown)
    texts = messages(facts, BRAND)
    space = Space(inputs_of(facts, picture, BRAND, texts, film=True, aspects=("9:16",)))
    spec = space.sample(np.random.default_rng(seed), given=given)
    return Design(spec, Material(facts, by_key(texts)[spec["message"]], picture, BRAND))


def main() -> None:
    """Make the films."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "gallery" / "films")
    parser.add_argument("--only", choices=sorted(FILMS), help="one of the films")
    told = parser.parse_args()
    out = told.out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (_, _, seed, _) in FILMS.items():
            if told.only not in {None, name}:
                continue
            film = make_film(
                gallery_design(name),
                Path(folder),
                track=tune(seed),
                seconds=SECONDS[name],
                formats=("mp4", "gif", "vtt", "jpg"),
            )
            for kind, path in film.files.items():
                shutil.copyfile(path, out / f"{name}.{kind}")
            print(name, film.film_id, {kind: path.stat().st_size for kind, path in film.files.items()})


if __name__ == "__main__":
    main()
