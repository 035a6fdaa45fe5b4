"""What several templates of a member cost and bring: each is one more that a stranger could be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vision.faces import Template

FOLDS = 5
ABOVE = 0.01
"""A threshold lies this much above the most alike strangers."""


def with_templates(
    pictures: Mapping[str, Sequence[Template]], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for each probe whether its own member was matched, and for each probe and other member whether they were.

    Members are enrolled by their first `count` pictures, the others are probes. By folds over people: those who are compared had no
    part in choosing the threshold.
    """
    names = sorted(pictures)
    fold_of = dict(zip(names, rng.permutation(len(names)) % FOLDS, strict=True))
    own, others = list[bool](), list[bool]()
    for number in range(FOLDS):
        least = _most_alike([pictures[name] for name in names if fold_of[name] != number]) + ABOVE
        members = [name for name in names if fold_of[name] == number and len(pictures[name]) > count]
        for member in members:
            enrolled = np.stack(pictures[member][:count])
            for name in members:
                matched = (np.stack(pictures[name][count:]) @ enrolled.T).max(axis=1) >= least
                (own if name == member else others).extend(matched.tolist())
    return np.array(own, bool), np.array(others, bool)


def _most_alike(people: Sequence[Sequence[Template]]) -> float:
    """Return the highest similarity between pictures of two people."""
    vectors = np.stack([one for theirs in people for one in theirs])
    who = np.repeat(np.arange(len(people)), [len(theirs) for theirs in people])
    alike = vectors @ vectors.T
    return float(alike[who[:, None] != who[None]].max())
