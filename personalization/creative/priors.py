"""The documented beliefs of priors.yml as a Gaussian over a design's parameters: what screening goes by before there are outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from personalization.creative.features import Design
from personalization.creative.predictor import Belief

_FILE = Path(__file__).with_name("priors.yml")


class PriorsError(ValueError):
    """The file of beliefs cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One belief: `of` a column, for audiences whose attribute's value contains one of the words of `when`, and its reason."""

    of: tuple[str, ...]
    mean: float
    sd: float
    because: str
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)


@cache
def stated(path: Path = _FILE) -> tuple[Mapping[str, float], tuple[Stated, ...]]:
    """Return the deviations by kind of column, and the beliefs. Raises PriorsError."""
    told: dict[str, Any] = yaml.safe_load(path.read_text())
    beliefs = []
    for number, entry in enumerate(told["beliefs"], 1):
        unknown = set(entry) - {"of", "squared", "mean", "sd", "when", "because"}
        if unknown or not entry.get("because") or not float(entry["sd"]) > 0 or len(entry.get("when", {})) > 1:
            raise PriorsError(
                f"{path.name}, belief {number}: needs of, mean, sd above 0 and because; when has one attribute"
            )
        of = tuple(str(entry["of"]).split("=", 1))
        of = (*of, "squared") if entry.get("squared") else of
        beliefs.append(Stated(of, float(entry["mean"]), float(entry["sd"]), entry["because"], entry.get("when", {})))
    return told["sd"], tuple(beliefs)


def belief(design: Design, path: Path = _FILE) -> Belief:
    """Return what is believed of the design's parameters. What the design does not have is passed over."""
    kinds, beliefs = stated(path)
    places = {name: place for place, name in enumerate(design.names())}
    mean, sd, kind = np.zeros(design.d), np.empty(design.d), np.empty(design.d, np.int64)
    known = [*kinds, *design.attributes]
    for name, place in places.items():
        sd[place] = kinds[_kind(name, design)]
        own = _kind(name, design) == "audience"  # each attribute of audiences is a kind of its own
        kind[place] = known.index(name[-2] if own else _kind(name, design))
    for one in beliefs:
        for name in _concerned(one, design):
            if (at := places.get(name)) is not None:
                mean[at], sd[at] = one.mean, one.sd
    return Belief(mean, sd, kind)


def _concerned(one: Stated, design: Design) -> Iterator[tuple[str, ...]]:
    if not one.when:
        yield one.of
    for attribute, words in one.when.items():
        for value in design.attributes.get(attribute, ()):
            if any(word in value.lower() for word in words):
                yield (*one.of, attribute, value)


def _kind(name: tuple[str, ...], design: Design) -> str:
    if name not in design.columns:
        return "audience"
    if len(name) == 4:
        return "pair"
    if name[0] in design.measures:
        return "squared" if len(name) == 2 else "measure"
    return "option"
