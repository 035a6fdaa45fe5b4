"""Emotion of a message: the slices where single words mislead, plain requests, shipped figures, an operator's own model."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from chatbot.emotion import EmotionModel
from chatbot.emotion.foreign import ModelFolderError, OwnModel, listener
from chatbot.emotion.labels import LABELS, STATE_OF, STATES
from chatbot.emotion.model_ import MODEL
from chatbot.emotion.text import MOST_TOKENS, encode, markers, spoken
from chatbot.emotion.training.wording import letter_vectorizer, word_vectorizer
from chatbot.emotion.wording import Wording
from personalization.ranking.sentences.wordpiece import WordPiece

SLICES: dict[str, list[tuple[str, str]]] = yaml.safe_load(
    (Path(__file__).with_name("emotion_slices.yaml")).read_text(encoding="utf-8")
)
LEAST = {
    "negation": 0.7, "sarcasm": 0.1, "emoji": 0.85, "shouting": 0.75, "typos": 0.5, "code_switching": 0.75, "impatience": 0.45,
    "frustration": 0.35, "confusion": 0.45, "polite_requests": 0.95, "joy_and_thanks": 0.8, "worry_and_sadness": 0.2,
}  # fmt: skip
"""Share of a slice that is heard right, a little below what was measured (docs/models/emotion.md). Sarcasm is not heard."""


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return EmotionModel()


@pytest.mark.parametrize("name", SLICES)
def test_most_of_every_slice_is_heard_right(model: EmotionModel, name: str) -> None:
    wrong = [
        (text, model.read(text).state.name)
        for wanted, text in SLICES[name]
        if model.read(text).state.name not in wanted.split("/")
    ]
    right = 1 - len(wrong) / len(SLICES[name])
    assert right >= LEAST[name], f"{right:.2f}: {wrong}"


def test_polite_requests_are_not_heard_as_trouble(model: EmotionModel) -> None:
    heard = [text for _, text in SLICES["polite_requests"] if model.predict(text).valence < -0.25]
    assert len(heard) <= 1, heard


def test_a_denied_feeling_is_not_the_feeling(model: EmotionModel) -> None:
    for text, denied in (
        ("I am happy with it", "I am not happy with it"),
        ("good service", "not a good service at all"),
    ):
        assert model.predict(denied).valence < 0 < model.predict(text).valence


def test_shouting_is_louder_than_saying(model: EmotionModel) -> None:
    assert model.predict("WHERE IS MY ORDER").arousal > model.predict("where is my order").arousal
    assert model.predict("WHERE IS MY ORDER").valence < model.predict("where is my order").valence


def test_an_emoji_changes_what_is_heard(model: EmotionModel) -> None:
    assert (
        model.predict("my order 😡").valence
        < -0.25
        < model.predict("my order").valence
        < model.predict("my order 😍").valence
    )


def test_a_state_is_a_distribution_and_knows_how_sure_it_is(model: EmotionModel) -> None:
    clear, vague = model.read("thank you so much!").state, model.read("well").state
    assert set(clear.chances) == set(STATES)
    assert sum(clear.chances.values()) == pytest.approx(1)
    assert clear.name == "grateful"
    assert clear.uncertainty < vague.uncertainty <= 1


def test_empty_and_endless_messages_are_read(model: EmotionModel) -> None:
    assert model.read("   ").state.name == "neutral"
    assert model.read("my order is late and I am furious " * 300).state.distress > 0.5


def test_how_a_long_message_ends_counts(model: EmotionModel) -> None:
    story = (
        "first I took the bus and then I walked along the river to the store and looked at the shelf with the lamps. "
        * 4
    )
    assert model.predict(story + "I am so angry!").valence < model.predict(story).valence - 0.2


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=300))
def test_whatever_is_written_is_read(text: str) -> None:
    wordpiece = _shared_pieces()
    assert 2 <= len(encode(wordpiece, text)) <= MOST_TOKENS
    assert len(spoken(text)) >= 0


_pieces: list[WordPiece] = []


def _shared_pieces() -> WordPiece:
    if not _pieces:
        words = (MODEL / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
        _pieces.append(WordPiece({word: number for number, word in enumerate(words)}))
    return _pieces[0]


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=80), st.text("ab 'I!?é\n", max_size=60)))
def test_the_linear_model_counts_what_it_was_fitted_on(text: str) -> None:
    told = json.loads((MODEL / "wording.json").read_text(encoding="utf-8"))
    with np.load(MODEL / "wording.npz") as arrays:
        weights, bias, idf = arrays["weights"].T * arrays["scale"], arrays["bias"], arrays["idf"].astype(float)
    expected = bias.astype(float)
    start = 0
    for terms, vectorizer in ((told["words"], word_vectorizer), (told["letters"], letter_vectorizer)):
        half = vectorizer({term: at for at, term in enumerate(terms)})
        half.idf_ = idf[start : start + len(terms)]
        expected = expected + half.transform([text]) @ weights[start : start + len(terms)]
        start += len(terms)
    assert _wording().logits(text)[: len(LABELS)] == pytest.approx(np.ravel(expected), abs=1e-4)


@cache
def _wording() -> Wording:
    return Wording(MODEL)


def test_letters_tell_of_shouting_stress_and_drawing_out() -> None:
    assert markers("WHERE IS IT") == ["[unused1]"]
    assert markers("where is it REALLY") == ["[unused2]"]
    assert markers("sooo good") == ["[unused3]"]
    assert markers("the US is OK") == []


def test_emoji_are_read_by_their_names() -> None:
    assert "face with tears of joy" in spoken("haha😂")
    assert spoken("no way!!!!!!") == "no way!!!"


def test_the_files_are_small_and_say_how_they_were_made_and_what_they_reach() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 25_000_000
    manifest = json.loads((MODEL / "manifest.json").read_text())
    assert manifest["test"]["ece"]["likeliest_label"] <= 0.05
    assert manifest["test"]["f1"]["goemotions28"] >= 0.5
    assert manifest["test"]["f1"]["groups"] >= 0.71
    assert set(manifest["goemotions_sha256"]) == {"train", "dev", "test"}


def test_every_label_has_states_that_sum_to_one() -> None:
    assert set(STATE_OF) == set(LABELS)
    assert all(sum(states.values()) == pytest.approx(1) for states in STATE_OF.values())


def own_model(folder: Path, labels: str = "joy\nanger\nneutral\n") -> Path:
    """A classifier that counts tokens: the longer the message, the angrier."""
    folder.mkdir(exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "you"]
    vocabulary: dict[str, Any] = {"model": {"type": "WordPiece", "vocab": {word: at for at, word in enumerate(words)}}}
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary))
    (folder / "labels.txt").write_text(labels)
    weights = numpy_helper.from_array(np.array([[-1.0, 1.0, 0.0]], np.float32), "weights")
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axis"], ["count"], keepdims=1),
        helper.make_node("MatMul", ["count", "weights"], ["logits"]),
    ]
    inputs = [helper.make_tensor_value_info("attention_mask", TensorProto.INT64, [1, "n"])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])]
    axis = numpy_helper.from_array(np.array([1]), "axis")
    graph = helper.make_graph(nodes, "own", inputs, outputs, [weights, axis])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    return folder


def test_an_operators_own_model_takes_the_place_of_ours(tmp_path: Path) -> None:
    own = listener(own_model(tmp_path))
    heard = own.read("hello you " * 5)
    assert heard.state.name == "angry"
    assert own.predict("hello you " * 5).valence < -0.5
    assert isinstance(listener(""), EmotionModel)


def test_an_own_model_whose_labels_nobody_knows_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="no meaning here: ennui"):
        OwnModel(own_model(tmp_path, "joy\nennui\nneutral\n"))
    with pytest.raises(ModelFolderError, match="classifier of 2 labels"):
        OwnModel(own_model(tmp_path, "joy\nneutral\n"))
    (tmp_path / "labels.txt").unlink()
    with pytest.raises(ModelFolderError, match=r"lacks labels\.txt"):
        OwnModel(tmp_path)
