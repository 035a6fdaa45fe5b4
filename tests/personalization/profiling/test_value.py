"""What members will spend: predictions that keep their intervals, on members made by the model's own story."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np
import polars as pl
import pytest

from personalization.profiling.value import HORIZON_DAYS, ValueModel, fit, history
from tests.personalization.profiling.made import AT

TRUE = ValueModel(r=1.5, alpha=15.0, a=1.0, b=12.0, p=4.0, q=6.0, gamma=4_000.0)


@lru_cache
def lives() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Twelve hundred members of TRUE's story: what they bought in 300 days before AT, and spent in the 84 days after."""
    rng, before, after = np.random.default_rng(3), [], []
    for number in range(1_200):
        rate, leaves = rng.gamma(TRUE.r, 1 / TRUE.alpha), rng.beta(TRUE.a, TRUE.b)
        scale = rng.gamma(TRUE.q, 1 / TRUE.gamma)
        day, later = -float(rng.uniform(200, 300)), 0.0
        while day < HORIZON_DAYS:
            spent = max(round(rng.gamma(TRUE.p) / scale), 1)
            if day < 0:
                before.append((f"m{number}", AT + timedelta(days=day), spent))
            else:
                later += spent
            if rng.random() < leaves:
                break
            day += max(float(rng.exponential(1 / rate)), 1.0)  # at most one visit a day
        after.append((f"m{number}", later))
    schema = {"member_id": pl.String, "at": pl.Datetime("us", "UTC"), "amount_minor": pl.Int64}
    return pl.DataFrame(before, schema=schema, orient="row"), pl.DataFrame(
        after, schema=["member_id", "later"], orient="row"
    )


@lru_cache
def model() -> ValueModel:
    found = fit(lives()[0], until=AT)
    assert found is not None
    return found


def test_nine_in_ten_spend_within_their_interval_and_the_sum_is_right() -> None:
    lines, later = lives()
    known = history(lines, AT).join(later, on="member_id").filter(pl.col("visits") > 0)
    inside, expected, often = [], [], []
    for n, (x, recency, age, seen, money, spent) in enumerate(
        known.select("x", "recency", "age", "visits", "money", "later").iter_rows()
    ):
        found = model().predict(x, recency, age, seen, money, np.random.default_rng(n))
        inside.append(found.low <= spent <= found.high)
        expected.append(found.mean)
        often.append(found.low > 0)
    assert np.mean(inside) > 0.88  # above nine in ten, since many spend nothing, which no interval can halve
    assert np.mean(np.array(inside)[often]) == pytest.approx(0.9, abs=0.04)
    assert sum(expected) == pytest.approx(float(known["later"].sum()), rel=0.1)


def test_a_long_absence_speaks_against_a_customer_and_more_so_for_who_came_often() -> None:
    assert model().alive(20, 200, 210) > model().alive(20, 200, 260) > model().alive(20, 200, 320)
    assert model().alive(20, 200, 300) < model().alive(2, 200, 300)
    assert model().alive(0, 0, 100) == 1.0


def test_history_counts_days_with_orders_and_nothing_after() -> None:
    rows = [("m", 10.0, 100), ("m", 9.9, 50), ("m", 4.0, 200), ("m", -1.0, 999), ("old", 300.0, 70)]
    frame = pl.DataFrame([(m, AT - timedelta(days=d), a) for m, d, a in rows], schema={"member_id": pl.String, "at": pl.Datetime("us", "UTC"), "amount_minor": pl.Int64}, orient="row")  # fmt: skip
    mine, old = history(frame, AT).iter_rows(named=True)
    assert mine == {"member_id": "m", "x": 2, "recency": 6.0, "age": 10.0, "visits": 3, "money": pytest.approx(350 / 3)}
    assert (old["x"], old["visits"], old["money"]) == (0, 0, 0.0)


def test_few_members_make_no_model() -> None:
    assert fit(lives()[0].filter(pl.col("member_id").is_in(["m1", "m2"])), until=AT) is None


def test_another_mean_moves_the_interval_with_it() -> None:
    found = model().predict(8, 150.0, 160.0, 9, 2_000.0, np.random.default_rng(1))
    moved = found.around(found.mean * 1.5)
    assert (moved.low, moved.high) == pytest.approx((found.low * 1.5, found.high * 1.5))
    assert found.around(0.0).low == found.around(0.0).high == 0.0
