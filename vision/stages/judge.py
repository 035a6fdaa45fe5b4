"""The quality gate: what is not good enough to be recognised never is."""

from __future__ import annotations

from vision.graph import Look
from vision.quality import judge


class Judge:
    """Judges every face of the frame."""

    name = "quality"

    def __call__(self, look: Look) -> None:
        """Put the quality into every track that has a face."""
        for track in look.tracks:
            if track.face is not None:
                track.quality = judge(look.frame, track.face)
