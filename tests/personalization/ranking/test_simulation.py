"""The simulators: the same for a seed, true to what they assume, and fair to whatever is evaluated on them."""

from __future__ import annotations

import csv
from dataclasses import fields, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.ranking import slate
from personalization.ranking.emer.training import read_shards
from personalization.ranking.simulation import judging, kuairand, loop, members, policies
from personalization.ranking.simulation import requests as simulated
from personalization.ranking.simulation.requests import INTERACTION, OBJECTIVES, Requests

INTERACTIONS = [OBJECTIVES.index(name) for name, own in zip(OBJECTIVES, INTERACTION, strict=True) if own]


@lru_cache
def world() -> simulated.World:
    return simulated.made(400, 500, seed=3)


@lru_cache
def some() -> Requests:
    return simulated.requests(world(), 300, rng=np.random.default_rng(5))


@lru_cache
def shop() -> members.World:
    return members.World.made(300, 80, seed=2)


@lru_cache
def log() -> members.Log:
    return members.history(shop(), np.random.default_rng(4))


def same(one: object, other: object) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_requests_and_another_seed_gives_others() -> None:
    again = simulated.requests(simulated.made(400, 500, seed=3), 300, rng=np.random.default_rng(5))
    assert same(again, some())
    assert not same(simulated.requests(world(), 300, rng=np.random.default_rng(6)), some())


def test_people_act_on_what_they_were_shown_alone_and_never_watch_longer_than_it_lasts() -> None:
    found = some()
    assert (found.shown.reshape(300, 100).sum(axis=1) == 10).all()
    assert not found.feedback[~found.shown].any()
    assert not found.watch[~found.shown].any()
    assert (found.watch[found.shown] > 0).all()
    assert (found.watch <= found.duration).all()
    assert all(len(np.unique(row)) == 100 for row in found.item.reshape(300, 100))
    assert np.array_equal(found.satisfaction, found.feedback.sum(axis=1))


def test_probabilities_lie_between_0_and_1_and_expected_seconds_within_the_duration() -> None:
    for values in (some().expected, some().pxtr):
        assert ((values[:, :-1] > 0) & (values[:, :-1] < 1)).all()
        assert (values[:, -1] > 0).all()
    assert (some().expected[:, -1] < some().duration).all()


def test_what_is_expected_is_what_happens_on_average() -> None:
    found = simulated.requests(world(), 400, rng=np.random.default_rng(8), candidates=50, shown=50)
    gap = np.column_stack([found.feedback, found.watch]) - found.expected
    assert (np.abs(gap.mean(axis=0)) < 4 * gap.std(axis=0) / np.sqrt(len(gap))).all()


def test_longer_items_get_more_interactions_per_view_but_fewer_per_second() -> None:
    found = some()
    short, long = np.quantile(found.duration, [1 / 3, 2 / 3])
    acts = found.feedback[:, INTERACTIONS].sum(axis=1)
    parts = [found.shown & (found.duration < short), found.shown & (found.duration > long)]
    per_view = [acts[part].mean() for part in parts]
    per_second = [acts[part].sum() / found.watch[part].sum() for part in parts]
    assert per_view[0] < per_view[1]
    assert per_second[0] > per_second[1]


def test_who_knows_the_truth_gets_more_interactions_out_of_a_session_than_chance() -> None:
    found = some()
    per_second = found.expected[:, INTERACTIONS].sum(axis=1) / (found.expected[:, -1] + judging.SWIPE)
    oracle = judging.counterfactual(per_second, found)
    chance = judging.counterfactual(np.random.default_rng(0).random(len(found.item)), found)
    assert oracle["interactions"].mean() > chance["interactions"].mean()
    for session in (oracle, chance):
        assert (session["watch"] + judging.SWIPE * session["views"] <= judging.BUDGET + 1e-9).all()
        assert (session["views"] <= 10).all()


def naive(score: np.ndarray, target: np.ndarray) -> float:
    pairs = [
        1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0
        for i in range(len(score))
        for j in range(len(score))
        if target[i] > target[j]
    ]
    return float(np.mean(pairs)) if pairs else float("nan")


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_group_auc_is_the_share_of_pairs_in_the_right_order(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    found = simulated.requests(world(), 4, rng=rng, candidates=20, shown=8)
    scores = rng.integers(0, levels, len(found.item)).astype(float)
    plain, per_second = judging.objective_auc(scores, found), judging.per_unit_time_auc(scores, found)
    for number, name in enumerate(simulated.FEEDBACKS):
        for request in range(4):
            rows = np.flatnonzero(found.shown)[request * 8 : request * 8 + 8]
            hit = found.feedback[rows, number].astype(float)
            seconds = np.maximum(found.watch[rows], judging.LEAST_WATCH)
            assert plain[name][request] == pytest.approx(naive(scores[rows], hit), nan_ok=True)
            assert per_second[name][request] == pytest.approx(naive(scores[rows], hit / seconds), nan_ok=True)


@pytest.mark.parametrize("use_ranks", [True, False])
def test_shards_are_what_the_training_reads(tmp_path: Path, use_ranks: bool) -> None:
    found = some()
    tokenizer = judging.shards(found, tmp_path, seed=1, use_ranks=use_ranks)
    (shard,) = read_shards(tmp_path)
    rows = 300 * 100
    assert len(shard) == 300
    assert shard.tokens.shape == (rows, tokenizer.width)
    assert shard.goals.shape == (rows, len(OBJECTIVES))
    assert (shard.unit.shape, shard.satisfaction.shape, shard.shown.shape) == ((rows,), (rows,), (rows,))
    assert shard.shown.sum() == found.shown.sum()
    assert shard.satisfaction.sum() == found.satisfaction.sum()
    assert np.array_equal(shard.unit, shard.goals[:, -1])


def test_the_published_files_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def write(name: str, columns: dict[str, list[object]]) -> None:
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    numbers = {name: list(rng.integers(0, 900, 40)) for name in kuairand.USER_NUMBERS}
    codes: dict[str, list[object]] = {name: ["", *rng.integers(0, 3, 39)] for name in kuairand.USER_CODES}
    write(kuairand.USERS, {**numbers, **codes})
    sides = {name: list(rng.integers(400, 1900, 30)) for name in kuairand.VIDEO_NUMBERS}
    kinds: dict[str, list[object]] = {name: ["39,43", "", *rng.integers(0, 9, 28)] for name in kuairand.VIDEO_CODES}
    write(kuairand.VIDEOS, {**sides, **kinds, "video_duration": ["", 900.0, 1e6, *(rng.random(27) * 9e4 + 5e3)]})
    read = simulated.load(tmp_path, 25, 20, seed=1)
    assert (len(read.user_taste), len(read.duration)) == (25, 20)
    whole = kuairand.read(tmp_path).duration
    assert list(whole[1:3]) == [kuairand.SHORTEST, kuairand.LONGEST]
    assert np.isfinite(whole).all()
    assert simulated.requests(read, 3, rng=rng, candidates=20).features.shape[0] == 60


def test_the_same_seed_gives_the_same_members_and_outcome() -> None:
    one, other = (
        loop.simulate(shop(), policies.accurate, 20, rng=np.random.default_rng(9), log=log()) for _ in range(2)
    )
    assert same(one, other)


def test_who_left_never_comes_back() -> None:
    unhappy = replace(shop(), level=np.full(300, 0.8))
    outcome = loop.simulate(unhappy, policies.uniform, 60, rng=np.random.default_rng(1), log=log())
    after = np.arange(60)[:, None] > outcome.left[None, :]
    assert 0 < outcome.retention < 1
    assert outcome.visited.any()
    assert not (outcome.visited & after).any()
    assert outcome.retention == pytest.approx((outcome.left == 60).mean())


@pytest.mark.parametrize("extreme", [0.0, 0.9])
def test_satisfaction_and_predictions_stay_in_bounds(extreme: float) -> None:
    loud = replace(
        shop(), dynamics=members.Dynamics(joy=extreme, regret=extreme, learning=extreme, boredom=5 * extreme)
    )
    state, rng = members.begin(loud), np.random.default_rng(3)
    for _ in range(25):
        members.step(loud, state, policies.uniform, rng, 10)
        assert ((state.satisfaction >= 0) & (state.satisfaction <= 1)).all()
    predicted = members.observe(loud, state, np.arange(300), 10).predicted
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_the_same_items_day_after_day_bore() -> None:
    still = replace(shop(), dynamics=members.Dynamics(drift=0.0, discovery=0.0, leave=0.0))
    fresh = members.history(still, np.random.default_rng(1), days=0, ahead=0)

    def same_ten(observed: policies.Observed, _rng: np.random.Generator) -> np.ndarray:
        return np.tile(np.arange(10), (len(observed.counts), 1))

    outcome = loop.simulate(still, same_ten, 60, rng=np.random.default_rng(2), log=fresh)
    visits = outcome.visited.sum(axis=1)
    early, late = (outcome.bought[days].sum() / visits[days].sum() for days in (slice(0, 10), slice(40, 60)))
    assert late < early


@pytest.mark.parametrize("knob", [0.0, 0.4, 1.0, 4.0])
def test_varied_slates_are_those_of_the_product(knob: float) -> None:
    observed = members.observe(shop(), log().state, np.arange(60), 10)
    ours = policies.varied(observed, np.random.default_rng(0), knob=knob)
    items = loop.shelf(observed.category, observed.buyers)
    for row in range(60):
        p = observed.predicted[row].astype(np.float64)
        orders = np.bincount(items.category, weights=observed.counts[row], minlength=20)
        taste = orders / orders.sum() if orders.any() else None
        owned, often = observed.counts[row] > 0, np.full(80, np.inf)
        pool = slate.Pool(np.arange(80), np.log(p / (1 - p)), owned, shown=often, taste=taste)
        assert list(ours[row]) == list(slate.choose(pool, items, 10, slate.Weights.of(knob)))
    if knob == 0:
        assert np.array_equal(ours, policies.accurate(observed, np.random.default_rng(0)))


@pytest.mark.parametrize("name", list(policies.POLICIES))
def test_every_policy_shows_different_items_in_every_place(name: str) -> None:
    for visitors in (np.arange(40), np.arange(0)):
        observed = members.observe(shop(), log().state, visitors, 10)
        slates = policies.POLICIES[name](observed, np.random.default_rng(1))
        assert slates.shape == (len(visitors), 10)
        assert all(len(np.unique(row)) == 10 for row in slates)


def test_a_study_tells_of_every_policy_and_metric_with_intervals() -> None:
    few = {name: policies.POLICIES[name] for name in ("popular", "accurate", "random")}
    found = loop.study([1, 2], members=150, items=60, days=30, policies=few)
    assert set(found.correlation) == set(loop.METRICS)
    assert set(found.retention) == set(found.offline) == set(few)
    for mean, low, high in found.retention.values():
        assert 0 <= low <= mean <= high <= 1
    for mean, _, _ in found.correlation.values():
        assert np.isnan(mean) or -1 <= mean <= 1


def test_a_policy_that_returns_too_little_is_refused() -> None:
    short = partial(lambda size, observed, rng: policies.uniform(observed, rng)[:, :size], 9)
    with pytest.raises(ValueError, match="shape"):
        loop.simulate(shop(), short, 1, rng=np.random.default_rng(0), log=log())
