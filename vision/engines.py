"""Face engines behind one protocol: OpenCV's YuNet and SFace (default), and InsightFace."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.models import require

log = structlog.get_logger(__name__)
Frame = NDArray[np.uint8]
Template = NDArray[np.float32]
DETECTION_WIDTH = 320
LEAST_SCORE = 0.8
INSIGHTFACE_LICENCE = (
    "InsightFace's weights may be used for non-commercial research only, unless you have a licence from its authors"
)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a frame: box (x, y, width, height) and five landmarks (5, 2) in pixels, score in [0, 1]."""

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    score: float
    raw: Any

    @property
    def area(self) -> float:
        """The box's area in pixels."""
        return self.box[2] * self.box[3]


class FaceEngine(Protocol):
    """Finds faces and turns one into a template."""

    @property
    def name(self) -> str:
        """The engine and its recogniser; templates of different names are never compared."""
        ...

    def detect(self, frame: Frame) -> list[Face]:
        """Return the faces of a BGR frame, largest first."""
        ...

    def embed(self, frame: Frame, face: Face) -> Template:
        """Return the face's template: a float32 unit vector."""
        ...


class OpenCvEngine:
    """YuNet (Wu et al. 2023) detects, SFace (Zhong et al. 2021) recognises; both weights are free for commercial use."""

    name = "opencv-sface"

    def __init__(self, models: Path) -> None:
        # OpenCV warns of a default that it cannot set; that is no news to anybody
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        detector = require(models, "face_detection_yunet_2023mar.onnx")
        recogniser = require(models, "face_recognition_sface_2021dec.onnx")
        self._detector = cv2.FaceDetectorYN.create(str(detector), "", (320, 240), LEAST_SCORE, 0.3, 50)
        self._recogniser = cv2.FaceRecognizerSF.create(str(recogniser), "")
        self._lock = threading.Lock()  # OpenCV's networks hold state

    def detect(self, frame: Frame) -> list[Face]:
        """See FaceEngine."""
        height, width = frame.shape[:2]
        factor = min(DETECTION_WIDTH / width, 1.0)
        small = cv2.resize(frame, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
        with self._lock:
            self._detector.setInputSize((small.shape[1], small.shape[0]))
            _, found = self._detector.detect(small)
        faces = []
        for row in [] if found is None else found:
            full = row.copy()
            full[:14] /= factor
            x, y, w, h = (float(value) for value in full[:4])
            faces.append(Face((x, y, w, h), full[4:14].reshape(5, 2), float(row[14]), full))
        return sorted(faces, key=lambda face: -face.area)

    def embed(self, frame: Frame, face: Face) -> Template:
        """See FaceEngine."""
        with self._lock:
            crop = self._recogniser.alignCrop(frame, face.raw)
            vector = self._recogniser.feature(crop).ravel().astype(np.float32)
        return unit(vector)


class InsightFaceEngine:
    """InsightFace's `FaceAnalysis` with a model pack that the operator supplies."""

    def __init__(self, models: Path, pack: str = "buffalo_l") -> None:
        try:
            from insightface.app import FaceAnalysis
        except ImportError as error:
            raise ModelError(
                "InsightFace is not installed; run `pip install 'aisle[insightface]'`, or set AISLE_VISION_ENGINE=opencv"
            ) from error
        folder = models / "models" / pack
        if not folder.is_dir():
            raise ModelError(
                f"the InsightFace pack {pack} is not in {folder}; Aisle does not download it ({INSIGHTFACE_LICENCE}). "
                "Put its .onnx files there, or set AISLE_VISION_ENGINE=opencv"
            )
        log.warning("insightface engine", licence=INSIGHTFACE_LICENCE)
        self.name = f"insightface-{pack}"
        self._app = FaceAnalysis(
            name=pack,
            root=str(models),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        self._app.prepare(ctx_id=-1, det_size=(320, 320))
        self._lock = threading.Lock()

    def detect(self, frame: Frame) -> list[Face]:
        """See FaceEngine."""
        with self._lock:
            found = self._app.get(frame)
        faces = []
        for one in found:
            left, top, right, bottom = (float(value) for value in one.bbox)
            faces.append(
                Face((left, top, right - left, bottom - top), one.kps.astype(np.float32), float(one.det_score), one)
            )
        return sorted(faces, key=lambda face: -face.area)

    def embed(self, frame: Frame, face: Face) -> Template:
        """See FaceEngine."""
        return unit(np.asarray(face.raw.embedding, np.float32))


def unit(vector: NDArray[np.float32]) -> Template:
    """Return the vector at length 1."""
    return (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)


def make_engine(name: str, models: Path) -> FaceEngine:
    """Return the engine called `name`; ModelError when its files are missing."""
    return InsightFaceEngine(models) if name == "insightface" else OpenCvEngine(models)
