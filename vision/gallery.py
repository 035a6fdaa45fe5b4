"""Whose face is it? Search among the consenting members' templates; a stranger is nobody (open set)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vision.faces import Template

EXACT_UP_TO = 50_000
MARGIN = 0.03
"""The second best member must be this much less alike: two who look alike to the network are nobody."""
_NEIGHBOURS, _LINKS, _EFFORT = 16, 32, 128
"""Sixteen: a member has eight templates at most (`vision.adapt`), so that somebody else's are always among the nearest."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who it is, and the cosine similarity in [-1, 1] to their nearest template; `staff`: one of the staff, nobody says who."""

    member_id: str | None
    similarity: float
    staff: bool = False


class _Index(Protocol):
    def nearest(self, template: Template) -> tuple[NDArray[np.intp], NDArray[np.float32]]: ...


class _Exact:
    """Every template is compared."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self._matrix = matrix

    def nearest(self, template: Template) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        similarities = self._matrix @ template
        if len(similarities) <= _NEIGHBOURS:
            return np.arange(len(similarities)), similarities
        found = np.argpartition(similarities, -_NEIGHBOURS)[-_NEIGHBOURS:]
        return found, similarities[found]


class _Hnsw:
    """Hierarchical navigable small worlds (Malkov and Yashunin 2018), by faiss."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        import faiss  # only big galleries need it

        self._index: Any = faiss.IndexHNSWFlat(matrix.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = _EFFORT
        self._index.hnsw.efSearch = _EFFORT
        self._index.add(matrix)

    def nearest(self, template: Template) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        similarities, found = self._index.search(template[None].astype(np.float32), _NEIGHBOURS)
        there = found[0] >= 0
        return found[0][there], similarities[0][there]


class Gallery:
    """Members' templates, several for each if they have them, and the staff's, who are asked first and compared one by one.

    `threshold`: the least cosine similarity at which two faces count as one person's; what it costs is in the calibration
    (`vision.calibration`). Above EXACT_UP_TO templates an HNSW index answers.
    """

    def __init__(
        self,
        entries: Sequence[tuple[str, Template]],
        threshold: float,
        *,
        staff: Iterable[Template] = (),
        exact_up_to: int = EXACT_UP_TO,
    ) -> None:
        self._owners = [owner for owner, _ in entries]
        self._staff = _stacked(list(staff))
        self.threshold, self.adaptive = threshold, False
        self.members = frozenset(self._owners)
        matrix = _stacked([vector for _, vector in entries])
        self._index: _Index = _Exact(matrix) if len(matrix) <= exact_up_to else _Hnsw(matrix)

    def adapting(self) -> Gallery:
        """Return the same gallery for cameras that offer what they have just recognised."""
        found = copy(self)
        found.adaptive = True
        return found

    @property
    def has_staff(self) -> bool:
        """Whether somebody may turn out to be of the staff."""
        return len(self._staff) > 0

    def __len__(self) -> int:
        return len(self._owners) + len(self._staff)

    def match(self, template: Template) -> Match | None:
        """Return who is alike enough, or None: a stranger, or one who cannot be told from another.

        One of the staff who is also a member is of the staff: nothing may be inferred of people at work.
        """
        alike = self._like_staff(template)
        if alike >= self.threshold:
            return Match(None, alike, staff=True)
        best = self._nearest(template)
        if not best:
            return None
        owner = max(best, key=lambda name: best[name])
        similarity = best.pop(owner)
        if similarity < self.threshold or similarity - max(best.values(), default=-1.0) < MARGIN:
            return None
        return Match(owner, similarity)

    def alike(self, template: Template, owner: str | None) -> float:
        """Return the similarity to this member, -1 where many others are more alike; to the staff where it is None."""
        return self._like_staff(template) if owner is None else self._nearest(template).get(owner, -1.0)

    def beside(self, template: Template, owner: str) -> float:
        """Return the similarity to whoever is most alike beside `owner`, staff among them; -1 where there is nobody else."""
        best = self._nearest(template)
        best.pop(owner, None)
        return max(*best.values(), self._like_staff(template), -1.0)

    def _like_staff(self, template: Template) -> float:
        return float((self._staff @ template).max()) if self.has_staff else -1.0

    def _nearest(self, template: Template) -> dict[str, float]:
        """Return the similarity to the nearest owners."""
        best: dict[str, float] = {}
        if self._owners:
            for index, similarity in zip(*self._index.nearest(template), strict=True):
                owner = self._owners[index]
                best[owner] = max(best.get(owner, -1.0), float(similarity))
        return best


def _stacked(templates: Sequence[Template]) -> NDArray[np.float32]:
    return np.stack(templates).astype(np.float32) if templates else np.zeros((0, 1), np.float32)
