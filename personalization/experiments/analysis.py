"""What came of an experiment: are the arms as large as planned, what differs and how surely, does something get worse.

Fixed-horizon tests are tea-tasting's: Welch's, with CUPED (Deng et al. 2013) on what units spent before; the sample ratio is
tested against the planned shares (Fabijan et al. 2019). They are to be read once, at the planned size. Beside them stands a
confidence sequence, which may be looked at as often as one likes (`sequential`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
import polars as pl
import tea_tasting as tt

from personalization.experiments.sequential import confidence_sequence
from personalization.experiments.spec import COSTS, METRICS, Arm, Experiment

ALPHA, POWER = 0.05, 0.8
SRM_ALPHA = 0.001
LEAST_UNITS = 30  # of an arm, until its means are tested
BEFORE = {"spend": "spend_before", "orders": "orders_before", "conversion": "orders_before", "retention": "orders_before",
          "discount": "spend_before"}  # fmt: skip
Verdict = Literal[
    "too few units", "sample ratio mismatch", "guardrail broken", "better", "worse", "no difference found yet"
]


@dataclass(frozen=True, slots=True)
class Effect:
    """One metric of one arm against the control. Intervals are 95 % of the absolute difference; `relative` is by the control's mean.

    `ci`, `p` : fixed horizon, adjusted by CUPED where there is something to adjust with; `plain_p` without.
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
    """An experiment's result: units by arm, the sample-ratio p-value, and each arm against the control."""

    units: Mapping[str, int]
    srm_p: float | None
    arms: tuple[ArmResult, ...]


def analyse(experiment: Experiment, units: pl.DataFrame) -> Result:
    """Return the result for one row per unit, in order of exposure.

    units : arm, every metric of METRICS (numbers), spend_before, orders_before. Units of unknown arms are left out.
    """
    counts = {arm.name: units.filter(pl.col("arm") == arm.name).height for arm in experiment.arms}
    srm = _sample_ratio(experiment, counts)
    control = units.filter(pl.col("arm") == experiment.arms[0].name)
    found = tuple(
        _against(experiment, arm, control, units.filter(pl.col("arm") == arm.name), srm) for arm in experiment.arms[1:]
    )
    return Result(counts, srm, found)


def units_needed(experiment: Experiment, units: pl.DataFrame, relative: float) -> int:
    """Return how many units per arm find a `relative` change of the metric with 80 % power, from units of the past."""
    metric = tt.Mean(
        experiment.metric, _covariate(experiment.metric, units), rel_effect_size=relative, alpha=ALPHA, power=POWER
    )
    return ceil(int(metric.solve_power(units.to_arrow(), "n_obs")[0].n_obs) / 2)


def _sample_ratio(experiment: Experiment, counts: Mapping[str, int]) -> float | None:
    """Return the p-value of the arms' sizes under the planned shares; None before anybody was exposed."""
    if not sum(counts.values()):
        return None
    from scipy.stats import chisquare  # noqa: PLC0415

    total = sum(counts.values())
    return float(chisquare(list(counts.values()), [arm.share * total for arm in experiment.arms]).pvalue)


def _against(
    experiment: Experiment, arm: Arm, control: pl.DataFrame, treated: pl.DataFrame, srm: float | None
) -> ArmResult:
    if min(control.height, treated.height) < LEAST_UNITS:
        return ArmResult(arm.name, treated.height, (), (), "too few units")
    both = pl.concat(
        [control.with_columns(pl.lit(0).alias("variant")), treated.with_columns(pl.lit(1).alias("variant"))]
    )
    wanted = dict.fromkeys((experiment.metric, *experiment.guardrails, *METRICS))
    effects = {name: _effect(name, both, experiment) for name in wanted}
    broken = tuple(name for name, most in experiment.guardrails.items() if _is_broken(effects[name], most))
    verdict = _verdict(effects[experiment.metric], broken, srm)
    return ArmResult(arm.name, treated.height, tuple(effects.values()), broken, verdict)


def _effect(name: str, both: pl.DataFrame, experiment: Experiment) -> Effect:
    covariate = _covariate(name, both)
    if both[name].n_unique() < 2:
        mean = float(both[name].mean())  # type: ignore[arg-type]
        return Effect(name, mean, mean, 0.0, None, (0.0, 0.0), 1.0, 1.0, 0.0, (0.0, 0.0))
    table = both.with_columns(pl.col(name).cast(pl.Float64)).to_arrow()
    metrics: dict[str, Any] = {"plain": tt.Mean(name), "adjusted": tt.Mean(name, covariate)}
    found = tt.Experiment(metrics).analyze(table, control=0)
    adjusted, plain = found["adjusted"], found["plain"]
    wide = (adjusted.effect_size_ci_upper - adjusted.effect_size_ci_lower) / max(
        plain.effect_size_ci_upper - plain.effect_size_ci_lower, 1e-300
    )
    return Effect(
        name, float(adjusted.control), float(adjusted.treatment), float(adjusted.effect_size),
        float(adjusted.rel_effect_size) if adjusted.control else None,
        (float(adjusted.effect_size_ci_lower), float(adjusted.effect_size_ci_upper)), float(adjusted.pvalue), float(plain.pvalue),
        max(1.0 - float(wide) ** 2, 0.0), _always(name, covariate, both),
    )  # fmt: skip


def _always(name: str, covariate: str | None, both: pl.DataFrame) -> tuple[float, float]:
    y = both[name].to_numpy().astype(float)
    if covariate is not None:
        x = both[covariate].to_numpy().astype(float)
        y = y - np.cov(x, y)[0, 1] / np.var(x, ddof=1) * (x - x.mean())
    treated = both["variant"].to_numpy() == 1
    return confidence_sequence(y[~treated], y[treated], alpha=ALPHA)


def _covariate(name: str, units: pl.DataFrame) -> str | None:
    before = BEFORE.get(name)
    return before if before in units.columns and units[before].n_unique() > 1 else None


def _is_broken(effect: Effect, tolerated: float) -> bool:
    """Whether the metric is surely worse than tolerated: by the confidence sequence, since a guardrail is watched all the time."""
    if effect.always is None or not effect.control:
        return False
    low, high = (bound / abs(effect.control) for bound in effect.always)
    return low > tolerated if effect.metric in COSTS else high < -tolerated


def _verdict(effect: Effect, broken: tuple[str, ...], srm: float | None) -> Verdict:
    if srm is not None and srm < SRM_ALPHA:
        return "sample ratio mismatch"
    if broken:
        return "guardrail broken"
    if effect.always is not None and (effect.always[0] > 0 or effect.always[1] < 0):
        return "better" if (effect.difference > 0) != (effect.metric in COSTS) else "worse"
    return "no difference found yet"
