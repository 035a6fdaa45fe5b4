"""Creatives through the API: made from a product or an uploaded picture, told of, and drawn in the formats that somebody asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api.wiring import Services
from personalization.creative import render
from personalization.creative.approval import Step, approver
from personalization.creative.backgrounds import GENERATED
from personalization.creative.errors import CreativeError
from personalization.creative.measures import measured
from personalization.creative.picture import drawing, read_picture
from personalization.creative.poster import Poster, compose
from personalization.creative.product_pictures import picture_for, picture_of
from personalization.creative.provenance import KINDS, marked, signed
from personalization.creative.space import MOVING
from personalization.creative.studio import Design, asked, creative_of, designs, facts_of
from personalization.creative.variants import Audience, Variant
from personalization.creative.words import Facts
from personalization.decisions import Creative
from personalization.types import CreativeId, Product

DRAWN: Mapping[str, Callable[[Poster], bytes]] = {
    "png": render.png, "webp": render.webp, "jpg": render.jpeg, "svg": render.svg, "pdf": render.pdf,
}  # fmt: skip
MEDIA_TYPES = {kind: KINDS[kind] for kind in DRAWN} | {"svg": f"{KINDS['svg']}; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    `picture` is a file, and without one `shown` names a drawing or a product's photograph; `licence` is the picture's. `variant` is a campaign's, with the campaign's id; `product_id` and `audience` say for which to look; `like` names an earlier creative whose
    design is taken.
    """

    facts: Facts
    aspect: str
    language: str
    affect: str
    seed: int | None
    product_id: str = ""
    audience: Audience | None = None
    picture: bytes | None = None
    licence: str = ""
    shown: str = ""
    like: str = ""
    variant: tuple[str, Variant] | None = None


class Creatives:
    """Makes, tells and draws creatives; each file is drawn once, however many ask for it at first."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def make(self, wish: Wish) -> Creative:
        """Compose a creative, check it and store how it is drawn; the same wish gives the same one. Raises CreativeError."""
        services, (design, reference) = self._services, self._designed(wish)
        if wish.picture is not None:
            services.creative_pictures.put(reference, wish.picture, at=datetime.now(UTC))
        creative = creative_of(design, reference)
        services.creatives.put(creative)
        return services.creatives.get(creative.creative_id) or creative

    def _designed(self, wish: Wish) -> tuple[Design, str]:
        """Return the design, and what its picture is called."""
        services = self._services
        if wish.picture is None:
            reference = wish.shown or picture_for(wish.facts.name, wish.facts.category)
            shown = services.drafts.picture(reference, wish.licence)
        else:
            shown = read_picture(wish.picture, licence=wish.licence)
            reference = shown.digest
        given, variant = self._given(wish)
        # A variant is shown as it was approved, whatever has been painted since.
        background = None if variant is not None else services.drafts.background(wish.facts, wish.aspect)
        texts = services.drafts.written(wish.facts, services.brand, wish.language, affect=wish.affect)
        found = designs(
            wish.facts, shown, services.brand, aspect=wish.aspect, count=1, language=wish.language, affect=wish.affect, seed=wish.seed,
            given=given, texts=texts, background=background,
        )  # fmt: skip
        return replace(found[0][0], variant=variant), reference

    def _given(self, wish: Wish) -> tuple[Mapping[str, str], tuple[str, str] | None]:
        """Return what the design is to have: an earlier creative's choices, or those of the variant that does best for the audience."""
        if wish.like:
            earlier = self._services.creatives.get(CreativeId(wish.like))
            if earlier is None:
                raise CreativeError(
                    "no-such-creative", f"There is no creative {wish.like} whose design could be taken."
                )
            choices = json.loads(earlier.spec["recipe"])["choices"]
            return {name: option for name, option in asked(choices) if name != "message"}, None
        found = wish.variant or self._best(wish)
        if found is None:
            return {}, None
        return dict(asked(found[1].choices)), (found[0], found[1].variant_id)

    def _best(self, wish: Wish) -> tuple[str, Variant] | None:
        if not wish.product_id or wish.audience is None:
            return None
        placer = self._services.placer
        campaign_id = placer.for_product(wish.product_id, at=datetime.now(UTC))
        best = None if campaign_id is None else placer.best(campaign_id, wish.audience)
        return None if campaign_id is None or best is None else (campaign_id, best)

    def variants(self, product: Product, *, count: int, seed: int) -> list[Variant]:
        """Return designs of a product for coverage of the space, each drawn and measured, as variants that can be proposed."""
        facts, shown = facts_of(product, None), self._services.drafts.picture(*picture_of(product))
        found = designs(facts, shown, self._services.brand, aspect="1:1", count=count, seed=seed)
        variants = []
        for design, poster in found:
            choices = {name: option for name, option in design.spec.choices.items() if name not in {"aspect", *MOVING}}
            variants.append(Variant(design.spec.spec_id, choices, measured(poster)))
        return variants

    def preview(
        self, product: Product, campaign_id: str, variant: Variant, *, aspect: str = "1:1", language: str = "en"
    ) -> bytes:
        """Return how a variant looks, as WebP that is neither kept nor signed: who approves it is not known yet."""
        shown, licence = picture_of(product)
        wish = Wish(
            facts_of(product, None, language), aspect, language, "neutral", None, shown=shown, licence=licence, variant=(campaign_id, variant)
        )  # fmt: skip
        design, _ = self._designed(wish)
        return render.webp(compose(design.spec, design.material))

    def file(self, creative: Creative, kind: str) -> bytes:
        """Return a creative in a format, drawn at the first request for it; CreativeError when it cannot be drawn any more."""
        if kind == "webp" and creative.content:
            return creative.content
        return self._services.creative_files.made(f"{creative.creative_id}.{kind}", lambda: self._drawn(creative, kind))

    def _drawn(self, creative: Creative, kind: str) -> bytes:
        design = self._services.studio.design_of(creative)
        if design.creative_id != creative.creative_id:
            raise CreativeError("brand-changed", "The brand kit has changed since this was made; make it again.")
        content = DRAWN[kind](compose(design.spec, design.material))
        by = approver(self._steps(creative))
        if kind == "pdf":  # which the library reads and does not write
            return marked(content, design, approved_by=by)
        return signed(content, kind, design, self._services.signer, approved_by=by)

    def told(self, creative: Creative) -> dict[str, Any]:
        """Return the spec, what it was made of under which licences, how it is marked, and who approved it."""
        recipe = json.loads(creative.spec["recipe"])
        words, stand_in = recipe["message"], not _is_digest(recipe["picture"])
        shown = drawing(recipe["picture"]) if stand_in else None
        inputs = [
            {
                "kind": "drawing in place of a photograph" if stand_in else "picture",
                "sha256": recipe["picture"] if shown is None else shown.digest,
                "licence": recipe.get("licence", "") if shown is None else shown.licence,
            },
            {"kind": "fonts", "sha256": None, "licence": "SIL Open Font License 1.1"},
            *self._services.brands.of(recipe.get("brand", "")).inputs,
        ]
        if painted := recipe.get("background", ""):
            inputs.append({"kind": "background of an image model", "sha256": painted, "licence": GENERATED})
        marks = ["made by a program"]
        marks += ["illustration"] * stand_in + ["words of a language model"] * (words["origin"] != "grammar")
        marks += ["background of an image model"] * bool(painted)
        return {
            "creative_id": creative.creative_id, "spec_id": creative.spec["spec_id"], "version": recipe["version"], "choices": recipe["choices"],
            "width": creative.width, "height": creative.height, "alt": creative.alt, "language": recipe["language"],
            "words": {part: words[part] for part in ("kicker", "headline", "line", "action", "goal", "tone", "origin")},
            "inputs": inputs, "marks": marks, "approvals": self.approvals(creative),
            "files": {kind: f"/v1/creatives/{creative.creative_id}.{kind}" for kind in DRAWN},
        }  # fmt: skip

    def approvals(self, creative: Creative) -> list[dict[str, Any]]:
        """Return what was decided about the campaign's variant that a creative shows; empty where it shows none."""
        return [asdict(step) | {"state": step.state.value, "at": step.at.isoformat()} for step in self._steps(creative)]

    def _steps(self, creative: Creative) -> list[Step]:
        campaign_id, variant_id = (creative.spec.get(name, "") for name in ("campaign_id", "variant_id"))
        if not campaign_id:
            return []
        campaigns = self._services.creative_campaigns
        variant = campaigns.variant(campaign_id, variant_id)
        return [] if variant is None else campaigns.said_of(campaign_id, variant)


def _is_digest(reference: str) -> bool:
    return len(reference) == 64
