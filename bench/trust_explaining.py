"""Whether explanations hold: the claimed reason is taken away, the whole request is scored again, and the score must move as was said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from api.wiring import Services
from bench.report import Metric, progress
from bench.trust_shop import MISSING, copied, there_is_one
from personalization.decisions import Decision
from personalization.ranking.reasons import GROUPS, without
from personalization.ranking.scoring import told
from personalization.ranking.shopper import Shoppers
from personalization.trust.explanation import explain
from personalization.types import Channel, Context, ProductId, Purpose, Subject

SEED = 7
DECISIONS = 500
WITHIN = 0.25
"""Of what was said, that the score's fall may be off by."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One claim: what the explanation said that the score loses, what it lost, and the places that it said and that came out."""

    said: float
    lost: float
    compared: int
    place_said: int
    place: int

    @property
    def holds(self) -> bool:
        """Whether the score fell, and by what was said, give or take WITHIN of it."""
        return self.lost > 0 and abs(self.lost - self.said) <= WITHIN * self.said


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield the share of decisions whose first item's named reason moves the score as its explanation says."""
    wanted = 100 if quick else DECISIONS
    if not there_is_one():
        yield Metric("trust.explanation_faithful_share", None, "share", 0, "", reason=MISSING)
        return
    with copied() as services:
        progress(f"{wanted} decisions are explained, and scored again without the reason that was named")
        found = list(_checked(services, wanted))
    held = np.array([one.holds for one in found], float)
    draws = np.random.default_rng(SEED).choice(held, (2000, len(held))).mean(axis=1)
    fell = float(np.mean([one.lost > 0 for one in found]))
    off = float(np.median([abs(one.lost - one.said) / one.said for one in found]))
    within = float(np.mean([abs(one.place - one.place_said) <= one.compared / 20 for one in found]))
    low, high = np.percentile(draws, [2.5, 97.5])
    yield Metric(
        "trust.explanation_faithful_share", round(float(held.mean()), 4), "share", len(found),
        f"demo members' decisions; the first item's named reason removed from features and predictions, all candidates scored again; "
        f"holds if the score falls, by what was said give or take {WITHIN:.0%}",
        ci=(round(float(low), 4), round(float(high), 4)),
        baseline={"falls at all": round(fell, 4), "median error of the amount": round(off, 4), "place as the counterfactual says, give or take a twentieth of all": round(within, 4)},
        seed=SEED,
    )  # fmt: skip


def _checked(services: Services, wanted: int) -> Iterator[Checked]:
    members = sorted(services.consents.members_with(Purpose.PROFILING))
    order = np.random.default_rng(SEED).permutation(len(members))
    done = 0
    for place in order:
        if done == wanted:
            return
        context = Context(Channel.WIDGET, datetime.now(UTC), slate_size=5)
        decision = services.core.decide(Subject(members[place]), context)
        checked = _check(services, decision)
        if checked is not None:
            done += 1
            yield checked


def _check(services: Services, decision: Decision) -> Checked | None:
    """Score the decision's whole request again, without the evidence that its first item's reason names; None where none was weighed."""
    trained, compared = services.artifacts, decision.candidates
    if trained is None or compared is None or not decision.slate or decision.subject.member_id is None:
        return None
    item = decision.slate[0]
    group, models = str(item.reason.facts["source"]), trained.ranking
    if group not in GROUPS or group not in item.parts or models.ensemble is None or models.predictors is None:
        return None
    bought = services.purchases.of_member(decision.subject.member_id, until=decision.at)
    shopper = Shoppers(trained.items).of(decision.context, bought)
    rows = np.array([trained.items.index[ProductId(one)] for one in compared.product_ids], np.int64)
    features, predictions = shopper.features(rows), np.array(compared.predictions)
    row = compared.product_ids.index(item.product.product_id)
    features[row] = without(features[[row]], group)[0]
    predictions[row] = models.predictors.predict(features[[row]])[0]
    after = models.ensemble.score_request(features, predictions, told(decision.context)).astype(float)
    counter = explain(decision, compared).items[0].counterfactual
    place_said = counter.place_without if counter is not None and counter.without == group else 0
    now = 1 + int((after > after[row]).sum())
    return Checked(
        item.parts[group], compared.scores[row] - float(after[row]), len(after), place_said or now, now
    )  # fmt: skip
