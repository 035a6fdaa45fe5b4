"""An operator's own classifier in place of ours: a folder with an ONNX export, its tokenizer and its labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from chatbot.emotion.labels import EKMAN, GROUPS, LABELS, STATE_OF, STATES
from chatbot.emotion.model_ import EmotionModel, session, sigmoid
from chatbot.emotion.reading import Reading, State
from chatbot.emotion.text import MOST_TOKENS, spoken
from personalization.ranking.sentences.wordpiece import WordPiece
from personalization.types import Affect

ALSO: Mapping[str, str] = {
    "angry": "anger", "happy": "joy", "happiness": "joy", "sad": "sadness", "afraid": "fear", "positive": "joy",
    "negative": "annoyance", "others": "neutral", "frustrated": "annoyance", "grateful": "gratitude", "excited": "excitement",
}  # fmt: skip
"""Common names of labels, and the label of ours that they stand for."""


class Listener(Protocol):
    """What hears emotion in a message."""

    def read(self, text: str) -> Reading:
        """Return all that is heard in `text`."""
        ...

    def predict(self, text: str) -> Affect:
        """Return the emotion of `text`."""
        ...


class ModelFolderError(ValueError):
    """A folder that `AISLE_EMOTION_MODEL` names cannot be used; the message says why."""


def listener(folder: Path | str) -> Listener:
    """Return the operator's model in `folder`, or ours where it is ""."""
    return OwnModel(Path(folder)) if folder else _ours()


@cache
def _ours() -> EmotionModel:
    """Return the model that ships; it is loaded once in a process, and any number of threads may read with it."""
    return EmotionModel()


class OwnModel:
    """A BERT-like classifier: model.onnx, tokenizer.json (WordPiece, uncased) and labels.txt, a label a line in the output's order.

    With `"problem_type": "multi_label_classification"` in config.json every label is a probability of its own, else they sum to 1.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in ("model.onnx", "tokenizer.json", "labels.txt") if not (folder / name).exists()]
        if missing:
            raise ModelFolderError(f"{folder} lacks {', '.join(missing)}")
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
        if json.loads(tokenizer)["model"].get("type", "WordPiece") != "WordPiece":
            raise ModelFolderError(f"{folder / 'tokenizer.json'} is no WordPiece tokenizer; no other kind is read")
        names = [
            line.strip().lower()
            for line in (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        self._labels = [ALSO.get(name, name) for name in names]
        if unknown := sorted({name for name in self._labels if name not in LABELS}):
            raise ModelFolderError(
                f"labels that have no meaning here: {', '.join(unknown)}; known are {', '.join((*LABELS, *ALSO))}"
            )
        config = folder / "config.json"
        kind = json.loads(config.read_text(encoding="utf-8")).get("problem_type") if config.exists() else None
        self._several = kind == "multi_label_classification"
        self._wordpiece = WordPiece.from_tokenizer_json(tokenizer)
        self._session = session((folder / "model.onnx").read_bytes())
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._read_something()

    def _read_something(self) -> None:
        try:
            self.read("hello")
        except Exception as error:
            raise ModelFolderError(
                f"the model does not answer as a classifier of {len(self._labels)} labels: {error}"
            ) from error

    def read(self, text: str) -> Reading:
        """Return what is heard in `text`; the states follow from the labels, as our training data counts them."""
        tokens = np.array([self._wordpiece.tokens(spoken(text), most=MOST_TOKENS)], np.int64)
        given = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        feeds = {name: given.get(name, tokens) for name in self._inputs}
        logits = np.asarray(self._session.run(None, feeds)[0][0], np.float64)
        exponents = np.exp(logits - logits.max())
        chances = sigmoid(logits) if self._several else exponents / exponents.sum()
        emotions = dict.fromkeys(LABELS, 0.0)
        for label, chance in zip(self._labels, chances.tolist(), strict=True):
            emotions[label] = min(emotions[label] + chance, 1.0)
        total = sum(emotions.values()) or 1.0
        states = {
            name: sum(STATE_OF[label].get(name, 0.0) * chance for label, chance in emotions.items()) / total
            for name in STATES
        }
        ekman, groups = (
            {name: max(emotions[label] for label in members) for name, members in one.items()}
            for one in (EKMAN, GROUPS)
        )
        found = tuple(label for label, chance in emotions.items() if chance > 0.5)
        return Reading(emotions, ekman, groups, State(states), State(states).distress, found)

    def predict(self, text: str) -> Affect:
        """Return the emotion of `text`."""
        return self.read(text).affect
