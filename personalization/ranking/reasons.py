"""One human sentence per item, made from the facts of the source that counted most."""

from __future__ import annotations

import re
from collections.abc import Mapping

from personalization.types import Candidate, Reason

Facts = Mapping[str, str | int | float | bool | None]
_SHELF = re.compile(
    r"\s*(,|/|\(|-\s*(all|other|misc|checklane|packaged|shelf|frozen|fresh|canned|mw|liquid)\b).*", re.IGNORECASE
)


def reason_for(candidate: Candidate, weights: Mapping[str, float]) -> Reason:
    """Return the reason behind the largest part of the candidate's score.

    For a search the match itself is no news to the shopper, so a second reason, where there is one, is told.
    """
    parts = {name: weights[name] * score for name, score in candidate.scores.items()}
    telling = {name: part for name, part in parts.items() if name != "search"} or parts
    source = max(telling, key=lambda name: telling[name])
    facts = candidate.facts.get(source, {})
    code, sentence = {"repeat": _repeat, "taste": _taste, "popular": _popular, "search": _search}[source](facts)
    return Reason(code, sentence, {**facts, "source": source, "part": round(parts[source], 4)})


def _repeat(facts: Facts) -> tuple[str, str]:
    times, gap, since = int(facts["times"] or 0), facts["gap_days"], float(facts["days_since"] or 0)
    if times == 1 or gap is None:
        return "bought_before", f"You bought this {ago(since)}."
    often = "twice" if times == 2 else f"{times} times"
    every = f"You buy this about {_every(float(gap))}"
    if since >= float(gap) * 0.8 and since < 3 * float(gap) + 7:
        return "due_again", f"{every}; the last time was {ago(since)}."
    return "repeat_purchase", f"You have bought this {often}, the last time {ago(since)}."


def _taste(facts: Facts) -> tuple[str, str]:
    first, second = spoken(str(facts["because_1"])), spoken(str(facts["because_2"] or ""))
    both = f"{first} and {second}" if second and second != first else first
    return "similar_taste", f"Shoppers who, like you, buy {both} often buy this too."


def _popular(facts: Facts) -> tuple[str, str]:
    where = "; it sells well in this store" if facts["here"] else ""
    buyers = int(facts["buyers"] or 0)
    who = "One household" if buyers == 1 else f"{buyers:,} households"
    return "popular", f"{who} bought this in the last eight weeks{where}."


def _search(facts: Facts) -> tuple[str, str]:
    return "matches_query", "This matches what you asked for."


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


def _every(days: float) -> str:
    if days < 1.5:
        return "every day"
    if days < 11:
        return "every week" if 6 <= days <= 8 else f"every {round(days)} days"
    if days < 50:
        return f"every {round(days / 7)} weeks"
    return f"every {max(round(days / 30.4), 2)} months"
