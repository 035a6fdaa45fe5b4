"""What a predictor reads of a variant and of an audience: named choices, measures, pairs, and each audience's own share of them.

The score of variant v for audience a is z(v) · u(a). z has a column per option, measure, squared measure and pair of options;
u(a) is what holds for everybody plus what each known attribute of the audience adds to options and measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personalization.creative.variants import Audience, Variant

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
MEASURES = ("contrast", "clutter", "colourfulness", "text_share", "warmth")
PAIRS = (
    ("layout", "focal"), ("layout", "type"), ("scheme", "texture"), ("motion", "rhythm"), ("message", "tone"), ("message", "action"),
)  # fmt: skip
"""Dimensions whose options are read together: where the eye goes, what it reads, how it moves, how it speaks."""


@dataclass(frozen=True)
class Design:
    """Which columns there are: q = options + 2 x measures + pairs, and d = q + (options + measures) x audience values.

    options : a design dimension to its options; attributes : an audience's attribute to its values. What is not named here is
    not read: a new option or value counts as an average one until the design knows it.
    """

    options: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, tuple[str, ...]]
    measures: tuple[str, ...] = MEASURES
    pairs: tuple[tuple[str, str], ...] = PAIRS

    @classmethod
    def of(cls, variants: Iterable[Variant], audiences: Iterable[Audience]) -> Design:
        """Return the design that knows all options and values that these have, in alphabetical order."""
        options: dict[str, set[str]] = {}
        attributes: dict[str, set[str]] = {}
        for variant in variants:
            for dimension, option in variant.choices.items():
                options.setdefault(dimension, set()).add(option)
        for audience in audiences:
            for attribute, value in audience.values.items():
                attributes.setdefault(attribute, set()).add(value)
        known, values = (
            {key: tuple(sorted(found)) for key, found in sorted(each.items())} for each in (options, attributes)
        )
        return cls(known, values)

    def joined(self, other: Design) -> Design:
        """Return the design that knows what either knows."""
        options, attributes = (
            {key: tuple(sorted({*one.get(key, ()), *two.get(key, ())})) for key in sorted({*one, *two})}
            for one, two in ((self.options, other.options), (self.attributes, other.attributes))
        )
        return Design(options, attributes, self.measures, self.pairs)

    @cached_property
    def columns(self) -> dict[tuple[str, ...], int]:
        """Each column's place in z by its name: (dimension, option), (measure,), (measure, "squared") or a pair of options."""
        names: list[tuple[str, ...]] = [(d, o) for d, found in self.options.items() for o in found]
        names += [(measure,) for measure in self.measures]
        names += [(measure, "squared") for measure in self.measures]
        for one, other in self.pairs:
            names += [(one, a, other, b) for a in self.options.get(one, ()) for b in self.options.get(other, ())]
        return {name: place for place, name in enumerate(names)}

    @cached_property
    def own(self) -> int:
        """How many columns an audience has a share of its own in: options and measures, which come first."""
        return sum(map(len, self.options.values())) + len(self.measures)

    @property
    def q(self) -> int:
        """How many columns z has."""
        return len(self.columns)

    @cached_property
    def values(self) -> dict[tuple[str, str], int]:
        """Each audience value's place by (attribute, value)."""
        pairs = [(attribute, value) for attribute, found in self.attributes.items() for value in found]
        return {pair: place for place, pair in enumerate(pairs)}

    @property
    def d(self) -> int:
        """How many parameters there are."""
        return self.q + self.own * len(self.values)

    def names(self) -> Iterator[tuple[str, ...]]:
        """Yield every parameter's name in order: a column's, with attribute and value behind it where it is an audience's own."""
        yield from self.columns
        own = list(self.columns)[: self.own]
        for attribute, value in self.values:
            yield from ((*name, attribute, value) for name in own)

    def encode(self, variants: Sequence[Variant]) -> Singles:
        """Return z (n, q). Measures are centred: 0.5 is 0, and what was not measured counts as that."""
        z = np.zeros((len(variants), self.q), np.float32)
        columns, pairs, measures = self.columns, self.pairs, self.measures
        for row, variant in zip(z, variants, strict=True):
            choices = variant.choices
            for choice in choices.items():
                if (place := columns.get(choice)) is not None:
                    row[place] = 1.0
            for one, other in pairs:
                if (place := columns.get((one, choices.get(one, ""), other, choices.get(other, "")))) is not None:
                    row[place] = 1.0
            for name in measures:
                if (measured := variant.measures.get(name)) is not None:
                    row[columns[name,]] = 2.0 * measured - 1.0
                    row[columns[name, "squared"]] = (2.0 * measured - 1.0) ** 2 - 1.0 / 3.0
        return z

    def blocks(self, audience: Audience) -> list[slice]:
        """Return where the audience's parameters lie: everybody's q first, then `own` for each known value."""
        known = [self.values[pair] for pair in audience.values.items() if pair in self.values]
        return [slice(0, self.q), *(slice(self.q + self.own * k, self.q + self.own * (k + 1)) for k in known)]

    def gather(self, theta: NDArray[np.floating], audience: Audience) -> NDArray[np.floating]:
        """Return u (q, ...) of parameters theta (d, ...)."""
        everybody, *others = self.blocks(audience)
        u = theta[everybody].copy()
        for block in others:
            u[: self.own] += theta[block]
        return u
