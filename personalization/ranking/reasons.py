"""Why an item is there: groups of evidence, what each adds to the score, and one human sentence made from the true facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.features import FEATURES
from personalization.ranking.shopper import Shopper
from personalization.types import Placement, Reason

Floats32 = NDArray[np.float32]

LEAST_TOLD = 3  # households, below which a number speaks against an item, and of somebody
Facts = Mapping[str, str | int | float | bool | None]
_SHELF = re.compile(
    r"\s*(,|/|\(|-\s*(all|other|misc|checklane|packaged|shelf|frozen|fresh|canned|mw|liquid)\b).*", re.IGNORECASE
)


GROUPS: Mapping[str, tuple[str, ...]] = {
    "repeat": (*(name for name in FEATURES if name.startswith("item_")), "rate14", "rate45", "rate120", "rate", "rate_of_kind45",
               "rate_of_kind", "since_kind", "due_as_others"),
    "kind": tuple(name for name in FEATURES if name.startswith(("kind_", "category_"))),
    "taste": ("taste",),
    "popular": ("catalogue_buyers7", "catalogue_buyers28", "catalogue_buyers91", "catalogue_buyers", "catalogue_repeat_share",
                "catalogue_orders_per_buyer", "catalogue_trend", "catalogue_kind_share"),
    "here": ("here",),
}  # fmt: skip
"""The reasons that an item can have, and the features that are its evidence."""

_ABSENT = {"catalogue_orders_per_buyer": 1.0, "catalogue_trend": 1.0}
_NAN_WHEN_ABSENT = ("since", "first", "gap", "gap_spread", "last_gap", "due", "quantity", "spend", "kind", "others")
_COLUMN = {name: position for position, name in enumerate(FEATURES)}
COLUMNS = {group: np.array([_COLUMN[name] for name in names]) for group, names in GROUPS.items()}


def _absent(name: str) -> float:
    if name in _ABSENT:
        return _ABSENT[name]
    counted = name.startswith(("taste", "here", "rate", "catalogue_")) or name == "kind_items"
    return 0.0 if counted or not name.endswith(_NAN_WHEN_ABSENT) else float("nan")


ABSENT = {group: np.array([_absent(name) for name in names], np.float32) for group, names in GROUPS.items()}
"""What the evidence of a group looks like when there is none: never bought, nothing alike, unknown to others."""


def present(features: Floats32) -> dict[str, NDArray[np.bool_]]:
    """Return, per group, for which rows of features (rows, FEATURES) there is any evidence."""
    column = _COLUMN
    return {
        "repeat": features[:, column["item_n"]] > 0,
        "kind": features[:, column["category_n"]] > 0,
        "taste": features[:, column["taste"]] > 0,
        "popular": features[:, column["catalogue_buyers"]] > 0,
        "here": features[:, column["here"]] > 0,
    }


def without(features: Floats32, group: str) -> Floats32:
    """Return a copy of features (rows, FEATURES) with the group's evidence taken away."""
    changed = features.copy()
    changed[:, COLUMNS[group]] = ABSENT[group]
    return changed


def facts_of(group: str, features: Floats32, item: int, shopper: Shopper) -> Facts:
    """Return what is true of an item (one row of features) and belongs to a group."""
    row, items = features, shopper.items
    name = str(items.categories[items.category[item]])
    if group == "repeat":
        gap = float(row[_COLUMN["item_gap"]])
        return {"times": int(row[_COLUMN["item_n"]]), "gap_days": None if np.isnan(gap) else round(gap, 1),
                "days_since": round(float(row[_COLUMN["item_since"]]), 1)}  # fmt: skip
    if group == "kind":
        gap = float(row[_COLUMN["category_gap"]])
        return {"category": name, "times": int(row[_COLUMN["category_n"]]), "gap_days": None if np.isnan(gap) else round(gap, 1),
                "tried": bool(row[_COLUMN["item_n"]] > 0)}  # fmt: skip
    if group == "taste":
        owned = [str(items.categories[items.category[other]]) for other in shopper.because(item)]
        first, second = [*dict.fromkeys(found for found in owned if found), None, None][:2]
        return {"because_1": first, "because_2": second}
    return {"buyers": int(items.buyers[item]), "here": bool(shopper.here[item] > 0)}


def reason(group: str, facts: Facts, part: float | None) -> Reason:
    """Return the sentence for a group's facts; `part` is what the score loses without them."""
    make = {"repeat": _repeat, "kind": _kind, "taste": _taste, "popular": _popular, "here": _popular, "search": _search,
            "similar": _similar, "together": _together, "promoted": _promoted}  # fmt: skip
    code, sentence = make[group](facts)
    told = {} if part is None else {"part": round(part, 4)}
    return Reason(code, sentence, {**facts, "source": group, **told})


def with_promotion(why: Reason, placement: str | None) -> Reason:
    """Return the reason with a second clause that tells where the item is promoted now; as it is without a placement."""
    if placement is None:
        return why
    facts = {**why.facts, "promoted": placement}
    if why.code == "promoted":  # it tells that already
        return Reason(why.code, why.sentence, facts)
    where = "it is on display in your store" if placement == Placement.DISPLAY else "it is in this week's mailer"
    return Reason(why.code, f"{why.sentence.removesuffix('.')}; {where}.", facts)


def best_told(
    groups: Sequence[str], features: Floats32, item: int, shopper: Shopper, parts: Mapping[str, float]
) -> Reason:
    """Return the first of `groups` that has something to tell, as a reason."""
    for group in groups:
        facts = facts_of(group, features, item, shopper)
        if group == "taste" and facts["because_1"] is None:
            continue
        if group in ("popular", "here") and int(facts["buyers"] or 0) < LEAST_TOLD:
            continue
        if group == "kind" and not facts["category"]:
            continue
        return reason(group, facts, parts.get(group))
    return Reason("suggested", "It might be something for you.", {"source": "popular"})


def _repeat(facts: Facts) -> tuple[str, str]:
    times, gap, since = int(facts["times"] or 0), facts["gap_days"], float(facts["days_since"] or 0)
    if times == 1 or gap is None:
        return "bought_before", f"You bought this {ago(since)}."
    often = "twice" if times == 2 else f"{times} times"
    every = f"You buy this about {_every(float(gap))}"
    if since >= float(gap) * 0.8 and since < 3 * float(gap) + 7:
        return "due_again", f"{every}, {_last(since)}."
    return "repeat_purchase", f"You bought this {often}, {_last(since)}."


def _kind(facts: Facts) -> tuple[str, str]:
    category = spoken(str(facts["category"]))
    gap = facts["gap_days"]
    often = f"about {_every(float(gap))}" if gap is not None and int(facts["times"] or 0) > 2 else "now and then"
    return "your_kind", f"You buy {category} {often}" + ("." if facts["tried"] else "; this one would be new to you.")


def _taste(facts: Facts) -> tuple[str, str]:
    first, second = spoken(str(facts["because_1"])), spoken(str(facts["because_2"] or ""))
    both = f"{first} and {second}" if second and second != first else first
    return "similar_taste", f"Shoppers who, like you, buy {both} often buy this too."


def _popular(facts: Facts) -> tuple[str, str]:
    where = "; it sells well in this store" if facts["here"] else ""
    return "popular", f"{int(facts['buyers'] or 0):,} households bought this in the last eight weeks{where}."


def _search(facts: Facts) -> tuple[str, str]:
    return "matches_query", "This matches what you asked for."


def _similar(facts: Facts) -> tuple[str, str]:
    return "matches_query", "This comes close to what you asked for."


def _together(facts: Facts) -> tuple[str, str]:
    first, second = spoken(str(facts["with"])), spoken(str(facts["with_2"] or ""))
    both = f"{first} and {second}" if second and second != first else first
    return "goes_with", f"Goes with {both}" + (", which you buy." if facts["bought"] else ".")


def _promoted(facts: Facts) -> tuple[str, str]:
    on_display = facts["placement"] == Placement.DISPLAY
    return "promoted", "On display in your store now." if on_display else "In this week's mailer."


def spoken(category: str) -> str:
    """Return a category as it is said in a sentence: "Peppers-all" is "peppers", "Sugars, sweeteners" is "sugars"."""
    return (_SHELF.sub("", category) or category).strip().lower()


def ago(days: float) -> str:
    """Return a number of days as people say it."""
    whole = round(days)
    if whole <= 0:
        return "today"
    if whole == 1:
        return "yesterday"
    if whole < 14:
        return f"{whole} days ago"
    if whole < 60:
        return f"{round(days / 7)} weeks ago"
    return f"{round(days / 30.4)} months ago"


def _last(days: float) -> str:
    """Return when something was last, short enough for one line of a card."""
    return f"the last time {ago(days)}" if round(days) <= 1 else f"last {ago(days)}"


def _every(days: float) -> str:
    if days < 1.5:
        return "every day"
    if days < 11:
        return "every week" if 6 <= days <= 8 else f"every {round(days)} days"
    if days < 50:
        return f"every {round(days / 7)} weeks"
    return f"every {max(round(days / 30.4), 2)} months"
