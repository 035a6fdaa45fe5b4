"""A price before is told only where it was truly higher."""

from __future__ import annotations

from decimal import Decimal

import pytest

from personalization.creative.errors import CreativeError
from personalization.creative.prices import check_before, read_price


@pytest.mark.parametrize(("written", "amount"), [
    ("$2.79", "2.79"), ("2,79 €", "2.79"), ("1.299,00 €", "1299"), ("$1,299", "1299"), ("1 299,5 kr", "1299.5"), ("CHF 1'299.50", "1299.5"), ("99 ¢", "99"),
    ("1.299.000 ₫", "1299000"), ("$3.", "3"), ("٢٫٧٩ ر.س", None), ("cheap", None), ("", None), ("2.79 or 3.49", None), ("1.2345", None),
])  # fmt: skip
def test_prices_are_read_as_they_are_written(written: str, amount: str | None) -> None:
    found = read_price(written)
    assert (None if found is None else found[0]) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(("price", "was"), [
    ("$2.79", "$2.79"), ("$2.79", "$1.99"), ("$2.79", "more"), ("", "$3.49"), ("cheap", "$3.49"), ("$2.79", "3.49 €"), ("$10", "$9.99"),
])  # fmt: skip
def test_a_price_before_that_was_not_higher_is_refused(price: str, was: str) -> None:
    with pytest.raises(CreativeError):
        check_before(price, was)


@pytest.mark.parametrize(
    ("price", "was"), [("$2.79", ""), ("", ""), ("$2.79", "$3.49"), ("2,79 €", "3 €"), ("$9.99", "$10"), ("$999", "$1,299")]
)  # fmt: skip
def test_a_price_before_that_was_higher_is_told(price: str, was: str) -> None:
    check_before(price, was)
