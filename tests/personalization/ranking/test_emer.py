"""EMER's losses, its advantage evaluator, and the training that streams, resumes and exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.ranking import int8
from personalization.ranking.emer import data, serving, training
from personalization.ranking.emer.losses import dcg, evolved, per_unit_time, posterior, prior
from personalization.ranking.emer.model import Emer, Shape
from personalization.ranking.emer.tokens import Tokenizer, ranks

BINARY = np.array([True, False])
ALL = torch.ones(1, 3, dtype=torch.bool)


def test_posterior_is_the_pairwise_logistic_of_many_positives_over_one_over_none() -> None:
    y, satisfaction = torch.tensor([[2.0, 0.5, -1.0]]), torch.tensor([[2, 1, 0]])
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([np.log1p(np.exp(-(float(y[0, i]) - float(y[0, j])))) for i, j in pairs])
    assert float(posterior(y, satisfaction, ALL)) == pytest.approx(expected, abs=1e-6)


def test_what_was_not_shown_has_no_feedback_and_takes_part_in_no_pair() -> None:
    y = torch.tensor([[0.0, 5.0, 1.0]])
    shown = torch.tensor([[True, False, True]])
    one = posterior(y, torch.tensor([[1, 0, 0]]), shown)
    other = posterior(y, torch.tensor([[1, 2, 0]]), shown)
    assert float(one) == float(other)


def test_a_request_where_nothing_happened_teaches_nothing() -> None:
    y = torch.tensor([[0.3, 0.2, 0.1]], requires_grad=True)
    torch.autograd.backward(posterior(y, torch.zeros(1, 3, dtype=torch.int64), ALL))
    assert y.grad is not None
    assert float(y.grad.abs().sum()) == 0.0


def test_prior_falls_when_the_order_agrees_with_the_predictors_and_weighs_their_votes() -> None:
    torch.manual_seed(0)
    goals = torch.tensor([[[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]]])
    agreeing = torch.tensor([[3.0, 0.0, -3.0]])
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert float(prior(agreeing, goals, ALL, first)[0]) < float(prior(-agreeing, goals, ALL, first)[0])
    assert float(prior(agreeing, goals, ALL, second)[0]) > float(prior(-agreeing, goals, ALL, second)[0])


def test_per_unit_time_prefers_the_shorter_of_two_that_are_liked_alike() -> None:
    goals = torch.tensor([[[0.4, 0.4], [0.4, 0.4]]])
    unit = torch.tensor([[10.0, 40.0]])
    found = per_unit_time(goals, unit, torch.tensor([True, False]))
    assert float(found[0, 0, 0]) > float(found[0, 1, 0])
    assert float(found[0, 0, 1]) == float(found[0, 1, 1])


def test_an_objective_that_fell_behind_its_reference_gains_weight() -> None:
    weights = evolved(torch.tensor([2.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 100.0]))
    assert weights.tolist() == pytest.approx([2.0, 1.0, 1 / 3])


def test_dcg_looks_at_the_top_only_and_discounts_by_rank() -> None:
    y = torch.tensor([[3.0, 2.0, 1.0]])
    goals = torch.tensor([[[1.0], [1.0], [5.0]]])
    assert float(dcg(y, goals, ALL, k=2)[0]) == pytest.approx(1 + 1 / np.log2(3))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30, unique=True))
def test_ranks_are_a_permutation_scaled_to_one_and_largest_first(values: list[float]) -> None:
    predictions = np.array(values)[:, None]
    found = ranks(predictions, np.array([0, len(values)]))[:, 0] * len(values)
    assert sorted(found.round(4).tolist()) == list(range(1, len(values) + 1))
    assert found[int(np.argmax(predictions))] == pytest.approx(1.0)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_candidates_does_not_matter(seed: int) -> None:
    """The encoder has no positions, so a shuffled request gets shuffled scores."""
    torch.manual_seed(seed)
    model = Emer(Shape(6)).eval()
    tokens = torch.randn(1, 9, 6)
    order = torch.randperm(9)
    with torch.no_grad():
        straight, shuffled = model(tokens, torch.ones(1, 9)), model(tokens[:, order], torch.ones(1, 9))
    torch.testing.assert_close(straight[:, order], shuffled, atol=1e-5, rtol=1e-4)


def test_padding_changes_no_score() -> None:
    torch.manual_seed(1)
    model = Emer(Shape(6)).eval()
    tokens = torch.randn(1, 5, 6)
    padded = torch.cat([tokens, torch.randn(1, 3, 6)], dim=1)
    present = torch.tensor([[1.0] * 5 + [0.0] * 3])
    with torch.no_grad():
        torch.testing.assert_close(model(padded, present)[:, :5], model(tokens, torch.ones(1, 5)), atol=1e-5, rtol=1e-4)


def made(folder: Path, requests: int = 96, candidates: int = 12, seed: int = 3) -> tuple[int, list[data.Shard]]:
    """Requests in which the first feature decides what is liked, and the only useful predictor says so with noise."""
    rng = np.random.default_rng(seed)
    writer, shards = data.ShardWriter(folder), []
    tokenizer = None
    for _ in range(2):
        rows = requests * candidates
        features = rng.normal(size=(rows, 3)).astype(np.float32)
        liked = features[:, 0] + 0.3 * rng.normal(size=rows) > 0.8
        predictions = np.stack([1 / (1 + np.exp(-features[:, 0])), rng.random(rows)], axis=1)
        starts = np.arange(requests + 1) * candidates
        tokenizer = tokenizer or Tokenizer.fit(features, predictions, BINARY)
        tokens = tokenizer.tokens(features, predictions, starts).astype(np.float16)
        shard = data.Shard(
            starts,
            tokens,
            predictions.astype(np.float32),
            np.ones(rows, np.float32),
            liked.astype(np.int64),
            np.ones(rows, bool),
        )
        writer.write(shard)
        shards.append(shard)
    assert tokenizer is not None
    return tokenizer.width, shards


SMALL = data.Recipe(epochs=2, batch=16, hidden=16, layers=1, seed=1)
INTERACTION = np.array([True, False])


def test_an_untrained_ensemble_ranks_by_the_formula_that_it_starts_from() -> None:
    torch.manual_seed(0)
    model = Emer(Shape(4)).eval()
    weights = torch.tensor([0.5, 0.0, -2.0, 0.0])
    model.begin_as(weights)
    tokens = torch.randn(2, 7, 4)
    with torch.no_grad():
        torch.testing.assert_close(model(tokens, torch.ones(2, 7)), tokens @ weights)


def test_training_learns_what_is_liked_and_logs_its_curves(tmp_path: Path) -> None:
    width, shards = made(tmp_path)
    trained = training.train(tmp_path, width, INTERACTION, replace(SMALL, epochs=6, rate=1e-2))
    ensemble = serving.load(
        serving.export(trained.model, width), Tokenizer.fit(np.zeros((2, 3), np.float32), np.full((2, 2), 0.5), BINARY)
    )
    y = ensemble.score(shards[0].tokens.astype(np.float32).reshape(len(shards[0]), 12, width)).ravel()
    liked = shards[0].satisfaction > 0
    assert y[liked].mean() > y[~liked].mean()
    assert [curve["epoch"] for curve in trained.curves] == [1, 2, 3, 4, 5, 6]
    assert trained.curves[-1]["held_out_posterior"] < trained.curves[0]["posterior"]


def test_training_twice_with_one_seed_is_the_same(tmp_path: Path) -> None:
    width, _ = made(tmp_path)
    first, second = (training.train(tmp_path, width, INTERACTION, SMALL) for _ in range(2))
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_killed_run_resumes_where_it_was(tmp_path: Path) -> None:
    width, _ = made(tmp_path / "shards")
    whole = training.train(tmp_path / "shards", width, INTERACTION, SMALL)
    checkpoint, seen = tmp_path / "state", []

    class KilledError(Exception):
        pass

    def kill(done: int, steps: int) -> None:
        if done > steps // 2:
            raise KilledError

    with pytest.raises(KilledError):
        training.train(tmp_path / "shards", width, INTERACTION, SMALL, checkpoint=checkpoint, progress=kill)
    assert checkpoint.exists()
    resumed = training.train(
        tmp_path / "shards",
        width,
        INTERACTION,
        SMALL,
        checkpoint=checkpoint,
        progress=lambda done, _: seen.append(done),
    )
    assert min(seen) > 1, "the first epoch was not done again"
    assert len(resumed.curves) == len(whole.curves)
    assert not checkpoint.exists()
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_damaged_checkpoint_or_one_of_another_recipe_is_passed_over(tmp_path: Path) -> None:
    width, _ = made(tmp_path / "shards")
    checkpoint = tmp_path / "state"
    checkpoint.write_bytes(b"not a checkpoint")
    trained = training.train(tmp_path / "shards", width, INTERACTION, SMALL, checkpoint=checkpoint)
    assert len(trained.curves) == SMALL.epochs


def test_onnx_says_what_torch_says_and_int8_nearly_so(tmp_path: Path) -> None:
    width, shards = made(tmp_path)
    model = training.train(tmp_path, width, INTERACTION, SMALL).model
    tokens = shards[0].tokens[: 12 * 8].astype(np.float32).reshape(8, 12, width)
    tokenizer = Tokenizer.fit(np.zeros((2, 3), np.float32), np.full((2, 2), 0.5), BINARY)
    onnx = serving.export(model, width)
    with torch.no_grad():
        expected = model(torch.as_tensor(tokens), torch.ones(8, 12)).numpy()
    found = serving.load(onnx, tokenizer).score(tokens)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(serving.load(onnx, tokenizer).score(tokens[0]), expected[0], atol=1e-4)
    small = serving.load(int8.quantize(onnx), tokenizer).score(tokens)
    assert np.corrcoef(small.ravel(), expected.ravel())[0, 1] > 0.99


def test_an_ensemble_that_compares_nothing_can_be_exported_too() -> None:
    model = Emer(Shape(6, layers=0)).eval()
    tokenizer = Tokenizer.fit(np.zeros((2, 3), np.float32), np.full((2, 2), 0.5), BINARY)
    found = serving.load(serving.export(model, 6), tokenizer).score(np.zeros((5, 6), np.float32))
    assert found.shape == (5,)


def test_a_tokenizer_survives_being_stored_and_leaves_out_what_training_never_heard() -> None:
    rng = np.random.default_rng(0)
    features, predictions = rng.normal(size=(20, 3)).astype(np.float32), rng.random((20, 2))
    features[3, 1] = np.nan
    tokenizer = Tokenizer.fit(features, predictions, BINARY)
    starts = np.array([0, 12, 20])
    told = {"kiosk": 1.0, "valence": -0.5}
    np.testing.assert_array_equal(
        tokenizer.tokens(features, predictions, starts, told), tokenizer.tokens(features, predictions, starts)
    )
    tokenizer = replace(tokenizer, heard=np.array([False, True, False, True, False]))
    again = serving.load_tokenizer(serving.dump_tokenizer(tokenizer))
    tokens = tokenizer.tokens(features, predictions, starts, told)
    np.testing.assert_allclose(again.tokens(features, predictions, starts, told), tokens, atol=1e-6)
    assert tokens.shape == (20, tokenizer.width)
    assert np.isfinite(tokens).all()
