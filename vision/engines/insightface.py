"""InsightFace's `FaceAnalysis` with a pack that the operator supplies; also SFace as its recogniser and YuNet as its detector."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import structlog
from numpy.typing import NDArray

from vision.engines.opencv import OpenCvEngine, YuNet
from vision.errors import ModelError
from vision.faces import Face, Frame, Template, unit
from vision.models import require

log = structlog.get_logger(__name__)
LICENCE = "the weights of InsightFace's packs may be used for non-commercial research only, unless you have a licence from its authors"
FREE = "sface"
"""The name of the pairing of YuNet and SFace: free weights, no download, the same templates as the opencv engine's but not its speed."""
SAME_AS = OpenCvEngine.name
"""Its templates are those of the opencv engine, so that one calibration and one gallery serve both."""
_CPU = ["CPUExecutionProvider"]
_SIDE = 640


class InsightFaceEngine:
    """`pack`: `buffalo_l`, `buffalo_s`, `raccoon_s`, another folder in `models`/models, the path of a folder, or `sface`.

    A folder without a detector gets YuNet. ModelError when the package or the files are missing.
    """

    def __init__(self, models: Path, pack: str = "buffalo_l") -> None:
        try:
            from insightface.app import FaceAnalysis
        except ImportError as error:
            raise ModelError(
                "InsightFace is not installed; run `pip install 'aisle[insightface]'`, or set AISLE_VISION_ENGINE=opencv"
            ) from error
        self.name = SAME_AS if pack == FREE else f"insightface-{Path(pack).name}"
        if pack == FREE:
            self._app = _with_yunet(FaceAnalysis, models, require(models, "face_recognition_sface_2021dec.onnx"))
        else:
            self._app = self._pack(FaceAnalysis, models, pack)
        self._app.prepare(ctx_id=-1, det_size=(_SIDE, _SIDE))
        self._lock = threading.Lock()

    @staticmethod
    def _pack(analysis: Any, models: Path, pack: str) -> Any:
        folder = Path(pack) if Path(pack).is_dir() else models / "models" / pack
        files = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
        if not files:
            raise ModelError(
                f"the InsightFace pack {pack} is not in {folder}; Aisle does not download it ({LICENCE}). "
                "Put its .onnx files there, or set AISLE_VISION_ENGINE=opencv"
            )
        log.warning("insightface engine", pack=pack, licence=LICENCE)
        if len(files) == 1:
            return _with_yunet(analysis, models, files[0])
        return analysis(name=str(folder), allowed_modules=["detection", "recognition"], providers=_CPU)

    def detect(self, frame: Frame) -> list[Face]:
        """See FaceEngine."""
        with self._lock:
            boxes, points = self._app.det_model.detect(frame, max_num=0, metric="default")
        faces = []
        for (left, top, right, bottom, score), landmarks in zip(boxes, points, strict=True):
            box = float(left), float(top), float(right - left), float(bottom - top)
            faces.append(Face(box, landmarks.astype(np.float32), float(score), None))
        return sorted(faces, key=lambda face: -face.area)

    def embed(self, frame: Frame, face: Face) -> Template:
        """See FaceEngine. Only this one face is embedded: `FaceAnalysis.get` would do it for everybody in the frame."""
        from insightface.app.common import Face as Theirs

        with self._lock:
            found = self._app.models["recognition"].get(frame, Theirs(kps=face.landmarks))
        return unit(np.asarray(found, np.float32))


class _YuNetDetector:
    """YuNet, as `FaceAnalysis` wants a detector to be."""

    taskname = "detection"

    def __init__(self, net: YuNet) -> None:
        self._net = net

    def prepare(self, *_: Any, **__: Any) -> None:
        """Nothing to do: it runs on the CPU, at the size of the frame."""

    def detect(
        self, frame: Frame, max_num: int = 0, metric: str = "default"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return boxes of shape (n, 5), left, top, right, bottom and score, and landmarks of shape (n, 5, 2)."""
        del metric
        faces = self._net.detect(frame)[: max_num or None]
        boxes = np.array([(f.box[0], f.box[1], f.box[0] + f.box[2], f.box[1] + f.box[3], f.score) for f in faces])
        points = np.array([face.landmarks for face in faces])
        return boxes.reshape(-1, 5).astype(np.float32), points.reshape(-1, 5, 2).astype(np.float32)


def _with_yunet(analysis: Any, models: Path, recogniser: Path) -> Any:
    """Return a `FaceAnalysis` of YuNet and the recogniser in this file; its constructor only takes detectors of its own."""
    from insightface.model_zoo import model_zoo

    app = analysis.__new__(analysis)
    app.model_dir, app.model_package, app.addons, app.liveness_mode = str(recogniser.parent), None, {}, "normal"
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = (
        3  # SFace's file lists its weights among its inputs, which is worth 200 lines to the runtime
    )
    found = model_zoo.get_model(str(recogniser), providers=_CPU, sess_options=quiet)
    if getattr(found, "taskname", "") != "recognition":
        raise ModelError(
            f"{recogniser} is no recogniser that InsightFace knows; put one, or a whole pack, into its folder"
        )
    app.det_model = _YuNetDetector(YuNet(models))
    app.models = {"detection": app.det_model, "recognition": found}
    return app
