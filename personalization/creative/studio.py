"""The studio: from a product, a coupon and the moment to a creative that keeps every rule.

A handful of designs is drawn for coverage per product and channel, those that break a rule fall out, and who places creatives picks one of
the rest; without one, the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np

from personalization.creative import render
from personalization.creative.brand import BrandKit
from personalization.creative.constraints import violations
from personalization.creative.errors import CreativeError
from personalization.creative.picture import Picture, drawing
from personalization.creative.poster import Material, Poster, compose
from personalization.creative.product_pictures import picture_name
from personalization.creative.space import DIMENSIONS, MOVING, CreativeSpec, Inputs, Space
from personalization.creative.words import Facts, Message, messages, until_words
from personalization.ports import Showing
from personalization.types import Affect, Channel, Context, Coupon, Creative, CreativeId, Product, SlateItem

POOL = 8
_FOOD = frozenset({"grocery", "produce", "meat", "meat-pckgd", "deli", "pastry", "seafood", "seafood-pckgd", "salad bar", "frozen grocery", "restaurant", "dairy deli"})  # fmt: skip


Placer = Callable[[Context, Product, Showing], Mapping[str, str] | None]
"""Places a variant of the campaign that a product has: returns its choices, None where there is none to place."""


@dataclass(frozen=True, slots=True)
class Design:
    """A spec with the material it was composed of; together they are the creative."""

    spec: CreativeSpec
    material: Material

    @property
    def creative_id(self) -> str:
        """Names spec and inputs: the same id, the same pixels."""
        of = self.material
        told = [
            self.spec.version,
            sorted(self.spec.choices.items()),
            asdict(of.facts),
            asdict(of.message),
            of.picture.digest,
            _brand_key(of.brand),
            of.language,
        ]
        return str(UUID(bytes=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()[:16], version=5))


def _brand_key(brand: BrandKit) -> list[str]:
    return [
        brand.retailer, f"{brand.hue:.3f}", f"{brand.chroma:.4f}", hashlib.sha256(brand.logo or b"").hexdigest(), brand.legal, f"{brand.clear_space:g}",
        *brand.forbidden_words, *brand.forbidden_colours,
    ]  # fmt: skip


def facts_of(product: Product, coupon: Coupon | None, language: str = "en") -> Facts:
    """Return what the catalogue and a coupon support."""
    was = product.regular_price
    less = round(100 * (1 - product.price.minor_units / was.minor_units)) if was is not None and was.minor_units else 0
    return Facts(
        product.name, str(product.price), str(was or ""), str(coupon.discount) if coupon else "",
        until_words(coupon.expires_at.date(), language) if coupon else "", f"{less}%" if less > 0 else "", "",
        product.category, product.brand if product.brand.lower() not in {"", "private", "national"} else "",
        product.in_stock and product.stock != 0, product.department.lower() in _FOOD,
    )  # fmt: skip


def inputs_of(
    facts: Facts, picture: Picture, brand: BrandKit, texts: int, *, film: bool = False, aspects: tuple[str, ...] = ()
) -> Inputs:
    """Return what the grammar asks of a material."""
    return Inputs(
        picture.kind,
        min(len(picture.colours), 2),
        texts,
        bool(facts.price),
        bool(facts.saving),
        film,
        brand.pairings,
        aspects,
    )


def designs(
    facts: Facts,
    picture: Picture,
    brand: BrandKit,
    *,
    aspect: str,
    count: int,
    language: str = "en",
    affect: str = "neutral",
    seed: int | None = None,
    given: Mapping[str, str] | None = None,
) -> list[tuple[Design, Poster]]:
    """Return up to `count` designs that keep every rule, spread over the space; the same inputs give the same ones.

    Raises CreativeError when there is none, naming what stands in the way.
    """
    texts = messages(facts, brand, language, affect=affect)
    space = Space(inputs_of(facts, picture, brand, len(texts), aspects=(aspect,)))
    rng = np.random.default_rng(_seed(facts, picture, brand, aspect, language, affect, seed))
    found: list[tuple[Design, Poster]] = []
    why = ""
    for spec in space.spread(count * 3, rng, given=given):
        material = Material(facts, texts[int(spec["message"][1:])], picture, brand, language)
        poster = compose(spec, material)
        broken = violations(poster, material)
        if broken:
            why = f"{broken[0].constraint}: {broken[0].what}"
            continue
        found.append((Design(spec, material), poster))
        if len(found) == count:
            break
    if not found:
        raise CreativeError("no-design", f"No design of {count * 3} keeps the rules; the last broke {why}.")
    return found


def _seed(facts: Facts, picture: Picture, brand: BrandKit, *more: object) -> int:
    told = json.dumps([asdict(facts), picture.digest, _brand_key(brand), *more])
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8])


class Studio:
    """Makes creatives for the brain. What is decided is the design; pixels are drawn when somebody asks for them (`draw`)."""

    version = "studio-1"

    def __init__(
        self,
        brand: BrandKit,
        *,
        place: Placer | None = None,
        pool: int = POOL,
        sign: Callable[[bytes, Design], bytes] | None = None,
    ) -> None:
        self._brand, self._place, self._pool, self._sign = brand, place, pool, sign
        self._specs = lru_cache(maxsize=1024)(self._drawn)
        self._kept = lru_cache(maxsize=1024)(self._keeps)

    def make(
        self, context: Context, item: SlateItem, coupon: Coupon | None, showing: Showing | None = None
    ) -> Creative:
        """Return a poster for `item`, for a kiosk's screen or for a chat's card; CreativeError when no design keeps the rules.

        Where the product has a campaign, the variant that is placed says what the poster looks like; what it leaves open is drawn.
        """
        facts, mood = facts_of(item.product, coupon), _mood(context.affect)
        picture = picture_name(item.product)
        aspect = "kiosk" if context.channel is Channel.KIOSK else "1:1"
        placed = self._place(context, item.product, showing) if self._place and showing else None
        specs = self._specs(facts, picture, aspect, mood, tuple(sorted((placed or {}).items())))
        for spec in specs:
            if (design := self._kept(spec, facts, picture, mood)) is not None:
                return _creative(design, picture)
        raise CreativeError("no-design", f"No design of {len(specs)} keeps the rules for {facts.name!r}.")

    def draw(self, creative: Creative) -> bytes:
        """Return a creative's pixels as WebP, from the recipe in its spec, with content credentials where the studio can sign."""
        told = json.loads(creative.spec["recipe"])
        material = Material(
            Facts(**told["facts"]), Message(**told["message"]), drawing(told["picture"]), self._brand, told["language"]
        )
        design = Design(CreativeSpec(told["choices"], told["version"]), material)
        content = render.webp(compose(design.spec, material))
        return content if self._sign is None else self._sign(content, design)

    def _drawn(
        self, facts: Facts, picture: str, aspect: str, mood: str, given: tuple[tuple[str, str], ...]
    ) -> tuple[CreativeSpec, ...]:
        found = drawing(picture)
        texts = messages(facts, self._brand, affect=mood)
        space = Space(inputs_of(facts, found, self._brand, len(texts), aspects=(aspect,)))
        rng = np.random.default_rng(_seed(facts, found, self._brand, aspect, mood))
        # the channel decides the page, and posters stand still, whatever a variant says of them
        asked = {
            name: option
            for name, option in given
            if name not in {"aspect", *MOVING} and option in DIMENSIONS.get(name, ())
        }
        try:
            return tuple(space.spread(self._pool, rng, given=asked))
        except ValueError as error:
            raise CreativeError(
                "no-design", f"The variant that was placed does not go with {facts.name!r}: {error}."
            ) from error

    def _keeps(self, spec: CreativeSpec, facts: Facts, picture: str, mood: str) -> Design | None:
        texts = messages(facts, self._brand, affect=mood)
        material = Material(facts, texts[int(spec["message"][1:])], drawing(picture), self._brand)
        return None if violations(compose(spec, material), material) else Design(spec, material)


def _creative(design: Design, picture: str) -> Creative:
    of, (width, height) = design.material, design.spec.size
    recipe = {
        "choices": dict(design.spec.choices), "version": design.spec.version, "facts": asdict(of.facts), "message": asdict(of.message),
        "picture": picture, "language": of.language,
    }  # fmt: skip
    alt = f"Poster: {of.facts.name}, {of.facts.price}" + (
        f", {of.facts.saving} off with a coupon" if of.facts.saving else ""
    )
    told = {
        **design.spec.choices,
        "spec_id": design.spec.spec_id,
        "studio": Studio.version,
        "recipe": json.dumps(recipe, ensure_ascii=False),
    }
    return Creative(CreativeId(design.creative_id), "image/webp", width, height, alt, told, b"")


def _mood(affect: Affect | None) -> str:
    """Return the state that texts are fit for: distress counts from clearly negative valence."""
    return "frustrated" if affect is not None and affect.valence < -0.3 else "neutral"
