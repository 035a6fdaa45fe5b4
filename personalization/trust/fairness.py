"""Are groups treated alike? Means by declared group with intervals, at equal strata, and within segments.

Group figures are `fairlearn.metrics.MetricFrame`s; a group's mean at equal strata is directly standardised to everybody's mix; intervals
are percentile bootstraps over members, since one member's decisions are alike. A difference that turns round within segments is
Simpson's paradox (1951), and is told. Groups are what members, or a table of the operator's, declared; nothing infers them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.str_]
SEED = 7
EPSILON = 1e-12
ENFORCEABLE = "coupon_value"
"""The measure whose limit coupons can be held to: prices steer its mean as a share of everybody's."""


class FairnessError(ValueError):
    """A policy file cannot be used; the message says why."""


class Limit(BaseModel):
    """How far a group's mean of one measure may be from everybody's."""

    model_config = ConfigDict(extra="forbid")
    within: float = Field(gt=0)
    how: Literal["relative", "absolute"]
    given: Literal["conversion"] | None = None
    enforce: bool = False


class Policy(BaseModel):
    """The limits, and when a group is large enough to be judged."""

    model_config = ConfigDict(extra="forbid")
    least_members: int = Field(20, ge=2)
    resamples: int = Field(500, ge=100)
    measures: dict[str, Limit]


def read_policy(path: Path | None = None) -> Policy:
    """Return the policy in `path`, without it the one that ships. Raises FairnessError."""
    try:
        text = path.read_text() if path else files("personalization.trust").joinpath("fairness.yml").read_text()
        policy = Policy.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise FairnessError(f"{path} is no fairness policy: {error}") from error
    for name, limit in policy.measures.items():
        if limit.enforce and (name != ENFORCEABLE or limit.how != "relative"):
            raise FairnessError(
                f"{path} enforces {name} ({limit.how}); only {ENFORCEABLE} can be enforced, and only `how: relative`"
            )
    return policy


@dataclass(frozen=True, slots=True)
class Measure:
    """What was observed, one row a decision (or a hand-off, or an attempt). All (n,); `segment` "" where unknown; `stratum` from 0."""

    name: str
    unit: str
    member: Words
    segment: Words
    stratum: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Figure:
    """One group. mean : plain; fair : at everybody's mix of strata; off : how far from everybody, in the limit's terms, with its interval."""

    group: str
    members: int
    rows: int
    mean: float
    fair: float
    off: float
    low: float
    high: float
    judged: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One measure by one attribute. `gap` is the furthest judged group's distance; `difference` is fairlearn's, between plain means."""

    measure: str
    unit: str
    attribute: str
    overall: float
    figures: tuple[Figure, ...]
    gap: float
    low: float
    high: float
    difference: float
    limit: Limit | None
    reversed_in_segments: tuple[str, ...]
    verdict: Literal["within", "unclear", "beyond", "too few"]
    sentence: str


def audit(
    measures: Sequence[Measure], groups: Mapping[str, Mapping[str, str]], policy: Policy, *, seed: int = SEED
) -> list[Finding]:
    """Return a finding for each measure and attribute; `groups` maps an attribute to each member's declared group."""
    return [
        _finding(measure, attribute, declared, policy, np.random.default_rng(seed))
        for measure in measures
        for attribute, declared in groups.items()
        if len(measure.value) and any(member in declared for member in measure.member.tolist())
    ]


def _finding(
    measure: Measure, attribute: str, declared: Mapping[str, str], policy: Policy, rng: np.random.Generator
) -> Finding:
    label = np.array([declared.get(member, "") for member in measure.member.tolist()])
    known = label != ""
    label, value, member = label[known], measure.value[known], measure.member[known]
    names, group = np.unique(label, return_inverse=True)
    limit = policy.measures.get(measure.name)
    stratum = measure.stratum[known] if limit is not None and limit.given else np.zeros(len(value), np.int64)
    people, person = np.unique(member, return_inverse=True)
    own = np.array([len(np.unique(person[group == g])) for g in range(len(names))])
    judged = own >= policy.least_members
    relative = limit is None or limit.how == "relative"
    fair, overall = standardised(value, group, stratum, len(names))
    off = _off(fair, overall, relative)
    draws = np.empty((policy.resamples, len(names)))
    for turn in range(policy.resamples):
        times = np.bincount(rng.integers(len(people), size=len(people)), minlength=len(people))[person].astype(float)
        draws[turn] = _off(*standardised(value, group, stratum, len(names), times), relative)
    low, high = np.nanpercentile(draws, [2.5, 97.5], axis=0)
    plain, difference = _plain(value, names[group])
    figures = tuple(
        Figure(str(name), int(own[g]), int((group == g).sum()), plain[str(name)], float(fair[g]), float(off[g]), float(low[g]),
               float(high[g]), bool(judged[g]))
        for g, name in enumerate(names)
    )  # fmt: skip
    gap = float(np.abs(off[judged]).max()) if judged.any() else float("nan")
    reach, wide = _together(draws[:, judged], off[judged])
    ends = (max(gap - reach, 0.0), gap + reach)
    turned = _reversed(value, group, measure.segment[known], names, policy.least_members)
    verdict = _verdict(figures, limit, wide)
    told = _sentence(measure, attribute, figures, limit, verdict, turned)
    return Finding(
        measure.name,
        measure.unit,
        attribute,
        float(overall),
        figures,
        gap,
        *ends,
        difference,
        limit,
        turned,
        verdict,
        told,
    )


def standardised(
    value: Floats, group: Ints, stratum: Ints, groups: int, times: Floats | None = None
) -> tuple[Floats, float]:
    """Return each group's mean at everybody's mix of strata, (groups,), and everybody's mean; rows count `times`."""
    weight = np.ones(len(value)) if times is None else times
    strata = int(stratum.max(initial=0)) + 1
    cell = group * strata + stratum
    count = np.bincount(cell, weight, groups * strata).reshape(groups, strata)
    total = np.bincount(cell, weight * value, groups * strata).reshape(groups, strata)
    share = count.sum(axis=0) / max(float(count.sum()), EPSILON)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    there = np.where(count > 0, share[None, :], 0.0)
    covered = there.sum(axis=1)
    found = np.divide((mean * there).sum(axis=1), covered, out=np.full(groups, np.nan), where=covered > 0)
    return found, float(total.sum() / max(float(count.sum()), EPSILON))


def _off(fair: Floats, overall: float, relative: bool) -> Floats:
    return fair / overall - 1 if relative and abs(overall) > EPSILON else fair - overall


def _plain(value: Floats, label: Words) -> tuple[dict[str, float], float]:
    """Return plain means by group, and the largest difference between two, as fairlearn has them."""
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415  it brings pandas

    frame = MetricFrame(
        metrics=lambda _truth, seen: float(np.mean(seen)), y_true=value, y_pred=value, sensitive_features=label
    )
    return {str(name): float(mean) for name, mean in frame.by_group.items()}, float(frame.difference())


def _reversed(value: Floats, group: Ints, segment: Words, names: Words, least: int) -> tuple[str, ...]:
    """Return the groups whose distance from the others has the other sign within most of the segments where both are."""
    turned = []
    for g, name in enumerate(names):
        mine = group == g
        if mine.all() or mine.sum() < least:
            continue
        whole = value[mine].mean() - value[~mine].mean()
        weight = signed = 0.0
        for one in np.unique(segment[segment != ""]):
            here = segment == one
            if (here & mine).sum() >= least / 2 and (here & ~mine).sum() >= least / 2:
                weight += here.sum()
                signed += here.sum() * np.sign(value[here & mine].mean() - value[here & ~mine].mean())
        if weight and np.sign(signed) == -np.sign(whole) != 0:
            turned.append(str(name))
    return tuple(turned)


def _together(draws: Floats, off: Floats) -> tuple[float, Floats]:
    """Return how far the largest distance may be from the truth, and each group's half-width of intervals that hold for all groups, at 95 %.

    The largest |distance| is biased upwards, its bootstrap draws twice so; it errs by no more than the group that errs most, so that
    is what is drawn. Half-widths are by the largest studentised error (max-t). draws : (resamples, groups), off : (groups,).
    """
    if not len(off):
        return 0.0, off
    error = np.nan_to_num(np.abs(draws - off))
    deviation = np.sqrt((error**2).mean(axis=0))
    scaled = np.divide(error, deviation, out=np.zeros_like(error), where=deviation > 0)
    return float(np.percentile(error.max(axis=1), 95)), np.percentile(scaled.max(axis=1), 95) * deviation


def _verdict(
    figures: Sequence[Figure], limit: Limit | None, wide: Floats
) -> Literal["within", "unclear", "beyond", "too few"]:
    """Call a limit broken where a group's whole interval lies beyond it, and kept where every group's lies within it.

    wide : half-widths for all judged groups together: of many groups one is far off by chance.
    """
    judged = [one for one in figures if one.judged]
    if limit is None or len(judged) < 2:
        return "too few"
    if any(abs(one.off) - width > limit.within for one, width in zip(judged, wide.tolist(), strict=True)):
        return "beyond"
    return "within" if all(max(-one.low, one.high) <= limit.within for one in judged) else "unclear"


def _sentence(
    measure: Measure,
    attribute: str,
    figures: Sequence[Figure],
    limit: Limit | None,
    verdict: str,
    turned: Sequence[str],
) -> str:
    judged = [one for one in figures if one.judged]
    name = measure.name.replace("_", " ")
    if limit is None or len(judged) < 2:
        return f"{name} by {attribute}: too few members declared a group to judge."
    worst = max(judged, key=lambda one: abs(one.off))
    scale, unit = (100, " %") if limit.how == "relative" else (1, f" {measure.unit}")
    figure = "{:+.1f}" if limit.how == "relative" else "{:+.3g}"
    where = f"{figure.format(worst.off * scale)}{unit} (95 %: {figure.format(worst.low * scale)} to {figure.format(worst.high * scale)})"
    bound = f"±{limit.within * scale:g}{unit}"
    said = {
        "beyond": f"is beyond the limit of {bound}", "within": f"is within {bound} for every group",
        "unclear": f"cannot be told from the limit of {bound} with so few decisions",
    }[verdict]  # fmt: skip
    given = " at equal predicted conversion" if limit.given else ""
    more = f" Within segments the difference turns round for: {', '.join(turned)}." if turned else ""
    return f"{name} by {attribute}{given}: {worst.group} is furthest from everybody, {where}; this {said}.{more}"


def fifths(values: Floats) -> Ints:
    """Return the fifth of its distribution that each value is in; equal values share one."""
    edges = np.unique(np.nanquantile(values, [0.2, 0.4, 0.6, 0.8])) if len(values) else np.zeros(0)
    return np.searchsorted(edges, values, side="right").astype(np.int64)
