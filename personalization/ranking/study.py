"""One time-ordered study of ranking: methods, beyond-accuracy metrics, the frontier between accuracy and diversity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.ports import TrainingSource
from personalization.ranking import evaluate, metrics
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.evaluate import Truth
from personalization.ranking.features import FEATURES
from personalization.ranking.history import History, of_lines
from personalization.ranking.items import Items
from personalization.ranking.learning import Learned, Plan, learn
from personalization.ranking.requests import Requests, requests_at
from personalization.ranking.slate import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_JUDGED = 20  # members
KNOBS = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Held:
    """Requests on the first day that was held out, what then was bought, and what was known of items and members."""

    requests: Requests
    truth: Truth
    items: Items
    spread: Floats
    members: int

    @property
    def candidate_recall(self) -> float:
        """Return the mean share of a member's later purchases that are among the candidates."""
        found = np.add.reduceat(self.truth.bought.astype(np.float64), self.requests.starts[:-1])
        return float(np.mean(found / np.maximum(self.truth.size, 1)))


@dataclass(frozen=True, slots=True)
class Method:
    """One ranking of the same candidates. rows : (requests, 10); values : metric to (requests,); whole : metric to one number."""

    name: str
    rows: Ints
    values: Mapping[str, Floats]
    whole: Mapping[str, float]

    def mean(self, metric: str) -> float:
        """Return a metric's mean over members, or the metric of all lists."""
        return self.whole[metric] if metric in self.whole else float(np.nanmean(self.values[metric]))


def hold_out(
    history: History,
    catalogue: Catalogue,
    members: int,
    day: float,
    horizon: float,
    *,
    seed: int,
    sample: int | None = None,
    without: Ints | None = None,
) -> Held | None:
    """Return the requests of members active on both sides of `day`, `without` some; None without any.

    Items of `history` beyond the catalogue count as bought, and cannot be recommended.
    """
    size = len(catalogue.product_ids)
    known = history.where(history.item < size)
    items = items_at(catalogue, known, members, day, seed=seed)
    active = np.intersect1d(np.unique(known.before(day).member), np.unique(history.between(day, day + horizon).member))
    if without is not None:
        active = np.setdiff1d(active, without)
    if sample is not None:
        active = np.sort(np.random.default_rng(seed).permutation(active)[:sample])
    parts = list(requests_at(known, items, active, day, horizon)) if len(active) else []
    if not parts:
        return None
    requests = Requests.joined(parts)
    truth = evaluate.truth_of(requests, history, day, horizon)
    return Held(requests, truth, items, evaluate.tastes(requests, history, items, day), len(active))


def method(name: str, held: Held, score: Floats, rows: Ints | None = None) -> Method:
    """Return a method's metrics; `rows` are its lists where they are not simply the best by `score`."""
    requests, truth = held.requests, held.truth
    best = evaluate.top(score, requests) if rows is None else rows
    right = evaluate.accuracy(best, evaluate.top(score, requests, among=truth.new), truth)
    beyond = evaluate.beyond_accuracy(best, requests, held.items, truth, held.spread, held.members)
    values = {**right, **{key: value for key, value in beyond.items() if isinstance(value, np.ndarray)}}
    values["gauc_purchase"] = metrics.group_auc(score, truth.bought.astype(np.float64), requests.starts)
    values["gauc_repeat"] = metrics.group_auc(score, (requests.repeats > 1).astype(np.float64), requests.starts)
    values["gauc_redeem"] = metrics.group_auc(score, requests.redeemed.astype(np.float64), requests.starts)
    values["iput_gauc"] = metrics.group_auc(score, per_day(requests), requests.starts)
    return Method(name, best, values, {key: value for key, value in beyond.items() if isinstance(value, float)})


def per_day(requests: Requests) -> Floats:
    """Return how often each candidate was bought per day of waiting for it: in retail, interactions per unit time."""
    return (requests.orders / np.maximum(requests.wait, 0.5)).astype(np.float64)


def methods(held: Held, learned: Learned) -> list[Method]:
    """Return the methods that learn nothing, EASE, the predicted purchase alone, and last what ranks before the slate."""
    scores = evaluate.simple_scores(held.requests)
    scores["taste (EASE)"] = held.requests.features[:, FEATURES.index("taste")].astype(np.float64)
    if learned.models.predictors is not None:
        scores["predicted purchase"], scores[learned.models.best] = evaluate.predict(held.requests, learned.models)
    return [method(name, held, score) for name, score in scores.items()]


def frontier(held: Held, score: Floats, knobs: Sequence[float] = KNOBS) -> dict[float, Method]:
    """Return the slates that the knob makes of one score."""
    return {
        knob: method(
            f"slate, knob {knob:g}", held, score,
            evaluate.slates(score, held.requests, held.items, held.spread, Weights.of(knob)),
        )
        for knob in knobs
    }  # fmt: skip


class StudyError(Exception):
    """There is too little to judge ranking on; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Study:
    """One seed's methods; `best` names the one that ranks in production before the slate."""

    methods: list[Method]
    best: str


def of_orders(
    source: TrainingSource, days: int, plan: Plan, seeds: Sequence[int], *, progress: Callable[[str, int, int], None]
) -> list[Study]:
    """Train on the orders before the last `days`, once per seed, and judge every method on what came after.

    Raises StudyError when too few members bought on both sides of the split.
    """
    per_seed = 20
    steps, done = len(seeds) * per_seed, 0
    progress("reading orders", 0, steps)
    products = source.products()
    lines = source.order_lines().join(products.select("product_id"), on="product_id", how="semi")
    if not len(lines):
        raise StudyError("there are no orders of members who consent to profiling; import some first (`aisle import`)")
    catalogue, members = Catalogue.of(products, lines), lines["member_id"].unique().sort()
    history = of_lines(lines, members, catalogue.product_ids, catalogue.stores)
    day = float(history.at.max()) + 1e-6 - days
    found = []
    for seed in seeds:

        def move(share: float, begun: int = done, seed: int = seed) -> None:
            progress(f"seed {seed}: learning", begun + int(share * (per_seed - 5)), steps)

        learned = learn(history, catalogue, len(members), day, plan, seed=seed, progress=move)
        progress(f"seed {seed}: judging", done + per_seed - 5, steps)
        held = hold_out(history, catalogue, len(members), day, float(days), seed=seed)
        if held is None or len(held.requests) < LEAST_JUDGED:
            raise StudyError(f"fewer than {LEAST_JUDGED} members bought both before and in the last {days} days")
        listed = methods(held, learned)
        score = scores_of(held, learned)
        best = "repeat" if learned.models.predictors is None else learned.models.best
        found.append(Study([*listed, *frontier(held, score).values()], best))
        done += per_seed
        progress(f"seed {seed}: done", done, steps)
    return found


def scores_of(held: Held, learned: Learned) -> Floats:
    """Return the best scores that there are."""
    if learned.models.predictors is None:
        return evaluate.simple_scores(held.requests)["repeat"]
    return evaluate.predict(held.requests, learned.models)[1]
