"""What coupons take off a basket: exact, never below nothing, the same in any order of scanning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from personalization.coupons.basket import Line, apply, covers
from personalization.offers import Coupon, Stacking, Terms
from personalization.types import CampaignId, CouponId, Money, ProductId

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BASKET = [
    Line(ProductId("milk"), 200, "Dairy"),
    Line(ProductId("bread"), 300, "Bakery"),
    Line(ProductId("cheese"), 500, "Dairy"),
]


def coupon(code: str, minor: int, *products: str, days: float = 1, **terms: Any) -> Coupon:
    covered = frozenset(map(ProductId, products))
    return Coupon(CouponId(code), code, CampaignId("c"), "o", Money(minor, "USD"), covered, NOW, NOW + timedelta(days=days),
                  terms=Terms(**terms))  # fmt: skip


def taken(*coupons: Coupon, lines: list[Line] | None = None) -> dict[str, int | str]:
    applied = apply(BASKET if lines is None else lines, coupons, currency="USD", at=NOW)
    return {use.code: use.total if use.reason is None else use.reason.code for use in applied.uses}


def test_a_discount_is_for_its_products_and_categories_and_never_more_than_they_cost() -> None:
    applied = apply(
        BASKET, [coupon("A", 900, "milk"), coupon("B", 100, categories=frozenset({"Dairy"}))], currency="USD", at=NOW
    )
    assert [use.off for use in applied.uses] == [(200, 0, 0), (0, 0, 100)]
    assert applied.off == (200, 0, 100)


def test_a_percentage_is_of_what_is_left_rounded_half_up_and_capped() -> None:
    assert taken(coupon("A", 1000, percent_bp=1250), lines=[Line(ProductId("x"), 100)]) == {"A": 13}
    assert taken(coupon("A", 10, percent_bp=1250), lines=[Line(ProductId("x"), 100)]) == {"A": 10}
    assert taken(coupon("A", 1000, percent_bp=5000), coupon("B", 400)) == {"A": 500, "B": 400}


def test_the_reasons_why_a_coupon_does_not_apply() -> None:
    assert taken(
        coupon("LATE", 10, days=-1), coupon("SMALL", 10, minimum_basket=1001), coupon("NOT", 10, "tea"),
        replace(coupon("EUR", 10), discount=Money(10, "EUR")), coupon("FITS", 10, minimum_basket=1000),
    ) == {"LATE": "expired", "SMALL": "minimum_basket", "NOT": "not_in_basket", "EUR": "currency", "FITS": 10}  # fmt: skip


def test_what_lets_nothing_after_it_count_stops_the_smaller_ones() -> None:
    assert taken(coupon("A", 300), coupon("B", 200, stacking=Stacking.STOP), coupon("C", 100)) == {
        "A": 300,
        "B": 200,
        "C": "stopped",
    }


def test_the_best_one_counts_alone_or_not_at_all() -> None:
    assert taken(coupon("A", 300, stacking=Stacking.BEST), coupon("B", 100), coupon("C", 150)) == {
        "A": 300, "B": "not_the_best", "C": "not_the_best",
    }  # fmt: skip
    assert taken(coupon("A", 300, stacking=Stacking.BEST), coupon("B", 200), coupon("C", 150)) == {
        "A": "not_the_best",
        "B": 200,
        "C": 150,
    }
    assert taken(coupon("A", 300, stacking=Stacking.BEST), coupon("D", 400, stacking=Stacking.BEST)) == {
        "A": "not_the_best",
        "D": 400,
    }


def test_a_coupon_whose_products_others_have_paid_for_says_so() -> None:
    assert taken(coupon("A", 900, "milk"), coupon("B", 100, "milk")) == {"A": 200, "B": "nothing_left"}


lines_ = st.lists(
    st.builds(
        Line,
        st.sampled_from([ProductId(name) for name in "abc"]),
        st.integers(0, 10**6),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=6,
)
terms_ = st.builds(
    Terms, percent_bp=st.sampled_from([0, 0, 1, 333, 1000, 9999, 10_000]), minimum_basket=st.sampled_from([0, 0, 5000]),
    categories=st.sampled_from([frozenset[str](), frozenset({"x"}), frozenset({"x", "y"})]), stacking=st.sampled_from(Stacking),
)  # fmt: skip
coupons_ = st.lists(
    st.builds(
        lambda number, minor, products, days, terms: replace(coupon(f"C{number}", minor, *products, days=days), terms=terms),
        st.integers(0, 99), st.integers(1, 10**6), st.sampled_from([(), ("a",), ("a", "b")]), st.sampled_from([-1, 1, 1, 2]), terms_,
    ),
    max_size=5, unique_by=lambda one: one.code,
)  # fmt: skip


@given(lines_, coupons_, st.randoms())
@hypothesis.settings(max_examples=400, deadline=None)
def test_whatever_the_basket_and_the_coupons(lines: list[Line], coupons: list[Coupon], random: Any) -> None:
    applied = apply(lines, coupons, currency="USD", at=NOW)
    assert [use.code for use in applied.uses] == [one.code for one in coupons]
    for number, line in enumerate(lines):
        assert 0 <= applied.off[number] <= line.amount
        assert applied.off[number] == sum(use.off[number] for use in applied.uses)
    for use, one in zip(applied.uses, coupons, strict=True):
        assert (use.reason is None) == (use.total > 0)
        assert 0 <= use.total <= one.discount.minor_units
        assert all(off == 0 or covers(one, line) for off, line in zip(use.off, lines, strict=True))
    working = [one for use, one in zip(applied.uses, coupons, strict=True) if use.total]
    assert sum(one.terms.stacking is Stacking.STOP for one in working) <= 1
    if any(one.terms.stacking is Stacking.BEST for one in working):
        assert len(working) == 1
    random.shuffle(shuffled := list(coupons))
    again = apply(lines, shuffled, currency="USD", at=NOW)
    assert {use.code: use for use in again.uses} == {use.code: use for use in applied.uses}
    alone = [apply(lines, [one], currency="USD", at=NOW).total for one in coupons]
    assert applied.total >= max(alone, default=0)
