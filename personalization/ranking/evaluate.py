"""Judge rankings on what members bought after a day that no model has seen beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.ranking import metrics
from personalization.ranking.features import CATALOGUE, FEATURES
from personalization.ranking.history import History, group, statistics
from personalization.ranking.items import Items
from personalization.ranking.learning import shortlists
from personalization.ranking.requests import Requests
from personalization.ranking.scoring import Models
from personalization.ranking.slate import Pool, Weights, choose

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_COLUMN = {name: position for position, name in enumerate(FEATURES)}
K = metrics.K


@dataclass(frozen=True, slots=True)
class Truth:
    """What came after the day, by request.

    bought, next_basket, new : (rows,) flags of the candidates; the sizes are (requests,) and count all such items,
    candidates or not, in the catalogue or not.
    """

    bought: NDArray[np.bool_]
    next_basket: NDArray[np.bool_]
    new: NDArray[np.bool_]
    size: Ints
    next_size: Ints
    new_size: Ints


def truth_of(requests: Requests, history: History, day: float, horizon: float) -> Truth:
    """Return what the requests' members bought; `history` may number more items than the catalogue.

    Items beyond the catalogue count as relevant, and can never be hit.
    """
    past, future = history.before(day), history.between(day, day + horizon)
    most = int(max(history.item.max(initial=0), requests.item.max(initial=0))) + 1
    member = requests.member[requests.starts[:-1]]
    bought = np.unique(future.member * most + future.item)
    before = np.unique(past.member * most + past.item)
    new = np.setdiff1d(bought, before, assume_unique=True)
    basket = np.unique(_first_basket(future, most))
    keys = requests.member * most + requests.item

    def counted(found: Ints) -> Ints:
        return np.searchsorted(found, (member + 1) * most) - np.searchsorted(found, member * most)

    return Truth(
        np.isin(keys, bought),
        np.isin(keys, basket),
        ~np.isin(keys, before),
        counted(bought),
        counted(basket),
        counted(new),
    )


def _first_basket(future: History, most: int) -> Ints:
    if not len(future):
        return np.zeros(0, np.int64)
    by = np.lexsort((future.order, future.at, future.member))
    member, order = future.member[by], future.order[by]
    first = np.concatenate([[True], member[1:] != member[:-1]])
    first_order = dict(zip(member[first].tolist(), order[first].tolist(), strict=True))
    wanted = np.array([first_order[m] for m in future.member.tolist()])
    kept = future.order == wanted
    return future.member[kept] * most + future.item[kept]


def top(score: Floats, requests: Requests, k: int = K, *, among: NDArray[np.bool_] | None = None) -> Ints:
    """Return the rows of each request's k best, (requests, k); -1 where there are fewer. `among` (rows,) restricts them."""
    found = np.full((len(requests), k), -1)
    for number, (a, b) in enumerate(zip(requests.starts[:-1].tolist(), requests.starts[1:].tolist(), strict=True)):
        own = score[a:b] if among is None else np.where(among[a:b], score[a:b], -np.inf)
        best = np.argsort(-own, kind="stable")[:k]
        best = best[np.isfinite(own[best])]
        found[number, : len(best)] = a + best
    return found


def accuracy(rows: Ints, new_rows: Ints, truth: Truth) -> dict[str, Floats]:
    """Return per-request metrics of lists given as rows, (requests,) each; `new_rows` are the best that were never bought."""

    def hits(flags: NDArray[np.bool_], chosen: Ints) -> NDArray[np.bool_]:
        return np.where(chosen >= 0, flags[np.maximum(chosen, 0)], False)

    right = hits(truth.bought, rows)
    return {
        "ndcg10": metrics.ndcg(right, truth.size),
        "recall10": metrics.recall(right, truth.size),
        "mrr": metrics.reciprocal_rank(right),
        "next_basket_recall10": metrics.recall(hits(truth.next_basket, rows), truth.next_size),
        "next_basket_ndcg10": metrics.ndcg(hits(truth.next_basket, rows), truth.next_size),
        "novel_ndcg10": metrics.ndcg(hits(truth.bought, new_rows), truth.new_size),
    }


def predict(requests: Requests, models: Models, *, batch: int = 64) -> tuple[Floats, Floats]:
    """Return the predictors' and the ensemble's scores as serving makes them, (rows,) each, larger is better."""
    if models.predictors is None:
        raise ValueError("there are no predictors")
    predictions = models.predictors.predict(requests.features, threads=2)
    purchase = predictions[:, 0]
    if models.ensemble is None:
        return purchase, purchase
    rows, starts = shortlists(requests, purchase)
    score = purchase - 1e6  # what was not compared comes after what was
    lengths = np.diff(starts)
    for length in np.unique(lengths):
        same = np.flatnonzero(lengths == length)
        for first in range(0, len(same), batch):
            chosen = rows[starts[same[first : first + batch]][:, None] + np.arange(length)]
            flat = chosen.ravel()
            begins = np.arange(len(chosen) + 1) * length
            tokens = models.ensemble.tokenizer.tokens(requests.features[flat], predictions[flat], begins)
            score[flat] = models.ensemble.score(tokens.reshape(len(chosen), length, -1)).ravel()
    return purchase, score


def simple_scores(requests: Requests) -> dict[str, Floats]:
    """Return scores of methods that learn nothing, (rows,) each: popularity, and repeat purchase with a half-life of 120 days."""
    popular = requests.features[:, _COLUMN["catalogue_buyers28"]].astype(np.float64)
    own = requests.features[:, _COLUMN["item_decay120"]].astype(np.float64)
    return {"popular": popular, "repeat": own * 1e3 + popular / 1e3}


def tastes(requests: Requests, history: History, items: Items, day: float) -> Floats:
    """Return the members' spread of orders over categories before `day`, (requests, categories)."""
    past = history.before(day)
    past = past.where(past.item < len(items.product_ids))
    grouped = group(past, items.category.astype(np.int64), len(items.categories))
    weight = statistics(grouped, day, ("decay120",))["decay120"]
    member = requests.member[requests.starts[:-1]]
    found = np.zeros((int(history.member.max()) + 1, len(items.categories)))
    found[grouped.keys // len(items.categories), grouped.keys % len(items.categories)] = weight
    chosen = found[member]
    return chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-12)


def slates(score: Floats, requests: Requests, items: Items, spread: Floats, weights: Weights, k: int = K) -> Ints:
    """Return the rows that the slate stage chooses, (requests, k), one request after the other: showings are counted."""
    found = np.full((len(requests), k), -1)
    shown = np.zeros(len(items.product_ids))
    owned = requests.features[:, _COLUMN["item_n"]] > 0
    for number, (a, b) in enumerate(zip(requests.starts[:-1].tolist(), requests.starts[1:].tolist(), strict=True)):
        front = a + np.argsort(-score[a:b], kind="stable")[:ENOUGH]
        standard = (score[front] - score[front].mean()) / max(float(score[front].std()), 1e-9)
        item = requests.item[front]
        taste = spread[number] if spread[number].any() else None
        chosen = choose(Pool(item, standard, owned[front], shown[item], taste), items, k, weights)
        found[number, : len(chosen)] = front[chosen]
        shown[item[chosen]] += 1
    return found


ENOUGH = 200


def beyond_accuracy(
    rows: Ints, requests: Requests, items: Items, truth: Truth, spread: Floats, members: int
) -> dict[str, Floats | float]:
    """Return diversity, novelty, serendipity, calibration (per request) and coverage and Gini (of all) of full lists."""
    full = rows[(rows >= 0).all(axis=1)]
    kept = (rows >= 0).all(axis=1)
    lists = requests.item[full]
    buyers = items.facts[:, CATALOGUE.index("buyers")].astype(np.float64)
    popular = np.argsort(-buyers, kind="stable")[: 10 * K]
    obvious = np.isin(lists, popular) | ~truth.new[full]
    return {
        "ild": metrics.intra_list_diversity(items, lists),
        "distance": metrics.mean_distance(items, lists),
        "novelty_bits": metrics.self_information(buyers, members, lists),
        "serendipity": metrics.serendipity(truth.bought[full], obvious),
        "miscalibration": metrics.miscalibration(items, lists, spread[kept]),
        "coverage": metrics.coverage(lists, len(items.product_ids)),
        "gini": metrics.gini(lists, len(items.product_ids)),
        "member_coverage": float(kept.mean()),
    }


def judge(requests: Requests, truth: Truth, scores: Mapping[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Return metric to method to (requests,) values."""
    found: dict[str, dict[str, Floats]] = {}
    for name, score in scores.items():
        for metric, values in accuracy(top(score, requests), top(score, requests, among=truth.new), truth).items():
            found.setdefault(metric, {})[name] = values
    return found
