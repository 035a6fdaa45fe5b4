"""The core: it always answers, reads nothing without consent, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization import artifacts
from personalization.artifacts import Artifacts
from personalization.core import Core
from personalization.coupons.log import CouponLog
from personalization.creative.brand import BrandKit
from personalization.creative.studio import Studio
from personalization.deciding.dependencies import CoreDependencies
from personalization.decisions import Decision, Fallback, LoggedRequest
from personalization.experiments.spec import Arm, Assignment, Experiment
from personalization.profiling.facts import product_facts
from personalization.profiling.living import LivingProfiler
from personalization.profiling.segments import SegmentLabels
from personalization.ranking.ranker import EnsembleRanker
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import SearchSource, shopper_sources
from personalization.training import train
from personalization.types import Affect, Channel, Context, MemberId, ProductId, Purpose, Subject, VisitorId
from tests import small_shop
from tests.personalization import fakes
from tests.personalization.fakes import NOW

ALL = (Purpose.PROFILING, Purpose.MARKETING)


class SmallSource:
    """The small shop as training data."""

    def order_lines(self) -> pl.DataFrame:
        frame = small_shop.orders().rename({"member": "member_id"})
        return frame.with_columns(
            pl.col("at").str.to_datetime(time_zone="UTC", time_unit="us"), pl.lit(349).cast(pl.Int64).alias("amount_minor"),
            pl.lit(0).cast(pl.Int64).alias("discount_minor"), pl.lit(0).cast(pl.Int64).alias("coupon_minor"), pl.lit("store").alias("channel"),
        ).drop("amount")  # fmt: skip

    def products(self) -> pl.DataFrame:
        return small_shop.products().with_columns(
            (pl.col("price").cast(pl.Float64) * 100).cast(pl.Int64).alias("price_minor"), pl.lit("").alias("brand"),
            pl.lit("").alias("package_size"), pl.lit("USD").alias("currency"),
        )  # fmt: skip

    def logged_requests(self, *, since: datetime, most: int) -> Iterator[LoggedRequest]:
        return iter(())

    def coupon_log(self, *, since: datetime, until: datetime, horizon: timedelta) -> CouponLog:
        return fakes.no_coupon_log()

    def product_facts(self) -> pl.DataFrame:
        return product_facts(self.products().with_columns(pl.lit(True).alias("recommendable")))


@lru_cache
def trained() -> Artifacts:
    with TemporaryDirectory() as name:
        train(SmallSource(), Path(name) / "a", seed=1, progress=lambda *_: None)
        return artifacts.load(Path(name) / "a")


def catalogue() -> fakes.FakeCatalogue:
    rows = small_shop.products().select("product_id", "category").iter_rows()
    return fakes.FakeCatalogue([fakes.product(product_id, category) for product_id, category in rows])


def history(*products: str, weeks: int = 10) -> list[Any]:
    return [fakes.purchase(p, 7 * week + 6, f"{week}") for week in range(weeks) for p in products]


def dependencies(**changes: Any) -> CoreDependencies:
    found, goods = trained(), catalogue()
    items, shoppers = found.items, Shoppers(found.items)
    purchases = fakes.FakePurchases({"m": history("dog-food-1", "milk-2", "bread-1")})
    if "purchases" in changes and isinstance(changes["purchases"], fakes.FakePurchases):
        purchases = changes["purchases"]
    living = fakes.FakeViews(
        purchases, {p.product_id: p.category for p in goods.known.values()}, SegmentLabels(found.segments)
    )
    base = CoreDependencies(
        catalogue=goods, purchases=purchases, consents=fakes.FakeConsents(*ALL),
        campaigns=fakes.FakeCampaigns(fakes.offer()), ledger=fakes.FakeLedger(), decisions=fakes.FakeDecisions(),
        sources=[*shopper_sources(items, shoppers), SearchSource(items.product_ids, found.search_terms, found.search_matrix)],
        profiler=LivingProfiler(living, living, "USD", "living-test"), ranker=EnsembleRanker(items, shoppers, found.ranking, fakes.FakeResponses()), allocator=fakes.allocator(),
        creative=Studio(lambda _: BrandKit("Shop", 155)), popular=lambda: list(goods.known.values())[:5],
    )  # fmt: skip
    return replace(base, **changes)


def decide(deps: CoreDependencies, member: str | None = "m", **context: Any) -> Decision:
    subject = Subject(MemberId(member) if member else None, VisitorId("v"))
    return Core(deps).decide(subject, Context(Channel.WIDGET, NOW, **context))


def ids(decision: Decision) -> list[str]:
    return [item.product.product_id for item in decision.slate]


def test_three_members_with_different_histories_get_three_different_sensible_slates() -> None:
    bought = {
        "pet owner": history("dog-food-1", "milk-1", "eggs-1"), "young parent": history("baby-food-2", "bananas-1", "bread-1"),
        "cheese lover": history("cheese-3", "apples-1", "coffee-1"),
    }  # fmt: skip
    deps = dependencies(purchases=fakes.FakePurchases(bought))
    slates = {name: ids(decide(deps, name)) for name in bought}
    assert "dog-food-1" in slates["pet owner"][:3]
    assert "baby-food-2" in slates["young parent"][:3]
    assert "cheese-3" in slates["cheese lover"][:3]
    assert len({frozenset(slate) for slate in slates.values()}) == 3
    for name, slate in slates.items():
        own = {p.product_id for p in bought[name]}
        assert any(product_id not in own for product_id in slate), "something to discover"


def test_without_consent_to_profiling_the_history_is_not_even_read() -> None:
    purchases = fakes.FakePurchases({"m": history("dog-food-1")})
    decision = decide(dependencies(consents=fakes.FakeConsents(Purpose.MARKETING), purchases=purchases))
    assert purchases.reads == 0
    assert decision.slate
    assert decision.segment is None
    assert any("purchase history" in withheld for withheld in decision.inputs_withheld)
    assert "not used" in decision.explanation
    assert ids(decision) == ids(decide(dependencies(), None))


def test_without_consent_to_marketing_a_member_gets_no_coupon() -> None:
    ledger = fakes.FakeLedger()
    decision = decide(dependencies(consents=fakes.FakeConsents(Purpose.PROFILING), ledger=ledger), wants_coupon=True)
    assert decision.coupon is None
    assert ledger.coupons == []


def test_a_face_is_ignored_without_consent_to_expression() -> None:
    sad = Affect(-0.9, 0.5, {}, "face")
    assert len(decide(dependencies(), affect=sad, slate_size=5).slate) == 5
    allowed = dependencies(consents=fakes.FakeConsents(*ALL, Purpose.EXPRESSION))
    assert len(decide(allowed, affect=sad, slate_size=5).slate) == 3


def test_reasons_are_the_true_ones() -> None:
    decision = decide(dependencies())
    by_id = {item.product.product_id: item.reason for item in decision.slate}
    reason = by_id[ProductId("dog-food-1")]
    assert reason.facts["times"] == 10
    assert reason.sentence == "You buy this about every week, last 6 days ago."
    other = [item for item in decision.slate if "repeat" not in item.sources]
    assert all(item.reason.code in {"similar_taste", "popular", "your_kind", "popular_here"} for item in other)


def test_a_search_shows_what_matches_and_gibberish_matches_nothing() -> None:
    found = decide(dependencies(), query="do you have some chese?")
    assert {item.product.category for item in found.slate} == {"Cheese"}
    nothing = decide(dependencies(), query="xqzv wkkj")
    assert not any("search" in item.sources for item in nothing.slate)


def test_a_coupon_is_reserved_and_the_open_one_is_given_again() -> None:
    deps = dependencies()
    first, second = decide(deps, wants_coupon=True), decide(deps, wants_coupon=True)
    assert first.coupon is not None
    assert first.coupon == second.coupon
    assert isinstance(deps.ledger, fakes.FakeLedger)
    assert deps.ledger.reserved == 100


def test_a_ledger_that_refuses_means_no_coupon_and_no_error() -> None:
    decision = decide(dependencies(ledger=fakes.FakeLedger(refuses=True)), wants_coupon=True)
    assert decision.coupon is None
    assert decision.slate
    assert decision.fallbacks == ()


def test_a_discount_is_never_more_than_half_of_the_price() -> None:
    too_much = dependencies(campaigns=fakes.FakeCampaigns(fakes.offer(201)))
    assert decide(too_much, wants_coupon=True).coupon is None


class Broken:
    """Fails at everything."""

    version = name = "broken"

    def __getattr__(self, _: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> Any:
            raise RuntimeError("out of order")

        return fail


@pytest.mark.parametrize(
    "part", ["profiler", "ranker", "allocator", "creative", "purchases", "campaigns", "ledger", "exposures"]
)
def test_a_failing_part_is_replaced_by_its_named_fallback_and_counted(part: str) -> None:
    counted: list[Fallback] = []
    decision = decide(
        dependencies(**{part: Broken()}, on_fallback=counted.append), wants_coupon=True, wants_creative=True
    )
    assert decision.slate
    assert decision.fallbacks
    assert list(decision.fallbacks) == counted


def test_a_failing_catalogue_and_every_source_failing_still_answer_with_popular_items() -> None:
    assert ids(decide(dependencies(catalogue=Broken()))) == ids(decide(dependencies(sources=[Broken()], ranker=None)))


def test_without_any_trained_part_popular_items_are_shown() -> None:
    bare = dependencies(sources=[], ranker=None, profiler=None, allocator=None, creative=None)
    decision = decide(bare, wants_coupon=True, wants_creative=True)
    assert len(decision.slate) == 5
    assert {fallback.component for fallback in decision.fallbacks} >= {"ranker", "profiler", "coupons", "creative"}
    assert "the usual ranking was not available" in decision.explanation


def test_why_is_answered_from_the_log() -> None:
    deps = dependencies()
    decision = decide(deps)
    core = Core(deps)
    assert (
        core.explain_item(decision.decision_id)
        == f"{decision.slate[0].product.name}: {decision.slate[0].reason.sentence}"
    )
    assert core.explain_item(decision.decision_id, ProductId("never shown")) is None


PRODUCTS = [row[0] for row in small_shop.products().select("product_id").iter_rows()]


@settings(max_examples=60, deadline=None)
@given(
    bought=st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(0, 300)), max_size=40),
    size=st.integers(1, 12),
    exclude=st.frozensets(st.sampled_from(PRODUCTS), max_size=8),
    query=st.none() | st.text(max_size=30),
    coupon=st.booleans(),
)
def test_a_slate_has_no_duplicates_no_excluded_items_and_ranks_from_one(
    bought: Sequence[tuple[str, int]], size: int, exclude: frozenset[str], query: str | None, coupon: bool
) -> None:
    purchases = fakes.FakePurchases({"m": [fakes.purchase(p, days) for p, days in bought]})
    decision = decide(
        dependencies(purchases=purchases),
        slate_size=size,
        exclude=frozenset(map(ProductId, exclude)),
        query=query,
        wants_coupon=coupon,
    )
    shown = ids(decision)
    assert len(shown) == len(set(shown)) <= size
    assert not set(shown) & exclude
    assert [item.rank for item in decision.slate] == list(range(1, len(shown) + 1))
    assert all(item.reason.sentence.endswith(".") for item in decision.slate)


class FakeExperiments:
    def __init__(self, *running: Experiment) -> None:
        self.known, self.exposed = running, list[str]()
        self.launched: tuple[Experiment, ...] = ()

    def running(self) -> Sequence[Experiment]:
        return self.known

    def forget_running(self) -> None:
        self.known = self.known + self.launched
        self.launched = ()

    def expose(
        self, running: Sequence[Experiment], subject: Subject, *, at: datetime, channel: Channel
    ) -> Sequence[Assignment]:
        self.exposed += [one.experiment_id for one in running]
        return [Assignment(one.experiment_id, one.arms[0]) for one in running]


def experiment(**off: bool) -> Experiment:
    """An experiment whose control has switches off; the fake puts everybody there."""
    return Experiment("e", "x", (Arm("off", 0.5, **off), Arm("on", 0.5)))


def test_an_arm_without_personalization_reads_no_history_and_shows_what_everybody_gets() -> None:
    purchases = fakes.FakePurchases({"m": history("dog-food-1", "milk-1", "eggs-1")})
    experiments = FakeExperiments(experiment(personalize=False))
    decision = decide(dependencies(purchases=purchases, experiments=experiments))
    assert purchases.reads == 0
    assert decision.arms == {"e": "off"}
    assert ids(decision) == ids(decide(dependencies(purchases=purchases), member=None))
    assert decision.segment is None


def test_an_arm_without_coupons_or_posters_gives_none() -> None:
    asked = {"wants_coupon": True, "wants_creative": True}
    assert (usual := decide(dependencies(), **asked)).coupon
    assert usual.creative
    assert decide(dependencies(experiments=FakeExperiments(experiment(coupons=False))), **asked).coupon is None
    assert decide(dependencies(experiments=FakeExperiments(experiment(creative=False))), **asked).creative is None


def test_only_those_are_exposed_for_whom_the_arms_differ() -> None:
    coupons, personal = FakeExperiments(experiment(coupons=False)), FakeExperiments(experiment(personalize=False))
    decide(dependencies(experiments=coupons))
    assert coupons.exposed == []
    decide(dependencies(experiments=coupons), wants_coupon=True)
    assert coupons.exposed == ["e"]
    decide(dependencies(experiments=personal), member=None)
    assert personal.exposed == []
    decide(dependencies(experiments=personal, consents=fakes.FakeConsents(Purpose.MARKETING)))
    assert personal.exposed == []


def test_the_holdout_of_a_campaign_that_was_just_launched_gets_no_coupon() -> None:
    given = decide(dependencies(), wants_coupon=True).coupon
    assert given is not None
    experiments = FakeExperiments()
    arms = (Arm("holdout", 0.1, without=str(given.campaign_id)), Arm("campaign", 0.9))
    experiments.launched = (Experiment("h", "x", arms),)
    found = decide(dependencies(experiments=experiments), wants_coupon=True)
    assert (found.coupon, found.arms) == (None, {"h": "holdout"})
    exposed = len(experiments.exposed)
    stranger = decide(dependencies(experiments=experiments), member=None, wants_coupon=True)
    assert (stranger.arms, len(experiments.exposed)) == ({}, exposed), "nobody knows what visitors order"


def test_experiments_that_fail_take_no_answer_down() -> None:
    class Broken(FakeExperiments):
        def running(self) -> Sequence[Experiment]:
            raise RuntimeError("no database")

    decision = decide(dependencies(experiments=Broken()))
    assert decision.slate
    assert [(f.component, f.used) for f in decision.fallbacks] == [("experiments", "no experiment")]


def test_a_decision_carries_everything_that_was_compared() -> None:
    decision = decide(dependencies())
    assert decision.candidates is not None
    assert set(ids(decision)) <= set(decision.candidates.product_ids)
    assert len(decision.candidates.scores) == len(decision.candidates.product_ids) > len(decision.slate)
    assert decide(dependencies(ranker=None)).candidates is None


def test_what_a_shopper_never_touched_makes_room_but_what_they_buy_or_ask_for_stays() -> None:
    usual = decide(dependencies())
    others = [item.product.product_id for item in usual.slate if "repeat" not in item.sources]
    assert others
    exposures = fakes.FakeExposures(*ids(usual))
    capped = decide(dependencies(exposures=exposures))
    assert not set(ids(capped)) & set(others)
    assert {item.product.product_id for item in usual.slate if "repeat" in item.sources} <= set(ids(capped))
    assert len(capped.slate) == len(usual.slate)
    assert "what was shown lately" in capped.inputs_used
    cheese = fakes.FakeExposures("cheese-1", "cheese-2", "cheese-3")
    assert {i.product.category for i in decide(dependencies(exposures=cheese), query="cheese").slate} == {"Cheese"}


def test_the_cap_gives_way_where_the_slate_would_be_too_short() -> None:
    everything = fakes.FakeExposures(*PRODUCTS)
    assert ids(decide(dependencies(exposures=everything), None)) == ids(decide(dependencies(), None))


def test_exposures_are_asked_only_about_a_person_who_may_be_looked_up() -> None:
    exposures = fakes.FakeExposures()
    decide(dependencies(exposures=exposures, consents=fakes.FakeConsents(Purpose.MARKETING)))
    decide(dependencies(exposures=exposures, experiments=FakeExperiments(experiment(personalize=False))))
    Core(dependencies(exposures=exposures)).decide(Subject(None, VisitorId("v")), Context(Channel.KIOSK, NOW))
    assert exposures.asked == []
    decide(dependencies(exposures=exposures), None)
    decide(dependencies(exposures=exposures))
    assert exposures.asked == [Subject(None, VisitorId("v")), Subject(MemberId("m"), VisitorId("v"))]


def test_exposures_that_fail_mean_no_frequency_cap() -> None:
    decision = decide(dependencies(exposures=Broken()))
    assert ids(decision) == ids(decide(dependencies()))
    assert [(f.component, f.used) for f in decision.fallbacks] == [("exposures", "no frequency cap")]


def test_hard_rules_hold_for_popular_items_too() -> None:
    goods = [fakes.product(f"p-{n}", f"c{n}") for n in range(5)]
    goods[0], goods[1] = replace(goods[0], in_stock=False), replace(goods[1], minimum_age=18)
    assert ids(decide(dependencies(ranker=None, popular=lambda: goods))) == ["p-2", "p-3", "p-4"]


def test_a_decision_about_named_products_ranks_nothing_and_weighs_a_coupon_on_them() -> None:
    core = Core(dependencies())
    context = Context(Channel.API, NOW, slate_size=5, wants_coupon=True)
    named = [ProductId(p) for p in trained().items.product_ids[:2]]
    decision = core.decide(Subject(MemberId("cat")), context, about=[*named, ProductId("unknown")])
    assert [item.product.product_id for item in decision.slate] == named
    assert decision.candidates is None
    assert decision.allotment is not None
    assert decision.allotment.product_id in named
    assert decision.allotment.coupon == decision.coupon
