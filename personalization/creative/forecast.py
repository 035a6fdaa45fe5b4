"""What is predicted of a campaign's variants, for people to read beside what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personalization.creative.features import Design
from personalization.creative.model_file import ModelFileError, load
from personalization.creative.predictor import Predictor
from personalization.creative.priors import belief
from personalization.creative.variants import Audience, Variant, names_of

Z = 1.96


@dataclass(frozen=True, slots=True)
class Forecast:
    """Clicks against the mean of the campaign's variants before the same audience, with an interval of 95 %."""

    ratio: float
    low: float
    high: float


def forecast(
    content: bytes | None, campaign_id: str, variants: Sequence[Variant], audiences: Sequence[Audience]
) -> Mapping[Audience, Mapping[str, Forecast]]:
    """Return what the predictor in `content` (none: its priors) thinks of each variant of a campaign for each audience, by variant."""
    if not variants or not audiences:
        return {}
    design = Design.of(variants, audiences)
    predictor = _predictor(content, design)
    z = predictor.design.encode(variants)
    rows = predictor.rests.of(names_of(campaign_id, [variant.variant_id for variant in variants]))
    found = {}
    for audience in audiences:
        scores = predictor.score(audience, z, rows)
        middle = float(np.log(np.mean(np.exp(scores.mean))))
        found[audience] = {
            variant.variant_id: Forecast(
                *np.exp([mean - middle, mean - middle - Z * sd, mean - middle + Z * sd]).tolist()
            )
            for variant, mean, sd in zip(variants, scores.mean.tolist(), scores.sd.tolist(), strict=True)
        }
    return found


def _predictor(content: bytes | None, design: Design) -> Predictor:
    if content is not None:
        try:
            return load(content, design)
        except ModelFileError:
            pass  # the worker learns it again from the log; until then the priors are told
    return Predictor(design, belief(design))
