import numpy as np
import pytest

from personalization.coupons.uplift import aipw, cross_fitted, dr_learner, effect, qini, t_learner, uplift_at


def experiment(n, rng, share=0.5):
    """Half of the people are moved, and those who buy anyway are the others."""
    table = rng.normal(0, 1, (n, 4))
    treated = rng.random(n) < share
    moved = 0.15 * (table[:, 0] > 0)
    chance = 0.1 + 0.3 * (table[:, 0] < 0) + moved * treated
    return table, treated, (rng.random(n) < chance).astype(float), np.full(n, share), moved


def test_learners_find_whom_an_offer_moves_and_a_response_model_does_not():
    rng = np.random.default_rng(9)
    table, treated, outcome, propensity, moved = experiment(8_000, rng)
    found = cross_fitted(table, treated, outcome, propensity, seed=2, folds=2)
    true = {name: moved[np.argsort(-score)[:2_400]].mean() for name, score in found.items()}
    assert true["dr"] > 0.13
    assert true["t"] > 0.12
    assert true["response"] < 0.02
    average, error = effect(found["pseudo"])
    assert average == pytest.approx(moved.mean(), abs=3.5 * error)
    assert uplift_at(found["dr"], treated, outcome, 0.3) > uplift_at(found["response"], treated, outcome, 0.3)
    assert qini(found["dr"], treated, outcome) > qini(found["response"], treated, outcome)


def test_learners_score_people_whom_they_have_not_seen():
    rng = np.random.default_rng(10)
    table, treated, outcome, propensity, _ = experiment(6_000, rng)
    people = np.array([[-2.0, 0, 0, 0], [2.0, 0, 0, 0]])
    for score in (t_learner(table, treated, outcome, seed=1), dr_learner(table, treated, outcome, propensity, seed=1)):
        low, high = score(people)
        assert high - low > 0.05


def test_pseudo_outcomes_are_unbiased_with_wrong_models_and_uneven_propensities():
    rng, gaps = np.random.default_rng(11), []
    for _ in range(150):
        x = rng.normal(0, 1, 2_000)
        propensity = np.clip(1 / (1 + np.exp(-x)), 0.02, 0.98)
        treated = rng.random(2_000) < propensity
        outcome = x + 0.5 * treated + rng.normal(0, 1, 2_000)
        gaps.append(effect(aipw(outcome, treated, propensity, np.zeros(2_000), np.zeros(2_000)))[0] - 0.5)
        assert outcome[treated].mean() - outcome[~treated].mean() > 1.0  # what confounding makes of 0.5
    assert abs(np.mean(gaps)) < 3.5 * np.std(gaps) / np.sqrt(len(gaps))


def test_uplift_of_a_part_and_qini_of_a_perfect_and_a_reversed_order():
    treated = np.array([True, False] * 4)
    outcome = np.array([1.0, 0, 1, 0, 0, 0, 0, 0])
    score = np.array([4.0, 4, 3, 3, 2, 2, 1, 1])
    assert uplift_at(score, treated, outcome, 0.5) == 1.0
    assert uplift_at(-score, treated, outcome, 0.5) == 0.0
    assert np.isnan(uplift_at(score, np.ones(8, bool), outcome, 0.5))
    assert qini(score, treated, outcome) > 0 > qini(-score, treated, outcome)
