"""Face engines behind one protocol: OpenCV's YuNet and SFace (default), and InsightFace with a pack of the operator's."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vision.faces import Face, Frame, Template


class FaceEngine(Protocol):
    """Finds faces and turns one into a template."""

    @property
    def name(self) -> str:
        """The engine and its recogniser; templates of different names are never compared."""
        ...

    def detect(self, frame: Frame) -> list[Face]:
        """Return the faces of a frame, largest first."""
        ...

    def embed(self, frame: Frame, face: Face) -> Template:
        """Return the template of a face that this engine found in `frame`."""
        ...


def make_engine(name: str, models: Path, pack: str = "buffalo_l") -> FaceEngine:
    """Return the engine called `name` (opencv or insightface); ModelError when its files are missing."""
    if name == "insightface":
        from vision.engines.insightface import InsightFaceEngine

        return InsightFaceEngine(models, pack)
    from vision.engines.opencv import OpenCvEngine

    return OpenCvEngine(models)
