"""The consenting members' templates, and the search for the nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.engines import Template


class Gallery:
    """Exact cosine search over unit vectors; a stranger is nobody (open set)."""

    def __init__(self, entries: Sequence[tuple[str, Template]], threshold: float) -> None:
        self._members = [member_id for member_id, _ in entries]
        self._matrix = np.stack([vector for _, vector in entries]) if entries else np.zeros((0, 128), np.float32)
        self._threshold = threshold

    def __len__(self) -> int:
        return len(self._members)

    def match(self, template: Template) -> tuple[str, float] | None:
        """Return the nearest member and the cosine similarity, or None when nobody is near enough."""
        if not self._members:
            return None
        similarities = self._matrix @ template
        best = int(similarities.argmax())
        if similarities[best] < self._threshold:
            return None
        return self._members[best], float(similarities[best])
