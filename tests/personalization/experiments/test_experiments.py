"""Arms that stick and are independent, tests that keep their promises, guardrails that stop."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ttest_ind

from personalization.experiments.analysis import analyse, units_needed
from personalization.experiments.sequential import confidence_sequence
from personalization.experiments.simulator import EXPERIMENT, simulate
from personalization.experiments.spec import METRICS, Arm, Experiment, ExperimentError
from tests.personalization.synth.test_synth import shop

HALVES = (Arm("control", 0.5, coupons=False), Arm("coupons", 0.5))


def experiment(name: str = "one", **more: Any) -> Experiment:
    return Experiment(name, "Coupons sell more.", more.pop("arms", HALVES), **more)


def units(n: int, *, lift: float = 0.0, seed: int = 1, treated_share: float = 0.5, **columns: Any) -> pl.DataFrame:
    """Units whose spending follows what they spent before; the treated spend `lift` times more."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(2, 50, n)
    treated = rng.random(n) < treated_share
    spend = np.maximum(before * 0.8 + rng.normal(20, 25, n), 0) * np.where(treated, 1 + lift, 1)
    zero = dict.fromkeys(METRICS, np.zeros(n))
    return pl.DataFrame(
        {
            **zero,
            "arm": np.where(treated, "coupons", "control"),
            "spend": spend,
            "spend_before": before,
            "orders_before": before // 40,
        }
        | columns
    )


@settings(max_examples=200, phases=(Phase.generate,))
@given(st.text(max_size=40), st.floats(0.01, 1))
def test_a_unit_has_the_same_arm_whenever_and_wherever_it_is_asked_for(unit: str, traffic: float) -> None:
    assert experiment(traffic=traffic).assign(unit) == experiment(traffic=traffic).assign(unit)


@settings(max_examples=200, phases=(Phase.generate,))
@given(st.text(max_size=40), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_more_traffic_brings_people_in_and_moves_nobody(unit: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    before = experiment(traffic=less).assign(unit)
    assert before is None or experiment(traffic=more).assign(unit) == before


def test_arms_have_their_shares_and_experiments_are_independent() -> None:
    three = experiment(arms=(Arm("a", 0.5, coupons=False), Arm("b", 0.3), Arm("c", 0.2, creative=False)))
    counted = Counter(arm.name for n in range(20_000) if (arm := three.assign(f"unit-{n}")))
    assert counted["a"] / 20_000 == pytest.approx(0.5, abs=0.015)
    assert counted["c"] / 20_000 == pytest.approx(0.2, abs=0.015)
    table = np.zeros((2, 2))
    for n in range(20_000):
        first, second = experiment("one").assign(f"unit-{n}"), experiment("two").assign(f"unit-{n}")
        assert first is not None
        assert second is not None
        table[first.name == "control", second.name == "control"] += 1
    assert chi2_contingency(table).pvalue > 0.001


def test_traffic_is_the_part_of_people_who_take_part() -> None:
    part = sum(experiment(traffic=0.2).assign(f"unit-{n}") is not None for n in range(20_000))
    assert part / 20_000 == pytest.approx(0.2, abs=0.015)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"arms": (Arm("a", 1.0),)}, "two arms"),
        ({"arms": (Arm("a", 0.5), Arm("b", 0.4))}, "sum to 1"),
        ({"arms": (Arm("a", 0.5), Arm("a", 0.5))}, "same name"),
        ({"arms": (Arm("a", 0.5, coupons=False), Arm("b", 0.5, coupons=False))}, "nothing to compare"),
        ({"metric": "happiness"}, "a metric is one of"),
        ({"guardrails": {"retention": 0.0}}, "guardrail"),
        ({"traffic": 0.0}, "traffic"),
        ({"window_days": 0}, "window_days"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_words(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ExperimentError, match=words):
        experiment(**wrong)


def test_an_effect_is_found_and_cuped_makes_it_surer() -> None:
    [arm] = analyse(experiment(), units(6_000, lift=0.05)).arms
    effect = next(e for e in arm.effects if e.metric == "spend")
    assert effect.relative == pytest.approx(0.05, abs=0.02)
    assert effect.p < effect.plain_p
    assert effect.saved > 0.7  # the covariate correlates at 0.93: 1 - 0.93² of the variance is left
    assert effect.ci[0] < effect.difference < effect.ci[1]
    assert arm.verdict == "better"


def test_cuped_does_not_move_the_estimate_on_average() -> None:
    found = [analyse(experiment(), units(400, lift=0.1, seed=seed)).arms[0].effects[0].difference for seed in range(40)]
    truth = 0.1 * float(units(200_000)["spend"].mean())  # type: ignore[arg-type]
    assert np.mean(found) == pytest.approx(truth, abs=3 * np.std(found) / np.sqrt(len(found)))


def test_arms_whose_sizes_contradict_their_shares_are_not_judged() -> None:
    result = analyse(experiment(), units(4_000, lift=0.2, treated_share=0.44))
    assert result.srm_p is not None
    assert result.srm_p < 0.001
    assert result.arms[0].verdict == "sample ratio mismatch"


def test_a_broken_guardrail_stops_what_would_be_better() -> None:
    table = units(4_000, lift=0.2)
    treated = table["arm"] == "coupons"
    table = table.with_columns(
        pl.when(treated).then(130.0).otherwise(100.0).alias("discount")
        + pl.Series(np.random.default_rng(1).normal(0, 10, 4_000))
    )
    [arm] = analyse(experiment(guardrails={"discount": 0.1}), table).arms
    assert arm.broken == ("discount",)
    assert arm.verdict == "guardrail broken"
    [arm] = analyse(experiment(guardrails={"discount": 0.5}), table).arms
    assert arm.verdict == "better"


def test_few_units_are_not_judged() -> None:
    assert analyse(experiment(), units(40)).arms[0].verdict == "too few units"
    assert analyse(experiment(), units(40).clear()).srm_p is None


def test_nothing_happened_is_no_error() -> None:
    [arm] = analyse(experiment(), units(200).with_columns(pl.lit(0.0).alias("spend"))).arms
    assert arm.verdict == "no difference found yet"


def test_the_confidence_sequence_may_be_watched_and_a_repeated_t_test_may_not() -> None:
    """Waudby-Smith et al. (2024): false alarms at any of many looks stay below alpha; repeated testing exceeds it."""
    rng, looks, runs = np.random.default_rng(5), range(200, 4_001, 100), 300
    alarms = {"sequence": 0, "t": 0}
    for _ in range(runs):
        a, b = rng.exponential(1.0, 2_000), rng.exponential(1.0, 2_000)
        pairs = [(a[: n // 2], b[: n // 2]) for n in looks]
        alarms["sequence"] += any(
            not low <= 0 <= high for low, high in (confidence_sequence(*pair, planned=2_000) for pair in pairs)
        )
        alarms["t"] += any(ttest_ind(*pair).pvalue < 0.05 for pair in pairs)
    assert alarms["sequence"] / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert alarms["t"] / runs > 0.12


def test_the_units_that_are_asked_for_are_enough() -> None:
    needed = units_needed(experiment(), units(4_000), relative=0.05)
    found = [
        analyse(experiment(), units(2 * needed, lift=0.05, seed=seed)).arms[0].effects[0].p < 0.05
        for seed in range(120)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / len(found)))


def test_the_simulator_finds_what_it_put_in_and_nothing_when_nobody_answers() -> None:
    pushed = simulate(shop(), members=3_000, seed=2, effect=3.0)
    [arm] = pushed.result.arms
    answered = next(e for e in arm.effects if e.metric == "engagement")
    assert answered.always is not None
    assert answered.always[0] > 0
    nobody = simulate(shop(), members=3_000, seed=2, effect=0.0)
    assert nobody.units["engagement"].sum() == 0
    assert nobody.result.arms[0].verdict == "no difference found yet"
    assert nobody.units.select("unit_id", "arm").equals(pushed.units.select("unit_id", "arm"))
    for unit, name in pushed.units.select("unit_id", "arm").iter_rows():
        assigned = EXPERIMENT.assign(unit)
        assert assigned is not None
        assert assigned.name == name
