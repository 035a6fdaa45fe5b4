from datetime import UTC, datetime, timedelta
from math import isnan, nan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.coupons.features import FEATURES, MEMBER, NEVER_DAYS, Habits, Record, Scope, features_of
from personalization.profiling.features import FEATURES as PROFILED
from personalization.types import Affect, Channel, Context, Money, OrderId, Product, ProductId, Purchase

AT = datetime(2026, 3, 3, 18, tzinfo=UTC)
CATEGORIES = {"milk": "DAIRY", "yoghurt": "DAIRY", "bread": "BAKERY"}


def bought(product, days, minor=100):
    return Purchase(OrderId("o"), ProductId(product), AT - timedelta(days=days), 1, Money(minor, "USD"))


def named(values):
    return dict(zip(FEATURES, values, strict=True))


def of(purchases, scope=None, context=None, record=None, member=None):
    habits = Habits.of_purchases(purchases, CATEGORIES, AT)
    milk = Product(ProductId("milk"), "Milk", "DAIRY", "DAIRY", "own", Money(250, "USD"))
    return named(features_of(member or {}, record or Record(), habits, scope or Scope.of_product(milk, 14.0), context))


def test_the_profile_part_are_features_that_profiling_has():
    assert set(MEMBER) <= set(PROFILED)


def test_what_is_known_of_a_shopper_and_a_thing():
    context = Context(Channel.KIOSK, AT, affect=Affect(-0.4, 0.2))
    found = of([bought("milk", 10), bought("milk", 100, 200), bought("yoghurt", 3), bought("bread", 1)], context=context, record=Record(4, 1, 1, 20.0), member={"orders": 7.0})  # fmt: skip
    assert (found["bought_lines"], found["bought_spent"], found["bought_lately"], found["days_since_bought"]) == (
        2,
        300,
        1,
        10,
    )
    assert (found["category_lines"], found["category_spent"], found["days_since_category"]) == (3, 400, 3)
    assert (found["lines"], found["bought_share"], found["matched_share"]) == (4, 0.6, 1.0)
    assert (found["offered"], found["redeemed"], found["days_since_redeemed"]) == (4, 1, 20)
    assert (found["price_minor"], found["valid_days"], found["valence"], found["on_kiosk"], found["hour"]) == (
        250,
        14,
        -0.4,
        1,
        18,
    )
    assert found["orders"] == 7
    assert isnan(found["recency_days"])


def test_a_stranger_in_no_conversation():
    found = of([])
    assert found["days_since_bought"] == found["days_since_category"] == NEVER_DAYS
    assert isnan(found["valence"])
    assert isnan(found["hour"])
    assert found["bought_share"] == 0


def test_what_comes_later_is_not_looked_at():
    assert repr(of([bought("milk", 5), bought("milk", -1), bought("milk", 0)])) == repr(of([bought("milk", 5)]))


def test_a_mailing_of_several_coupons():
    scope = Scope({"milk": (0, 1), "bread": (2,), "beer": (3,)}, frozenset({"DAIRY", "BAKERY"}), 4)
    found = of([bought("milk", 10), bought("bread", 2)], scope)
    assert (found["matched_coupons"], found["matched_share"], found["bought_products"]) == (3, 0.75, 2)
    assert found["days_since_bought"] == 2
    assert isnan(found["price_minor"])


@given(st.lists(st.tuples(st.sampled_from(["milk", "yoghurt", "bread", "other"]), st.floats(0.1, 700), st.integers(0, 999)), max_size=40), st.randoms())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_order_of_lines_changes_nothing(lines, random):
    purchases = [bought(*line) for line in lines]
    first = of(purchases)
    random.shuffle(purchases)
    assert repr(of(purchases)) == repr(first)


def test_the_shape_and_that_nan_is_the_only_way_to_say_unknown():
    found = features_of({}, Record(), Habits({}, {}, 0, 0), Scope({}, frozenset()), None)
    assert found.shape == (len(FEATURES),)
    assert np.isfinite(found[~np.isnan(found)]).all()
    assert isnan(nan)
