"""What dials would have done last week: logged requests are put together again with where they stand now, and with where they may stand.

Only what was shown can have been clicked, so that a slate which shows other things looks worse here than it is; both sides are put
together anew, and it is their difference that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.dual import choose as choose_rung
from personalization.decisions import LoggedRequest
from personalization.offers import Allotment
from personalization.ranking.items import Items
from personalization.ranking.metrics import intra_list_diversity, ndcg, recall, self_information
from personalization.ranking.ranker import feels_below, leaned, tastes
from personalization.ranking.shopper import Shopper
from personalization.ranking.slate import Pool, Weights, choose, knob_of
from personalization.tuning import TuningPolicy
from personalization.types import Context, EventType

Floats = NDArray[np.float64]
TOUCHED = (EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT)
METRICS = ("ndcg", "recall", "diversity", "novelty")


@dataclass(frozen=True, slots=True)
class Replayed:
    """Means over requests, None where nothing could be measured; and how many requests there were."""

    requests: int
    ndcg: float | None
    recall: float | None
    diversity: float | None
    novelty: float | None


@dataclass(frozen=True, slots=True)
class Rungs:
    """Means over coupon decisions: the share with a coupon, its mean discount and its expected cost, in minor units."""

    decisions: int
    with_coupon: float | None
    discount_minor: float | None
    cost_minor: float | None


def replay(
    requests: Sequence[LoggedRequest], items: Items, shopper_of: Callable[[LoggedRequest], Shopper], tuning: TuningPolicy,
    now: TuningPolicy,
) -> Replayed:  # fmt: skip
    """Return the metrics of slates under `tuning`, against what was ranked by `now`: scores of another version are left out."""
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    count = 0
    for request in requests:
        if request.tuning != now.version:
            continue
        rows = [row for row, one in enumerate(request.candidates.product_ids) if str(one) in items.index]
        if len(rows) < 2:
            continue
        slate = _slate(request, np.array(rows), items, shopper_of(request), tuning, now)
        count += 1
        touched = {one for one, what in request.outcomes.items() if not what.keys().isdisjoint(TOUCHED)}
        relevant = np.array([len(touched)])
        hits = np.array([[request.candidates.product_ids[row] in touched for row in slate]])
        positions = np.array([[items.index[str(request.candidates.product_ids[row])] for row in slate]], np.int64)
        if touched:
            found["ndcg"] += ndcg(hits, relevant).tolist()
            found["recall"] += recall(hits, relevant).tolist()
        if len(slate) > 1:
            found["diversity"] += intra_list_diversity(items, positions).tolist()
        most = max(int(items.buyers.max(initial=1)), 1)
        found["novelty"] += self_information(items.buyers.astype(float), most, positions).tolist()
    means = {name: float(np.mean(values)) if values else None for name, values in found.items()}
    return Replayed(count, **means)


def _slate(
    request: LoggedRequest, rows: NDArray[np.int64], items: Items, shopper: Shopper, tuning: TuningPolicy, now: TuningPolicy
) -> NDArray[np.int64]:  # fmt: skip
    candidates, context = request.candidates, request.context
    score = np.array(candidates.scores, float)[rows]
    turned = {name: tuning.lean.get(name, 0.0) - now.lean.get(name, 0.0) for name in {*tuning.lean, *now.lean}}
    if candidates.objectives and any(turned.values()):
        score = score + leaned(np.array(candidates.predictions, float)[rows], candidates.objectives, turned)
    item = np.array([items.index[str(candidates.product_ids[row])] for row in rows], np.int64)
    size = _size(context, len(request.shown), tuning)
    knob = knob_of(context.channel, context.affect, tuning=tuning)
    pool = Pool(item, score, np.isin(item, shopper.owned), np.zeros(len(rows)), tastes(shopper))
    return rows[choose(pool, items, size, Weights.of(knob, tuning.exploration.shelf))]


def _size(context: Context, shown: int, tuning: TuningPolicy) -> int:
    brief = feels_below(context, tuning.moods.brief)
    return min(shown, tuning.moods.short) if brief else shown


def rungs(
    allotments: Sequence[Allotment],
    prices: Mapping[str, float],
    tuning: TuningPolicy,
    now: TuningPolicy,
    deepest: float,
) -> Rungs:
    """Return what coupon decisions would have been under `tuning`. prices : of products by id; deepest : where that dial ships."""
    given, discounts, costs = [], [], []
    most = deepest if tuning.discounts.deepest is None else tuning.discounts.deepest
    for one in allotments:
        value, cost = (np.array([[getattr(rung, name) for rung in one.rungs]], float) for name in ("value", "cost"))
        off = np.array([rung.discount_minor for rung in one.rungs], float)
        money = one.price / max(now.discounts.thrift, 1e-9) * tuning.discounts.thrift
        there = off <= most * prices.get(one.product_id, float("inf"))
        rung = int(choose_rung(value, cost, money, allowed=there[None])[0])
        given.append(rung > 0)
        discounts.append(off[rung])
        costs.append(cost[0, rung])
    if not given:
        return Rungs(0, None, None, None)
    return Rungs(len(given), float(np.mean(given)), float(np.mean(discounts)), float(np.mean(costs)))


def still(tuning: TuningPolicy) -> TuningPolicy:
    """Return the tuning without chance, so that what it does can be shown twice alike."""
    return replace(tuning, exploration=replace(tuning.exploration, coupons=0.0))
