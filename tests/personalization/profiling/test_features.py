"""Features: defined once, and the same from tables and from live state."""

from __future__ import annotations

from datetime import timedelta

import ibis
import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from personalization.profiling.features import (
    FEATURES,
    SIGNALS,
    batch,
    category_shares,
    embedding,
    live,
    signal_features,
)
from personalization.profiling.features.embedding import DIMENSIONS, BasketEmbedding
from personalization.profiling.state import ProfileState
from tests.personalization.profiling.made import AT, Told, folded, lines_of, random_events, signals_of

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # a seed does not become simpler by being smaller


def members(seed: int, n: int = 40) -> dict[str, list[Told]]:
    rng = np.random.default_rng(seed)
    return {f"m{i}": random_events(rng, int(rng.integers(1, 120)), int(rng.integers(5, 700))) for i in range(n)}


def worst(told: dict[str, list[Told]], days_later: float = 0) -> dict[str, float]:
    """The largest difference between tables and live state, by feature."""
    at = AT + timedelta(days=days_later)
    states = {member: folded(events) for member, events in told.items()}
    tables = batch(lines_of(told), at)
    assert not tables.is_empty()
    found = dict.fromkeys(FEATURES, 0.0)
    for row in tables.iter_rows(named=True):
        one = live.features(states[row["member_id"]], at)
        found = {name: max(found[name], abs(row[name] - one[name])) for name in FEATURES}
    return found


@settings(max_examples=10, deadline=None, phases=NO_SHRINKING)
@given(st.integers(0, 10_000), st.floats(-300, 60))
def test_tables_and_live_state_agree_on_every_feature_at_any_time(seed: int, days_later: float) -> None:
    apart = worst(members(seed, 12) | {"always": [_order(30)]}, max(days_later, -25))
    assert max(apart.values()) <= 1e-9, apart


def _order(days_ago: int) -> Told:
    line = {"product_id": "p1", "quantity": 1, "amount_minor": 200, "discount_minor": 0, "coupon_minor": 0}
    payload = {"order_id": f"o{days_ago}", "store_id": "s1", "channel": "store", "lines": [line]}
    return Told("bought", AT - timedelta(days=days_ago), f"e{days_ago}", payload=payload)


@settings(max_examples=10, deadline=None, phases=NO_SHRINKING)
@given(st.integers(0, 10_000))
def test_tables_and_live_state_agree_on_every_signal(seed: int) -> None:
    states = {member: folded(events) for member, events in members(seed, 12).items()}
    states["m"] = folded([Told("clicked", AT, "e")])
    for row in signal_features(signals_of(states), AT).iter_rows(named=True):
        one = live.signal_values(states[row["member_id"]], AT)
        assert {name: pytest.approx(row[name], abs=1e-9) for name in SIGNALS} == one


def test_the_same_definitions_run_on_postgresql(empty_postgres_url: str) -> None:
    told = members(5, 20)
    lines = lines_of(told)
    url = make_url(empty_postgres_url).set(drivername="postgresql")
    server = ibis.connect(url.render_as_string(hide_password=False))
    try:
        server.create_table("feature_lines", lines)
        there = batch(server.table("feature_lines"), AT).sort("member_id")
    finally:
        server.disconnect()
    here = batch(lines, AT).sort("member_id")
    assert there["member_id"].to_list() == here["member_id"].to_list()
    assert float(np.abs(there.drop("member_id").to_numpy() - here.drop("member_id").to_numpy()).max()) <= 1e-9


def test_what_comes_after_the_moment_changes_no_feature() -> None:
    told = members(7)
    early = {member: [e for e in events if e.at <= AT] for member, events in told.items()}
    with_later = batch(lines_of(told), AT).sort("member_id")
    without = batch(lines_of({m: e for m, e in early.items() if any(x.type == "bought" for x in e)}), AT)
    assert with_later["member_id"].equals(without.sort("member_id")["member_id"])
    apart = with_later.drop("member_id").to_numpy() - without.sort("member_id").drop("member_id").to_numpy()
    assert np.abs(apart).max() <= 1e-9  # sums of logarithms depend on their order in the last digit


def test_category_shares_add_up_and_hide_what_is_not_to_be_recommended() -> None:
    told = members(9)
    shares = category_shares(lines_of(told), AT, ["Bread", "Fish", "Milk", "Tea", "Fuel"])
    total = shares.select(pl.sum_horizontal(pl.exclude("member_id")).alias("sum"))["sum"].to_numpy()
    assert np.all(np.isclose(total, 1.0) | (total == 0.0))
    assert shares["Fuel"].max() == 0
    for member, events in told.items():
        one = live.category_shares(folded(events), AT)
        row = shares.filter(pl.col("member_id") == member)
        assert all(row[name][0] == pytest.approx(share, abs=1e-12) for name, share in one.items())


def test_a_member_without_orders_has_the_features_of_an_empty_history() -> None:
    found = live.features(ProfileState(), AT)
    assert found["orders"] == 0
    assert found["recency_days"] == 800
    assert found["price_level"] == 1
    assert np.isfinite(live.vector(found)).all()


def test_a_weekly_shopper_is_read_as_one() -> None:
    found = live.features(folded([_order(7 * week + 3) for week in range(20)]), AT)
    assert found["gap_mean_days"] == 7
    assert found["gap_std_days"] == 0
    assert found["recency_days"] == 3
    assert found["recency_over_gap"] == pytest.approx(3 / 7)
    assert (found["orders"], found["orders_28d"], found["spent"]) == (20, 4, 4000)


@settings(max_examples=10, phases=NO_SHRINKING, deadline=None)
@given(st.integers(0, 10_000))
def test_tables_and_live_state_agree_on_basket_embeddings(seed: int) -> None:
    told = members(seed, 12) | {"always": [_order(30)]}
    states = {member: folded(events) for member, events in told.items()}
    categories = ["Milk", "Bread", "Fish", "Tea"]
    model = BasketEmbedding(
        {"categories": categories, "vectors": np.random.default_rng(seed).normal(size=(4, DIMENSIONS))}
    )
    for row in model.batch(lines_of(told), AT).iter_rows(named=True):
        [(_, shares)] = live.snapshots([states[row["member_id"]]], AT)
        ours = model.of_shares(shares)
        assert max(abs(row[f"basket_{i}"] - ours[i]) for i in range(DIMENSIONS)) < 1e-9


def test_categories_of_the_same_baskets_lie_close() -> None:
    rng, rows = np.random.default_rng(1), []
    worlds = [["Pasta", "Sauce", "Parmesan"], ["Nappies", "Wipes", "Baby food"], ["Beer", "Crisps", "Nuts"]]
    for order in range(900):
        basket = [*worlds[order % 3], *rng.choice(np.concatenate(worlds), 2)]
        rows += [(f"o{order}", name) for name in dict.fromkeys(basket) if rng.random() < 0.7]
    model = BasketEmbedding(embedding.fit(pl.DataFrame(rows, schema=["order_id", "category"], orient="row")))
    for world in worlds:
        for name in world:
            assert {other for other, _ in model.alike(name, 2)} == set(world) - {name}
    assert model.alike("Unknown") == []
