"""MiniLM as a Rasa featurizer: one vector for the message, and one for each of its tokens."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, FEATURE_TYPE_SEQUENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components import sentences
from components.languages import plain

FOLDER = "AISLE_MODELS_DIR"  # says where the encoder's files are


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class MiniLMFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds MiniLM's vectors. Where the encoder's files are missing it adds nothing, and what follows reads letters alone."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must stand before it."""
        return [Tokenizer]

    @staticmethod
    def required_packages() -> list[str]:
        """Return what must be installed."""
        return ["onnxruntime"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings; without token vectors a message takes half the memory and no longer."""
        return {**DenseFeaturizer.get_default_config(), "tokens": False}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be wrong with it."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MiniLMFeaturizer:
        """Return the component, for training and for serving."""
        return cls(config, execution_context.node_name)

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        folder = Path(os.environ.get(FOLDER, "models"))
        self._encoder = sentences.Sentences(folder) if sentences.present(folder) else None

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the vectors to the messages."""
        for message in messages:
            self._see(message)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the vectors to the examples, on all cores: the network runs outside of Python's lock."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self._see, training_data.training_examples))
        return training_data

    def _see(self, message: Message) -> None:
        text = message.get(TEXT)
        if self._encoder is not None and text:
            self._add(self._encoder, message, plain(message))

    def _add(self, encoder: sentences.Sentences, message: Message, text: str) -> None:
        tokens = [token.text for token in message.get(TOKENS_NAMES[TEXT]) or []]
        if self._config["tokens"] and tokens:
            sentence, each = encoder.tokens(tokens)
            self._set(message, each, FEATURE_TYPE_SEQUENCE)
        else:
            sentence = encoder([text])[0]
        self._set(message, np.asarray(sentence)[None], FEATURE_TYPE_SENTENCE)

    def _set(self, message: Message, vectors: np.ndarray, kind: str) -> None:
        message.add_features(Features(vectors, kind, TEXT, self._identifier))
