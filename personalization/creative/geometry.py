"""Boxes on a page, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import skia


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its left, top, width and height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The middle."""
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def rect(self) -> Any:
        """Skia's rectangle."""
        return skia.Rect.MakeXYWH(self.x, self.y, self.w, self.h)

    def inset(self, by: float, also: float | None = None) -> Box:
        """Return the box made smaller on all sides, by `also` above and below if given."""
        up = by if also is None else also
        return Box(self.x + by, self.y + up, max(self.w - 2 * by, 1), max(self.h - 2 * up, 1))

    def part(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return a part of the box by shares of its width and height."""
        return Box(self.x + left * self.w, self.y + top * self.h, (right - left) * self.w, (bottom - top) * self.h)

    def mirrored(self, width: float) -> Box:
        """Return the box on a page of this width that reads from the right."""
        return Box(width - self.right, self.y, self.w, self.h)

    def meets(self, other: Box) -> bool:
        """Whether two boxes share room."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: Box, slack: float = 0.5) -> bool:
        """Whether the other box lies inside."""
        return (
            self.x - slack <= other.x
            and self.y - slack <= other.y
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def square(self) -> Box:
        """Return the largest square in the middle."""
        side = min(self.w, self.h)
        return Box(self.x + (self.w - side) / 2, self.y + (self.h - side) / 2, side, side)
