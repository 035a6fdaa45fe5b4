"""Why a decision came out as it did, from what was logged with it and nothing else.

Ranking is explained by removal: a part is what an item's score loses without one kind of evidence (`ranking.attribution`). Where
sources score, parts add up to the score; trees and the ensemble are no sums, so their parts need not. A coupon is explained exactly:
a rung's score is its value less λ times its cost, so the prices at which another rung would have been taken are quotients.
Counterfactuals stay within what may change (Wachter et al. 2017; "actionable" in Ustun et al. 2019): consents, the shopper's own
history, the question, and the budget. Who somebody is, is no input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from personalization.decisions import Decision
from personalization.offers import Allotment, Rung
from personalization.trust.gate import WITHHELD
from personalization.types import CandidateSet, Money, SlateItem

WORDS: Mapping[str, str] = {
    "repeat": "earlier purchases of it", "kind": "purchases of its kind", "taste": "what similar shoppers buy", "popular": "its popularity",
    "here": "its popularity in this store", "question": "the question", "responses": "how shoppers respond to it lately",
    "promoted": "its promotion", "together": "what it goes with",
}  # fmt: skip
OWN = ("repeat", "kind", "taste", "question")
"""Evidence that is the shopper's own: what a counterfactual may take away."""
ALLOWED = ("consents", "the shopper's own purchases", "the question", "the campaign's budget")


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of evidence: `part` is what the score loses without it."""

    evidence: str
    words: str
    part: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would have come out otherwise. `place` and `place_without` are by score alone, of `compared` candidates."""

    without: str
    score: float
    score_without: float
    place: int
    place_without: int
    compared: int
    leaves_slate: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Item:
    """Why one item was shown. `adds_up`: whether the parts are a sum; `rest` is what they leave of the score then, else None."""

    product_id: str
    name: str
    rank: int
    reason: str
    reason_code: str
    sources: tuple[str, ...]
    score: float | None
    parts: tuple[Part, ...]
    adds_up: bool
    rest: float | None
    counterfactual: Counterfactual | None


@dataclass(frozen=True, slots=True)
class Change:
    """Another price of money, and the discount that it would have brought. `below`: under that price, else above it."""

    price: float
    below: bool
    discount_minor: int


@dataclass(frozen=True, slots=True)
class CouponFacts:
    """How the coupon, or none, came about: λ, the budget's state in minor units, the rungs, and at which λ it would change."""

    campaign_id: str
    product_id: str
    objective: str
    price_of_money: float
    total: int | None
    reserved: int | None
    spent: int | None
    currency: str | None
    explored: bool
    chosen: int
    rungs: tuple[Rung, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One set of facts; `sentence` and `lines` say them to a shopper, `panel` to the staff.

    `coupon_reason` is what the coupon was given with; `asked_coupon`: a coupon was asked for, in words or by a display;
    `trimmed`: why is not told any more (`trust.gate.readable`).
    """

    decision_id: str
    at: str
    inputs_used: tuple[str, ...]
    inputs_withheld: tuple[str, ...]
    candidates: Mapping[str, int]
    compared: int
    stage: str
    items: tuple[Item, ...]
    coupon: CouponFacts | None
    held_coupon: bool
    coupon_reason: str | None
    asked_coupon: bool
    allowed_changes: tuple[str, ...]
    fallbacks: tuple[str, ...]
    model_versions: Mapping[str, str]
    trimmed: bool


def is_trimmed(decision: Decision) -> bool:
    """Whether `trust.gate.readable` took out what was concluded; what was compared need not, and may not, be read then."""
    return decision.explanation == WITHHELD.sentence


def explain(decision: Decision, candidates: CandidateSet | None) -> Explanation:
    """Return the facts of a decision; `candidates` is what it compared, None where nothing was.

    Of one that was trimmed (`trust.gate.readable`) neither what was compared nor how its coupon came about is told.
    """
    trimmed = is_trimmed(decision)
    candidates = None if trimmed else candidates
    own = None if decision.coupon is None or decision.coupon.reason is None else decision.coupon.reason.sentence
    sources: dict[str, int] = {}
    for item in decision.slate:
        for source in item.sources:
            sources[source] = sources.get(source, 0) + 1
    return Explanation(
        decision.decision_id, decision.at.isoformat(), decision.inputs_used, decision.inputs_withheld, sources,
        len(candidates.product_ids) if candidates else 0, candidates.stage if candidates else "",
        tuple(_item(item, candidates, len(decision.slate)) for item in decision.slate),
        _coupon(decision.allotment) if decision.allotment else None,
        decision.coupon is not None and decision.allotment is None and not trimmed, own, decision.context.wants_coupon, ALLOWED,
        tuple(f"{one.component}: {one.used}" for one in decision.fallbacks), dict(decision.model_versions),
        trimmed,
    )  # fmt: skip


def _item(item: SlateItem, candidates: CandidateSet | None, size: int) -> Item:
    parts = tuple(
        Part(name, WORDS.get(name, name), part)
        for name, part in sorted(item.parts.items(), key=lambda pair: -abs(pair[1]))
    )
    raw = _raw(item, candidates)
    adds_up = candidates is not None and candidates.stage == "sources" and raw is not None
    extra = sum(item.parts.get(name, 0.0) for name in ("question", "responses"))
    rest = None
    if adds_up and raw is not None:
        rest = round(raw - sum(one.part for one in parts if one.evidence not in {"question", "responses"}), 5)
        if "question" in item.parts:
            rest = None  # the question's part holds both its source's and its match's
    other = None
    if raw is not None and candidates is not None:
        other = _without(item, candidates, raw + extra, size)
    score = None if raw is None else round(raw + extra, 5)
    return Item(
        item.product.product_id, item.product.name, item.rank, item.reason.sentence, item.reason.code, item.sources, score, parts,
        adds_up, rest, other,
    )  # fmt: skip


def _raw(item: SlateItem, candidates: CandidateSet | None) -> float | None:
    if candidates is None or item.product.product_id not in candidates.product_ids:
        return None
    return candidates.scores[candidates.product_ids.index(item.product.product_id)]


def _without(item: SlateItem, candidates: CandidateSet, score: float, size: int) -> Counterfactual | None:
    """Return where the item would stand without the shopper's own evidence that weighs most; None where none weighs."""
    own = [(part, name) for name, part in item.parts.items() if name in OWN and part > 0]
    if not own:
        return None
    part, name = max(own)
    others = [
        one
        for product, one in zip(candidates.product_ids, candidates.scores, strict=True)
        if product != item.product.product_id
    ]
    place, after = (1 + sum(other > one for other in others) for one in (score, score - part))
    if name == "repeat":
        cause = f"Had you not bought {item.product.name} before"
    elif name == "question":
        cause = "Without your question"
    else:
        cause = f"Without {WORDS[name]}"
    gone = after > size
    then = f"it would stand in about place {after} of {len(others) + 1}" + (
        " and would not be shown." if gone and place <= size else "."
    )
    if after == place:
        then = f"it would still stand in about place {after} of {len(others) + 1}."
    return Counterfactual(
        name, round(score, 5), round(score - part, 5), place, after, len(others) + 1, gone, f"{cause}, {then}"
    )  # fmt: skip


def _coupon(found: Allotment) -> CouponFacts:
    budget = found.budget
    return CouponFacts(
        found.campaign_id, found.product_id, found.objective, found.price,
        budget.total.minor_units if budget else None, budget.reserved.minor_units if budget else None,
        budget.spent.minor_units if budget else None, budget.total.currency if budget else None,
        found.explored, found.chosen, found.rungs, () if found.explored else changes(found),
    )  # fmt: skip


def changes(found: Allotment) -> tuple[Change, ...]:
    """Return the nearest prices of money below and above the actual one at which another rung is the best.

    A rung whose score beats the one taken was not allowed (`coupons.commitment`) and takes no part.
    """
    taken, told = found.rung, []
    among = [rung for rung in found.rungs if rung is not taken and rung.score <= taken.score]
    dearer = [((rung.value - taken.value) / (rung.cost - taken.cost), rung) for rung in among if rung.cost > taken.cost]
    cheaper = [
        ((taken.value - rung.value) / (taken.cost - rung.cost), rung) for rung in among if rung.cost < taken.cost
    ]
    below = max(dearer, key=lambda pair: (pair[0], -pair[1].cost), default=None)
    above = min(cheaper, key=lambda pair: (pair[0], -pair[1].cost), default=None)
    if below is not None and below[0] > 0 and math.isfinite(below[0]):
        told.append(Change(below[0], True, below[1].discount_minor))
    if above is not None and math.isfinite(above[0]):
        told.append(Change(above[0], False, above[1].discount_minor))
    return tuple(told)


def sentence(found: Explanation) -> str:
    """Return what a shopper is told: the first item's reason, what would change it, the coupon's, and what was left aside."""
    if found.trimmed:
        return WITHHELD.sentence
    said = _first(found.items[0]) if found.items else ["Nothing was shown."]
    return " ".join(filter(None, [*said, _of_coupon(found), _left_aside(found)]))


def lines(found: Explanation) -> list[str]:
    """Return what a shopper who asks why is told: `sentence` in lines, with the reasons of whatever else was shown.

    Where a coupon was asked for and given it is all that was shown. Nothing where there was nothing to explain.
    """
    if found.trimmed:
        return [WITHHELD.sentence]
    if found.asked_coupon and found.coupon_reason is not None:
        return [*filter(None, [_of_coupon(found, alone=True), _left_aside(found)])]
    if not found.items:
        return []
    others = [f"{item.name}: {item.reason}" for item in found.items[1:]]
    return [*filter(None, [*_first(found.items[0]), *others, _of_coupon(found), _left_aside(found)])]


def _first(item: Item) -> list[str]:
    return [
        f"{item.name} comes first: {item.reason}",
        *([] if item.counterfactual is None else [item.counterfactual.sentence]),
    ]


def _of_coupon(found: Explanation, *, alone: bool = False) -> str:
    """Return why there is the coupon; `alone` with the reason of its item, which was told before otherwise."""
    reason = found.coupon_reason or ""
    if not alone and found.items:
        reason = reason.removesuffix(found.items[0].reason).strip()
    weighed = ""
    if found.held_coupon:
        weighed = "Your coupon is one that you already had."
    elif found.coupon is not None and found.coupon.chosen:
        chance = " Chance chose its value, so that we learn what coupons do." if found.coupon.explored else ""
        weighed = f"The coupon's value was weighed against what its campaign has left.{chance}"
    return " ".join(filter(None, [reason, weighed]))


def _left_aside(found: Explanation) -> str:
    left = "; ".join(found.inputs_withheld)
    return f"Not used: {left}. With your consent it would be." if left else ""


def panel(found: Explanation) -> list[dict[str, object]]:
    """Return sections of label and value, as the staff's console shows them."""
    sections: list[dict[str, object]] = [
        _section(
            "Inputs",
            [("used", one) for one in found.inputs_used] + [("withheld", one) for one in found.inputs_withheld],
        ),
        _section(
            "Candidates",
            [("compared", str(found.compared)), ("scored by", found.stage or "nothing")]
            + [(f"shown from {name}", str(count)) for name, count in sorted(found.candidates.items())],
        ),
    ]
    for item in found.items:
        rows = [("reason", item.reason)]
        rows += [(one.words, f"{one.part:+.3f}") for one in item.parts]
        if item.rest is not None:
            rows.append(("the rest", f"{item.rest:+.3f}"))
        if item.counterfactual is not None:
            rows.append(("otherwise", item.counterfactual.sentence))
        sections.append(_section(f"{item.rank}. {item.name}", rows))
    if found.coupon is not None:
        sections.append(_section("Coupon", _coupon_rows(found.coupon)))
    if found.fallbacks:
        sections.append(_section("Fallbacks", [("used", one) for one in found.fallbacks]))
    sections.append(_section("Models", sorted(found.model_versions.items())))
    return [one for one in sections if one["rows"]]


def _coupon_rows(found: CouponFacts) -> list[tuple[str, str]]:
    rows = [("campaign", found.campaign_id), ("price of money λ", f"{found.price_of_money:.6g}")]
    if found.total is not None and found.currency is not None:
        money = {name: Money(value or 0, found.currency) for name, value in (("total", found.total), ("reserved", found.reserved), ("spent", found.spent))}  # fmt: skip
        rows.append(("budget", ", ".join(f"{name} {value}" for name, value in money.items())))
    for place, rung in enumerate(found.rungs):
        mark = " (taken by chance)" if found.explored else " (taken)"
        told = f"buys with {rung.conversion:.3f}, value {rung.value:.4g}, cost {rung.cost:.4g}, score {rung.score:.4g}"
        rows.append((f"{rung.discount_minor} minor units off", told + (mark if place == found.chosen else "")))
    rows += [
        ("otherwise", f"λ {'below' if one.below else 'above'} {one.price:.6g}: {one.discount_minor} minor units off")
        for one in found.changes
    ]
    return rows


def _section(title: str, rows: list[tuple[str, str]]) -> dict[str, object]:
    return {"title": title, "rows": [{"label": label, "value": value} for label, value in rows]}
