"""Is this a living face? A plug-in of the pipeline, off by default."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Protocol

from vision.errors import ModelError
from vision.faces import Face, Frame

NAMES = ("none", "turn", "minifas")


class Liveness(Protocol):
    """Looks at a track's faces until it can tell."""

    def check(self, track_id: int, frame: Frame, face: Face, *, at: float) -> bool | None:
        """Return whether the face of this track lives; None while it is not known. `at` in seconds."""
        ...

    def keep(self, tracks: Set[int]) -> None:
        """Forget every track but these."""
        ...

    def forget(self, track_id: int) -> None:
        """Begin anew with this track: somebody else may have taken its place."""
        ...


def make_liveness(name: str, models: Path) -> Liveness | None:
    """Return the plug-in called `name`; None for `none`; ModelError when its files are missing."""
    if name == "none":
        return None
    if name == "turn":
        from vision.liveness.turn import Turn

        return Turn()
    if name == "minifas":
        from vision.liveness.minifas import MiniFas

        return MiniFas(models)
    raise ModelError(f"there is no liveness plug-in {name}; choose one of {', '.join(NAMES)}")
