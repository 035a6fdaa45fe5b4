"""Association rules that hold elsewhere, and an alarm that rings when the crowd changes."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from personalization.profiling import drift, rules
from personalization.profiling.rules import mine, verified
from tests.personalization.profiling.made import AT


@lru_cache
def lines() -> pl.DataFrame:
    """Two hundred members; who buys pasta buys sauce four times in five, at the weekend more often on promotion; the rest is chance."""
    rng, rows = np.random.default_rng(1), []
    for member in range(200):
        for number in range(25):
            at = AT - timedelta(days=float(rng.uniform(0, 300)))
            basket = [f"c{i}" for i in np.flatnonzero(rng.random(12) < 0.2)]
            if rng.random() < 0.2:
                basket += ["Pasta", *(["Sauce"] if rng.random() < 0.8 else [])]
            elif rng.random() < 0.05:
                basket.append("Sauce")
            promoted = rng.random() < (0.6 if at.weekday() >= 5 else 0.1)
            rows += [
                (f"m{member}", f"m{member}-{number}", at, "store", name, 50 if promoted else 0, 0) for name in basket
            ]
    names = ["member_id", "order_id", "at", "channel", "category", "discount_minor", "coupon_minor"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def test_the_rules_that_were_put_in_are_found_with_their_figures() -> None:
    found = {(rule["given"], rule["then"]): rule for rule in mine(lines(), seed=2)["rules"]}
    pasta = found[("Pasta",), "Sauce"]
    assert pasta["confidence"] == pytest.approx(0.8, abs=0.06)
    assert pasta["lift"] > 3
    assert pasta["q"] < 0.05
    assert found[("at the weekend",), "mostly on promotion"]["confidence"] == pytest.approx(0.6, abs=0.06)


def test_chance_makes_next_to_no_rules() -> None:
    shuffled = lines().with_columns(pl.col("category").shuffle(seed=3), pl.col("discount_minor").shuffle(seed=4))
    assert mine(shuffled, seed=2)["kept"] <= 3


def test_a_longer_rule_that_adds_nothing_is_left_out() -> None:
    for rule in mine(lines(), seed=2)["rules"]:
        if rule["then"] == "Sauce":
            assert rule["given"] == ("Pasta",)


def test_one_member_with_many_baskets_is_one_witness() -> None:
    rng = np.random.default_rng(5)
    table = rng.random((2_000, 2)) < 0.2
    owner = np.arange(2_000) % 100
    table[owner == 0] = True  # twenty baskets of one member, all alike
    many = verified(
        [((0,), 1)],
        np.concatenate([table, np.ones((600, 2), bool)]),
        np.concatenate([owner, np.zeros(600, int)]),
        ["a", "b"],
    )
    assert many == []


def test_the_same_seed_mines_the_same() -> None:
    assert mine(lines(), seed=2) == mine(lines().sample(fraction=1.0, shuffle=True, seed=9), seed=2)


def test_few_baskets_make_no_rules() -> None:
    assert mine(lines().head(40), seed=1)["rules"] == []
    assert rules.mine(lines().clear(), seed=1)["kept"] == 0


def crowd(n: int, seed: int, *, shift: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.gamma(2 + shift, 1, n) for name in drift.WATCHED}


def model() -> dict[str, Any]:
    columns = crowd(3_000, 1)
    behaviour = np.array([[0.0], [1.0]]) * np.ones(3)
    return {
        "mean": np.zeros(3), "scale": np.ones(3), "category_mean": [0.1], "components": [], "centres": behaviour.tolist(), "categories": ["Milk"],
        "segments": [{"segment_id": f"s{n}", "name": str(n), "description": ""} for n in range(2)],
    } | {"reference": drift.reference(columns, _sizes(columns))}  # fmt: skip


def _sizes(columns: dict[str, Any]) -> list[int]:
    from personalization.profiling.segments import SegmentModel

    bare = {"mean": np.zeros(3), "scale": np.ones(3), "category_mean": [0.1], "components": [], "centres": [[0.0] * 3, [1.0] * 3],
            "categories": ["Milk"], "segments": []}  # fmt: skip
    numbers, _ = SegmentModel(bare).assign(columns, np.zeros((len(columns["orders"]), 1)))
    return np.bincount(numbers, minlength=2).tolist()


def test_the_same_crowd_is_steady_and_another_is_changed() -> None:
    same = drift.measure(model(), crowd(2_000, 2), np.zeros((2_000, 1)))
    assert same is not None
    assert same.verdict == "steady"
    assert max(same.psi.values()) < 0.05
    other = drift.measure(model(), crowd(2_000, 2, shift=1.5), np.zeros((2_000, 1)))
    assert other is not None
    assert other.verdict == "changed"
    assert "`aisle train`" in other.sentence()


def test_the_index_is_the_one_of_the_textbook() -> None:
    then, now = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    assert drift.index(then, now) == pytest.approx(0.1 * np.log(0.6 / 0.5) - 0.1 * np.log(0.4 / 0.5))
    assert drift.index(then, then) == 0


def test_few_members_and_old_artifacts_say_nothing() -> None:
    assert drift.measure(model(), crowd(50, 2), np.zeros((50, 1))) is None
    assert drift.measure(model() | {"reference": None}, crowd(500, 2), np.zeros((500, 1))) is None
