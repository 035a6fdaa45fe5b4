"""Intents on meaning and letters, and a message that lies outside everything that was trained is not guessed at.

A message of another language comes here in the words of English that its glossary gives; examples of that language then have a say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from chatbot.languages import DEFAULT
from components.languages import language_of, plain
from components.linear import SHARPNESS, Intents, chances
from components.neighbours import Neighbours

RANKED = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ScopedClassifier(IntentClassifier, GraphComponent):
    """`linear.Intents` in Rasa; reads the sentence vectors that a featurizer before it left, if there is one."""

    @staticmethod
    def required_packages() -> list[str]:
        """Return what must be installed."""
        return ["scipy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings.

        `least_scope` is how near a message must be, `least_confidence` how likely its intent, not to count as not understood;
        `sharpness` calibrates the confidence; `reject` names the intents that are out of scope.
        """
        return {"least_scope": 0.0, "least_confidence": 0.0, "sharpness": SHARPNESS, "reject": ["out_of_scope"]}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be wrong with it."""

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        intents: Intents | None = None,
        neighbours: dict[str, Neighbours] | None = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._storage, self._resource = storage, resource
        self._intents, self._neighbours = intents, neighbours or {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ScopedClassifier:
        """Return the component untrained."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext,
        **_kwargs: Any,
    ) -> ScopedClassifier:  # fmt: skip
        """Return the component as it was trained."""
        with model_storage.read_from(resource) as folder:
            others = {path.name: Neighbours.load(path) for path in sorted(folder.iterdir()) if path.is_dir()}
            return cls(config, model_storage, resource, Intents.load(folder), others)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the examples and write what was learned."""
        examples = [one for one in training_data.intent_examples if one.get(INTENT) and one.get(TEXT)]
        by_language: dict[str, list[Message]] = {}
        for one in examples:
            by_language.setdefault(language_of(one), []).append(one)
        own = by_language.pop(DEFAULT, [])
        self._intents = Intents.fit(*_learned(own), reject=self._config["reject"])
        self._neighbours = {code: Neighbours(*_learned(found)) for code, found in by_language.items()}
        with self._storage.write_to(self._resource) as folder:
            self._intents.save(folder)
            for code, neighbours in self._neighbours.items():
                neighbours.save(folder / code)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the examples as they are; nothing after this reads its guess about them."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set each message's intent, and the likeliest ones with their chances."""
        for message in messages:
            text = message.get(TEXT)
            if text and self._intents is not None:
                self._set(message, text, self._intents)
        return messages

    def _set(self, message: Message, text: str, intents: Intents) -> None:
        meaning, width = _meaning([message]), intents.known.shape[1]
        if meaning.shape[1] != width:  # the encoder came or went since the training
            meaning = np.zeros((1, width), np.float32)
        code, text = language_of(message), plain(message)
        scores, near = intents([text], meaning)
        likely = chances(scores, self._config["sharpness"])
        if (neighbours := self._neighbours.get(code)) is not None:
            likely, near = neighbours.beside(intents.names, likely, near, text, meaning)
        likely = likely[0]
        best = np.argsort(-likely)[:RANKED]
        ranking = [{"name": intents.names[one], "confidence": float(likely[one])} for one in best]
        if near[0] < self._config["least_scope"] or ranking[0]["confidence"] < self._config["least_confidence"]:
            ranking.insert(0, {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": 1 - ranking[0]["confidence"]})
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)


def _learned(examples: list[Message]) -> tuple[list[str], np.ndarray, list[str]]:
    return [plain(one) for one in examples], _meaning(examples), [one.get(INTENT) for one in examples]


def _meaning(messages: list[Message]) -> np.ndarray:
    """Return the messages' sentence vectors, (messages, width), or (messages, 0) where one has none."""
    found = [message.get_dense_features(TEXT)[1] for message in messages]
    if not all(found):
        return np.zeros((len(messages), 0), np.float32)
    return np.vstack([one.features for one in found]).astype(np.float32)
