"""Who stays away: nothing from the future, the same rows in training and serving, reasons that are true."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from personalization.profiling.churn.dataset import ACTIVE, COLUMNS, matrix, origins, rows_at
from personalization.profiling.churn.labels import ChurnLabels, rows_of
from personalization.profiling.churn.model import ChurnModel, fit
from personalization.profiling.facts import feature_lines
from personalization.profiling.labeller import views
from personalization.profiling.labels import MemberView
from personalization.profiling.state import ProfileState, fold, micros
from personalization.types import Purpose
from tests.personalization.profiling.made import AT, CATALOGUE, FACTS

HORIZON = timedelta(days=28)


@lru_cache
def lines() -> pl.DataFrame:
    """Weekly shoppers, two thirds of whom slow down and stop at a day of their own."""
    rng, rows = np.random.default_rng(4), []
    for number in range(420):
        day, stops = 364.0, float(rng.uniform(0, 330)) if number % 3 else -400.0
        while day > 0:
            day -= float(rng.gamma(4, 7 / 4)) * (2.5 if day < stops + 30 else 1.0)
            if day < stops:
                break
            rows.append((f"m{number}", f"o{number}-{day:.3f}", AT - timedelta(days=day), f"p{rng.integers(0, 9)}"))
    frame = pl.DataFrame(rows, schema=["member_id", "order_id", "at", "product_id"], orient="row").filter(
        pl.col("at") <= AT
    )
    amounts = {"quantity": 1, "amount_minor": 300, "discount_minor": 0, "coupon_minor": 0}
    return feature_lines(
        frame.with_columns(
            pl.col("at").cast(pl.Datetime("us", "UTC")), pl.lit("s1").alias("store_id"), pl.lit("store").alias("channel"),
            *(pl.lit(value, dtype=pl.Int64).alias(name) for name, value in amounts.items()),
        ),
        FACTS,
    )  # fmt: skip


@lru_cache
def model() -> ChurnModel:
    found = fit(lines(), until=AT - HORIZON, every=timedelta(days=14), seed=3)
    assert found is not None
    return found


def states() -> dict[str, ProfileState]:
    found: dict[str, ProfileState] = {}
    for member, order, at, product in lines().select("member_id", "order_id", "at", "product_id").iter_rows():
        payload = {
            "order_id": order,
            "store_id": "s1",
            "lines": [{"product_id": product, "quantity": 1, "amount_minor": 300}],
        }
        fold(found.setdefault(member, ProfileState()), "bought", micros(at), order, "api", None, payload, CATALOGUE)
    return found


def seen() -> list[MemberView]:
    agreed = frozenset({Purpose.PROFILING})
    known = states()
    return views(known, AT, dict.fromkeys(known, agreed))


def test_what_happens_after_the_origin_changes_the_label_alone() -> None:
    origin = AT - 2 * HORIZON
    now, without = rows_at(lines(), origin, HORIZON), rows_at(lines().filter(pl.col("at") <= origin), origin, HORIZON)
    assert now.drop("lapsed").equals(without.drop("lapsed"))
    assert without["lapsed"].all()
    assert 0 < now["lapsed"].mean() < 1  # type: ignore[operator]


def test_a_clock_that_is_shifted_with_all_its_orders_changes_nothing() -> None:
    shift = timedelta(weeks=9)
    origin = AT - HORIZON
    moved = rows_at(lines().with_columns(pl.col("at") + shift), origin + shift, HORIZON)
    assert np.allclose(matrix(moved), matrix(rows_at(lines(), origin, HORIZON)), equal_nan=True)


def test_only_members_of_the_last_twelve_weeks_are_judged() -> None:
    origin = AT - HORIZON
    found = rows_at(lines(), origin, HORIZON)
    last = lines().filter(pl.col("at") <= origin).group_by("member_id").agg(pl.col("at").max())
    assert set(found["member_id"]) == set(last.filter(pl.col("at") > origin - ACTIVE)["member_id"])


def test_a_training_origin_ends_before_the_one_that_is_judged() -> None:
    found = origins(AT - timedelta(days=300), AT - HORIZON, every=timedelta(days=7))
    assert found[-1] == AT - HORIZON
    assert found[0] >= AT - timedelta(days=300) + timedelta(days=84)


def test_serving_reads_the_rows_that_training_read() -> None:
    trained = rows_at(lines(), AT, None)
    served = {str(view.member_id): row for view, row in zip(seen(), rows_of(seen()), strict=True)}
    ours = np.stack([served[member] for member in trained["member_id"]])
    assert np.allclose(matrix(trained), ours, atol=1e-9, equal_nan=True)


def test_who_has_slowed_down_is_ranked_above_who_has_not() -> None:
    judged = rows_at(lines(), AT - HORIZON, HORIZON)
    assert roc_auc_score(judged["lapsed"].to_numpy(), model().score(matrix(judged))) > 0.8


def test_a_model_scores_the_same_after_it_was_stored() -> None:
    table = matrix(rows_at(lines(), AT, None))
    again = ChurnModel.from_json(model().as_json())
    assert np.array_equal(again.score(table), model().score(table))
    assert np.all((again.score(table) > 0) & (again.score(table) < 1))


def test_labels_tell_the_risk_and_facts_that_are_true() -> None:
    members = seen()
    labels = ChurnLabels(model()).labels(members)
    for member, mine in zip(members, labels, strict=True):
        assert len(mine) == (member.features["recency_days"] < ACTIVE.days)
    told = [(member, mine[0]) for member, mine in zip(members, labels, strict=True) if mine]
    high = [(member, label) for member, label in told if label.value == "high"]
    assert high
    assert {label.value for _, label in told} > {"high"}
    for member, label in high:
        assert 0 < label.evidence["probability"] <= 1  # type: ignore[operator]
        if "the last visit was" in label.sentence:
            assert f"the last visit was {member.features['recency_days']:.0f} days ago" in label.sentence


def test_too_few_members_make_no_model() -> None:
    few = lines().filter(pl.col("member_id").is_in([f"m{n}" for n in range(10)]))
    assert fit(few, until=AT, seed=1) is None
    assert len(COLUMNS) == len(set(COLUMNS))
