"""What a store promotes now, and what goes with a basket: which items are proposed, and what shoppers are told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from personalization.core import Core
from personalization.ranking.features import CATALOGUE
from personalization.ranking.items import Items
from personalization.ranking.promoted import PromotionSource
from personalization.ranking.ranker import EnsembleRanker, merge
from personalization.ranking.reasons import with_promotion
from personalization.ranking.scoring import SOURCE_WEIGHTS, Models
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import LIMITS, shopper_sources
from personalization.ranking.together import ITEMS_OF_CATEGORY, TogetherSource
from personalization.types import (
    Candidate,
    Channel,
    Context,
    Product,
    ProductId,
    Purchase,
    Reason,
    SlateItem,
    StoreId,
    Subject,
    VisitorId,
)
from tests.personalization import fakes
from tests.personalization.fakes import NOW
from tests.personalization.test_core import dependencies, trained

CATEGORIES = ["Cheese", "Crackers", "Grapes", "Soup"]
EACH = 6
RULES: list[dict[str, Any]] = [
    {"given": ["Cheese"], "then": "Crackers", "confidence": 0.3, "lift": 3.0},
    {"given": ["Cheese", "Crackers"], "then": "Grapes", "confidence": 0.5, "lift": 4.0},
    {"given": ["Soup"], "then": "Grapes", "confidence": 0.2, "lift": 0.8},
    {"given": ["at the weekend"], "then": "Soup", "confidence": 0.9, "lift": 2.0},
    {"given": ["Cheese"], "then": "with a coupon", "confidence": 0.9, "lift": 2.0},
]


def items() -> Items:
    """Six items per category, each a kind of its own with two; the first one of a category sells best."""
    n = EACH * len(CATEGORIES)
    category = np.repeat(np.arange(len(CATEGORIES), dtype=np.int32), EACH)
    rank = np.tile(np.arange(EACH), len(CATEGORIES))
    return Items(
        product_ids=np.array([f"{CATEGORIES[c].lower()}-{r}" for c, r in zip(category, rank, strict=True)]),
        categories=np.array(CATEGORIES), category=category, kind=np.arange(n) // 2, department=np.zeros(n, np.int64),
        popularity=(1.0 - rank / EACH).astype(np.float32), buyers=np.full(n, 20, np.int32),
        facts=np.zeros((n, len(CATALOGUE)), np.float32), neighbours=csr_matrix((n, n), dtype=np.float32),
        stores=np.array(["s"]), store_popularity=csc_matrix((1, n), dtype=np.float32),
    )  # fmt: skip


class MadePromotions:
    """What runs per store; None holds what runs in all stores."""

    def __init__(self, running: Mapping[str | None, Mapping[str, str]]) -> None:
        self.kept = {store: {ProductId(i): where for i, where in one.items()} for store, one in running.items()}
        self.asked: list[tuple[StoreId | None, datetime]] = []

    def running(self, store_id: StoreId | None, *, at: datetime) -> Mapping[ProductId, str]:
        self.asked.append((store_id, at))
        return self.kept.get(store_id) or self.kept.get(None, {})


def context(store: str | None = "s", channel: Channel = Channel.WIDGET, **more: Any) -> Context:
    return Context(channel, NOW, store_id=StoreId(store) if store else None, **more)


def promoted(
    running: Mapping[str, str], *purchases: Purchase, limit: int = LIMITS["promoted"], store: str | None = "s"
) -> Sequence[Candidate]:
    found = items()
    source = PromotionSource(found, Shoppers(found), MadePromotions({"s": running}))
    return source.candidates(context(store), None, purchases, limit)


def together(
    *purchases: Purchase, basket: Sequence[str] = (), rules: Sequence[dict[str, Any]] = RULES
) -> list[Candidate]:
    found = items()
    source = TogetherSource(found, Shoppers(found), rules)
    where = context(exclude=frozenset(map(ProductId, basket)))
    return list(source.candidates(where, None, purchases, LIMITS["together"]))


def ranked(candidates: Sequence[Candidate], channel: Channel = Channel.WIDGET, *purchases: Purchase) -> list[SlateItem]:
    found = items()
    ranker = EnsembleRanker(found, Shoppers(found), Models(), fakes.FakeResponses())
    ranking = ranker.rank(context(channel=channel), None, purchases, candidates, goods())
    return list(ranking.slate)


def goods() -> dict[ProductId, Product]:
    found = items()
    return {
        ProductId(str(i)): fakes.product(str(i), CATEGORIES[c])
        for i, c in zip(found.product_ids, found.category, strict=True)
    }


def told(candidate: Candidate, channel: Channel = Channel.WIDGET, *purchases: Purchase) -> Reason:
    return ranked([candidate], channel, *purchases)[0].reason


# --- promotions ----------------------------------------------------------------------------------------------------


def test_what_the_store_promotes_is_proposed_the_best_seller_first() -> None:
    found = promoted({"soup-3": "mailer", "soup-0": "display", "grapes-1": "display"})
    assert [c.product_id for c in found] == ["soup-0", "grapes-1", "soup-3"]
    assert [c.facts["promoted"]["placement"] for c in found] == ["display", "display", "mailer"]
    assert all(0 <= c.scores["promoted"] <= 1 for c in found)


def test_the_members_own_kinds_come_before_what_sells_better() -> None:
    found = promoted({"soup-0": "display", "cheese-4": "display"}, fakes.purchase("cheese-5", 3))
    assert [c.product_id for c in found] == ["cheese-4", "soup-0"]
    assert found[0].scores["promoted"] > 0.5 >= found[1].scores["promoted"]


def test_no_more_than_thirty_are_proposed_and_only_what_training_knew() -> None:
    everything = {str(i): "display" for i in items().product_ids} | {"unheard-of": "display"}
    assert len(promoted(everything)) == EACH * len(CATEGORIES) <= LIMITS["promoted"] == 30
    assert [c.product_id for c in promoted(everything, limit=2)] == ["cheese-0", "crackers-0"]


def test_the_store_and_the_time_of_the_question_are_what_is_asked_for() -> None:
    promotions, found = MadePromotions({"s": {"soup-0": "display"}, None: {"grapes-0": "mailer"}}), items()
    source = PromotionSource(found, Shoppers(found), promotions)
    here, anywhere = (source.candidates(context(store), None, (), 30) for store in ("s", None))
    assert [[c.product_id for c in one] for one in (here, anywhere)] == [["soup-0"], ["grapes-0"]]
    assert promotions.asked == [("s", NOW), (None, NOW)]


def test_new_promotions_replace_those_that_the_source_saw_before() -> None:
    promotions, found = MadePromotions({"s": {"soup-0": "display"}}), items()
    source = PromotionSource(found, Shoppers(found), promotions)
    assert [c.product_id for c in source.candidates(context(), None, (), 30)] == ["soup-0"]
    promotions.kept["s"] = {ProductId("cheese-0"): "mailer"}
    assert [c.product_id for c in source.candidates(context(), None, (), 30)] == ["cheese-0"]
    promotions.kept["s"] = {}
    assert source.candidates(context(), None, (), 30) == []


@pytest.mark.parametrize(
    ("placement", "sentence"), [("display", "On display in your store now."), ("mailer", "In this week's mailer.")]
)
def test_what_is_there_for_its_promotion_alone_says_so_once(placement: str, sentence: str) -> None:
    reason = told(promoted({"soup-0": placement})[0])
    assert (reason.code, reason.sentence) == ("promoted", sentence)
    assert reason.facts == {"placement": placement, "promoted": placement, "source": "promoted"}


@pytest.mark.parametrize("channel", [Channel.WIDGET, Channel.KIOSK])
@pytest.mark.parametrize(
    ("placement", "clause"),
    [("display", "; it is on display in your store."), ("mailer", "; it is in this week's mailer.")],
)
def test_a_promotion_is_a_second_clause_of_any_other_reason(channel: Channel, placement: str, clause: str) -> None:
    bought = [fakes.purchase("soup-0", days) for days in (28, 21, 14, 7)]
    plain = Candidate(ProductId("soup-0"), {"repeat": 1.0})
    both = merge([[plain], promoted({"soup-0": placement}, *bought)])[0]
    alone, reason = told(plain, channel, *bought), told(both, channel, *bought)
    assert reason.sentence == alone.sentence.removesuffix(".") + clause
    assert (reason.code, reason.facts["source"]) == (alone.code, "repeat")
    assert reason.facts == {**alone.facts, "promoted": placement}
    assert "promoted" not in alone.facts


def test_a_clause_is_added_to_what_just_missed_the_slate_too() -> None:
    found, candidates = items(), promoted({"soup-0": "display", "cheese-0": "display", "grapes-0": "display"})
    ranker = EnsembleRanker(found, Shoppers(found), Models(), fakes.FakeResponses())
    ranking = ranker.rank(context(slate_size=1), None, (), candidates, goods(), reach=3)
    assert [item.reason.facts["promoted"] for item in ranking.missed] == ["display", "display"]


def test_a_reason_without_a_promotion_stays_as_it_is() -> None:
    reason = Reason("popular", "Many shoppers buy this.", {"source": "popular"})
    assert with_promotion(reason, None) is reason


# --- what goes together --------------------------------------------------------------------------------------------


def test_what_goes_with_the_basket_is_proposed_best_sellers_first() -> None:
    found = together(basket=["cheese-5"])
    assert [c.product_id for c in found] == [f"crackers-{n}" for n in range(ITEMS_OF_CATEGORY)]
    assert found[0].facts["together"] == {"with": "Cheese", "with_2": None, "bought": False}
    scores = [c.scores["together"] for c in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(0.3)


def test_without_a_basket_the_last_order_counts_and_no_earlier_one() -> None:
    earlier, last = fakes.purchase("soup-0", 30), fakes.purchase("cheese-0", 2)
    assert {c.product_id.split("-")[0] for c in together(earlier, last)} == {"crackers"}
    assert together(fakes.purchase("cheese-0", 30), fakes.purchase("soup-0", 2)) == []
    assert together() == []


def test_the_basket_counts_before_the_last_order() -> None:
    assert together(fakes.purchase("cheese-0", 2), basket=["soup-1"]) == []


def test_a_rule_about_two_categories_needs_both_and_names_both() -> None:
    found = together(basket=["cheese-0", "crackers-0"])
    assert {c.product_id.split("-")[0] for c in found} == {"grapes"}  # crackers are in the basket already
    assert found[0].facts["together"] == {"with": "Cheese", "with_2": "Crackers", "bought": False}
    assert told(found[0]).sentence == "Goes with cheese and crackers."


def test_rules_that_lower_the_chance_or_speak_of_behaviours_propose_nothing() -> None:
    assert together(basket=["soup-0"]) == []
    assert together(basket=["cheese-0"], rules=[RULES[3], RULES[4]]) == []


def test_no_more_than_twenty_are_proposed() -> None:
    many = [{"given": ["Soup"], "then": name, "confidence": 0.2, "lift": 2.0} for name in CATEGORIES[:3]]
    assert len(together(basket=["soup-0"], rules=many)) == 3 * ITEMS_OF_CATEGORY <= LIMITS["together"] == 20
    found = items()
    source = TogetherSource(found, Shoppers(found), many)
    assert len(source.candidates(context(exclude=frozenset({ProductId("soup-0")})), None, (), 5)) == 5


def test_only_who_buys_it_is_told_that_they_do() -> None:
    last = fakes.purchase("cheese-0", 2)
    reason = told(together(last)[0], Channel.WIDGET, last)
    assert (reason.code, reason.sentence) == ("goes_with", "Goes with cheese, which you buy.")
    assert reason.facts == {"with": "Cheese", "with_2": None, "bought": True, "source": "together"}
    assert told(together(basket=["cheese-0"])[0]).sentence == "Goes with cheese."


def test_a_source_that_the_ranker_does_not_know_is_told_by_what_sells() -> None:
    assert told(Candidate(ProductId("soup-0"), {"somebody's own": 1.0})).code == "popular"


def test_what_goes_with_the_basket_and_is_on_display_says_both() -> None:
    both = merge([promoted({"crackers-0": "display"}), together(basket=["cheese-0"])])[0]
    reason = told(both)
    assert reason.sentence == "Goes with cheese; it is on display in your store."
    assert reason.code == "goes_with"


# --- in a decision -------------------------------------------------------------------------------------------------


class FixedSource:
    name = "fixed"

    def __init__(self, *found: Candidate) -> None:
        self.found = found

    def candidates(self, *_: object) -> Sequence[Candidate]:
        return self.found


def test_training_asks_neither_of_them() -> None:
    names = {source.name for source in shopper_sources(items(), None)}
    assert names.isdisjoint({"promoted", "together"})
    assert SOURCE_WEIGHTS["promoted"] == SOURCE_WEIGHTS["together"] == 0.05


def test_a_slate_of_such_items_alone_is_explained() -> None:
    known = trained().items
    source = FixedSource(
        Candidate(ProductId("dog-food-1"), {"promoted": 1.0}, {"promoted": {"placement": "display"}}),
        Candidate(
            ProductId("bread-1"), {"together": 0.5}, {"together": {"with": "Milk", "with_2": None, "bought": False}}
        ),
    )
    ranker = EnsembleRanker(known, Shoppers(known), Models(), fakes.FakeResponses())
    core = Core(dependencies(sources=[source], ranker=ranker))
    made = core.decide(Subject(None, VisitorId("v")), context(slate_size=2))
    assert made.explanation == "2 items for you: 1 that goes with other products and 1 promoted right now."
    assert made.fallbacks == ()


def test_a_source_that_fails_leaves_the_others() -> None:
    class Broken:
        def running(self, store_id: StoreId | None, *, at: datetime) -> Mapping[ProductId, str]:
            raise OSError("no database")

    known = trained().items
    shoppers = Shoppers(known)
    sources = [*shopper_sources(known, shoppers), PromotionSource(known, shoppers, Broken())]
    made = Core(dependencies(sources=sources)).decide(Subject(None, VisitorId("v")), context())
    assert made.slate
    assert [fallback.component for fallback in made.fallbacks] == ["source promoted"]
