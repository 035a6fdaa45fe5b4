"""An experiment by segment, corrected for many looks: whoever looks at twenty segments finds one that differs by chance alone.

Holm (1979) keeps the chance of any false find at α; Benjamini and Hochberg (1995) keep the expected share of false finds at α. Both are
for one look. A sequential design finds by confidence sequences that share α, which hold for all segments and at every look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from personalization.experiments.analysis import ALPHA, LEAST_UNITS, SRM_ALPHA, Effect, analyse, judged, sample_ratio
from personalization.experiments.spec import Experiment
from personalization.said import Fact, Said

Correction = Literal["holm", "bh"]


@dataclass(frozen=True, slots=True)
class Part:
    """A segment's effect of an arm on the experiment's metric: intervals for all segments together, `p` as if it were the only look, `adjusted` for all."""

    segment: str
    arm: str
    control_units: int
    units: int
    effect: Effect
    adjusted: float
    found: bool


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All segments that are large enough, and how many were too small to look at."""

    parts: tuple[Part, ...]
    too_small: int
    correction: Correction
    said: Said


def adjusted(p: Sequence[float], correction: Correction) -> list[float]:
    """Return p-values for all looks together, in the order given."""
    values = np.asarray(p, float)
    order, n = np.argsort(values, kind="stable"), len(values)
    ranks = np.arange(n)
    if correction == "holm":
        grown = np.maximum.accumulate(values[order] * (n - ranks))
    else:
        grown = np.minimum.accumulate((values[order] * n / (ranks + 1))[::-1])[::-1]
    found = np.empty(n)
    found[order] = np.minimum(grown, 1.0)
    return found.tolist()


def level(experiment: Experiment, segments: int) -> float:
    """Return α of each segment and arm, where so many segments share it: those that are too small yet, too, since they grow."""
    return ALPHA / max(segments * (len(experiment.arms) - 1), 1)


def by_segment(
    experiment: Experiment,
    units: pl.DataFrame,
    correction: Correction = "holm",
    exposed: Mapping[str, int] | None = None,
) -> Breakdown:
    """Return the metric by the column "segment" of `units` (else as `analyse` takes them); rows without a segment are left out.

    `exposed` : units by arm whose window may still be open, whose sizes must not contradict the shares either. What the whole
    experiment may not say yet, none of its segments says: see `unready`.
    """
    units = judged(experiment, units)
    not_yet = unready(experiment, units, exposed or {})
    parts, small = list[Part](), 0
    known = units.filter(pl.col("segment").is_not_null() & (pl.col("segment") != ""))
    alpha = level(experiment, known["segment"].n_unique())
    for (segment,), own in known.group_by(["segment"], maintain_order=True):
        result, before = analyse(experiment, own, alpha=alpha, metrics=()), len(parts)
        for arm in result.arms:
            effect = next((one for one in arm.effects if one.metric == experiment.metric), None)
            control = result.units[experiment.arms[0].name]
            if effect is not None:
                parts.append(Part(str(segment), arm.arm, control, arm.units, effect, 1.0, False))
        small += len(parts) == before
    for number, value in enumerate(adjusted([part.effect.p for part in parts], correction) if parts else []):
        parts[number] = replace(
            parts[number],
            adjusted=value,
            found=not not_yet and _is_found(experiment, parts[number].effect, value),
        )
    parts.sort(key=lambda part: (part.adjusted, part.segment))
    return Breakdown(tuple(parts), small, correction, not_yet or _sentence(parts, small, correction))


def unready(experiment: Experiment, units: pl.DataFrame, exposed: Mapping[str, int]) -> Said | None:
    """Return why nothing is to be concluded yet, None when something may be."""
    known = {arm.name: units.filter(pl.col("arm") == arm.name).height for arm in experiment.arms}
    for counts in (known, {arm.name: exposed.get(arm.name, 0) for arm in experiment.arms}):
        ratio = sample_ratio(experiment, counts)
        if ratio is not None and ratio < SRM_ALPHA:
            sentence = "The groups' sizes contradict the planned shares: nothing below is to be used."
            return Said("breakdown.lopsided", sentence, {"p": ratio})
    seen = sum(known.values())
    if experiment.design == "fixed" and seen < experiment.planned_units:
        sentence = f"It is planned to be read at {experiment.planned_units:,} people and {seen:,} were judged: nothing below is a find yet."
        return Said("breakdown.planned", sentence, {"planned": experiment.planned_units, "seen": seen})
    return None


def _is_found(experiment: Experiment, effect: Effect, corrected: float) -> bool:
    """Whether it holds for all looks: at segments alone in a fixed design, at segments and times in a sequential one."""
    if experiment.design == "fixed":
        return corrected < ALPHA
    return effect.always is not None and (effect.always[0] > 0 or effect.always[1] < 0)


def _sentence(parts: Sequence[Part], small: int, correction: Correction) -> Said:
    name = {"holm": "Holm", "bh": "Benjamini and Hochberg"}[correction]
    if not parts:
        sentence = f"No segment has {LEAST_UNITS} people in each arm yet, so that there is nothing to look at."
        return Said("breakdown.too_small", sentence, {"needed": LEAST_UNITS})
    facts: dict[str, Fact] = {"looks": len(parts), "correction": name, "too_small": small}
    found = [part for part in parts if part.found]
    less = f" {small} were too small to look at." if small else ""
    if not found:
        sentence = f"After correcting for {len(parts)} looks ({name}) no segment differs surely from its control; what stands out below may be chance.{less}"
        return Said("breakdown.none_differs", sentence, facts)
    named = ", ".join(f"{part.segment} ({part.effect.difference:+.3g})" for part in found)
    sentence = f"After correcting for {len(parts)} looks ({name}) these differ: {named}.{less} Take it for a lead to test again, not for a proof."
    return Said("breakdown.differ", sentence, {**facts, "found": [part.segment for part in found]})
