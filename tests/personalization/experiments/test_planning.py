"""Sizes, breakdowns and conclusions say what the figures hold, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from personalization.experiments.analysis import ALPHA, analyse
from personalization.experiments.breakdown import adjusted, by_segment, level
from personalization.experiments.conclusion import conclude
from personalization.experiments.power import Past, days_until, detectable, needed
from personalization.experiments.sequential import confidence_sequence
from personalization.experiments.spec import Arm, ExperimentError
from tests.personalization.experiments.test_experiments import experiment, units

PAST = Past(1_000, 50.0, 20.0, 0.6)


@settings(max_examples=100, phases=(Phase.generate,))
@given(st.floats(0.02, 0.5), st.floats(0.1, 0.9), st.booleans())
def test_what_a_size_finds_is_what_it_was_made_for(relative: float, control: float, sequential: bool) -> None:
    given_: dict[str, Any] = {"control": control, "sequential": sequential}
    size = needed(PAST, relative, **given_)
    assert detectable(PAST, size, **given_) <= relative * PAST.mean * (1 + 1e-9)
    assert size <= 4 or detectable(PAST, size - 1, **given_) > relative * PAST.mean * (1 - 1e-9)


def test_the_size_finds_the_change_as_often_as_it_says() -> None:
    size = needed(Past(1, 10.0, 4.0), 0.05, control=0.5)
    rng = np.random.default_rng(3)
    half, found = size // 2, 0
    for _ in range(400):
        a, b = rng.normal(10, 4, half), rng.normal(10.5, 4, half)
        error = np.sqrt(a.var(ddof=1) / half + b.var(ddof=1) / half)
        found += abs(b.mean() - a.mean()) > 1.96 * error
    assert 0.74 < found / 400 < 0.86


def test_cuped_saves_people_and_days_follow_the_traffic() -> None:
    assert needed(PAST, 0.1, control=0.5) < needed(Past(1_000, 50.0, 20.0), 0.1, control=0.5) * 0.66
    assert days_until(25, [10, 20, 30], 1.0) == 3
    assert days_until(50, [10, 20, 30], 1.0) == 5
    assert days_until(50, [10, 20, 30], 0.1) == 3 + 47
    assert days_until(50, [30, 30, 30], 1.0) is None
    with pytest.raises(ExperimentError):
        needed(Past(10, 0.0, 0.0), 0.1, control=0.5)


@settings(max_examples=100, phases=(Phase.generate,))
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_are_those_of_the_books(values: list[float]) -> None:
    assert adjusted(values, "bh") == pytest.approx(false_discovery_control(values, method="bh"), abs=1e-12)
    n, rising = len(values), sorted(values)
    steps = [max(min(rising[j] * (n - j), 1.0) for j in range(i + 1)) for i in range(n)]  # Holm 1979, step by step
    assert sorted(adjusted(values, "holm")) == pytest.approx(steps, abs=1e-12)


def test_a_segment_that_stands_out_by_chance_does_not_pass() -> None:
    rng, frame = np.random.default_rng(5), units(6_000, lift=0.0, seed=5)
    noisy = frame.with_columns(pl.Series("segment", rng.integers(0, 20, 6_000).astype(str)))
    found = by_segment(experiment(), noisy)
    assert not any(part.found for part in found.parts)
    assert "may be chance" in found.said.sentence
    lifted = pl.concat(
        [units(3_000, lift=0.5, seed=6).with_columns(segment=pl.lit("s")), noisy.filter(pl.col("segment") != "s")]
    )
    assert [part.segment for part in by_segment(experiment(), lifted).parts if part.found] == ["s"]
    fixed = experiment(design="fixed", planned_units=lifted.height + 1)
    early, lost = by_segment(fixed, lifted), by_segment(experiment(), lifted, exposed={fixed.arms[0].name: 900})
    for told, why in ((early, "planned to be read at"), (lost, "contradict the planned shares")):
        assert not any(part.found for part in told.parts)
        assert why in told.said.sentence


def test_conclusions_promise_nothing_beyond_the_evidence() -> None:
    nothing = units(400, lift=0.0)
    told = " ".join(one.sentence for one in conclude(experiment(), analyse(experiment(), nothing), running=True))
    assert "No difference" in told
    assert "not proof that there is none" in told
    plain = experiment(guardrails={"retention": 0.1})
    won = conclude(plain, analyse(plain, units(4_000, lift=0.4)), running=False)
    assert won[0].sentence.startswith("With “coupons” spending per person rose by")
    assert "holds at every look" in won[0].sentence
    assert any("no proof that nothing got worse" in line.sentence for line in won)
    fixed = experiment(design="fixed", planned_units=10_000)
    early = analyse(fixed, units(4_000, lift=0.4))
    assert early.arms[0].verdict == "not yet at its planned size"
    assert "planned to be read at 10,000 people" in conclude(fixed, early, running=True)[-1].sentence
    lost = analyse(plain, units(4_000, lift=0.4, treated_share=0.3))
    assert "not to be used" in conclude(plain, lost, running=True)[0].sentence
    assert len(conclude(plain, lost, running=True)) == 1
    assert "Nothing can be said yet" in conclude(plain, analyse(plain, nothing.head(0)), running=True)[0].sentence


def at_most(alarms: int, runs: int) -> bool:
    """Whether so many false alarms fit a rate of ALPHA: three standard errors of the binomial above it."""
    return alarms / runs <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)


def test_segments_of_a_sequential_test_hold_at_every_look_together() -> None:
    rng, segments, looks, runs = np.random.default_rng(8), 100, range(200, 2_001, 200), 40
    alarms = {level(experiment(), segments): 0, ALPHA: 0}
    for _ in range(runs):
        a, b = rng.exponential(1.0, (2, segments, max(looks) // 2))
        for alpha in alarms:
            alarms[alpha] += any(
                low > 0 or high < 0
                for n in looks
                for one, other in zip(a[:, : n // 2], b[:, : n // 2], strict=True)
                for low, high in [confidence_sequence(one, other, alpha=alpha, planned=1_000)]
            )
    assert at_most(alarms[level(experiment(), segments)], runs)
    assert not at_most(alarms[ALPHA], runs), "what it would be without the correction"


def test_a_segment_is_found_by_the_sequence_for_all_segments() -> None:
    lifts, segments = (0.0, 0.13, 0.15, 0.17, 0.19, 0.3), 6
    frame = pl.concat([units(1_500, lift=lift, seed=n).with_columns(segment=pl.lit(f"s{n}"), spend_before=pl.lit(0.0))
                       for n, lift in enumerate(lifts)])  # fmt: skip
    found = by_segment(experiment(), frame)
    assert len(found.parts) == segments
    for part in found.parts:
        own = frame.filter(pl.col("segment") == part.segment)
        a, b = (own.filter(pl.col("arm") == arm)["spend"].to_numpy() for arm in ("control", "coupons"))
        assert part.effect.always == pytest.approx(confidence_sequence(a, b, alpha=ALPHA / segments))
        low, high = confidence_sequence(a, b, alpha=ALPHA / segments)
        assert part.found == (low > 0 or high < 0)
    assert {part.found for part in found.parts} == {True, False}


def test_a_fixed_test_that_is_watched_after_its_size_tells_what_it_told_then() -> None:
    fixed, runs, alarms = experiment(design="fixed", planned_units=200), 60, 0
    for seed in range(runs):
        frame = units(1_600, seed=1_000 + seed)
        looks = [analyse(fixed, frame.head(size)) for size in (200, 400, 800, 1_600)]
        alarms += any(look.arms[0].verdict in {"better", "worse"} for look in looks)
        told = [(effect.difference, *effect.ci) for look in looks for effect in look.arms[0].effects[:1]]
        assert told == [pytest.approx(told[0])] * 4
        assert len({look.arms[0].verdict for look in looks}) == 1
        assert [look.later for look in looks] == [0, 200, 600, 1_400]
    assert at_most(alarms, runs)
    said = conclude(fixed, looks[-1], running=True)
    assert "first 200 people" in said[-1].sentence
    assert said[-1].facts == {"planned": 200, "later": 1_400}
    parted = units(1_600, seed=1).with_columns(segment=pl.lit("s"))
    [part] = by_segment(fixed, parted).parts
    assert part.control_units + part.units == 200


def test_many_arms_raise_no_more_false_alarms_than_one() -> None:
    rng, runs, alarms = np.random.default_rng(9), 60, 0
    many = experiment(
        arms=(Arm("control", 0.1, coupons=False), *(Arm(f"a{n}", 0.1) for n in range(9))), design="fixed", planned_units=1_000,
    )  # fmt: skip
    names = [arm.name for arm in many.arms]
    for seed in range(runs):
        frame = units(1_000, seed=2_000 + seed).with_columns(arm=pl.Series(rng.permutation(names * 100)))
        found = analyse(many, frame)
        alarms += any(arm.verdict in {"better", "worse"} for arm in found.arms)
    assert at_most(alarms, runs)
    together = [one.facts for one in conclude(many, found, running=False) if one.code == "experiment.arms_together"]
    assert together == [{"arms": 9}]
    assert not any(
        one.code == "experiment.arms_together"
        for one in conclude(experiment(), analyse(experiment(), units(400)), running=False)
    )


def test_visitors_are_left_out_of_what_is_told_by_orders() -> None:
    members = units(2_000, lift=0.4).with_columns(member=pl.lit(1), engagement=pl.col("spend"))
    zeros = [pl.lit(0.0).alias(name) for name in ("spend", "spend_before", "orders_before")]
    both = pl.concat([members, units(2_000, seed=2).with_columns(*zeros, member=pl.lit(0), engagement=pl.lit(1.0))])
    alone, mixed = analyse(experiment(), members), analyse(experiment(), both)
    assert mixed.units == alone.units
    assert mixed.arms[0].effects[0].ci == pytest.approx(alone.arms[0].effects[0].ci)
    engaged = analyse(experiment(metric="engagement"), both)
    assert sum(engaged.units.values()) == 4_000
    by = {effect.metric: effect for effect in engaged.arms[0].effects}
    assert by["spend"].difference == pytest.approx(alone.arms[0].effects[0].difference)
    assert by["engagement"].control < by["spend"].control
