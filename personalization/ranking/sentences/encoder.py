"""Texts to vectors on ONNX Runtime, one core. Without the model's files there is no encoder, and nobody fails for it."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from personalization.ranking.sentences import network
from personalization.ranking.sentences.wordpiece import WordPiece

Floats32 = NDArray[np.float32]
WEIGHTS, TOKENIZER = "minilm_l6_v2.safetensors", "minilm_l6_v2_tokenizer.json"
"""The files that `aisle models pull` leaves in the folder of models."""
QUICK = "minilm_l6_v2_int8.onnx"
"""What `write_quick` makes of them, for the dialogue's environment, which cannot build it."""
BATCH = 64
LEAST_LETTERS = 3  # nearly every shorter string is in the vocabulary
MOST_KEPT = 64  # queries whose vectors are kept: a shopper who pages or asks again


class Encoder:
    """Embeds texts; vectors have length 1, so that their product is the cosine."""

    def __init__(self, model: bytes, wordpiece: WordPiece) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._wordpiece = wordpiece
        self._kept: OrderedDict[str, Floats32] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, word: str) -> bool:
        """Whether the model learned the word as a whole; others it spells from pieces, and guesses."""
        return len(word) >= LEAST_LETTERS and word in self._wordpiece.vocabulary

    def query(self, text: str) -> Floats32:
        """Return a query's vector (384,); those of the last MOST_KEPT queries are not computed again."""
        with self._lock:
            if (found := self._kept.get(text)) is not None:
                self._kept.move_to_end(text)
                return found
        vector = self._embed([self._wordpiece.tokens(text)])[0]
        with self._lock:
            self._kept[text] = vector
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return vector

    def all(self, texts: Sequence[str], progress: Callable[[float], None] = lambda _share: None) -> Floats32:
        """Return the vectors (texts, 384) of many; `progress` is told the share that is done."""
        tokens = [self._wordpiece.tokens(text) for text in texts]
        lengths = np.array([len(one) for one in tokens], np.int64)
        vectors = np.zeros((len(texts), network.WIDTH), np.float32)
        done = 0
        for length in np.unique(lengths):  # texts of one length go together, so that none is padded
            rows = np.flatnonzero(lengths == length)
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                vectors[part] = self._embed([tokens[row] for row in part])
            done += len(rows)
            progress(done / len(texts))
        return vectors

    def _embed(self, tokens: Sequence[Sequence[int]]) -> Floats32:
        found: Floats32 = self._session.run(["vectors"], {"tokens": np.array(tokens, np.int64)})[0]
        return found


@dataclass(frozen=True, slots=True)
class Pretrained:
    """The model as it was pulled: `whole` embeds the catalogue once, `quick` (int8, 0.99 of the cosine) each query."""

    whole: bytes
    quick: bytes
    tokenizer: str

    @classmethod
    def load(cls, folder: Path) -> Pretrained:
        """Read the model's files; FileNotFoundError where one is missing, ValueError where it cannot be read."""
        tokenizer = (folder / TOKENIZER).read_text()
        whole = network.build(network.read_safetensors(folder / WEIGHTS))
        return cls(whole, network.quantize(whole), tokenizer)


def write_quick(folder: Path) -> bool:
    """Write the int8 network beside the model's files unless it is there; False where they are missing or cannot be read."""
    quick, weights = folder / QUICK, folder / WEIGHTS
    if not quick.exists():
        try:
            model = network.quantize(network.build(network.read_safetensors(weights)))
        except (FileNotFoundError, ValueError):
            return False
        partial = quick.with_suffix(f".{os.getpid()}")
        partial.write_bytes(model)
        partial.rename(quick)
    return True
