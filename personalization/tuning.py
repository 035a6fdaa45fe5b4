"""The dials that people set: what the ranking leans to, how varied and how exploring it is, how ready with discounts, how moods count.

As it ships every dial stands where training and the settings put it, so that a shop that never touches one notices nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_type_hints

LEANS = ("purchase", "repeat", "redeem", "spend", "click", "basket")
"""Objectives that the ranking can lean to."""


class TuningError(ValueError):
    """Values are no tuning; `flaws` are (where, reason) pairs."""

    def __init__(self, flaws: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where} {reason}" for where, reason in flaws))
        self.flaws = flaws


@dataclass(frozen=True, slots=True)
class Dial:
    """What a number may be, and what it does in words. `least` to `most` is also what a change is measured against."""

    least: float
    most: float
    step: float
    told: str


@dataclass(frozen=True, slots=True)
class Variety:
    """From 0, the surest, to 1, the most surprising, by channel. None: the channel's own."""

    widget: float | None = None
    kiosk: float | None = None
    api: float | None = None


@dataclass(frozen=True, slots=True)
class Discounts:
    """How ready the shop is with discounts.

    thrift multiplies the price of a budget's money; deepest : the largest discount as a share of the price; weekly : coupons for one
    shopper in seven days, None for the setting's, 0 for no limit.
    """

    thrift: float = 1.0
    deepest: float | None = None
    weekly: int | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """coupons: the share of coupon decisions left to chance, None for the setting's; shelf: times as much room for what was hardly ever shown."""

    coupons: float | None = None
    shelf: float = 1.0


@dataclass(frozen=True, slots=True)
class Moods:
    """What moods do.

    low : valence below which somebody gets what they know, and nothing varied; brief : valence below which fewer items are shown, at most
    `short`; sell : valence below which nothing is sold, which is that nothing is proposed that only the shop has an interest in and that
    the chat offers nothing unasked; push : whether promotions are proposed then all the same; lift : how much a good mood adds to the variety.
    """

    low: float = -0.25
    brief: float = -0.25
    short: int = 3
    sell: float = -0.25
    push: bool = False
    lift: float = 0.5


@dataclass(frozen=True, slots=True)
class People:
    """When the chat offers a person unasked because of the mood.

    mood : valence below which a message counts as said in trouble; fall : how far the mood falls (its CUSUM, in standard deviations)
    until a person is offered at the next message in trouble; patience : messages in trouble, one after the other, after which a person
    is offered however slowly the mood fell. The dials' ranges end where everybody in lasting trouble is still offered one; who asks for a
    person, is not understood or touches a sensitive topic gets one wherever they stand.
    """

    mood: float = -0.25
    fall: float = 1.2
    patience: int = 2


@dataclass(frozen=True, slots=True)
class TuningPolicy:
    """One setting of all dials; `version` 0 is how it ships. lean : by objective, standard deviations of the score per one of the prediction."""

    version: int = 0
    lean: Mapping[str, float] = field(default_factory=dict)
    variety: Variety = Variety()
    discounts: Discounts = Discounts()
    exploration: Exploration = Exploration()
    moods: Moods = Moods()
    people: People = People()

    def tree(self) -> dict[str, Any]:
        """Return the values as JSON types, without the version."""
        found = asdict(self)
        del found["version"]
        return found | {"lean": {name: float(self.lean.get(name, 0.0)) for name in LEANS}}

    def change(self, other: TuningPolicy, shipped: Mapping[str, float]) -> dict[str, float]:
        """Return how far each dial was turned, as a share of its range; dials that stand still are left out.

        shipped : where a dial stands that is None.
        """
        mine, theirs = _flat(self.tree()), _flat(other.tree())
        found = {}
        for name, dial in DIALS.items():
            if mine[name] == theirs[name]:
                continue
            one, two = (shipped[name] if each[name] is None else float(each[name]) for each in (mine, theirs))
            if one != two:
                found[name] = abs(two - one) / (dial.most - dial.least)
        return found


SHIPPED = TuningPolicy()
_GROUPS: Mapping[str, type] = {
    "variety": Variety,
    "discounts": Discounts,
    "exploration": Exploration,
    "moods": Moods,
    "people": People,
}
DIALS: Mapping[str, Dial] = {
    "lean.purchase": Dial(-1, 1, 0.05, "Show more of what is likely to be bought."),
    "lean.repeat": Dial(-1, 1, 0.05, "Show more of what people come back for."),
    "lean.redeem": Dial(-1, 1, 0.05, "Show more of what coupons are redeemed on."),
    "lean.spend": Dial(-1, 1, 0.05, "Show more of what much is spent on."),
    "lean.click": Dial(-1, 1, 0.05, "Show more of what is opened."),
    "lean.basket": Dial(-1, 1, 0.05, "Show more of what is put into the basket."),
    "variety.widget": Dial(0, 1, 0.05, "How varied the widget is: right is more surprising, left is surer."),
    "variety.kiosk": Dial(0, 1, 0.05, "How varied kiosks are."),
    "variety.api": Dial(0, 1, 0.05, "How varied everything else is."),
    "discounts.thrift": Dial(0.25, 4, 0.05, "How dear budget money counts: right gives fewer and smaller coupons."),
    "discounts.deepest": Dial(0.05, 0.9, 0.05, "The largest discount, as a share of the price."),
    "discounts.weekly": Dial(0, 21, 1, "Coupons for one shopper in seven days; 0 is no limit."),
    "exploration.coupons": Dial(0, 0.2, 0.01, "Coupon decisions that are left to chance, to learn from."),
    "exploration.shelf": Dial(0, 3, 0.1, "Room for products that hardly anybody was shown yet."),
    "moods.low": Dial(-1, 0, 0.05, "From which mood on slates keep to what the shopper knows: right is sooner."),
    "moods.brief": Dial(-0.6, 0.2, 0.05, "From which mood on answers are shorter: right is sooner."),
    "moods.short": Dial(1, 8, 1, "How many products are shown then."),
    "moods.sell": Dial(-0.6, 0.2, 0.05, "From which mood on nothing is sold: right is sooner."),
    "moods.push": Dial(0, 1, 1, "Whether promotions are shown all the same to those to whom nothing is sold."),
    "moods.lift": Dial(0, 1, 0.05, "How much more varied it gets for somebody in a good mood."),
    "people.mood": Dial(-0.25, 0, 0.05, "From which mood on a person is offered: right is sooner."),
    "people.fall": Dial(0.6, 2.4, 0.1, "How far a mood falls until a person is offered: left is sooner."),
    "people.patience": Dial(1, 4, 1, "Messages in a low mood after which a person is offered, however slowly it fell."),
}


def parse(values: Mapping[str, Any], *, version: int = 0) -> TuningPolicy:
    """Return the tuning that `values` tell; what is left out is as it ships. Raises TuningError with every flaw."""
    flaws = [(name, "is no group of dials") for name in values if name not in {"lean", *_GROUPS}]
    parts: dict[str, Any] = {}
    for group in ("lean", *_GROUPS):
        given = values.get(group, {})
        if not isinstance(given, Mapping):
            flaws.append((group, "is a group of dials"))
            continue
        known = {name.split(".")[1] for name in DIALS if name.startswith(f"{group}.")}
        flaws += [(f"{group}.{name}", "is no dial") for name in given if name not in known]
        kept = {}
        for name, value in given.items():
            if name in known:
                kept[name], flaw = _value(group, name, value)
                if flaw:
                    flaws.append((f"{group}.{name}", flaw))
        parts[group] = kept
    if flaws:
        raise TuningError(flaws)
    lean = {name: value for name, value in parts.pop("lean").items() if value}
    return TuningPolicy(version, lean, **{name: _GROUPS[name](**own) for name, own in parts.items()})


def _value(group: str, name: str, value: Any) -> tuple[Any, str]:
    """Return the value as its field wants it, and what is wrong with it."""
    dial = DIALS[f"{group}.{name}"]
    kind = float if group == "lean" else get_type_hints(_GROUPS[group])[name]
    if value is None and kind in (float | None, int | None):
        return None, ""
    if kind is bool:
        return (value, "") if isinstance(value, bool) else (None, "is true or false")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "is a number"
    if not dial.least <= value <= dial.most:
        return None, f"lies between {dial.least:g} and {dial.most:g}"
    if kind in (int, int | None):
        return (int(value), "") if value == int(value) else (None, "is a whole number")
    return float(value), ""


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{group}.{name}": value for group, own in tree.items() for name, value in own.items()}
