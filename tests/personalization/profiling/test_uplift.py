"""Actions chosen by what they change: whom an offer helps, whom it harms, and nothing where nothing helps."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pytest

from personalization.profiling.labels import MemberView
from personalization.profiling.uplift import NOTHING, ActionLabels, Floats, UpliftError, UpliftModel, fit
from personalization.types import MemberId, Purpose

COLUMNS = ("orders", "promo_share", "recency_days")


def trial(n: int = 12_000, *, effect: float = 0.3, seed: int = 1) -> tuple[Floats, np.ndarray, Floats]:
    """An offer helps who looks for promotions and harms nobody; a message helps nobody; many orders mean a high outcome anyway."""
    rng = np.random.default_rng(seed)
    table = np.column_stack([rng.gamma(2, 5, n), rng.random(n), rng.exponential(20, n)])
    arm = rng.choice(["nothing", "offer", "message"], n)
    chance = 0.15 + 0.3 * (table[:, 0] > 10) + effect * (table[:, 1] > 0.6) * (arm == "offer")
    return table, arm, (rng.random(n) < chance).astype(float)


@lru_cache
def model() -> UpliftModel:
    table, arm, outcome = trial()
    return fit(table, arm, outcome, columns=COLUMNS, control="nothing", experiment_id="e1", name="conversion", seed=1)


def test_the_offer_goes_to_whom_it_helps_and_not_to_whom_is_at_risk_or_buys_anyway() -> None:
    table, _, _ = trial(3_000, seed=9)
    chosen, gains = model().choose(table)
    helped = table[:, 1] > 0.6
    offered = np.array([action == "offer" for action in chosen])
    assert offered[helped].mean() > 0.95
    assert offered[~helped].mean() < 0.25
    assert gains["offer"][helped].mean() == pytest.approx(0.3, abs=0.05)
    assert abs(np.corrcoef(table[:, 0], gains["offer"])[0, 1]) < 0.3  # a high outcome is no reason


def test_the_evaluation_is_of_units_that_were_not_learned_from() -> None:
    found = model().evaluation
    assert found is not None
    assert found.at_30["offer"] == pytest.approx(0.3, abs=0.06)
    assert found.random["offer"] == pytest.approx(0.12, abs=0.04)
    assert found.policy_ci[0] > found.best_arm - 0.02
    null = fit(
        *trial(effect=0.0), columns=COLUMNS, control="nothing", experiment_id="e", name="conversion", seed=1
    ).evaluation
    assert null is not None
    assert null.at_30_ci["offer"][0] < 0 < null.at_30_ci["offer"][1]


def test_an_action_that_costs_more_than_it_brings_is_not_suggested() -> None:
    table, arm, outcome = trial()
    dear = fit(
        table,
        arm,
        outcome,
        columns=COLUMNS,
        control="nothing",
        experiment_id="e",
        name="conversion",
        seed=1,
        costs={"offer": 0.5},
    )
    chosen, _ = dear.choose(table[:1000])
    assert chosen.count("offer") == 0


def test_too_few_units_are_refused_in_words() -> None:
    table, arm, outcome = trial(600)
    with pytest.raises(UpliftError, match="300 units in each"):
        fit(table, arm, outcome, columns=COLUMNS, control="nothing", experiment_id="e", name="conversion", seed=1)


def member(promo: float) -> MemberView:
    agreed = frozenset({Purpose.PROFILING, Purpose.MARKETING})
    features = {"orders": 5.0, "promo_share": promo, "recency_days": 10.0}
    return MemberView(MemberId("m"), datetime(2026, 6, 1, tzinfo=UTC), features, {}, {}, agreed, np.zeros(0, np.int64))


def test_the_label_names_the_action_its_gain_and_the_experiment_and_needs_consent_to_marketing() -> None:
    again = UpliftModel.from_json(model().as_json())
    assert again.as_json() == model().as_json()
    assert again.choose(trial(50)[0])[0] == model().choose(trial(50)[0])[0]
    [offer], [nothing] = ActionLabels(again).labels([member(0.9), member(0.05)])
    assert offer.value == "offer"
    assert offer.purpose is Purpose.MARKETING
    assert offer.sentence.startswith("Offer is expected to raise conversion by 0.")
    assert offer.evidence["experiment"] == "e1"
    assert nothing.value == NOTHING
    assert ActionLabels(again).labels([]) == []
