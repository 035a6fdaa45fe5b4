"""The studio: from a product, a coupon and the moment to a creative that keeps every rule.

A handful of designs is drawn for coverage per product and channel, those that break a rule fall out, and who places creatives picks one of
the rest; without one, the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np

from personalization.creative.backgrounds import GENERATED
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


Texts = Callable[..., Sequence[Message]]
"""Says what may be said, as `messages` does: (facts, brand, language, affect=…)."""
Placer = Callable[[Context, Product, Showing], Mapping[str, str] | None]
"""Places a variant of the campaign that a product has: returns its choices and, as `campaign_id` and `variant_id`, which it is; None where there is none to place."""


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
            *([] if of.picture.stand_in else [of.picture.licence]),
            *([] if of.background is None else ["background", of.background.digest]),
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
    texts: Sequence[Message] = (),
    background: Picture | None = None,
) -> list[tuple[Design, Poster]]:
    """Return up to `count` designs that keep every rule, spread over the space; the same inputs give the same ones.

    `texts` are what may be said, left out: what the grammar says. Raises CreativeError when there is none, naming what stands in the way.
    """
    texts = texts or messages(facts, brand, language, affect=affect)
    space = Space(inputs_of(facts, picture, brand, len(texts), aspects=(aspect,)))
    rng = np.random.default_rng(_seed(facts, picture, brand, aspect, language, affect, seed))
    found: list[tuple[Design, Poster]] = []
    why = ""
    for spec in _spread(space, count * 3, rng, given or {}):
        material = Material(facts, texts[int(spec["message"][1:])], picture, brand, language, background)
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


def _spread(space: Space, count: int, rng: np.random.Generator, given: Mapping[str, str]) -> list[CreativeSpec]:
    try:
        return space.spread(count, rng, given=given)
    except ValueError as error:
        raise CreativeError("no-design", f"This does not go together: {error}.") from error


def _seed(facts: Facts, picture: Picture, brand: BrandKit, *more: object) -> int:
    told = json.dumps([asdict(facts), picture.digest, _brand_key(brand), *more])
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8])


def shipped(reference: str, licence: str) -> Picture:
    """Return the drawing of this name."""
    del licence  # drawings have their own
    return drawing(reference)


class Studio:
    """Makes creatives for the brain. What is decided is the design; pixels are drawn when somebody asks for them (`draw`)."""

    version = "studio-1"

    def __init__(
        self,
        brand: BrandKit,
        *,
        place: Placer | None = None,
        pool: int = POOL,
        texts: Texts = messages,
        picture: Callable[[str, str], Picture] = shipped,
    ) -> None:
        """`picture` finds a picture by the name of a drawing or the SHA-256 of a file, and its licence."""
        self._brand, self._place, self._pool, self._texts, self._picture = brand, place, pool, texts, picture
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
        texts = tuple(self._texts(facts, self._brand, affect=mood))
        specs = self._specs(facts, picture, aspect, mood, len(texts), asked(placed or {}))
        for spec in specs:
            if (design := self._kept(spec, facts, picture, texts[int(spec["message"][1:])])) is not None:
                return creative_of(design, picture, variant=variant_of(placed or {}))
        raise CreativeError("no-design", f"No design of {len(specs)} keeps the rules for {facts.name!r}.")

    def design_of(self, creative: Creative) -> Design:
        """Return the design that a creative was made as, from its recipe; CreativeError when its inputs are gone."""
        told = json.loads(creative.spec["recipe"])
        licence, painted = told.get("licence", ""), told.get("background", "")
        material = Material(
            Facts(**told["facts"]), Message(**told["message"]), self._picture(told["picture"], licence), self._brand, told["language"],
            self._picture(painted, GENERATED) if painted else None,
        )  # fmt: skip
        return Design(CreativeSpec(told["choices"], told["version"]), material)

    def _drawn(
        self, facts: Facts, picture: str, aspect: str, mood: str, texts: int, given: tuple[tuple[str, str], ...]
    ) -> tuple[CreativeSpec, ...]:
        found = drawing(picture)
        space = Space(inputs_of(facts, found, self._brand, texts, aspects=(aspect,)))
        rng = np.random.default_rng(_seed(facts, found, self._brand, aspect, mood))
        wanted = dict(given)
        try:
            return tuple(_spread(space, self._pool, rng, wanted))
        except CreativeError:
            if "message" not in wanted:
                raise
            del wanted["message"]  # a text that is not fit for this mood gives way, the look stays
            return tuple(_spread(space, self._pool, rng, wanted))

    def _keeps(self, spec: CreativeSpec, facts: Facts, picture: str, message: Message) -> Design | None:
        material = Material(facts, message, drawing(picture), self._brand)
        return None if violations(compose(spec, material), material) else Design(spec, material)


def asked(choices: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a variant asks of a poster, in order: the channel decides the page, and posters stand still, whatever a variant says of them."""
    return tuple(
        (name, option)
        for name, option in sorted(choices.items())
        if name not in {"aspect", *MOVING} and option in DIMENSIONS.get(name, ())
    )


def variant_of(placed: Mapping[str, str]) -> Mapping[str, str]:
    """Return which variant of which campaign was placed, nothing where none was."""
    return {name: placed[name] for name in ("campaign_id", "variant_id") if name in placed}


def creative_of(design: Design, picture: str, *, variant: Mapping[str, str] | None = None) -> Creative:
    """Return a design as a creative that can be stored and drawn later; `picture` is its drawing's name or its file's SHA-256."""
    of, (width, height) = design.material, design.spec.size
    recipe = {
        "choices": dict(design.spec.choices), "version": design.spec.version, "facts": asdict(of.facts), "message": asdict(of.message),
        "picture": picture, "licence": of.picture.licence, "language": of.language,
        "background": "" if of.background is None else of.background.digest,
    }  # fmt: skip
    priced = f", {of.facts.price}" if of.facts.price else ""
    alt = f"Poster: {of.facts.name}{priced}" + (f", {of.facts.saving} off with a coupon" if of.facts.saving else "")
    told = {
        **design.spec.choices,
        **(variant or {}),
        "spec_id": design.spec.spec_id,
        "studio": Studio.version,
        "recipe": json.dumps(recipe, ensure_ascii=False),
    }
    return Creative(CreativeId(design.creative_id), "image/webp", width, height, alt, told, b"")


def _mood(affect: Affect | None) -> str:
    """Return the state that texts are fit for: distress counts from clearly negative valence."""
    return "frustrated" if affect is not None and affect.valence < -0.3 else "neutral"
