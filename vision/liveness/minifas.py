"""Silent face anti-spoofing (minivision-ai, Apache-2.0): two small networks look at the face and its surroundings.

No package registry has the files; an operator puts them into the models' folder.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.faces import Face, Frame

FILES = {"MiniFASNetV2.onnx": 2.7, "MiniFASNetV1SE.onnx": 4.0}
"""The networks, and how many times the face's box each one looks at."""
SOURCE = "https://github.com/minivision-ai/Silent-Face-Anti-Spoofing"
_SIDE, _LIVE = 80, 1
_FRAMES, _LEAST = 5, 0.6


class MiniFas:
    """Averages the networks' probability of a living face over a few frames."""

    def __init__(self, models: Path) -> None:
        missing = [name for name in FILES if not (models / name).is_file()]
        if missing:
            raise ModelError(
                f"{' and '.join(missing)} is not in {models}; take it from {SOURCE}, or set AISLE_VISION_LIVENESS=turn"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._nets = [
            (onnxruntime.InferenceSession(str(models / name), options, providers=["CPUExecutionProvider"]), scale)
            for name, scale in FILES.items()
        ]
        self._seen: dict[int, list[float]] = {}

    def check(self, track_id: int, frame: Frame, face: Face, *, at: float) -> bool | None:
        """See Liveness."""
        del at
        seen = self._seen.setdefault(track_id, [])
        if len(seen) < _FRAMES:
            seen.append(float(np.mean([self._chance(net, around(frame, face, scale)) for net, scale in self._nets])))
        return float(np.mean(seen)) >= _LEAST if len(seen) >= _FRAMES else None

    def keep(self, tracks: Set[int]) -> None:
        """See Liveness."""
        self._seen = {number: seen for number, seen in self._seen.items() if number in tracks}

    def forget(self, track_id: int) -> None:
        """See Liveness."""
        self._seen.pop(track_id, None)

    @staticmethod
    def _chance(net: onnxruntime.InferenceSession, picture: Frame) -> float:
        batch = picture.astype(np.float32).transpose(2, 0, 1)[None]
        [[logits]] = net.run(None, {net.get_inputs()[0].name: batch})
        powers: NDArray[np.float32] = np.exp(logits - logits.max())
        return float(powers[_LIVE] / powers.sum())


def around(frame: Frame, face: Face, scale: float) -> Frame:
    """Return the box, `scale` times as large and moved into the frame, as 80x80 pixels."""
    height, width = frame.shape[:2]
    x, y, w, h = face.box
    scale = min(scale, (width - 1) / w, (height - 1) / h)
    wide, high = w * scale, h * scale
    left = float(np.clip(x + w / 2 - wide / 2, 0, width - wide))
    top = float(np.clip(y + h / 2 - high / 2, 0, height - high))
    part = frame[int(top) : int(top + high) + 1, int(left) : int(left + wide) + 1]
    return np.asarray(cv2.resize(part, (_SIDE, _SIDE)), np.uint8)
