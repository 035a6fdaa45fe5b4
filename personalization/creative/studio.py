"""The studio: from a product, a coupon and the moment to a creative that keeps every rule.

A handful of designs is drawn for coverage per product and channel, those that break a rule fall out, and who places creatives picks one of
the rest; without one, the first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from uuid import UUID

import numpy as np

from personalization.creative.backgrounds import GENERATED
from personalization.creative.brand import BrandKit
from personalization.creative.constraints import violations
from personalization.creative.errors import CreativeError
from personalization.creative.picture import Picture, drawing
from personalization.creative.poster import Material, Poster, compose
from personalization.creative.product_pictures import picture_name, picture_of
from personalization.creative.space import DIMENSIONS, MOVING, PLAIN, WRITTEN, CreativeSpec, Inputs, Space
from personalization.creative.variants import DISTRESSED, mood_of
from personalization.creative.words import Facts, Message, approved, by_key, languages, messages, until_words
from personalization.decisions import Creative
from personalization.offers import Coupon
from personalization.ports import Showing
from personalization.types import Channel, Context, CreativeId, Product, SlateItem

POOL = 8
_FOOD = frozenset({"grocery", "produce", "meat", "meat-pckgd", "deli", "pastry", "seafood", "seafood-pckgd", "salad bar", "frozen grocery", "restaurant", "dairy deli"})  # fmt: skip


Texts = Callable[..., Sequence[Message]]
"""Says what may be said, as `messages` does: (facts, brand, language, affect=…)."""
Placer = Callable[[Context, Product, Showing], Mapping[str, str] | None]
"""Places a variant of the campaign that a product has: returns its choices and, as `campaign_id` and `variant_id`, which it is; None where there is none to place."""


@dataclass(frozen=True, slots=True)
class Design:
    """A spec with the material it was composed of; together they are the creative. `variant` is the campaign's that it shows: campaign and variant id."""

    spec: CreativeSpec
    material: Material
    variant: tuple[str, str] | None = None

    @property
    def creative_id(self) -> str:
        """Names spec, inputs and the variant that it shows, whose approver the file tells: the same id, the same file."""
        of = self.material
        said = asdict(of.message)
        del said["key"]  # the spec has it
        told = [
            self.spec.version,
            sorted(self.spec.choices.items()),
            asdict(of.facts),
            said,
            of.picture.digest,
            of.brand.told,
            of.language,
            *([] if of.picture.stand_in else [of.picture.licence]),
            *([] if of.background is None else ["background", of.background.digest]),
            *([] if self.variant is None else ["variant", *self.variant]),
        ]
        return str(UUID(bytes=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()[:16], version=5))


def facts_of(product: Product, coupon: Coupon | None, language: str = "en") -> Facts:
    """Return what the catalogue and a coupon support."""
    was = product.regular_price
    less = round(100 * (1 - product.price.minor_units / was.minor_units)) if was is not None and was.minor_units else 0
    return Facts(
        product.name, str(product.price), str(was or ""), str(coupon.discount) if coupon else "",
        until_words(coupon.expires_at.date(), language) if coupon else "", f"{less}%" if less > 0 else "", _rating(product),
        product.category, product.brand if product.brand.lower() not in {"", "private", "national"} else "",
        product.in_stock and product.stock != 0, product.department.lower() in _FOOD,
    )  # fmt: skip


def _rating(product: Product) -> str:
    """Return what buyers gave of 5, where the catalogue has it as the attribute `rating` ("4.6"); "" for what is none."""
    told = dict(product.attributes).get("rating", "")
    return told if re.fullmatch(r"[1-4]([.,]\d)?|5([.,]0)?", told) else ""


def inputs_of(
    facts: Facts, picture: Picture, brand: BrandKit, texts: Sequence[Message], *, film: bool = False, aspects: tuple[str, ...] = ()
) -> Inputs:  # fmt: skip
    """Return what the grammar asks of a material; `texts` are what may be said."""
    return Inputs(
        picture.kind,
        min(len(picture.colours), 2),
        tuple(one.key for one in texts),
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

    `texts` are what may be said, left out: what the grammar says; a `given` text that is not among them gives way to the plain one. Raises
    CreativeError when there is none, naming what stands in the way.
    """
    texts = texts or messages(facts, brand, language, affect=affect)
    given, texts = said(given or {}, texts, facts, brand, language)
    space = Space(inputs_of(facts, picture, brand, texts, aspects=(aspect,)))
    keyed = by_key(texts)
    rng = np.random.default_rng(_seed(facts, picture, brand, aspect, language, affect, seed))
    found: list[tuple[Design, Poster]] = []
    why = ""
    for spec in _spread(space, count * 3, rng, given):
        material = Material(facts, keyed[spec["message"]], picture, brand, language, background)
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


def said(
    given: Mapping[str, str], texts: Sequence[Message], facts: Facts, brand: BrandKit, language: str
) -> tuple[Mapping[str, str], Sequence[Message]]:
    """Return what a design is to have and what it may say: the one text that is asked for, or the plain one where that does not fit."""
    if "message" not in given:
        return given, texts
    text = approved(given["message"], texts, facts, brand, language)
    return {**given, "message": text.key}, (text,)


def _spread(space: Space, count: int, rng: np.random.Generator, given: Mapping[str, str]) -> list[CreativeSpec]:
    try:
        return space.spread(count, rng, given=given)
    except ValueError as error:
        raise CreativeError("no-design", f"This does not go together: {error}.") from error


def _seed(facts: Facts, picture: Picture, brand: BrandKit, *more: object) -> int:
    told = json.dumps([asdict(facts), picture.digest, brand.told, *more])
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
        brand: Callable[[str], BrandKit],
        *,
        place: Placer | None = None,
        pool: int = POOL,
        texts: Texts = messages,
        picture: Callable[[str, str], Picture] = shipped,
        language: str = "en",
    ) -> None:
        """`brand` tells the kit of a digest, and for an empty one the kit that counts now; `picture` finds a picture by the name of a drawing or the SHA-256 of a file, and its licence.

        `language` is what posters speak where the context names none that there are texts for.
        """
        self._language = language if language in languages() else "en"
        self._brand, self._place, self._pool, self._texts, self._picture = brand, place, pool, texts, picture
        self._specs = lru_cache(maxsize=1024)(self._drawn)
        self._kept = lru_cache(maxsize=1024)(self._keeps)
        self._kind = lru_cache(maxsize=1024)(self._looked_at)

    def make(
        self, context: Context, item: SlateItem, coupon: Coupon | None, showing: Showing | None = None
    ) -> Creative:
        """Return a poster for `item`, for a kiosk's screen or for a chat's card; CreativeError when no design keeps the rules.

        Where the product has a campaign, the variant that is placed says what the poster looks like; what it leaves open is drawn.
        """
        language = context.language if context.language in languages() else self._language
        distressed = mood_of(context.affect) == DISTRESSED
        facts, mood = facts_of(item.product, coupon, language), "frustrated" if distressed else "neutral"
        picture = self._usable(item.product)
        aspect = "kiosk" if context.channel is Channel.KIOSK else "1:1"
        placed = self._place(context, item.product, showing) if self._place and showing else None
        brand = self._brand("")
        given, texts = said(
            dict(asked(placed or {})), self._texts(facts, brand, language, affect=mood), facts, brand, language
        )
        specs = self._specs(brand, facts, picture, aspect, mood, tuple(texts), tuple(given.items()))
        keyed, variant = by_key(texts), variant_of(placed or {})
        for spec in specs:
            made = self._kept(brand, spec, facts, picture, keyed[spec["message"]], language, variant)
            if made is not None:
                return made
        raise CreativeError("no-design", f"No design of {len(specs)} keeps the rules for {facts.name!r}.")

    def _usable(self, product: Product) -> tuple[str, str]:
        """Return what shows a product and its licence; a photograph that cannot be read gives way to a drawing."""
        reference, licence = picture_of(product)
        try:
            self._kind(reference, licence)
        except CreativeError:
            return picture_name(product), ""
        return reference, licence

    def _looked_at(self, reference: str, licence: str) -> Picture:
        """Return a picture without its pixels: what a design is drawn for."""
        return replace(self._picture(reference, licence), image=None)

    def design_of(self, creative: Creative) -> Design:
        """Return the design that a creative was made as, from its recipe; CreativeError when its inputs are gone."""
        told = json.loads(creative.spec["recipe"])
        licence, painted = told.get("licence", ""), told.get("background", "")
        material = Material(
            Facts(**told["facts"]), Message(**told["message"]), self._picture(told["picture"], licence), self._brand(told.get("brand", "")), told["language"],
            self._picture(painted, GENERATED) if painted else None,
        )  # fmt: skip
        shown = told.get("variant")
        return Design(
            CreativeSpec(told["choices"], told["version"]), material, None if shown is None else (shown[0], shown[1])
        )

    def _drawn(
        self,
        brand: BrandKit,
        facts: Facts,
        picture: tuple[str, str],
        aspect: str,
        mood: str,
        texts: tuple[Message, ...],
        given: tuple[tuple[str, str], ...],
    ) -> tuple[CreativeSpec, ...]:
        found = self._kind(*picture)
        space = Space(inputs_of(facts, found, brand, texts, aspects=(aspect,)))
        rng = np.random.default_rng(_seed(facts, found, brand, aspect, mood))
        return tuple(_spread(space, self._pool, rng, dict(given)))

    def _keeps(
        self,
        brand: BrandKit,
        spec: CreativeSpec,
        facts: Facts,
        picture: tuple[str, str],
        message: Message,
        language: str,
        variant: tuple[str, str] | None,
    ) -> Creative | None:
        """Return the creative, None where it breaks a rule. It has no pixels, so many can be kept."""
        material = Material(facts, message, self._picture(*picture), brand, language)
        if violations(compose(spec, material), material):
            return None
        return creative_of(Design(spec, material, variant), picture[0])


def asked(choices: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a variant asks of a poster, in order: the channel decides the page, and posters stand still, whatever a variant says of them.

    A text that has no key of its own (one of version 1 had a place in a list, a language model's may change) is none that somebody approved: it
    becomes the plain one.
    """
    known = [
        (name, option)
        for name, option in sorted(choices.items())
        if name not in {"aspect", *MOVING} and option in DIMENSIONS.get(name, ()) and option not in WRITTEN
    ]
    lost = choices.get("message") and "message" not in dict(known)
    return tuple(sorted([*known, ("message", PLAIN)] if lost else known))


def variant_of(placed: Mapping[str, str]) -> tuple[str, str] | None:
    """Return which variant of which campaign was placed, None where none was."""
    return (placed["campaign_id"], placed["variant_id"]) if "campaign_id" in placed else None


def creative_of(design: Design, picture: str) -> Creative:
    """Return a design as a creative that can be stored and drawn later; `picture` is its drawing's name or its file's SHA-256."""
    of, (width, height) = design.material, design.spec.size
    recipe = {
        "choices": dict(design.spec.choices), "version": design.spec.version, "facts": asdict(of.facts), "message": asdict(of.message),
        "picture": picture, "licence": of.picture.licence, "language": of.language,
        "background": "" if of.background is None else of.background.digest, "brand": of.brand.digest,
        "variant": design.variant,
    }  # fmt: skip
    priced = f", {of.facts.price}" if of.facts.price else ""
    alt = f"Poster: {of.facts.name}{priced}" + (f", {of.facts.saving} off with a coupon" if of.facts.saving else "")
    told = {
        **design.spec.choices,
        **({} if design.variant is None else dict(zip(("campaign_id", "variant_id"), design.variant, strict=True))),
        "spec_id": design.spec.spec_id,
        "studio": Studio.version,
        "recipe": json.dumps(recipe, ensure_ascii=False),
    }
    return Creative(CreativeId(design.creative_id), "image/webp", width, height, alt, told, b"")
