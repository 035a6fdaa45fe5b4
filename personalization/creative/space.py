"""The design space: a versioned grammar of choices, its rules, and its exact size.

A creative is one option per dimension. What does not go together is said by rules, each over two or three dimensions or over a dimension and what
there is to show, so that the grammar can be counted exactly and sampled evenly: its rules are 0/1 tensors, contracted one dimension after the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from personalization.creative.typography import PAIRINGS

VERSION = "2"
TEXTS = (
    "category", "picked_for_today", "from_our_shelves", "presents", "say_hello", "in_store_now", "anyone", "good_to_see_you", "on_your_list",
    "idea_for_tonight", "simply_good", "hungry", "today_maybe", "now_price", "percent_less", "better_price", "down_it_goes", "for_you", "coupon",
    "thank_you", "with_our_thanks", "rated", "people_like_it", "brand",
)  # fmt: skip
"""Keys of the texts in `copy/*.yml`: what was approved is kept by them, so new ones come last and none is used again."""
PLAIN = "plain"
"""The text that stands in where another one does not fit: the name, and with a coupon what it gives."""
WRITTEN = tuple(f"written_{number}" for number in range(1, 5))
"""Texts of a language model, in its order; they may change, so no variant keeps one."""
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "aspect": ("9:16", "1:1", "4:5", "16:9", "kiosk"),
    "layout": ("hero_top", "hero_bottom", "panel", "arc", "centred", "big_price", "big_word", "framed", "diagonal", "card", "ticket", "ribbon"),
    "grid": ("tight", "regular", "airy"),
    "align": ("start", "centre"),
    "focal": ("plain", "disc", "arch", "blob", "tile", "ring", "plinth", "sticker", "spotlight", "pattern"),
    "crop": ("whole", "close", "tilt_left", "tilt_right"),
    "scheme": ("light", "tint", "vivid", "dark", "duo", "paper"),
    "anchor": ("brand", "picture_1", "picture_2", "complement", "near", "far", "triad"),
    "type": tuple(PAIRINGS),
    "scale": ("quiet", "regular", "loud", "huge"),
    "texture": ("none", "grain", "dots", "lines", "mesh", "confetti", "waves", "rays", "terrazzo"),
    "price": ("plain", "pill", "tag", "burst"),
    "message": (*TEXTS, PLAIN, *WRITTEN),
    "action": ("pill", "outline", "underline", "arrow"),
    "motion": ("still", "rise", "slide", "zoom", "swing", "drop", "reveal", "drift", "pop"),
    "easing": ("still", "out_cubic", "out_back", "out_expo", "in_out", "spring"),
    "rhythm": ("still", "every_beat", "every_second", "bars", "build", "syncopated", "sparse"),
}  # fmt: skip
"""What varies, and how. `message` is the key of a text (`words`); the last three only move in films."""
_PLACE = re.compile(r"m\d{1,2}")
"""How version 1 named a text: by its place among those that fitted at that time."""

MOVING = ("motion", "easing", "rhythm")
SIZES: dict[str, tuple[int, int]] = {
    "9:16": (1080, 1920),
    "1:1": (1080, 1080),
    "4:5": (1080, 1350),
    "16:9": (1920, 1080),
    "kiosk": (1080, 1920),
}
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class CreativeSpec:
    """A point of the space: one option per dimension. The same spec and inputs give the same pixels."""

    choices: Mapping[str, str]
    version: str = VERSION

    def __post_init__(self) -> None:
        if set(self.choices) != set(DIMENSIONS):
            raise ValueError(
                f"a spec names {', '.join(DIMENSIONS)}; not: {sorted(set(self.choices) ^ set(DIMENSIONS))}"
            )
        for name, option in self.choices.items():
            earlier = name == "message" and self.version == "1" and _PLACE.fullmatch(option)
            if option not in DIMENSIONS[name] and not earlier:
                raise ValueError(f"{name} is one of {', '.join(DIMENSIONS[name])}, not {option!r}")

    def __hash__(self) -> int:
        return hash(frozenset(self.choices.items()))

    def __getitem__(self, dimension: str) -> str:
        return self.choices[dimension]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return SIZES[self["aspect"]]

    @property
    def seed(self) -> int:
        """What all that looks random in it is drawn from."""
        return int.from_bytes(self._digest()[:8])

    @property
    def spec_id(self) -> str:
        """Names this spec; stable over runs and machines."""
        return str(UUID(bytes=self._digest()[:16], version=5))

    def _digest(self) -> bytes:
        return hashlib.sha256(json.dumps([self.version, sorted(self.choices.items())]).encode()).digest()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What there is to show, as far as the grammar asks: kind of picture ("cutout", "photo"), its colours, keys of the texts that fit, and what the facts allow."""

    picture: str = "cutout"
    colours: int = 2
    messages: tuple[str, ...] = TEXTS
    priced: bool = True
    coupon: bool = False
    film: bool = False
    pairings: tuple[str, ...] = ()
    aspects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Options of some dimensions that go together, and why the others do not."""

    dimensions: tuple[str, ...]
    allows: Callable[..., bool]
    why: str


def rules_for(inputs: Inputs) -> tuple[Rule, ...]:
    """Return the grammar's rules for what there is to show."""
    wide = "16:9"
    return (
        Rule(("message",), lambda m: m in inputs.messages, "only texts that the facts support"),
        Rule(("anchor",), lambda a: a != "picture_2" or inputs.colours > 1, "a picture of one colour has no second"),
        Rule(("anchor",), lambda a: a != "picture_1" or inputs.colours > 0, "a grey picture has no colour to give"),
        Rule(("layout",), lambda x: x != "ticket" or inputs.coupon, "a ticket promises a coupon"),
        Rule(("layout",), lambda x: x != "big_price" or inputs.priced, "no price, no big price"),
        Rule(("price",), lambda p: p == "plain" or inputs.priced, "no price, no tag for it"),
        Rule(("type",), lambda t: not inputs.pairings or t in inputs.pairings, "the brand's own type"),
        Rule(("aspect",), lambda a: not inputs.aspects or a in inputs.aspects, "the channel's own shapes"),
        Rule(MOVING, lambda *m: ("still" not in m) if inputs.film else set(m) == {"still"}, "what is still does not move, and a film does"),
        Rule(("focal",), lambda f: inputs.picture == "cutout" or f in {"plain", "disc", "arch", "blob", "tile", "ring", "sticker"},
             "a photograph has a background: it is masked, and stands on nothing"),
        Rule(("focal", "crop"), lambda f, c: f not in {"plinth", "pattern"} or c in {"whole", "close"}, "what stands, stands upright"),
        Rule(("focal", "texture"), lambda f, t: f not in {"pattern", "spotlight"} or t in {"none", "grain", "mesh"}, "two patterns fight"),
        Rule(("focal", "layout"), lambda f, x: not (f == "pattern" and x in {"big_word", "big_price", "ribbon", "ticket"}), "no room for a pattern"),
        Rule(("layout", "texture"), lambda x, t: x not in {"diagonal", "ribbon", "arc"} or t not in {"lines", "rays", "waves"}, "two directions fight"),
        Rule(("layout", "align"), lambda x, a: x not in {"centred", "framed", "ticket", "ribbon"} or a == "centre", "an axis is an axis"),
        Rule(("layout", "align"), lambda x, a: x not in {"diagonal", "big_word"} or a == "start", "it leans on one side"),
        Rule(("layout", "price"), lambda x, p: x not in {"big_price", "ticket"} or p == "plain", "the price is the picture"),
        Rule(("type", "price"), lambda t, p: not (t == "caveat" and p == "burst"), "a hand does not shout"),
        Rule(("layout", "scale"), lambda x, s: x not in {"big_word", "big_price"} or s in {"loud", "huge"}, "large is the idea"),
        Rule(("layout", "scale"), lambda x, s: x not in {"framed", "ticket", "card"} or s != "huge", "it would not fit the frame"),
        Rule(("scheme", "texture"), lambda s, t: s != "paper" or t in {"none", "grain", "dots", "lines"}, "paper stays calm"),
        Rule(("aspect", "layout"), lambda a, x: not (a == wide and x in {"ribbon", "ticket"}), "made for upright shapes"),
    )  # fmt: skip


Factor = tuple[tuple[int, ...], NDArray[np.int64]]


@dataclass(frozen=True)
class Space:
    """The grammar for what there is to show."""

    inputs: Inputs = field(default_factory=Inputs)

    def size(self) -> int:
        """Return how many specs the grammar has, exactly."""
        totals = np.ones(len(DIMENSIONS["aspect"]), np.int64)
        for axes, table in _left_over(self.inputs, ())[0]:
            totals = totals * (table if axes else int(table))
        return int(totals.sum())

    def broken_by(self, spec: CreativeSpec) -> Rule | None:
        """Return the first rule that a spec breaks; None when it is of this grammar."""
        for rule in rules_for(self.inputs):
            if not rule.allows(*(spec[name] for name in rule.dimensions)):
                return rule
        return None

    def sample(self, rng: np.random.Generator, *, given: Mapping[str, str] | None = None) -> CreativeSpec:
        """Draw a spec evenly from all, or from all that have the `given` options; ValueError when there is none."""
        return self._drawn(lambda _, counts: int(rng.choice(len(counts), p=counts / counts.sum())), given or {})

    def spread(
        self, count: int, rng: np.random.Generator, *, given: Mapping[str, str] | None = None
    ) -> list[CreativeSpec]:
        """Draw `count` specs for coverage: in every dimension all options come about equally often, as far as the rules let them.

        Dimension after dimension the option that was used least so far is taken, ties by chance: a greedy Latin hypercube.
        """
        used = {name: rng.random(len(options)) for name, options in DIMENSIONS.items()}

        def least(name: str, counts: NDArray[np.float64]) -> int:
            chosen = int(np.argmin(np.where(counts > 0, used[name], np.inf)))
            used[name][chosen] += 0.75 + 0.5 * rng.random()
            return chosen

        return [self._drawn(least, given or {}) for _ in range(count)]

    def neighbour(self, spec: CreativeSpec, rng: np.random.Generator, changes: int = 2) -> CreativeSpec:
        """Return a spec that differs in `changes` dimensions or as many more as the rules ask."""
        changed = {str(name) for name in rng.choice(list(DIMENSIONS), size=changes, replace=False)}
        return self._drawn(
            lambda name, counts: _near(DIMENSIONS[name].index(spec[name]), counts, rng, keep=name not in changed), {}
        )

    def _drawn(self, draw: Callable[[str, NDArray[np.float64]], int], given: Mapping[str, str]) -> CreativeSpec:
        states: list[int] = []
        left = _left_over(self.inputs, tuple(sorted(given.items())))
        for place, name in enumerate(DIMENSIONS):
            counts = np.ones(len(DIMENSIONS[name]))
            for axes, table in left[place]:
                # what lies wholly before is the same for all options
                if axes and axes[-1] == place:
                    counts = counts * table[tuple(states[axis] for axis in axes[:-1])]
            if not counts.any():
                raise ValueError(f"no creative has {', '.join(f'{key} {value}' for key, value in given.items())}")
            states.append(draw(name, counts))
        return CreativeSpec(
            {name: options[state] for (name, options), state in zip(DIMENSIONS.items(), states, strict=True)}
        )


def _near(before: int, counts: NDArray[np.float64], rng: np.random.Generator, *, keep: bool) -> int:
    """Return the same option where it is kept and allowed, else another one by chance; the same if there is no other."""
    if keep and counts[before] > 0:
        return before
    others = counts.copy()
    others[before] = 0
    return int(rng.choice(len(others), p=others / others.sum())) if others.any() else before


@lru_cache(maxsize=64)
def _left_over(inputs: Inputs, given: tuple[tuple[str, str], ...]) -> list[list[Factor]]:
    """Return, for every dimension, the factors over it and those before it once all later ones are summed out."""
    names = list(DIMENSIONS)
    factors = [_table(rule.dimensions, rule.allows) for rule in rules_for(inputs)]
    factors += [_table((name,), lambda option, wanted=option: option == wanted) for name, option in given]
    left = [factors]
    for place in range(len(names) - 1, 0, -1):
        mine = [factor for factor in factors if place in factor[0]]
        axes = sorted({axis for scope, _ in mine for axis in scope} | {place})
        joint = np.ones([len(DIMENSIONS[names[axis]]) for axis in axes], np.int64)
        for scope, table in mine:
            joint = joint * table.reshape([len(DIMENSIONS[names[axis]]) if axis in scope else 1 for axis in axes])
        factors = [factor for factor in factors if place not in factor[0]] + [(tuple(axes[:-1]), joint.sum(-1))]
        left.append(factors)
    return left[::-1]


def _table(dimensions: tuple[str, ...], allows: Callable[..., bool]) -> Factor:
    """Return a rule as a 0/1 tensor over its dimensions in the order of the grammar."""
    names = list(DIMENSIONS)
    order = sorted(range(len(dimensions)), key=lambda k: names.index(dimensions[k]))
    table = np.zeros([len(DIMENSIONS[dimensions[k]]) for k in order], np.int64)
    for at in np.ndindex(*table.shape):
        told = {order[k]: DIMENSIONS[dimensions[order[k]]][at[k]] for k in range(len(order))}
        table[at] = bool(allows(*(told[k] for k in range(len(dimensions)))))
    return tuple(names.index(dimensions[k]) for k in order), table
