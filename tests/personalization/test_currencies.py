"""Amounts have the digits of their currency, here and in the console."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from personalization import currencies
from personalization.profiling.own_segments import Condition
from personalization.profiling.segment_words import in_words
from personalization.types import Money

CONSOLE = Path(__file__).parents[2] / "web/src/console/currency.ts"


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (123_450, "USD", "$1,234.50"), (-5, "EUR", "-€0.05"), (123_450, "JPY", "123,450 JPY"), (123_450, "KWD", "123.450 KWD"),
        (-123_450, "HUF", "-1,234.50 HUF"),
    ],
)  # fmt: skip
def test_an_amount_has_the_digits_of_its_currency(minor: int, currency: str, written: str) -> None:
    assert str(Money(minor, currency)) == written


def test_a_rule_names_amounts_as_the_currency_has_them() -> None:
    spent = Condition("feature", "spent", "at_least", 5_000.0)
    found = [spent.sentence({}, currency) for currency in ("EUR", "JPY", "KWD")]
    assert [told.rpartition("at least ")[2] for told in found] == ["€50.00", "5,000 JPY", "5.000 KWD"]
    trained = {"spent": (5_000.0, None)}
    assert [in_words(trained, [], currency) for currency in ("EUR", "JPY")] == [
        "At least €50.00 spent in all.", "At least 5,000 JPY spent in all.",
    ]  # fmt: skip


def test_the_console_counts_minor_units_as_the_api_does() -> None:
    text = CONSOLE.read_text()
    for digits, name in ((0, "WITHOUT"), (3, "THREE"), (4, "FOUR")):
        [listed] = re.findall(rf"^const {name} = (.*);$", text, re.MULTILINE)
        named = re.findall(r"\b[A-Z]{3}\b", listed)
        assert named
        assert {currencies.places(one) for one in named} == {digits}
    assert len(re.findall(r"\b[A-Z]{3}\b", "".join(re.findall(r"^const .*$", text, re.MULTILINE)))) == 26
