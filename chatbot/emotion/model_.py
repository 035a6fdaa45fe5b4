"""The committed emotion model: MiniLM, fine-tuned, in int8 on ONNX Runtime, beside a linear model of words; one core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from chatbot.emotion import exasperation
from chatbot.emotion.exasperation import Exasperation
from chatbot.emotion.labels import EKMAN, GROUPS, LABELS, OUTPUTS, STATES
from chatbot.emotion.reading import Reading, State
from chatbot.emotion.signals import state_shift
from chatbot.emotion.text import encode
from chatbot.emotion.wording import Terms, Wording
from personalization.ranking.sentences.wordpiece import WordPiece
from personalization.types import Affect

MODEL = Path(__file__).with_name("model")
WEIGHTS, VOCABULARY, MANIFEST = "emotion.onnx", "vocabulary.txt", "manifest.json"
POSITIVE = len(LABELS) + len(EKMAN)
SLOW = ["SkipLayerNormFusion"]
"""What ONNX Runtime makes one step of, and two take half as long for (9 % of a message, measured 2026-11-26 with 1.32)."""
SILENCE = "."
"""Stands for a message that has no letter, sign or emoji."""


class EmotionModel:
    """Tells the emotion of a message in a few milliseconds."""

    def __init__(self, folder: Path = MODEL) -> None:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        words = (folder / VOCABULARY).read_text(encoding="utf-8").split("\n")
        self._wordpiece = WordPiece({word: number for number, word in enumerate(words)})
        self._session = session((folder / WEIGHTS).read_bytes())
        self._wording = Wording(folder)
        self.labels = list(LABELS)
        self._share, self._scale, self._shift = (
            np.array(manifest["calibration"][name]) for name in ("wording", "scale", "shift")
        )
        self._exasperation = Exasperation(folder) if (folder / exasperation.WEIGHTS).exists() else None
        self.levels = np.array([*manifest["thresholds"].values()])

    def opinions(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the outputs of the network and of the linear model for `text` as they are."""
        return self._network(text), self._wording.logits(text)

    @property
    def width(self) -> int:
        """How many words and pieces of words the linear models know."""
        return self._wording.width

    def terms(self, text: str) -> Terms:
        """Return the words and letters that the linear models go by."""
        return self._wording.terms(text)

    def _network(self, text: str) -> NDArray[np.float32]:
        tokens = encode(self._wordpiece, text if text.strip() else SILENCE)
        [found] = self._session.run(["logits"], {"tokens": np.array([tokens], np.int64)})
        return np.asarray(found[0], np.float32)

    def read(self, text: str) -> Reading:
        """Return all that is heard in `text`."""
        terms = self.terms(text)
        logits, wording = self._network(text), self._wording.said_by(terms)
        labels = self.chances(logits[:OUTPUTS], wording)
        fine, coarse = labels[: len(LABELS)], iter(labels[len(LABELS) :].tolist())
        states = logits[OUTPUTS:-1] + state_shift(text, float(labels[POSITIVE]))
        weight = np.exp(states - states.max())
        return Reading(
            dict(zip(LABELS, fine.tolist(), strict=True)),
            {name: next(coarse) for name in EKMAN},
            {name: next(coarse) for name in GROUPS},
            State(dict(zip(STATES, (weight / weight.sum()).tolist(), strict=True))),
            float(sigmoid(logits[-1])),
            tuple(
                label
                for label, chance, level in zip(LABELS, fine, self.levels[: len(LABELS)], strict=True)
                if chance > level
            ),
            self._exasperation.chance(np.concatenate([logits, wording]), terms) if self._exasperation else None,
        )

    def chances(self, network: NDArray[Any], wording: NDArray[Any]) -> NDArray[Any]:
        """Return the calibrated probabilities (…, OUTPUTS) of both opinions together."""
        together = (1 - self._share) * network + self._share * wording
        return np.asarray(sigmoid(self._scale * together + self._shift))

    def predict(self, text: str) -> Affect:
        """Return the emotion of `text`: every label's probability, and the place of its state in valence and arousal."""
        return self.read(text).affect


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Return the model, ready to run on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW)


def sigmoid(values: Any) -> Any:
    """Return the logistic function."""
    return 1 / (1 + np.exp(-np.clip(values, -50, 50)))


def top_label(affect: Affect) -> str:
    """Return the likeliest label."""
    return max(affect.emotions, key=lambda label: affect.emotions[label], default="neutral")
