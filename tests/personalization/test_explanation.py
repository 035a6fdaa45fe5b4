"""Explanations: parts that are what the score loses, counterfactuals that hold, and one set of facts in three forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.trust_explaining import WITHIN
from personalization.core import Core
from personalization.coupons.dual import choose
from personalization.offers import Allotment, Rung
from personalization.ranking.deadline import Deadline
from personalization.ranking.ranker import merge
from personalization.ranking.reasons import without
from personalization.ranking.scoring import Models, score
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import LIMITS, shopper_sources
from personalization.trust.explanation import changes, explain, lines, panel, sentence
from personalization.trust.gate import WITHHELD, readable
from personalization.types import CampaignId, Channel, Context, MemberId, ProductId, Purpose, Subject, VisitorId
from tests.personalization import fakes
from tests.personalization.fakes import NOW
from tests.personalization.ranking import test_ranker as small
from tests.personalization.test_core import dependencies

MEMBER = Subject(MemberId("m"))


def rung(discount: int, value: float, cost: float, price: float) -> Rung:
    return Rung(None if discount == 0 else "o", discount, 0.1, 0.1, value, cost, value - price * cost, 0.0)


def allotment(ladder: list[tuple[int, float, float]], price: float) -> Allotment:
    rungs = tuple(rung(*one, price) for one in ladder)
    value, cost = (np.array([[getattr(one, name) for one in rungs]]) for name in ("value", "cost"))
    chosen = int(choose(value, cost, price)[0])
    return Allotment(CampaignId("c"), ProductId("p"), "orders", price, rungs, chosen, False, (), "")


@pytest.mark.parametrize("seed", range(20))
def test_at_the_price_that_is_named_the_coupon_really_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, cost = np.sort(rng.random(4)) * 0.2, np.sort(rng.random(4)) * 50
    ladder = [(0, 0.0, 0.0), *((100 * (i + 1), float(value[i]), float(cost[i])) for i in range(4))]
    found = allotment(ladder, float(rng.random() * 0.02))
    for change in changes(found):
        just = 1 - 1e-6 if change.below else 1 + 1e-6
        other = allotment(ladder, change.price * just)
        assert other.rung.discount_minor == change.discount_minor
        between = allotment(ladder, (found.price + change.price) / 2)
        assert between.rung.discount_minor == found.rung.discount_minor, "and not before"


def test_where_sources_score_the_parts_add_up_to_it() -> None:
    ranking, _ = small.ask(Models())
    assert ranking.candidates is not None
    scores = dict(zip(ranking.candidates.product_ids, ranking.candidates.scores, strict=True))
    for item in ranking.slate:
        parts = sum(part for name, part in item.parts.items() if name not in {"responses", "question"})
        assert parts == pytest.approx(scores[item.product.product_id], abs=1e-3)


@pytest.mark.parametrize("stage", ["emer", "predictors"])
def test_without_the_claimed_evidence_the_score_falls_by_what_was_said(stage: str) -> None:
    items, learned = small.trained()
    models = learned.models if stage == "emer" else Models(learned.models.predictors, None)
    ranking, bought = small.ask(models)
    where, shoppers = Context(Channel.WIDGET, small.NOW), Shoppers(items)
    proposed = merge([s.candidates(where, None, bought, LIMITS[s.name]) for s in shopper_sources(items, shoppers)])
    shopper = shoppers.of(where, bought)
    scored = score(where, shopper, proposed, models, Deadline(1e9), 0.0)
    predictors = models.predictors
    assert predictors is not None
    for item in ranking.slate:
        row = next(i for i, one in enumerate(proposed) if one.product_id == item.product.product_id)
        group = str(item.reason.facts["source"])
        changed = scored.features.copy()
        changed[row] = without(changed[[row]], group)[0]
        if models.ensemble is None:
            after = float(np.log(max(float(predictors.predict(changed[[row]], only=0)[0, 0]), 1e-9)))
        else:
            after = float(models.ensemble.score_request(changed, predictors.predict(changed), scored.told)[row])
        lost = float(scored.score[row]) - after
        assert lost > 0
        if stage == "predictors":
            assert item.parts[group] == pytest.approx(lost, abs=1e-4)
        else:  # the amount is weighed beside the strongest others alone: as near as `aisle bench trust` wants it
            assert item.parts[group] == pytest.approx(lost, rel=WITHIN)


def test_a_decision_is_told_in_three_forms_from_the_same_facts() -> None:
    core = Core(dependencies())
    decision = core.decide(MEMBER, Context(Channel.WIDGET, NOW, wants_coupon=True))
    found = explain(decision, decision.candidates)
    assert found.compared == len(decision.candidates.product_ids if decision.candidates else ())
    assert [item.product_id for item in found.items] == [item.product.product_id for item in decision.slate]
    first = found.items[0]
    assert first.counterfactual is not None
    assert first.counterfactual.place_without >= first.counterfactual.place
    said, shown = sentence(found), str(panel(found))
    for part in (first.reason, first.counterfactual.sentence):
        assert part in said
        assert part in shown
    assert found.coupon is not None
    assert found.coupon.total == 10_000
    assert found.coupon.price_of_money == (decision.allotment.price if decision.allotment else None)
    assert f"{found.coupon.price_of_money:.6g}" in shown
    assert all(version in shown for version in found.model_versions.values())


def test_who_asks_why_reads_the_sentence_line_by_line_and_the_reasons_of_the_rest() -> None:
    core = Core(dependencies())
    decision = core.decide(MEMBER, Context(Channel.WIDGET, NOW))
    found = explain(decision, decision.candidates)
    said = lines(found)
    assert found.items[0].counterfactual is not None
    assert sentence(found).startswith(" ".join(said[:2]))
    assert said[2:] == [f"{item.name}: {item.reason}" for item in found.items[1:]]
    asked = core.decide(MEMBER, Context(Channel.WIDGET, NOW, wants_coupon=True))
    of_coupon = explain(asked, asked.candidates)
    assert of_coupon.coupon_reason is not None
    assert of_coupon.coupon_reason in lines(of_coupon)[0]
    told = of_coupon.coupon_reason.removesuffix(of_coupon.items[0].reason).strip()
    assert told in sentence(of_coupon)
    assert sentence(of_coupon).count(of_coupon.items[0].reason) == 1, "the item's reason is not said twice"


def test_of_a_trimmed_decision_both_say_the_same_and_no_reason() -> None:
    decision = Core(dependencies()).decide(MEMBER, Context(Channel.WIDGET, NOW, wants_coupon=True))
    found = explain(readable(decision, frozenset()), decision.candidates)
    assert lines(found) == [sentence(found)] == [WITHHELD.sentence]
    assert (found.held_coupon, found.coupon_reason, found.compared) == (False, None, 0)
    empty = explain(readable(replace(decision, slate=()), frozenset()), None)
    assert lines(empty) == [sentence(empty)] == [WITHHELD.sentence], "also where nothing was shown"


def test_what_was_withheld_is_told_and_nothing_is_made_up_for_who_was_not_compared() -> None:
    core = Core(dependencies(consents=fakes.FakeConsents(Purpose.MARKETING)))
    decision = core.decide(MEMBER, Context(Channel.WIDGET, NOW))
    assert "purchase history (no consent to profiling)" in sentence(explain(decision, decision.candidates))
    stranger = core.decide(Subject(visitor_id=VisitorId("v")), Context(Channel.WIDGET, NOW))
    found = explain(replace(stranger, slate=()), None)
    assert (found.items, found.compared, found.coupon) == ((), 0, None)
    assert sentence(found) == "Nothing was shown."
    assert lines(found) == []
