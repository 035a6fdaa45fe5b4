"""The ranker: all candidates of a request compared with each other, then a slate, each item with its true reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from personalization.ports import Responses
from personalization.ranking.attribution import lost_without
from personalization.ranking.deadline import Deadline
from personalization.ranking.items import Items
from personalization.ranking.reasons import best_told, reason, with_promotion
from personalization.ranking.rules import allowed
from personalization.ranking.scoring import SOURCE_WEIGHTS, Models, Scored, score
from personalization.ranking.shopper import Shopper, Shoppers
from personalization.ranking.slate import KNOBS, Pool, Weights, choose, knob_of
from personalization.ranking.sources import SEARCHED
from personalization.trust.variety import WIDENED
from personalization.types import (
    Candidate,
    CandidateSet,
    Channel,
    Context,
    Product,
    ProductId,
    Profile,
    Purchase,
    Ranking,
    Reason,
    SlateItem,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Facts = Mapping[str, str | int | float | bool | None]

BUDGET_MS = 20.0
QUERY_WEIGHT = 4.0  # of a perfect match, in standard deviations of the score
RESPONSE_WEIGHT = 0.5  # of everybody responding, in standard deviations of the score
PRIOR_SHOWN, PRIOR_ENGAGED = 50.0, 2.0  # an item that was never shown counts as an average one
MOST_FOUND = 3  # items of one category in a search, half of a long list
LEAST_FOR_DISCOVERY = 4  # a slate that short has no place to spare
_GROUPS = {"repeat": "repeat", "taste": "taste", "kind": "kind", "popular": "popular", "new": "popular"}
_TOLD_ALONE = ("search", "similar", "together", "promoted")  # what is told where no source of _GROUPS proposed it


def merge(groups: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Return one candidate per item, with every source's score and facts kept."""
    scores: dict[ProductId, dict[str, float]] = {}
    facts: dict[ProductId, dict[str, Facts]] = {}
    for group in groups:
        for candidate in group:
            scores.setdefault(candidate.product_id, {}).update(candidate.scores)
            if candidate.facts:
                facts.setdefault(candidate.product_id, {}).update(candidate.facts)
    return [Candidate(product_id, found, facts.get(product_id, {})) for product_id, found in scores.items()]


def in_low_mood(context: Context) -> bool:
    """Whether the shopper seems annoyed or unhappy."""
    return feels_below(context, context.tuning.moods.low)


def feels_below(context: Context, mood: float) -> bool:
    """Whether it is known that the shopper's mood is below this valence."""
    return context.affect is not None and context.affect.valence < mood


class EnsembleRanker:
    """Scores within a time budget, chooses a slate by the channel's knob, and tells why each item is in it."""

    def __init__(
        self, items: Items, shoppers: Shoppers, models: Models, responses: Responses, *, version: str = "untrained",
        budget_ms: float = BUDGET_MS, clock: Callable[[], float] = time.perf_counter, knobs: Mapping[Channel, float] = KNOBS,
    ) -> None:  # fmt: skip
        self._items, self._shoppers, self._models, self._responses = items, shoppers, models, responses
        self._deadline, self._knobs = Deadline(budget_ms, clock), knobs
        self.version = f"{models.best}-{version}"

    def rank(
        self,
        context: Context,
        profile: Profile | None,
        purchases: Sequence[Purchase],
        candidates: Sequence[Candidate],
        products: Mapping[ProductId, Product],
        *,
        reach: int = 0,
    ) -> Ranking:
        """Return the slate, best first, and what just missed it, so that both together are `reach` items."""
        started = self._deadline.start()
        usable = self._usable(context, profile, candidates, products)
        if not usable:
            return Ranking(())
        scored = score(context, self._shoppers.of(context, purchases), usable, self._models, self._deadline, started)
        compared = _compared(scored)
        scored.score = self._adjusted(scored, context.tuning.lean)
        chosen = self._slate(context, scored, products)
        lost = self._lost(scored, chosen, started)
        slate = [
            replace(_shown(scored, row, products, rank, _why(scored, row, lost)), parts=_parts(scored, row, lost))
            for rank, row in enumerate(chosen, 1)
        ]
        taken = set(chosen)
        missed = [row for row in np.argsort(-scored.score, kind="stable").tolist() if row not in taken]
        after = [
            _shown(scored, row, products, rank, _plain_reason(scored, row))
            for rank, row in enumerate(missed[: max(reach - len(chosen), 0)], len(slate) + 1)
        ]
        return Ranking(tuple(slate), tuple(after), compared, scored.stage, scored.cause)

    def _usable(
        self,
        context: Context,
        profile: Profile | None,
        candidates: Sequence[Candidate],
        products: Mapping[ProductId, Product],
    ) -> list[Candidate]:
        usable = [
            c for c in candidates
            if c.product_id in self._items.index and c.product_id in products and allowed(products[c.product_id], context, profile)
        ]  # fmt: skip
        found = [c for c in usable if _is_found(c)] if context.query else []
        return found or usable

    def _adjusted(self, scored: Scored, lean: Mapping[str, float]) -> Floats:
        """Return scores in standard deviations, with the query's match, how shoppers respond lately and what is leaned to added."""
        usable = scored.candidates
        counts = self._responses.counts([c.product_id for c in usable])
        pairs = [counts.get(c.product_id, (0, 0)) for c in usable]
        scored.shown = np.array([shown for shown, _ in pairs], np.float64)
        response = [min((engaged + PRIOR_ENGAGED) / (shown + PRIOR_SHOWN), 1.0) for shown, engaged in pairs]
        match = [max(c.scores.get(name, 0.0) for name in SEARCHED) for c in usable]
        scored.spread = max(float(scored.score.std()), 1e-9)
        scored.asked, scored.liked = QUERY_WEIGHT * np.array(match), RESPONSE_WEIGHT * np.array(response)
        adjusted = (scored.score - scored.score.mean()) / scored.spread + scored.asked + scored.liked
        if lean and scored.predictions is not None:
            adjusted = adjusted + leaned(scored.predictions, scored.objectives, lean, scored.compared)
        return _named_first(usable, adjusted)

    def _slate(self, context: Context, scored: Scored, products: Mapping[ProductId, Product]) -> list[int]:
        order = np.argsort(-scored.score, kind="stable")
        best_of_name: dict[str, int] = {}
        for row in order.tolist():
            best_of_name.setdefault(products[scored.candidates[row].product_id].name, row)
        rows = np.array(list(best_of_name.values()), np.int64)
        if context.query and _is_found(scored.candidates[0]):
            most = max(MOST_FOUND, context.slate_size // 2)
            return _at_most(rows, self._items.category[scored.item], context.slate_size, most)
        owned = np.isin(scored.item[rows], scored.shopper.owned)
        familiar = in_low_mood(context)
        if familiar and owned.any():  # the sure thing, and something else only where that is not enough
            rows, owned = np.concatenate([rows[owned], rows[~owned]]), np.sort(owned)[::-1]
            return rows[: context.slate_size].tolist()
        discovery = np.flatnonzero(~owned) if context.slate_size >= LEAST_FOR_DISCOVERY else np.zeros(0, np.int64)
        pool = Pool(scored.item[rows], scored.score[rows], owned, scored.shown[rows], tastes(scored.shopper), discovery)
        knob = knob_of(context.channel, context.affect, knobs=self._knobs, tuning=context.tuning)
        weights = Weights.of(max(knob, WIDENED) if context.widened else knob, context.tuning.exploration.shelf)
        return rows[choose(pool, self._items, context.slate_size, weights)].tolist()

    def _lost(self, scored: Scored, chosen: list[int], started: float) -> dict[int, dict[str, float]]:
        """Return what each chosen row's score loses without each kind of evidence; nothing where there is no time for it."""
        if not self._deadline.allows("reasons", started):
            return {}
        try:
            return self._deadline.timed("reasons", lambda: lost_without(scored, chosen, self._models))
        except Exception as error:  # noqa: BLE001 - the sources' reasons are true as well
            scored.cause = f"reasons: {type(error).__name__}: {error}"[:200]
            return {}


def leaned(
    predictions: Floats, objectives: Sequence[str], lean: Mapping[str, float], compared: Ints | None = None
) -> Floats:
    """Return what leaning to objectives adds to each row's score, in its standard deviations; rows not `compared` get the least."""
    rows = np.arange(len(predictions)) if compared is None else compared
    found = np.zeros(len(predictions))
    for name, weight in lean.items():
        if name in objectives and len(rows):
            own = predictions[rows, objectives.index(name)]
            found[rows] += weight * (own - own.mean()) / max(float(own.std()), 1e-9)
    rest = np.setdiff1d(np.arange(len(predictions)), rows)
    if len(rest) and len(rows):
        found[rest] = found[rows].min()
    return found


def _why(scored: Scored, row: int, lost: Mapping[int, Mapping[str, float]]) -> Reason:
    """Return the reason that weighs most, or where nothing was weighed that of the source that counts most."""
    parts = lost.get(row, {})
    groups = sorted((group for group in parts if parts[group] > 0), key=lambda group: -parts[group])
    return _tell(scored, row, groups, parts) if groups else _plain_reason(scored, row)


def _parts(scored: Scored, row: int, lost: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """Return what the row's score consists of, in units of the stage's scores.

    Where sources score, parts add up to the score; models are no sums, so there each part is what the score loses without it.
    """
    found = dict(lost.get(row, {}))
    if scored.stage == "sources":
        for name, value in scored.candidates[row].scores.items():
            group = "question" if name in SEARCHED else _GROUPS.get(name, name)
            found[group] = found.get(group, 0.0) + SOURCE_WEIGHTS.get(name, 0.0) * value
    if scored.asked[row]:
        found["question"] = found.get("question", 0.0) + float(scored.asked[row]) * scored.spread
    found["responses"] = float(scored.liked[row]) * scored.spread
    return {group: round(part, 5) for group, part in found.items() if part}


def _is_found(candidate: Candidate) -> bool:
    return not candidate.scores.keys().isdisjoint(SEARCHED)


def _named_first(candidates: Sequence[Candidate], score: Floats) -> Floats:
    """Return the scores with what only means the same as the query below all that the query names."""
    exact = np.array([bool(c.facts.get("search", {}).get("exact")) for c in candidates])
    alike = np.array(["similar" in c.scores and "search" not in c.scores for c in candidates])
    if not exact.any() or not alike.any():
        return score
    above = float(score[alike].max()) - float(score[exact].min())
    return np.where(alike, score - max(above + 1e-6, 0.0), score)


def _at_most(rows: Ints, category: NDArray[np.int32], size: int, most: int) -> list[int]:
    """Return the first rows, no more than `most` of one category."""
    seen: dict[int, int] = {}
    chosen = []
    for row in rows.tolist():
        seen[int(category[row])] = seen.get(int(category[row]), 0) + 1
        if seen[int(category[row])] <= most:
            chosen.append(row)
    return chosen[:size]


def tastes(shopper: Shopper) -> Floats | None:
    """Return the member's orders per category, by share and with a half-life of 120 days; None without orders."""
    if not len(shopper.owned):
        return None
    weight = shopper.own("decay120")["decay120"]
    items = shopper.items
    shares = np.bincount(items.category[shopper.owned], weights=weight, minlength=len(items.categories))
    return shares / shares.sum() if shares.sum() > 0 else None


def _compared(scored: Scored) -> CandidateSet:
    """Return what was compared, as it is logged: what the ensemble saw, or all."""
    rows = range(len(scored.candidates)) if scored.compared is None else scored.compared.tolist()
    told = scored.predictions if scored.predictions is not None else np.zeros((len(scored.candidates), 0))
    return CandidateSet(
        tuple(scored.candidates[row].product_id for row in rows), scored.objectives,
        tuple(tuple(told[row].round(5).tolist()) for row in rows), tuple(round(float(scored.score[row]), 5) for row in rows),
        scored.stage,
    )  # fmt: skip


def _tell(scored: Scored, row: int, groups: Sequence[str], parts: Mapping[str, float]) -> Reason:
    return best_told(groups, scored.features[row], int(scored.item[row]), scored.shopper, parts)


def _plain_reason(scored: Scored, row: int) -> Reason:
    """Return the reason of the source that counts most; for a search the match itself is no news to the shopper.

    What only one of _TOLD_ALONE proposed has no evidence of its own beside that source's facts.
    """
    candidate = scored.candidates[row]
    parts = {_GROUPS[name]: SOURCE_WEIGHTS[name] * value for name, value in candidate.scores.items() if name in _GROUPS}
    alone = next((name for name in _TOLD_ALONE if name in candidate.scores), None)
    if not parts and alone is not None:
        return reason(alone, candidate.facts.get(alone, {}), None)
    return _tell(scored, row, [*sorted(parts, key=lambda group: -parts[group]), "popular"], parts)


def _shown(scored: Scored, row: int, products: Mapping[ProductId, Product], rank: int, why: Reason) -> SlateItem:
    candidate = scored.candidates[row]
    shown = round(float(scored.score[row]), 6)
    placement = candidate.facts.get("promoted", {}).get("placement")
    why = with_promotion(why, None if placement is None else str(placement))
    return SlateItem(products[candidate.product_id], rank, shown, why, tuple(sorted(candidate.scores)))
