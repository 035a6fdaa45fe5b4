"""One code makes the features of training and of serving, and nothing of them comes from the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from personalization.ranking.catalogue import Catalogue, items_at, neighbours
from personalization.ranking.features import FEATURES, MemberHistory, taste_scores
from personalization.ranking.history import History, as_day, group, of_lines, of_purchases, statistics
from personalization.ranking.items import Items
from personalization.ranking.requests import requests_at
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import propose_all, shopper_sources
from personalization.types import Channel, Context, Money, OrderId, ProductId, Purchase, StoreId

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN = {name: position for position, name in enumerate(FEATURES)}


def lines(members: int = 40, days: int = 120, seed: int = 5) -> pl.DataFrame:
    """A shop of 60 products in 12 categories: everyone has favourites, and everyone buys the first five now and then."""
    rng = np.random.default_rng(seed)
    rows = []
    for member in range(members):
        favourites = rng.choice(60, 8, replace=False)
        for day in range(int(rng.integers(0, 7)), days, 7):
            at = START + timedelta(days=day, hours=int(rng.integers(8, 20)))
            bought = [*rng.choice(favourites, 3, replace=False), int(rng.integers(0, 5))]
            rows += [
                (
                    f"m{member:03d}",
                    f"{member}-{day}",
                    f"p{item:02d}",
                    f"s{member % 2}",
                    at,
                    1 + int(rng.integers(0, 2)),
                    300,
                    0,
                )
                for item in dict.fromkeys(bought)
            ]
    names = ["member_id", "order_id", "product_id", "store_id", "at", "quantity", "amount_minor", "coupon_minor"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("at").dt.cast_time_unit("us"))


def products() -> pl.DataFrame:
    ids = [f"p{item:02d}" for item in range(60)]
    return pl.DataFrame(
        {"product_id": ids, "name": [f"Thing {i // 3}, {i} oz" for i in range(60)], "category": [f"Category {i // 5}" for i in range(60)],
         "department": ["Grocery" if i < 30 else "Household" for i in range(60)], "brand": [""] * 60}
    )  # fmt: skip


def shop() -> tuple[pl.DataFrame, Catalogue, History, pl.Series]:
    frame = lines()
    catalogue = Catalogue.of(products(), frame)
    members = frame["member_id"].unique().sort()
    return frame, catalogue, of_lines(frame, members, catalogue.product_ids, catalogue.stores), members


def purchases(frame: pl.DataFrame, member: str, until: datetime) -> list[Purchase]:
    own = frame.filter((pl.col("member_id") == member) & (pl.col("at") < until)).sort("at", "order_id", "product_id")
    return [
        Purchase(OrderId(o), ProductId(p), at, q, Money(a, "USD"), StoreId(s))
        for o, p, at, q, a, s in own.select(
            "order_id", "product_id", "at", "quantity", "amount_minor", "store_id"
        ).iter_rows()
    ]


def test_serving_makes_the_features_that_training_made() -> None:
    frame, catalogue, history, members = shop()
    when = START + timedelta(days=90)
    day = as_day(when)
    items = items_at(catalogue, history, len(members), day, seed=1)
    [requests] = list(requests_at(history, items, np.arange(len(members)), day, 28.0))
    shoppers = Shoppers(items)
    for number in (0, 7, 39):
        a, b = requests.starts[number : number + 2]
        member = members[int(requests.member[a])]
        bought = purchases(frame, member, when)
        shopper = shoppers.of(Context(Channel.API, when, StoreId(str(bought[-1].store_id))), bought)
        found = propose_all(shopper_sources(items, shoppers), shopper)
        assert found.tolist() == requests.item[a:b].tolist()
        np.testing.assert_allclose(shopper.features(found), requests.features[a:b], rtol=1e-4, atol=1e-5)


def test_what_comes_after_the_day_changes_no_feature_and_no_candidate() -> None:
    _frame, catalogue, history, members = shop()
    day = as_day(START + timedelta(days=90))
    past = history.before(day)
    made = [
        next(
            iter(
                requests_at(
                    known, items_at(catalogue, known, len(members), day, seed=1), np.arange(len(members)), day, 28.0
                )
            )
        )
        for known in (history, past)
    ]
    np.testing.assert_array_equal(made[0].features, made[1].features)
    np.testing.assert_array_equal(made[0].item, made[1].item)
    assert made[0].orders.sum() > 0
    assert made[1].orders.sum() == 0


def test_feedback_counts_orders_repeats_money_coupons_and_waiting() -> None:
    _, catalogue, history, members = shop()
    day = as_day(START + timedelta(days=60))
    items = items_at(catalogue, history, len(members), day, seed=1)
    [requests] = list(requests_at(history, items, np.arange(len(members)), day, 28.0))
    row = int(np.argmax(requests.orders))
    mine = history.where((history.member == requests.member[row]) & (history.item == requests.item[row])).between(
        day, day + 28
    )
    assert requests.orders[row] == len(mine)
    assert requests.spend[row] == pytest.approx(mine.spend.sum())
    assert requests.wait[row] == pytest.approx(mine.at.min() - day, abs=1e-4)
    assert (requests.wait[requests.orders == 0] == 28).all()
    assert (requests.satisfaction >= (requests.orders > 0)).all()


def test_statistics_are_those_of_a_calendar() -> None:
    days = [0.0, 10.0, 30.0]
    bought = [
        Purchase(OrderId(f"o{n}"), ProductId("p00"), START + timedelta(days=d), 2, Money(500, "USD"))
        for n, d in enumerate(days)
    ]
    history = of_purchases(bought, {"p00": 0}, {})
    found = statistics(
        group(history, None, 1),
        as_day(START) + 45,
        ("n", "since", "first", "gap", "last_gap", "due", "in28", "quantity", "decay45"),
    )
    assert {name: values[0] for name, values in found.items() if name != "decay45"} == pytest.approx(
        {"n": 3, "since": 15, "first": 45, "gap": 15, "last_gap": 20, "due": 1.0, "in28": 1, "quantity": 2}
    )
    assert found["decay45"][0] == pytest.approx(2 ** (-45 / 45) + 2 ** (-35 / 45) + 2 ** (-15 / 45))


def test_lines_of_one_product_in_one_order_are_one_purchase() -> None:
    twice = [Purchase(OrderId("o"), ProductId("p"), START, 1, Money(100, "USD"))] * 2
    history = of_purchases(twice, {"p": 0}, {})
    assert len(history) == 1
    assert history.quantity.tolist() == [2.0]
    assert history.spend.tolist() == [200.0]


def test_someone_without_a_history_has_features_too() -> None:
    _, catalogue, history, members = shop()
    items = items_at(catalogue, history, len(members), as_day(START + timedelta(days=90)), seed=1)
    shopper = Shoppers(items).of(Context(Channel.API, START + timedelta(days=90)), ())
    found = propose_all(shopper_sources(items, None), shopper)
    assert len(found)
    features = shopper.features(found)
    assert (features[:, COLUMN["item_n"]] == 0).all()
    assert np.isnan(features[:, COLUMN["item_since"]]).all()


def dense_ease(x: np.ndarray, penalty: float) -> np.ndarray:
    inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1]))
    b = inverse / -np.diag(inverse)
    b[np.diag_indices_from(b)] = 0.0
    return b


def test_neighbours_are_those_of_the_closed_form_of_ease() -> None:
    """Steck 2019, equation 8, solved over members here and over items there."""
    _, _catalogue, history, members = shop()
    day, size = as_day(START + timedelta(days=120)), 60
    found = neighbours(history, len(members), size, day, seed=1).toarray()
    pairs = group(history.before(day), None, size)
    x = np.zeros((len(members), size))
    x[pairs.keys // size, pairs.keys % size] = np.log1p(pairs.counts)
    known = np.bincount(pairs.keys % size, minlength=size) >= 10
    expected = np.zeros((size, size))
    expected[np.ix_(known, known)] = dense_ease(x[:, known], 200.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_speaks_for_an_item_adds_up_to_its_taste_score() -> None:
    frame, catalogue, history, members = shop()
    when = START + timedelta(days=100)
    items: Items = items_at(catalogue, history, len(members), as_day(when), seed=1)
    shopper = Shoppers(items).of(Context(Channel.API, when), purchases(frame, members[3], when))
    item = int(np.argmax(shopper.taste))
    known = MemberHistory.of(shopper.known.history, items)
    assert shopper.taste[item] == pytest.approx(float(taste_scores(known, items)[0, item]))
    because = shopper.because(item)
    assert because
    assert set(because) <= set(shopper.owned.tolist())
    share = [items.neighbours[i, item] for i in because]
    assert max(share) > 0
