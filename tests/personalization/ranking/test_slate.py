"""The slate: varied, calibrated, with a chance for what is hardly shown, and nothing that a rule forbids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix, csr_matrix

from personalization.ranking import metrics
from personalization.ranking.features import CATALOGUE
from personalization.ranking.items import Items
from personalization.ranking.rules import allowed
from personalization.ranking.slate import Pool, Weights, choose, knob_of, novelty, similarity
from personalization.types import Affect, Channel, Context, Label, MemberId, Profile, Purpose
from tests.personalization import fakes
from tests.personalization.fakes import NOW

SAFE = Weights.of(0.0)


def shelf(n: int = 40, categories: int = 8) -> Items:
    """Items in categories of equal size; the first are the most popular."""
    of = np.arange(n) % categories
    buyers = np.linspace(200, 1, n).astype(np.int32)
    return Items(
        product_ids=np.array([f"p{i}" for i in range(n)]), categories=np.array([f"c{i}" for i in range(categories)]),
        category=of.astype(np.int32), kind=np.arange(n) // 2, department=of % 2, popularity=(buyers / 200).astype(np.float32), buyers=buyers,
        facts=np.zeros((n, len(CATALOGUE)), np.float32), neighbours=csr_matrix((n, n), dtype=np.float32), stores=np.array(["s"]),
        store_popularity=csc_matrix((1, n), dtype=np.float32),
    )  # fmt: skip


def pool(items: Items, seed: int = 0, **changes: object) -> Pool:
    n = len(items.product_ids)
    base = Pool(np.arange(n), np.random.default_rng(seed).normal(size=n), np.arange(n) % 3 == 0, np.zeros(n))
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_safe_knob_shows_the_best_scores_in_their_order() -> None:
    items = shelf()
    found = pool(items)
    assert choose(found, items, 10, SAFE).tolist() == np.argsort(-found.score)[:10].tolist()


@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_a_slate_holds_no_item_twice_and_as_many_as_asked(seed: int, knob: float, size: int) -> None:
    items = shelf()
    taste = np.full(8, 1 / 8)
    chosen = choose(pool(items, seed, taste=taste), items, size, Weights.of(knob)).tolist()
    assert len(chosen) == len(set(chosen)) == size


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_turning_the_knob_to_surprising_never_lowers_the_determinant_of_variety(seed: int) -> None:
    """More weight on log det K_S cannot give a greedy slate of less variety than none at all gives."""
    items = shelf()
    only = Weights(diversity=50.0, novelty=0.0, surprise=0.0, calibration=0.0, exposure=0.0)

    def variety(weights: Weights) -> float:
        chosen = choose(pool(items, seed), items, 6, weights)
        return float(np.linalg.slogdet(similarity(items, chosen))[1])

    assert variety(only) >= variety(SAFE) - 1e-9


def test_who_has_no_known_tastes_is_shown_more_categories_than_the_best_sellers_alone() -> None:
    items = shelf()
    of = np.repeat(np.arange(8), 5).astype(np.int32)  # the best sellers are all of one category
    items = replace(items, category=of, kind=of.astype(np.int64))
    score = np.linspace(1.0, 0.0, 40)
    unknown, known = pool(items, score=score), pool(items, score=score, taste=np.eye(8)[0])
    plain = replace(Weights.of(0.3), calibration=0.0, exposure=0.0)
    shown = [len(np.unique(of[choose(each, items, 8, plain)])) for each in (unknown, known)]
    assert shown[0] > shown[1]
    assert len(np.unique(of[choose(unknown, items, 8, SAFE)])) == 2  # the safe knob shows what sells


def test_a_calibrated_slate_is_nearer_to_the_members_own_spread() -> None:
    items = shelf()
    taste = np.array([0.5, 0.5, 0, 0, 0, 0, 0, 0], float)
    found = pool(items, taste=taste)
    calibrated = Weights(diversity=0.0, novelty=0.0, surprise=0.0, calibration=20.0, exposure=0.0)
    drift = [
        float(metrics.miscalibration(items, choose(found, items, 6, w)[None], taste[None])[0])
        for w in (SAFE, calibrated)
    ]
    assert drift[1] < drift[0]


def test_what_was_never_shown_gets_its_chance_and_loses_it_with_showing() -> None:
    items = shelf()
    weights = Weights(diversity=0.0, novelty=0.0, surprise=0.0, calibration=0.0, exposure=30.0)
    shown = np.full(40, 1000.0)
    shown[17] = 0.0
    assert 17 in choose(pool(items, shown=shown), items, 5, weights)
    shown[17] = 1000.0
    assert 17 not in choose(pool(items, shown=shown, score=np.where(np.arange(40) == 17, -9.0, 1.0)), items, 5, weights)


def test_the_last_place_of_a_longer_slate_goes_to_a_discovery_where_there_is_none() -> None:
    items = shelf()
    owned = np.arange(40) != 39
    found = pool(items, owned=owned, reserved=np.array([39]), score=-np.arange(40.0))
    assert choose(found, items, 5, SAFE).tolist() == [0, 1, 2, 3, 39]
    assert choose(found, items, 3, SAFE).tolist() == [0, 1, 2]


def test_similarity_is_positive_semidefinite_and_novelty_rises_with_rarity() -> None:
    items = shelf()
    assert np.linalg.eigvalsh(similarity(items, np.arange(40))).min() > -1e-9
    rising = novelty(items, np.arange(40))
    assert (np.diff(rising) >= 0).all()
    assert rising.min() >= 0
    assert rising.max() <= 1


def test_affect_moves_the_knob() -> None:
    calm = knob_of(Channel.KIOSK, None)
    assert knob_of(Channel.KIOSK, Affect(-0.6, 0.5)) == 0.0
    assert knob_of(Channel.KIOSK, Affect(0.8, 0.5)) > calm
    assert knob_of(Channel.KIOSK, Affect(-0.1, 0.5)) == calm


def profile(value: str) -> Profile:
    label = Label(MemberId("m"), "avoids", value, 1.0, "", {}, "told", Purpose.PROFILING, NOW, NOW)
    return Profile(MemberId("m"), NOW, None, 0, None, {}, None, (label,))


@pytest.mark.parametrize(
    ("change", "may"),
    [({}, True), ({"in_stock": False}, False), ({"minimum_age": 18}, False), ({"contains": frozenset({"nuts"})}, False),
     ({"contains": frozenset({"milk"})}, True)],
)  # fmt: skip
def test_rules_keep_out_what_may_never_be_shown(change: dict[str, object], may: bool) -> None:
    product = replace(fakes.product("p1"), **change)  # type: ignore[arg-type]
    assert allowed(product, Context(Channel.API, NOW), profile("Nuts; pork")) is may
    assert not allowed(product, Context(Channel.API, NOW, exclude=frozenset({product.product_id})), None)
