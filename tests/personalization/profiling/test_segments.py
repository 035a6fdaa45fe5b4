"""Segments: found again, told in words, and assigned the same for one member and for many."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personalization.profiling.clustering import alternatives, fit, stability
from personalization.profiling.features import FEATURES
from personalization.profiling.labels import MemberView
from personalization.profiling.segment_map import draw
from personalization.profiling.segments import CLUSTERED, SegmentLabels, SegmentModel
from personalization.types import MemberId, Purpose
from tests.personalization.profiling.made import AT

CATEGORIES = ["Milk", "Bread", "Dog food"]
KINDS = {  # orders, basket value, promotions, share of dog food
    "often small": (60, 800, 0.1, 0.0), "rarely big": (5, 9000, 0.1, 0.0),
    "often big": (55, 8000, 0.8, 0.0), "dog owners": (20, 2500, 0.8, 0.6),
}  # fmt: skip


@lru_cache
def shop(per_kind: int = 80) -> tuple[dict[str, Any], Any, Any]:
    """Four kinds of members that anybody would tell apart."""
    rng, rows, shares = np.random.default_rng(2), [], []
    for orders, basket, promo, dogs in KINDS.values():
        for _ in range(per_kind):
            rows.append(
                (
                    orders * rng.lognormal(0, 0.1),
                    basket * rng.lognormal(0, 0.1),
                    np.clip(promo + rng.normal(0, 0.03), 0, 1),
                )
            )
            milk = (1 - dogs) * rng.uniform(0.4, 0.6)
            shares.append((milk, 1 - dogs - milk, dogs))
    table = np.array(rows)
    columns = {name: np.zeros(len(table)) for name in FEATURES} | {n: table[:, i] for i, n in enumerate(CLUSTERED)}
    columns["spent"] = columns["orders"] * columns["basket_value"]
    return columns, np.array(shares), np.repeat(np.arange(4), per_kind)


@lru_cache
def model() -> dict[str, Any]:
    columns, shares, _ = shop()
    return fit(columns, shares, CATEGORIES, seed=1, bootstraps=4)


def test_kinds_that_are_there_are_found_and_stable() -> None:
    columns, shares, kinds = shop()
    found, clear = SegmentModel(model()).assign(columns, shares)
    assert model()["chosen"]["clusters"] == 4
    assert model()["jaccard"] > 0.95
    assert len({(int(a), int(b)) for a, b in zip(found, kinds, strict=True)}) == 4
    assert np.all((clear > 0.5) & (clear <= 1))


def test_rules_describe_who_is_in_a_segment() -> None:
    assert model()["rule_accuracy"] >= 0.95
    descriptions = [segment["description"] for segment in model()["segments"]]
    assert len({segment["name"] for segment in model()["segments"]}) == 4
    assert any("orders in 26 weeks" in text for text in descriptions)
    assert any("dog food" in text for text in descriptions)


def test_the_same_seed_gives_the_same_model() -> None:
    columns, shares, _ = shop()
    assert fit(columns, shares, CATEGORIES, seed=1, bootstraps=4) == model()


def test_noise_has_no_stable_clusters() -> None:
    points = np.random.default_rng(0).normal(size=(200, 4))
    from sklearn.cluster import KMeans

    noise = stability(points, lambda p, s: KMeans(8, n_init=1, random_state=s).fit(p), seed=1, bootstraps=4)
    assert noise.mean < model()["jaccard"]


def test_other_methods_are_measured_on_the_same_points() -> None:
    columns, shares, _ = shop()
    rows = alternatives(SegmentModel(model()).points(columns, shares), 4, seed=1, bootstraps=2)
    assert [row["method"] for row in rows] == ["k-means", "gaussian mixture", "hdbscan"]
    assert rows[0]["jaccard"] > 0.9


def test_a_member_is_labelled_as_in_bulk_and_nobody_without_orders_is() -> None:
    columns, shares, _ = shop()
    bulk, _ = SegmentModel(model()).assign(columns, shares)
    views = [view(i, {name: float(columns[name][i]) for name in FEATURES}, shares[i]) for i in (0, 100, 200, 300)]
    idle = view(400, dict.fromkeys(FEATURES, 0.0), np.zeros(3))
    labels = SegmentLabels(model()).labels([*views, idle])
    assert [label[0].evidence["segment_id"] for label in labels[:4]] == [f"s{bulk[i] + 1}" for i in (0, 100, 200, 300)]
    assert labels[4] == []


def view(number: int, features: dict[str, float], shares: Any) -> MemberView:
    liked = dict(zip(CATEGORIES, shares, strict=True))
    agreed = frozenset({Purpose.PROFILING})
    return MemberView(MemberId(f"m{number}"), AT, features, liked, {}, agreed, np.zeros(0, np.int64))


@pytest.mark.parametrize("name", ["map.svg", "map.png"])
def test_the_map_shows_every_segment(tmp_path: Path, name: str) -> None:
    columns, shares, _ = shop()
    members = [view(i, {n: float(columns[n][i]) for n in FEATURES}, shares[i]) for i in range(0, 320, 8)]
    assert draw(SegmentModel(model()), members, tmp_path / name) == 40
    written = (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        assert all(segment["name"].split(", ")[0].encode() in written for segment in model()["segments"])
    else:
        assert written.startswith(b"\x89PNG")
