"""Segments that staff make, counted and chosen by the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from personalization.profiling.labels import RuleLabels, load_rules
from personalization.profiling.own_segments import CHOSEN, WORDS, SegmentRuleError, parse
from personalization.types import Purpose
from stores.database import Database
from stores.errors import ConflictError, NotFoundError
from stores.insight_tables import member_features
from stores.segments import SqlSegments
from tests.small_shop import NOW, name_dog_owners
from tests.stores.log import consume_all, profiles_of
from tests.stores.test_profiles import agree, member_of


def rule(*conditions: dict[str, Any], match: str = "all") -> Any:
    return parse({"match": match, "conditions": list(conditions)})


def feature(name: str, how: str, value: float) -> dict[str, Any]:
    return {"kind": "feature", "name": name, "how": how, "value": value}


def label(name: str, value: Any = None, how: str = "is") -> dict[str, Any]:
    return {"kind": "label", "name": name, "how": how, "value": value}


@pytest.fixture
def shop(small_shop: Database) -> Database:
    name_dog_owners(small_shop)
    consume_all(profiles_of(small_shop, RuleLabels(load_rules())))
    return small_shop


def test_every_feature_has_a_column_and_words() -> None:
    assert {column.name for column in member_features.columns} >= set(CHOSEN)
    assert set(CHOSEN) <= set(WORDS)


def test_a_count_is_who_is_in_it(shop: Database) -> None:
    store = SqlSegments(shop)
    for asked in (
        rule(feature("orders", "at_least", 10)),
        rule(label("has_dog")),
        rule(label("has_dog", None, "is_not")),
        rule(feature("orders", "at_least", 10_000), label("shopping_rhythm", "weekly"), match="any"),
    ):
        count, everybody = store.count(asked)
        with shop.read() as connection:
            assert len(connection.execute(store.matching(asked)).all()) == count
        assert 0 < count <= everybody == 60
    both = [store.count(rule(label("has_dog", None, how)))[0] for how in ("is", "is_not")]
    assert sum(both) == 60
    assert store.count(rule(feature("orders", "above", 10_000)))[0] == 0


def test_a_label_that_is_true_is_found_by_its_value(shop: Database) -> None:
    store = SqlSegments(shop)
    words, ranges = store.vocabulary()
    name = next(name for name, values in words.items() if values == ["True"])
    assert (
        store.count(rule(label(name, True))) == store.count(rule(label(name))) == store.count(rule(label(name, "True")))
    )
    least, middle, most = ranges["orders"]
    assert least <= middle <= most


def test_who_withdraws_is_in_no_segment(shop: Database) -> None:
    store, member = SqlSegments(shop), member_of(shop)
    asked = rule(feature("orders", "at_least", 0))
    before = store.count(asked)[0]
    agree(shop, member, Purpose.PROFILING, granted=False)
    profiles_of(shop, RuleLabels(load_rules())).rebuild([member], now=NOW)
    assert store.count(asked) == (before - 1, before - 1)
    with shop.read() as connection:
        assert member not in set(connection.scalars(store.matching(asked)))


def test_an_own_segment_is_kept_changed_and_deleted(shop: Database) -> None:
    store, now = SqlSegments(shop), datetime.now(UTC)
    made = store.create("Regulars", "", rule(feature("orders", "at_least", 10)), author="Ann", at=now)
    with pytest.raises(ConflictError):
        store.create("Regulars", "", made.rule, author="Bo", at=now)
    with shop.read() as connection:
        members = set(connection.scalars(store.member_ids(made.segment_id)))
        assert members == set(
            connection.scalars(select(member_features.c.member_id).where(member_features.c.orders >= 10))
        )
    changed = store.change(made.segment_id, "Few orders", "", rule(feature("orders", "below", 10)), at=now)
    assert changed.rule != made.rule
    assert [one.name for one in store.all()] == ["Few orders"]
    store.delete(made.segment_id)
    with pytest.raises(NotFoundError):
        store.member_ids(made.segment_id)
    with pytest.raises(NotFoundError):
        store.delete(made.segment_id)


def test_moments_are_those_of_the_members(shop: Database) -> None:
    store, asked = SqlSegments(shop), rule(feature("orders", "at_least", 1))
    found = store.moments(asked, ["orders"])["orders"]
    with shop.read() as connection:
        orders = [
            float(n) for n in connection.scalars(select(member_features.c.orders).where(member_features.c.orders >= 1))
        ]
    mean = sum(orders) / len(orders)
    assert found.n == len(orders)
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(sum((n - mean) ** 2 for n in orders) / (len(orders) - 1), abs=1e-6)
    looked, labels = store.label_counts(asked)
    assert looked == len(orders)
    assert all(0 < n <= looked for n in labels.values())


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"match": "some", "conditions": []}, "all"), ({"conditions": []}, "1 to 12"), ({"conditions": [feature("luck", "above", 1)]}, "luck"),
        ({"conditions": [feature("face_valence_28d", "above", 0)]}, "face_valence_28d"), ({"conditions": [{**feature("orders", "is", 1)}]}, "at_least"),
        ({"conditions": [{**feature("orders", "above", 1), "value": "1"}]}, "number"), ({"conditions": [label("x", how="above")]}, "is_not"),
        ({"conditions": [{"kind": "weather", "how": "is", "name": "x"}]}, "is about"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_in_words(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(SegmentRuleError, match=words):
        parse(tree)


def test_a_rule_says_in_words_who_is_in_it() -> None:
    made = rule(
        feature("promo_share", "at_least", 0.6), feature("spent", "above", 12_50), label("mood", "happy", "is_not")
    )
    said = "Spent on promotions at least 60% and spent in 26 weeks above $12.50 and not labelled mood: happy."
    assert made.sentence({}, "USD") == said
    assert parse(made.tree()) == made
