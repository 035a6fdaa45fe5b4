"""The brand kit that counts: what was saved last in the console, else the operator's file, else name and hue alone."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.settings import Settings
from personalization.creative.brand import BrandKit, brand_of, load_brand
from personalization.creative.colour import oklch
from stores.brand_kits import KitVersion, SqlBrandKits

LOOK_AGAIN_S = 2.0


class Brands:
    """Kits by digest, and the one that counts now; what another process saved is seen within two seconds."""

    def __init__(self, kits: SqlBrandKits, settings: Settings) -> None:
        self._kits, self._lock = kits, threading.Lock()
        given = settings.brand_kit
        self.first = load_brand(given) if given else BrandKit(settings.retailer, settings.brand_hue)
        self._known = {self.first.digest: self.first}
        self._now, self._looked = self.first, float("-inf")

    def of(self, digest: str = "") -> BrandKit:
        """Return the kit of a digest; for an empty or unknown one the kit that counts now."""
        if digest in self._known:
            return self._known[digest]
        if digest and (found := self._kits.of(digest)) is not None:
            return self._keep(found)
        with self._lock:
            if time.monotonic() - self._looked > LOOK_AGAIN_S:
                newest = self._kits.newest()
                self._now = self.first if newest is None else self._keep(newest)
                self._looked = time.monotonic()
            return self._now

    def look_again(self) -> None:
        """Ask for the newest version at the next call: one was saved here."""
        self._looked = float("-inf")

    def _keep(self, found: KitVersion) -> BrandKit:
        if found.digest not in self._known:
            kit = brand_of(found.body, Path(), logo=found.logo)
            first = self.first  # whose fonts serve every kit
            self._known[found.digest] = replace(kit, fonts=first.fonts, fonts_licence=first.fonts_licence)
        return self._known[found.digest]


def body_of(kit: BrandKit) -> dict[str, Any]:
    """Return a kit as its file would have it, without the logo."""
    return {
        "retailer": kit.retailer, "colour": oklch(0.5, kit.chroma, kit.hue), "clear_space": kit.clear_space, "tones": list(kit.tones),
        "pairings": list(kit.pairings), "forbidden_words": list(kit.forbidden_words), "forbidden_colours": list(kit.forbidden_colours),
        "legal": kit.legal, "logo_licence": kit.logo_licence,
    }  # fmt: skip
