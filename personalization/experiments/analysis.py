"""What came of an experiment: are the arms as large as planned, what differs and how surely, does something get worse.

Fixed-horizon tests are tea-tasting's: Welch's, with CUPED (Deng et al. 2013) on what units spent before; the sample ratio is
tested against the planned shares (Fabijan et al. 2019). They are to be read once, at the planned size. Beside them stands a
confidence sequence, which may be looked at as often as one likes (`sequential`). Several arms share α (Bonferroni), so that the
chance that any of them is wrongly called better or worse is α.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

import numpy as np
import polars as pl
import tea_tasting as tt

from personalization.experiments.sequential import confidence_sequence
from personalization.experiments.spec import COSTS, METRICS, OF_ORDERS, Arm, Experiment

ALPHA, POWER = 0.05, 0.8
SRM_ALPHA = 0.001
LEAST_UNITS = 30  # of an arm, until its means are tested
BEFORE = {"spend": "spend_before", "orders": "orders_before", "conversion": "orders_before", "retention": "orders_before",
          "discount": "spend_before"}  # fmt: skip
Verdict = Literal[
    "too few units", "sample ratio mismatch", "guardrail broken", "not yet at its planned size", "better", "worse",
    "no difference found yet",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effect:
    """One metric of one arm against the control. Intervals of the absolute difference are 95 % for all comparisons together; `relative` is by the control's mean.

    `ci`, `p` : fixed horizon, adjusted by CUPED where there is something to adjust with; `plain_p` without. Both p are of this
    comparison alone.
    `always` : the confidence sequence at this size, None below LEAST_UNITS. `saved` : part of the variance that CUPED removed.
    """

    metric: str
    control: float
    treatment: float
    difference: float
    relative: float | None
    ci: tuple[float, float]
    p: float
    plain_p: float
    saved: float
    always: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ArmResult:
    """An arm against the control."""

    arm: str
    units: int
    effects: tuple[Effect, ...]
    broken: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment's result: units by arm, the sample-ratio p-value, each arm against the control, and who came after a planned size."""

    units: Mapping[str, int]
    srm_p: float | None
    arms: tuple[ArmResult, ...]
    later: int = 0


def judged(experiment: Experiment, units: pl.DataFrame) -> pl.DataFrame:
    """Return the units that count: of a fixed-horizon test the first `planned_units`, however often and late it is looked at.

    Read again with everybody who came since, it would be a new test at each look, and chance has as many tries.
    """
    known = _known(experiment, units)
    return known.head(experiment.planned_units) if experiment.design == "fixed" else known


def _known(experiment: Experiment, units: pl.DataFrame) -> pl.DataFrame:
    known = units.filter(pl.col("arm").is_in([arm.name for arm in experiment.arms]))
    return _measured_by(experiment.metric, known)


def _measured_by(metric: str, units: pl.DataFrame) -> pl.DataFrame:
    """Return the units of whom the metric is known: a visitor's orders are not, and nought for each would hide what the others do."""
    return units.filter(pl.col("member") == 1) if metric in OF_ORDERS and "member" in units.columns else units


def analyse(
    experiment: Experiment, units: pl.DataFrame, *, alpha: float | None = None, metrics: Iterable[str] = METRICS
) -> Result:
    """Return the result for one row per unit, in order of exposure.

    units : arm, every metric of METRICS (numbers), spend_before, orders_before, and `member` (0 or 1) where visitors are among
    them. Units of unknown arms are left out, see `judged`, and visitors where orders are measured.
    alpha : of each comparison, ALPHA shared by the arms unless it is told. metrics : what is told beside metric and guardrails.
    """
    everybody, units = _known(experiment, units), judged(experiment, units)
    later = everybody.height - units.height
    alpha = ALPHA / (len(experiment.arms) - 1) if alpha is None else alpha
    wanted = tuple(dict.fromkeys((experiment.metric, *experiment.guardrails, *metrics)))
    counts = {arm.name: units.filter(pl.col("arm") == arm.name).height for arm in experiment.arms}
    srm = sample_ratio(experiment, counts)
    control = units.filter(pl.col("arm") == experiment.arms[0].name)
    found = tuple(
        _against(experiment, arm, control, units.filter(pl.col("arm") == arm.name), wanted, alpha)
        for arm in experiment.arms[1:]
    )
    seen = sum(counts.values())
    return Result(
        counts, srm, tuple(replace(one, verdict=_verdict(experiment, one, srm, seen)) for one in found), later
    )


def units_needed(experiment: Experiment, units: pl.DataFrame, relative: float) -> int:
    """Return how many units per arm find a `relative` change of the metric with 80 % power, from units of the past."""
    metric = tt.Mean(
        experiment.metric, _covariate(experiment.metric, units), rel_effect_size=relative, alpha=ALPHA, power=POWER
    )
    return ceil(int(metric.solve_power(units, "n_obs")[0].n_obs) / 2)


def sample_ratio(experiment: Experiment, counts: Mapping[str, int]) -> float | None:
    """Return the p-value of the arms' sizes under the planned shares; None before anybody was exposed."""
    if not sum(counts.values()):
        return None
    from scipy.stats import chisquare  # noqa: PLC0415

    total = sum(counts.values())
    return float(chisquare(list(counts.values()), [arm.share * total for arm in experiment.arms]).pvalue)


def _against(
    experiment: Experiment, arm: Arm, control: pl.DataFrame, treated: pl.DataFrame, wanted: Iterable[str], alpha: float
) -> ArmResult:
    if min(control.height, treated.height) < LEAST_UNITS:
        return ArmResult(arm.name, treated.height, (), (), "too few units")
    both = pl.concat(
        [control.with_columns(pl.lit(0).alias("variant")), treated.with_columns(pl.lit(1).alias("variant"))]
    )
    known = {name: _measured_by(name, both) for name in wanted}
    effects = {
        name: _effect(name, own, alpha)
        for name, own in known.items()
        if min(int(own["variant"].sum()), own.filter(pl.col("variant") == 0).height) >= LEAST_UNITS
    }
    broken = tuple(
        name for name, most in experiment.guardrails.items() if name in effects and _is_broken(effects[name], most)
    )
    return ArmResult(arm.name, treated.height, tuple(effects.values()), broken, "no difference found yet")


def _effect(name: str, both: pl.DataFrame, alpha: float) -> Effect:
    covariate = _covariate(name, both)
    if both[name].n_unique() < 2:
        mean = float(both[name].mean())  # type: ignore[arg-type]
        return Effect(name, mean, mean, 0.0, None, (0.0, 0.0), 1.0, 1.0, 0.0, (0.0, 0.0))
    table = both.with_columns(
        pl.col(name).cast(pl.Float64)
    )  # not as Arrow: means "over" a group of its chunks come back in any order
    metrics: dict[str, Any] = {
        "plain": tt.Mean(name, confidence_level=1 - alpha),
        "adjusted": tt.Mean(name, covariate, confidence_level=1 - alpha),
    }
    found = tt.Experiment(metrics).analyze(table, control=0)
    adjusted, plain = found["adjusted"], found["plain"]
    wide = (adjusted.effect_size_ci_upper - adjusted.effect_size_ci_lower) / max(
        plain.effect_size_ci_upper - plain.effect_size_ci_lower, 1e-300
    )
    return Effect(
        name, float(adjusted.control), float(adjusted.treatment), float(adjusted.effect_size),
        float(adjusted.rel_effect_size) if adjusted.control else None,
        (float(adjusted.effect_size_ci_lower), float(adjusted.effect_size_ci_upper)), float(adjusted.pvalue), float(plain.pvalue),
        max(1.0 - float(wide) ** 2, 0.0), _always(name, covariate, both, alpha),
    )  # fmt: skip


def _always(name: str, covariate: str | None, both: pl.DataFrame, alpha: float) -> tuple[float, float]:
    y = both[name].to_numpy().astype(float)
    if covariate is not None:
        x = both[covariate].to_numpy().astype(float)
        y = y - np.cov(x, y)[0, 1] / np.var(x, ddof=1) * (x - x.mean())
    treated = both["variant"].to_numpy() == 1
    return confidence_sequence(y[~treated], y[treated], alpha=alpha)


def _covariate(name: str, units: pl.DataFrame) -> str | None:
    before = BEFORE.get(name)
    return before if before in units.columns and units[before].n_unique() > 1 else None


def _is_broken(effect: Effect, tolerated: float) -> bool:
    """Whether the metric is surely worse than tolerated: by the confidence sequence, since a guardrail is watched all the time."""
    if effect.always is None or not effect.control:
        return False
    low, high = (bound / abs(effect.control) for bound in effect.always)
    return low > tolerated if effect.metric in COSTS else high < -tolerated


def _verdict(experiment: Experiment, arm: ArmResult, srm: float | None, seen: int) -> Verdict:
    """Judge by the design that was chosen up front: at any time by the confidence sequence, or once by the fixed interval."""
    if not arm.effects:
        return "too few units"
    if srm is not None and srm < SRM_ALPHA:
        return "sample ratio mismatch"
    if arm.broken:
        return "guardrail broken"
    if experiment.design == "fixed" and seen < experiment.planned_units:
        return "not yet at its planned size"
    effect = next(one for one in arm.effects if one.metric == experiment.metric)
    interval = effect.ci if experiment.design == "fixed" else effect.always
    if interval is not None and (interval[0] > 0 or interval[1] < 0):
        return "better" if (effect.difference > 0) != (effect.metric in COSTS) else "worse"
    return "no difference found yet"
