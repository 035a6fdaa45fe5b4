"""From the trained weights to what is committed: int8, calibrated and with thresholds on dev, measured once on test."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot.emotion import wording
from chatbot.emotion.labels import OUTPUTS
from chatbot.emotion.model_ import MANIFEST, MODEL, VOCABULARY, WEIGHTS, EmotionModel, sigmoid
from chatbot.emotion.training import data, scores
from chatbot.emotion.training.export import build

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
TROUBLED = -0.25  # a mood below it is trouble, see chatbot.affect


def ship(work: Path, tokenizer: Path, shared: Path, folder: Path = MODEL) -> None:
    """Write the model's files and manifest.json."""
    folder.mkdir(exist_ok=True)
    with np.load(work / "best.npz") as stored:
        tensors = {name: stored[name].astype(np.float32) for name in stored.files if name != "score"}
    (folder / WEIGHTS).write_bytes(build(tensors))
    for name in (wording.WEIGHTS, wording.VOCABULARY):
        shutil.copy(work / name, folder / name)
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    (folder / VOCABULARY).write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
    manifest: dict[str, Any] = {
        "made_by": "python -m chatbot.emotion.train", "at": datetime.now(UTC).date().isoformat(),
        "starts_from": "all-MiniLM-L6-v2 (Apache-2.0); teachers from all-mpnet-base-v2 (Apache-2.0)",
        "data": json.loads((work / "rows.json").read_text()),
        "goemotions_sha256": {name: _sha256(shared / "goemotions" / f"{name}.tsv") for name in ("train", "dev", "test")},
        "recipes": {name: json.loads((work / f"{name}.json").read_text()) for name in ("teachers", "students")},
        "calibration": {"wording": [0.0] * OUTPUTS, "scale": [1.0] * OUTPUTS, "shift": [0.0] * OUTPUTS},
        "thresholds": dict.fromkeys(scores.NAMES, 0.5),
    }  # fmt: skip
    _write(folder, manifest)
    network, words, truth = opinions(EmotionModel(folder), shared, "dev")
    share = shares(network, words, truth)
    together = (1 - share) * network + share * words
    scale, shift = calibrated(together, truth)
    levels = scores.thresholds(sigmoid(scale * together + shift), truth)
    calibration = {"wording": share, "scale": scale.round(4), "shift": shift.round(4)}
    manifest["calibration"] = {name: values.tolist() for name, values in calibration.items()}
    manifest["thresholds"] = {name: round(float(level), 3) for name, level in zip(scores.NAMES, levels, strict=True)}
    _write(folder, manifest)
    model = EmotionModel(folder)
    for split in ("dev", "test"):
        if split == "test":
            network, words, truth = opinions(model, shared, split)
        chances = model.chances(network, words)
        alone = {
            name: scores.macro(sigmoid(one), truth, scores.thresholds(sigmoid(one), truth))
            for name, one in (("network", network), ("wording", words))
        }
        manifest[split] = {"f1": scores.macro(chances, truth, levels), "ece": scores.calibration_errors(chances, truth)}
        if split == "dev":
            manifest[split] |= {"cross_fitted_f1": scores.cross_fitted(chances, truth, rounds=8), "alone_f1": alone}
    learned = set(json.loads((work / "plain.json").read_text(encoding="utf-8")))
    held_out = [text for text in data.shop_requests()[1::2] if text not in learned]
    wrong = taken_for_trouble(model, held_out)
    manifest["held_out_shop_requests"] = {"messages": len(held_out), "taken_for_trouble": len(wrong), "which": wrong}
    _write(folder, manifest)
    print(json.dumps({"share": share[[0, -11, -1]].tolist(), "dev": manifest["dev"], "test": manifest["test"]}))


def shares(network: NDArray[Any], words: NDArray[Any], truth: NDArray[Any]) -> NDArray[Any]:
    """Return how much the linear model counts for each label: per taxonomy what is best on dev, thresholds from the other half."""
    tried = np.array([scores.cross_fitted(sigmoid((1 - share) * network + share * words), truth) for share in SHARES])
    found = np.zeros(OUTPUTS)
    for at, part in enumerate(scores.TAXONOMIES.values()):
        found[part] = SHARES[int(np.argmax(tried[:, at]))]
    return found


def opinions(model: EmotionModel, shared: Path, split: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return what both parts of the shipped model say (messages, OUTPUTS) on a split, and its labels."""
    rows = list(data.goemotions(shared / "goemotions" / f"{split}.tsv"))
    said = [model.opinions(text) for text, _ in rows]
    network, words = (
        np.array([one[:OUTPUTS] for one, _ in said], np.float64),
        np.array([one for _, one in said], np.float64),
    )
    return network, words, np.array([target[:OUTPUTS] for _, target in rows])


def calibrated(found: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return Platt's scale and shift per label, held near 1 and 0 where a label is rare."""
    scale, shift = np.ones(found.shape[1]), np.zeros(found.shape[1])
    for label in range(found.shape[1]):
        values, there = found[:, label], truth[:, label] > 0.5

        def cost(pair: NDArray[Any], values: NDArray[Any] = values, there: NDArray[Any] = there) -> float:
            margin = np.where(there, 1, -1) * (pair[0] * values + pair[1])
            return float(np.logaddexp(0, -margin).sum() + 20 * (pair[0] - 1) ** 2 + 5 * pair[1] ** 2)

        scale[label], shift[label] = minimize(cost, np.array([1.0, 0.0])).x
    return scale, shift


def taken_for_trouble(model: EmotionModel, texts: Sequence[str]) -> list[str]:
    """Return the plain requests that are heard as trouble."""
    return [text for text in texts if model.predict(text).valence < TROUBLED]


def _write(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
