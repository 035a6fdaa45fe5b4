"""MiniLM's vectors of sentences and words on ONNX Runtime, from the int8 file that `aisle models pull` leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from personalization.ranking.sentences.wordpiece import WordPiece

Floats = NDArray[np.float32]
NETWORK, TOKENIZER = "minilm_l6_v2_int8.onnx", "minilm_l6_v2_tokenizer.json"
WIDTH = 384


class Sentences:
    """Embeds texts; a sentence's vector has length 1."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / NETWORK), options, providers=["CPUExecutionProvider"])
        self._pieces = WordPiece.from_tokenizer_json((folder / TOKENIZER).read_text(encoding="utf-8"))

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the vectors (texts, 384)."""
        found = np.empty((len(texts), WIDTH), np.float32)
        for row, text in enumerate(
            texts
        ):  # one by one: a batch's activations share one scale, and change with its other texts
            found[row] = self._session.run(["vectors"], {"tokens": np.array([self._pieces.tokens(text)], np.int64)})[0][
                0
            ]
        return found

    def tokens(self, words: Sequence[str]) -> tuple[Floats, Floats]:
        """Return the vector of the sentence (384,), and of each of its words (words, 384): the mean of the word's pieces."""
        numbers = self._pieces.tokens(" ".join(words))
        vector, states = self._session.run(["vectors", "states"], {"tokens": np.array([numbers], np.int64)})
        found, at = np.zeros((len(words), WIDTH), np.float32), 1
        for row, word in enumerate(words):
            end = min(at + len(self._pieces.tokens(word)) - 2, len(numbers) - 1)
            if end > at:  # what is cut off has no vector
                found[row] = states[0, at:end].mean(0)
            at = end
        return vector[0], found


def present(folder: Path) -> bool:
    """Whether the encoder's files are there."""
    return (folder / NETWORK).exists() and (folder / TOKENIZER).exists()


def digest(folder: Path) -> str:
    """Return a hash of the encoder, "" without one."""
    return hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest() if present(folder) else ""
