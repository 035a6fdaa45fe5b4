"""YuNet (Wu et al. 2023) finds faces, SFace (Zhong et al. 2021) makes templates; both weights are free for commercial use."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from vision.faces import Face, Frame, Template, unit
from vision.models import require

DETECTION_SIDE = 640
"""Frames are made this small for detection: a face of 20 pixels is found, in about 20 ms."""
LEAST_SCORE = 0.6
"""Fainter ones only help to keep a track; `vision.stages.follow` starts none on them."""
_OVERLAP, _MOST = 0.3, 200


class YuNet:
    """Finds faces and their five landmarks."""

    def __init__(self, models: Path) -> None:
        # OpenCV warns of a default that it cannot set; that is no news to anybody
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        file = require(models, "face_detection_yunet_2023mar.onnx")
        self._net = cv2.FaceDetectorYN.create(str(file), "", (320, 240), LEAST_SCORE, _OVERLAP, _MOST)
        self._lock = threading.Lock()  # the network holds its input's size

    def detect(self, frame: Frame) -> list[Face]:
        """Return the faces, largest first; `raw` is YuNet's row of 15 numbers, in the frame's pixels."""
        height, width = frame.shape[:2]
        factor = min(DETECTION_SIDE / max(width, height), 1.0)
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        small = frame if factor == 1.0 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        with self._lock:
            self._net.setInputSize(size)
            _, found = self._net.detect(small)
        faces = []
        for row in [] if found is None else found:
            full = row.copy()
            full[:14] /= factor
            x, y, w, h = (float(value) for value in full[:4])
            if np.isfinite(full).all() and w > 0 and h > 0:
                faces.append(Face((x, y, w, h), full[4:14].reshape(5, 2), float(row[14]), full))
        return sorted(faces, key=lambda face: -face.area)


class OpenCvEngine:
    """YuNet and SFace."""

    name = "opencv-sface"

    def __init__(self, models: Path) -> None:
        self._detector = YuNet(models)
        file = require(models, "face_recognition_sface_2021dec.onnx")
        self._recogniser = cv2.FaceRecognizerSF.create(str(file), "")
        self._lock = threading.Lock()

    def detect(self, frame: Frame) -> list[Face]:
        """See FaceEngine."""
        return self._detector.detect(frame)

    def embed(self, frame: Frame, face: Face) -> Template:
        """See FaceEngine; 128 numbers."""
        with self._lock:
            aligned = self._recogniser.alignCrop(frame, face.raw)
            vector = self._recogniser.feature(aligned).ravel().astype(np.float32)
        return unit(vector)
