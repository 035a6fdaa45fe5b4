"""A small world of variants for tests: two dimensions that matter, one that does not."""

from __future__ import annotations

from itertools import product

from personalization.creative.features import Design
from personalization.creative.predictor import Predictor
from personalization.creative.priors import belief
from personalization.creative.variants import Audience, Variant

CALM, SAD = Audience("a", "widget", "calm", "fruit"), Audience("a", "widget", "distressed", "fruit")
VARIANTS = [
    Variant(f"{layout}-{palette}-{motion}", {"layout": layout, "scheme": palette, "motion": motion, "type": "plain"})
    for layout, palette, motion in product(("wide", "tall", "split"), ("warm", "cool", "grey"), ("still", "drift"))
]
DESIGN = Design.of(VARIANTS, [CALM, SAD])


def predictor() -> Predictor:
    return Predictor(DESIGN, belief(DESIGN))
