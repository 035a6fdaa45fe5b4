"""Expected spending in serving: a boosted mean that errs less, the interval around it, the same from tables and from events."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np
import polars as pl
import pytest

from personalization.profiling.churn.dataset import matrix, rows_at
from personalization.profiling.churn.labels import rows_of
from personalization.profiling.spending import SpendingLabels, SpendingModel, fit
from personalization.profiling.value import HORIZON_DAYS, history
from personalization.types import Label
from tests.personalization.profiling.made import AT
from tests.personalization.profiling.test_churn import lines, seen

HORIZON = timedelta(days=HORIZON_DAYS)
EVERY = timedelta(days=14)


@lru_cache
def model(back: int = 0) -> SpendingModel:
    found = fit(lines(), until=AT - timedelta(days=back), every=EVERY, seed=3)
    assert found is not None
    return found


def test_the_boosted_mean_errs_less_than_the_priors_on_a_cut_that_it_has_not_seen() -> None:
    cut = AT - HORIZON
    trained = model(HORIZON_DAYS)
    rows = rows_at(lines(), cut, None)
    later = lines().filter(pl.col("at") > cut).group_by("member_id").agg(pl.col("amount_minor").sum().alias("later"))
    known = (
        rows.select("member_id").join(history(lines(), cut), on="member_id").join(later, on="member_id", how="left").fill_null(0)
        .sort("member_id")
    )  # fmt: skip
    y, boosted = known["later"].to_numpy(), trained.means(matrix(rows))
    assert boosted is not None
    priors = [
        trained.priors.predict(x, recency, age, visits, money, np.random.default_rng(n)).mean
        for n, (x, recency, age, visits, money) in enumerate(known.select("x", "recency", "age", "visits", "money").iter_rows())
    ]  # fmt: skip
    assert np.abs(y - boosted).mean() < np.abs(y - np.array(priors)).mean()


def test_nothing_after_the_end_is_learned_from() -> None:
    cut = AT - HORIZON
    assert fit(lines().filter(pl.col("at") <= cut), until=cut, every=EVERY, seed=3) == model(HORIZON_DAYS)


def test_the_label_reads_what_the_table_reads_and_stays_put() -> None:
    members, source = seen(), SpendingLabels(model(), "USD")
    told = source.labels(members)
    assert told == source.labels(members)
    assert [len(mine) for mine in told] == [int(member.features["orders"] > 0) for member in members]
    table = {row["member_id"]: row for row in history(lines(), AT).iter_rows(named=True)}
    active = set(rows_at(lines(), AT, None)["member_id"])
    for member, mine in zip(members, told, strict=True):
        for label in mine:
            assert label.evidence["money_per_visit_minor"] == pytest.approx(table[member.member_id]["money"], abs=0.51)
            assert label.evidence["boosted"] == (member.member_id in active)
            if label.evidence["boosted"]:
                assert label.value == pytest.approx(model().means(rows_of([member])), abs=0.51)
            _is_whole(label)


def _is_whole(label: Label) -> None:
    assert label.evidence["low_minor"] <= label.value <= label.evidence["high_minor"]  # type: ignore[operator]
    assert "in the next 12 weeks (90% between $" in label.sentence


def test_a_history_of_one_season_is_left_to_the_priors() -> None:
    short = lines().filter(pl.col("at") > AT - timedelta(days=200))
    found = fit(short, until=AT, every=EVERY, seed=3)
    assert found is not None
    assert found.booster_text is None
    for [label] in filter(None, SpendingLabels(found, "USD").labels(seen())):
        assert not label.evidence["boosted"]
        _is_whole(label)


def test_a_model_is_the_same_after_it_was_stored() -> None:
    assert SpendingModel.from_json(model().as_json()) == model()
