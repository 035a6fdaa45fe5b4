"""The ranker: trained on a small shop, it answers in time, says which stage answered, and names true reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalization.ranking import evaluate, learning, study
from personalization.ranking.attribution import lost_without
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.deadline import Deadline
from personalization.ranking.emer.data import Recipe
from personalization.ranking.features import FEATURES
from personalization.ranking.history import as_day, of_lines
from personalization.ranking.items import Items
from personalization.ranking.learning import Learned, Plan
from personalization.ranking.ranker import EnsembleRanker, merge
from personalization.ranking.reasons import GROUPS, present, without
from personalization.ranking.scoring import Models, score
from personalization.ranking.shopper import Shoppers
from personalization.ranking.slate import Weights
from personalization.ranking.sources import LIMITS, shopper_sources
from personalization.types import Affect, Candidate, Channel, Context, Product, ProductId, Purchase, Ranking
from tests.personalization import fakes
from tests.personalization.ranking.test_features import START, lines, products, purchases

DAYS = 150
NOW = START + timedelta(days=DAYS)
SMALL = Plan(horizon=28.0, origins=2, every=14.0, trees=0.2, recipe=Recipe(epochs=2, hidden=16, layers=1))


@lru_cache
def frame() -> pl.DataFrame:
    return lines(members=200, days=DAYS)


@lru_cache
def trained() -> tuple[Items, Learned]:
    bought = frame()
    catalogue = Catalogue.of(products(), bought)
    members = bought["member_id"].unique().sort()
    history = of_lines(bought, members, catalogue.product_ids, catalogue.stores)
    learned = learning.learn(history, catalogue, len(members), as_day(NOW), SMALL, seed=1)
    return items_at(catalogue, history, len(members), as_day(NOW), seed=1), learned


def goods() -> dict[ProductId, Product]:
    rows = products().select("product_id", "category").iter_rows()
    return {ProductId(i): replace(fakes.product(i, category), name=f"Thing {i}") for i, category in rows}


def ask(
    models: Models | None = None,
    *,
    member: str = "m003",
    budget_ms: float = 1e9,
    clock: Iterator[float] | None = None,
    **context: object,
) -> tuple[Ranking, Sequence[Purchase]]:
    items, learned = trained()
    shoppers = Shoppers(items)
    bought = tuple(purchases(frame(), member, NOW))
    where = Context(Channel.WIDGET, NOW, **context)  # type: ignore[arg-type]
    candidates = merge([s.candidates(where, None, bought, LIMITS[s.name]) for s in shopper_sources(items, shoppers)])
    timing = {} if clock is None else {"clock": lambda: next(clock)}
    ranker = EnsembleRanker(
        items, shoppers, models or learned.models, fakes.FakeResponses(), budget_ms=budget_ms, **timing
    )  # type: ignore[arg-type]
    return ranker.rank(where, None, bought, candidates, goods()), bought


def test_the_ensemble_ranks_when_it_is_there() -> None:
    ranking, bought = ask()
    assert ranking.stage == "emer"
    assert ranking.cause is None
    own = {p.product_id for p in bought}
    assert any(item.product.product_id in own for item in ranking.slate)
    assert len({item.product.product_id for item in ranking.slate}) == 5


@pytest.mark.parametrize("stage", ["predictors", "sources"])
def test_without_a_model_the_stage_before_it_answers(stage: str) -> None:
    models = trained()[1].models
    ranking, _ = ask(Models(models.predictors if stage == "predictors" else None, None))
    assert ranking.stage == stage
    assert ranking.cause is None
    assert len(ranking.slate) == 5


def test_when_time_is_up_a_cheaper_stage_answers_and_says_so() -> None:
    second = iter(float(n) for n in count())  # every look at the clock costs a second
    ranking, _ = ask(budget_ms=20.0, clock=second)
    assert ranking.stage == "sources"
    assert ranking.cause == "no time for predictions"
    assert len(ranking.slate) == 5
    assert all(item.reason.sentence for item in ranking.slate)


def test_a_model_that_fails_gives_way_and_the_cause_is_told() -> None:
    class Broken:
        def predict(self, *_: object, **__: object) -> np.ndarray:
            raise RuntimeError("out of order")

    ranking, _ = ask(Models(Broken(), None))  # type: ignore[arg-type]
    assert ranking.stage == "sources"
    assert ranking.cause == "RuntimeError: out of order"
    assert len(ranking.slate) == 5


def test_when_reasons_cannot_be_weighed_the_sources_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> dict[int, dict[str, float]]:
        raise RuntimeError("out of order")

    monkeypatch.setattr("personalization.ranking.ranker.lost_without", fail)
    ranking, _ = ask()
    assert ranking.stage == "emer"
    assert ranking.cause == "reasons: RuntimeError: out of order"
    assert all(item.reason.sentence for item in ranking.slate)


def test_a_stage_that_is_always_late_is_passed_over_and_now_and_then_tried_again() -> None:
    now = [0.0]
    deadline = Deadline(20.0, lambda: now[0])

    def slow() -> None:
        now[0] += 0.035

    tried = []
    for _ in range(40):
        started = deadline.start()
        tried.append(deadline.allows("slow", started))
        if tried[-1]:
            deadline.timed("slow", slow)
    assert not all(tried)
    assert any(tried[-10:])


def test_one_hiccup_does_not_shut_a_stage_out() -> None:
    now = [0.0]
    deadline = Deadline(20.0, lambda: now[0])
    for took in (0.005, 5.0, 0.005):

        def call(took: float = took) -> None:
            now[0] += took

        assert deadline.allows("stage", deadline.start())
        deadline.timed("stage", call)


def test_all_that_was_compared_is_handed_on_for_the_log() -> None:
    ranking, _ = ask()
    assert ranking.candidates is not None
    assert ranking.candidates.stage == "emer"
    assert len(ranking.candidates.product_ids) == len(ranking.candidates.scores) == len(ranking.candidates.predictions)
    assert {i.product.product_id for i in ranking.slate} <= set(ranking.candidates.product_ids)
    assert len(ranking.candidates.predictions[0]) == len(ranking.candidates.objectives)


def test_a_low_mood_gets_what_is_known() -> None:
    ranking, bought = ask(affect=Affect(-0.8, 0.5), slate_size=3)
    assert {item.product.product_id for item in ranking.slate} <= {p.product_id for p in bought}


def test_reasons_are_true_and_name_what_the_score_rests_on() -> None:
    """A named reason's part is what the score loses without its evidence, so the first named is the largest."""
    ranking, bought = ask()
    times: dict[str, set[str]] = {}
    for purchase in bought:
        times.setdefault(purchase.product_id, set()).add(purchase.order_id)
    for item in ranking.slate:
        facts = item.reason.facts
        assert facts["source"] in GROUPS
        if facts["source"] == "repeat":
            assert facts["times"] == len(times[item.product.product_id])
        assert float(facts["part"] or 0) > 0


def test_taking_the_evidence_away_leaves_no_trace_of_it() -> None:
    items, learned = trained()
    shopper = Shoppers(items).of(Context(Channel.WIDGET, NOW), purchases(frame(), "m003", NOW))
    features = shopper.features(shopper.owned[:4])
    for group in GROUPS:
        assert not present(without(features, group))[group].any()
    new = np.setdiff1d(np.arange(60), shopper.owned)[:1]
    never = shopper.features(new)[0]
    gone = without(features, "repeat")[0]
    for name in (n for n in FEATURES if n.startswith(("item_", "rate")) or n in {"since_kind", "due_as_others"}):
        column = FEATURES.index(name)
        np.testing.assert_equal(gone[column], never[column], err_msg=name)
    assert learned.models.ensemble is not None


def test_attribution_is_the_difference_of_two_scores() -> None:
    items, learned = trained()
    shopper = Shoppers(items).of(Context(Channel.WIDGET, NOW), purchases(frame(), "m003", NOW))
    candidates = [Candidate(ProductId(str(items.product_ids[i])), {"repeat": 1.0}) for i in shopper.owned]
    scored = score(Context(Channel.API, NOW), shopper, candidates, learned.models, Deadline(1e9), 0.0)
    lost = lost_without(scored, [0, 1], learned.models)
    assert set(lost) == {0, 1}
    assert set(lost[0]) <= set(GROUPS)
    assert lost_without(scored, [0, 1], Models()) == {}


def test_too_little_data_means_no_models_and_says_so() -> None:
    bought = lines(members=10, days=60)
    catalogue = Catalogue.of(products(), bought)
    members = bought["member_id"].unique().sort()
    history = of_lines(bought, members, catalogue.product_ids, catalogue.stores)
    learned = learning.learn(history, catalogue, len(members), as_day(START + timedelta(days=60)), SMALL, seed=1)
    assert learned.models.best == "sources"
    assert "too little" in learned.report["note"]


def test_models_survive_being_stored(tmp_path: Path) -> None:
    _, learned = trained()
    learning.write(tmp_path, learned)
    again = learning.read(tmp_path)
    features = np.random.default_rng(0).random((20, len(FEATURES))).astype(np.float32)
    assert again.predictors is not None
    assert learned.models.predictors is not None
    np.testing.assert_allclose(
        again.predictors.predict(features), learned.models.predictors.predict(features), rtol=1e-6
    )
    assert again.best == "emer"


def test_a_study_counts_hits_as_an_evaluator_would_by_hand() -> None:
    items, learned = trained()
    bought = frame()
    catalogue = Catalogue.of(products(), bought)
    members = bought["member_id"].unique().sort()
    history = of_lines(bought, members, catalogue.product_ids, catalogue.stores)
    day = as_day(NOW) - 28
    held = study.hold_out(history, catalogue, len(members), day, 28.0, seed=1)
    assert held is not None
    purchase, ours = evaluate.predict(held.requests, learned.models)
    found = study.method("ours", held, ours)
    member = int(held.requests.member[held.requests.starts[5]])
    later = set(history.between(day, day + 28).where(history.between(day, day + 28).member == member).item.tolist())
    top = held.requests.item[found.rows[5]].tolist()
    gains = sum(1 / np.log2(rank + 2) for rank, item in enumerate(top) if item in later)
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(10, len(later))))
    assert found.values["ndcg10"][5] == pytest.approx(gains / ideal)
    assert found.values["recall10"][5] == pytest.approx(len(later & set(top)) / len(later))
    shipped = evaluate.slates(ours, held.requests, held.items, held.spread, Weights.of(0.3))
    assert study.method("slate", held, ours, shipped).mean("coverage") >= 0
    assert len(purchase) == len(ours)
    assert len(items.product_ids) == 60
