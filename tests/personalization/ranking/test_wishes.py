"""What a question rules out is not shown: allergies, "without", "no", "-free"."""

from __future__ import annotations

import pytest

from personalization.ranking.rules import allowed
from personalization.ranking.text import names, unwanted, wanted, words
from personalization.types import Channel, Context
from tests.personalization import fakes
from tests.personalization.fakes import NOW


@pytest.mark.parametrize(
    ("query", "asked", "ruled_out", "kept"),
    [
        ("I'm allergic to nuts, what snacks can I eat", ["snack", "eat"], {"nut", "peanut", "almond"}, {"snack"}),
        ("snacks without nuts", ["snack"], {"nut", "walnut"}, set()),
        ("gluten-free bread", ["gluten", "free", "bread"], {"gluten", "wheat"}, {"bread"}),
        ("I can’t eat dairy, any dessert?", ["dessert"], {"milk", "cheese"}, {"dessert"}),
        ("i am lactose intolerant", ["am"], {"milk", "lactose"}, set()),
        ("something for dinner with no meat and no fish", ["dinner"], {"meat", "fish", "tuna"}, {"no"}),
        ("oat milk", ["oat", "milk"], set(), {"milk"}),
    ],
)
def test_a_question_is_split_into_what_is_wanted_and_what_is_not(
    query: str, asked: list[str], ruled_out: set[str], kept: set[str]
) -> None:
    assert words(wanted(query)) == asked
    assert ruled_out <= unwanted(query)
    assert bool(ruled_out) == bool(unwanted(query))
    assert unwanted(query).isdisjoint(kept)


def test_a_product_that_is_free_of_it_does_not_name_it() -> None:
    assert names("Peanut butter", unwanted("allergic to nuts"))
    assert not names("Sugar free gum", unwanted("no sugar"))
    assert not names("Donuts", unwanted("allergic to nuts"))


@pytest.mark.parametrize(("query", "shown"), [("snacks without cheese", False), ("cheese", True), (None, True)])
def test_what_is_ruled_out_is_never_shown(query: str | None, shown: bool) -> None:
    assert allowed(fakes.product("cheese-1", "Cheese"), Context(Channel.WIDGET, NOW, query=query), None) is shown
