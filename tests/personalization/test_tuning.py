"""Dials on the trained core: each does what it says, standing still changes nothing, and what was taken back decides as before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from personalization.decisions import LoggedRequest
from personalization.experiments.spec import Arm, Assignment, Experiment
from personalization.offers import Allotment, Rung
from personalization.ranking.ranker import leaned
from personalization.ranking.shopper import Shoppers
from personalization.ranking.tuned import replay, rungs, still
from personalization.tuning import DIALS, SHIPPED, TuningPolicy, parse
from personalization.types import Affect, CampaignId, Channel, Context, DecisionId, EventType, MemberId, ProductId
from tests.personalization import fakes
from tests.personalization.fakes import NOW
from tests.personalization.test_core import decide, dependencies, history, ids, trained

SOUR = Affect(-0.4, 0.5)


class Dials:
    """Dials that somebody turns."""

    def __init__(self, *kept: TuningPolicy) -> None:
        self.kept = list(kept)

    def current(self) -> TuningPolicy:
        return self.kept[-1]

    def version(self, number: int) -> TuningPolicy:
        return next(one for one in self.kept if one.version == number)


def tuned(version: int = 1, **values: Any) -> TuningPolicy:
    return parse(values, version=version)


def test_dials_that_stand_still_change_nothing_and_are_named_where_they_do_not() -> None:
    plain, same = decide(dependencies()), decide(dependencies(tunings=Dials(SHIPPED)))
    assert ids(plain) == ids(same)
    assert "tuning" not in same.model_versions
    assert decide(dependencies(tunings=Dials(tuned(7)))).model_versions["tuning"] == "7"


@settings(max_examples=12, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=3), st.sampled_from([0.05, 0.3, 0.9]))
def test_what_was_taken_back_decides_as_before(turns: list[float], deepest: float) -> None:
    dials = Dials(SHIPPED)
    before = decide(dependencies(tunings=dials), wants_coupon=True)
    for number, knob in enumerate(turns, 1):
        dials.kept.append(tuned(number, variety={"widget": knob}, discounts={"deepest": deepest}))
        decide(dependencies(tunings=dials), wants_coupon=True)
    dials.kept.append(replace(SHIPPED, version=len(turns) + 1))
    after = decide(dependencies(tunings=dials), wants_coupon=True)
    assert ids(after) == ids(before)
    assert before.allotment is not None
    assert after.allotment is not None
    assert [rung.score for rung in after.allotment.rungs] == [rung.score for rung in before.allotment.rungs]


def test_moods_and_discounts_follow_their_dials() -> None:
    brief = dependencies(tunings=Dials(tuned(moods={"brief": -0.5})))
    assert len(decide(brief, affect=SOUR, slate_size=5).slate) == 5, "not low enough any more"
    short = dependencies(tunings=Dials(tuned(moods={"short": 1})))
    assert len(decide(short, affect=SOUR, slate_size=5).slate) == 1
    shallow = dependencies(tunings=Dials(tuned(discounts={"deepest": 0.05})))
    assert decide(shallow, wants_coupon=True).coupon is None
    never = dependencies(tunings=Dials(tuned(exploration={"coupons": 0.2})))
    offered = decide(never, wants_coupon=True).allotment
    assert offered is not None
    assert min(rung.probability for rung in offered.rungs) > 0


def test_an_arm_is_decided_by_its_own_version() -> None:
    varied = tuned(3, variety={"widget": 1.0})
    experiment = Experiment("dials", "x", (Arm("a1", 0.5, tuning=0), Arm("b1", 0.5, tuning=3)))

    class One:
        def running(self) -> list[Experiment]:
            return [experiment]

        def forget_running(self) -> None:
            raise AssertionError("no coupon is asked for")

        def expose(self, running: Any, subject: Any, **_: Any) -> list[Assignment]:
            return [Assignment("dials", experiment.arms[1])]

    found = decide(dependencies(tunings=Dials(varied, SHIPPED), experiments=One()))
    assert (found.arms, found.model_versions["tuning"]) == ({"dials": "b1"}, "3")


def test_leaning_moves_what_is_leaned_to_and_leaves_the_rest_behind() -> None:
    predictions = np.array([[0.1, 5.0], [0.2, 1.0], [0.3, 3.0], [0.0, 0.0]])
    moved = leaned(predictions, ("purchase", "spend"), {"spend": 0.5}, np.array([0, 1, 2]))
    assert np.argsort(-moved[:3]).tolist() == [0, 2, 1]
    assert moved[3] == moved[:3].min()
    assert leaned(predictions, ("purchase",), {"spend": 0.5}).tolist() == [0, 0, 0, 0]


def request(number: int) -> LoggedRequest:
    deps = dependencies(purchases=fakes.FakePurchases({"m": history("dog-food-1", f"milk-{1 + number % 3}")}))
    decision = decide(deps)
    assert decision.candidates is not None
    shown = tuple(item.product.product_id for item in decision.slate)
    touched = {shown[0]: {EventType.CLICKED: 5.0}}
    context = Context(Channel.WIDGET, NOW, slate_size=len(shown))
    return LoggedRequest(DecisionId(str(number)), MemberId("m"), context, decision.candidates, shown, touched)


def test_a_replay_of_the_dials_that_counted_finds_what_was_clicked_and_more_variety_is_measured() -> None:
    items, log = trained().items, [request(number) for number in range(4)]
    shoppers = Shoppers(items)

    def shopper_of(one: LoggedRequest) -> Any:
        return shoppers.of(one.context, history("dog-food-1", "milk-1"))

    now = replay(log, items, shopper_of, SHIPPED, SHIPPED)
    safe, surprising = (replay(log, items, shopper_of, tuned(variety={"widget": knob}), SHIPPED) for knob in (0.0, 1.0))
    assert now.requests == 4
    assert now.ndcg is not None
    assert now.ndcg > 0.5
    assert safe.novelty is not None
    assert surprising.novelty is not None
    assert surprising.novelty >= safe.novelty
    assert replay([], items, shopper_of, SHIPPED, SHIPPED).ndcg is None
    assert replay(log, items, shopper_of, SHIPPED, tuned(3)).requests == 0, "another version ranked them"


def test_thrift_gives_less_and_costs_less() -> None:
    steps = (Rung(None, 0, 0.1, 0.1, 0.0, 0.0, 0.0, 0.5), Rung("o", 100, 0.3, 0.3, 0.2, 30.0, 0.1, 0.5))
    one = Allotment(CampaignId("c"), ProductId("p"), "orders", 0.004, steps, 1, False, (), "")
    prices = {"p": 400.0}
    free, dear = (rungs([one], prices, tuned(discounts={"thrift": thrift}), SHIPPED, 0.5) for thrift in (1.0, 4.0))
    assert (free.with_coupon, free.cost_minor) == (1.0, 30.0)
    assert (dear.with_coupon, dear.cost_minor) == (0.0, 0.0)
    assert rungs([one], prices, tuned(discounts={"deepest": 0.1}), SHIPPED, 0.5).with_coupon == 0.0
    assert still(tuned(exploration={"coupons": 0.2})).exploration.coupons == 0.0


def test_how_far_a_dial_was_turned_is_a_share_of_its_range() -> None:
    shipped = {"variety.widget": 0.3, "discounts.deepest": 0.5}
    turned = SHIPPED.change(tuned(variety={"widget": 0.8}, discounts={"deepest": 0.5}), shipped)
    assert turned == {"variety.widget": pytest.approx(0.5)}
    assert all(dial.least < dial.most for dial in DIALS.values())
