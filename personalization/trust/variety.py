"""Filter bubbles: how varied is what a member is shown, week by week, and when it narrows.

Of a week's slates: diversity, the share of pairs within a slate that are of two categories (intra-list diversity, Ziegler et al. 2005);
novelty, the share of items that the member was not shown in the weeks before; entropy of the categories shown, in bits. The trend of
entropy is Theil-Sen's slope (the median of all pairs' slopes), which one odd week does not turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from statistics import median

import numpy as np

LEAST_SLATES = 3  # of a week that says something
LEAST_WEEKS = 3
FALL_BITS = 0.15  # a week, of entropy
NARROW_BITS = 1.0  # of entropy: two categories
MANY = 0.1
"""Share of members who are seen too narrowly from which the shop's ranking, and no longer a taste of theirs, is to be looked at."""
LEAST_MEMBERS = 20  # of a week whose share says something
WIDENED = 0.8
"""The knob (0 safe, 1 surprising) at which slates are made for a member who is seen too narrowly."""


@dataclass(frozen=True, slots=True)
class Week:
    """What a member was shown in one week: `diversity` and `novelty` in [0, 1], `entropy` in bits."""

    slates: int
    diversity: float
    novelty: float
    entropy: float


def week_of(slates: Sequence[Sequence[str]], category: Mapping[str, str], before: Collection[str]) -> Week:
    """Return the week's figures; `before` is what was shown earlier, items of unknown category count as one of their own."""
    pairs = [
        category.get(one, one) != category.get(other, other)
        for slate in slates
        for one, other in combinations(slate, 2)
    ]
    shown = [item for slate in slates for item in slate]
    share = np.array(list(Counter(category.get(item, item) for item in shown).values()), float)
    share = share / share.sum() if len(share) else share
    return Week(
        len(slates),
        float(np.mean(pairs)) if pairs else 0.0,
        float(np.mean([item not in before for item in shown])) if shown else 0.0,
        float(-(share * np.log2(share)).sum()) + 0.0 if len(share) else 0.0,
    )


@dataclass(frozen=True, slots=True)
class ShopWeek:
    """A week of all members: how many were shown something, how many of them too narrowly, and the means of who saw enough slates to tell."""

    week: date
    members: int
    narrow: int
    diversity: float | None
    novelty: float | None
    entropy: float | None

    @property
    def share(self) -> float:
        """The share of members who were shown too little variety."""
        return self.narrow / self.members if self.members else 0.0


def slope(points: Sequence[tuple[int, float]]) -> float | None:
    """Return Theil-Sen's slope of entropy, bits a week; None from fewer than LEAST_WEEKS weeks."""
    if len(points) < LEAST_WEEKS:
        return None
    return median((b - a) / (j - i) for (i, a), (j, b) in combinations(points, 2))


def trend(weeks: Sequence[ShopWeek]) -> float | None:
    """Return by how many bits a week the members' mean entropy rises, or falls where below 0; None while little is known."""
    known = [((one.week - weeks[0].week).days // 7, one.entropy) for one in weeks if one.entropy is not None]
    return slope(known)


def shop_alarm(weeks: Sequence[ShopWeek]) -> tuple[str, ...]:
    """Return why the shop as a whole shows too little variety, from its weeks, oldest first: `share`, `trend`, both or neither."""
    falls = trend(weeks)
    many = bool(weeks) and weeks[-1].members >= LEAST_MEMBERS and weeks[-1].share >= MANY
    fewer = falls is not None and falls <= -FALL_BITS
    return (*(["share"] if many else []), *(["trend"] if fewer else []))


def alarm(weeks: Sequence[Week]) -> str | None:
    """Return why what a member is shown is too narrow, from their weeks, oldest first; None while it is not, or little is known."""
    told = [week for week in weeks if week.slates >= LEAST_SLATES]
    if not told:
        return None
    if told[-1].entropy < NARROW_BITS and told[-1].novelty < 0.5:
        return f"hardly more than one category is shown (entropy {told[-1].entropy:.2f} bits), and little that is new"
    falls = slope([(place, week.entropy) for place, week in enumerate(told)])
    if falls is not None and falls <= -FALL_BITS:
        return f"the categories shown become fewer: entropy falls by {-falls:.2f} bits a week"
    return None
