"""What the assistant understands: intents of our own and of HINT3's real shoppers, what is out of scope, what a message names."""

from __future__ import annotations

import csv
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from bench.auroc import auroc
from bench.entities import measured as entity_counts
from bench.report import ROOT, Metric, progress
from chatbot.languages import DEFAULT, available, read
from chatbot.rasa.components.linear import Intents, chances
from chatbot.rasa.components.neighbours import Neighbours
from chatbot.rasa.components.sentences import WIDTH, Sentences
from chatbot.rasa_project import PROJECT, models_beside, train
from personalization.calibration import ece

SEED, RESAMPLES = 7, 1000
HELD_OUT, SECOND = (ROOT / "tests" / "chatbot" / name for name in ("intents_held_out", "intents_unseen"))
REJECT = "out_of_scope"
RASA, BERT, WORDS = 0.735, 0.755, 0.759
"""Published accuracies on SOFMattress (Arora et al. 2020, HINT3): Rasa, BERT; TF-IDF and logistic regression as measured before."""
Texts = Sequence[str]
Bools = NDArray[np.bool_]


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield the figures of the trained dialogue, of the same machinery on HINT3, and of the entities."""
    out = Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var")) / "rasa"
    encoder = Sentences(models_beside(out))
    yield from _own(out, encoder, quick)
    yield from _hint3(encoder, data and data / "dialogue" / "hint3", quick)
    yield _entities(data and data / "dialogue" / "tau2_retail" / "db.json")


def _own(out: Path, encoder: Sentences, quick: bool) -> Iterator[Metric]:
    progress("our own intents, on messages that nobody trained on")
    model, others, least = trained(out)
    letters = None if quick else _letters_only()
    for metric, folder in (("intent_f1_second", SECOND), ("intent_f1", HELD_OUT)):
        texts, labels = read_set(folder)
        if quick:
            texts, labels = texts[::4], labels[::4]
        scores, near = model(texts, encoder(texts))
        said = np.array(model.names)[scores.argmax(1)]
        baseline = letters and {"tf_idf_regression": round(_macro(labels, letters(texts)), 3)}
        value, ci = _bootstrap(_macro_score(labels, said), len(texts))
        source = folder.relative_to(ROOT).as_posix()
        yield Metric(f"chat.{metric}", value, "macro F1", len(texts), source, ci, baseline, SEED)
    right, sure = (said == labels).astype(float), chances(scores, _setting("sharpness")).max(1).astype(float)
    value, ci = _bootstrap(lambda rows: ece(right[rows], sure[rows]), len(texts))
    yield Metric("chat.intent_ece", value, "ECE", len(texts), source, ci, None, SEED)
    out_of_scope, refused = labels == REJECT, (near < least) | (said == REJECT)
    for name, kind, rows in (
        ("recall", "share of messages out of scope", out_of_scope),
        ("false_alarms", "share of messages in scope", ~out_of_scope),
    ):
        value, ci = _bootstrap(lambda draw, rows=rows: float(refused[rows][draw].mean()), int(rows.sum()))
        yield Metric(f"chat.oos_{name}", value, kind, int(rows.sum()), source, ci, None, SEED)
    for language in others:
        yield _in(language, model, others[language], encoder, quick)


def _in(language: str, model: Intents, examples_: Neighbours, encoder: Sentences, quick: bool) -> Metric:
    """Return how well intents are understood in another language; beside it, what the glossary alone does, and English without it."""
    progress(f"our own intents in {language}")
    said, labels = held_out(language)
    if quick:
        said, labels = said[::4], labels[::4]
    texts = [read(text, language) for text in said]
    meaning = encoder(texts)
    scores, near = model(texts, meaning)
    likely = chances(scores, _setting("sharpness"))
    pairs = zip(texts, likely, near, meaning, strict=True)
    heard = [
        examples_.beside(model.names, one[None], at[None], text, sense[None])[0][0] for text, one, at, sense in pairs
    ]
    names = np.array(model.names)
    found = names[np.array(heard).argmax(1)]
    baseline = {"glossary_alone": round(_macro(labels, names[scores.argmax(1)]), 3)}
    if not quick:
        untouched, _ = model(said, encoder(said))
        baseline["english_alone"] = round(_macro(labels, names[untouched.argmax(1)]), 3)
    value, ci = _bootstrap(_macro_score(labels, found), len(texts))
    source = f"tests/chatbot/intents_held_out/{language}"
    return Metric(f"chat.intent_f1_{language}", value, "macro F1", len(texts), source, ci, baseline, SEED)


def _hint3(encoder: Sentences, folder: Path | None, quick: bool) -> Iterator[Metric]:
    names = ("chat.hint3_accuracy", "chat.hint3_oos_auroc")
    if folder is None or not folder.is_dir():
        yield from (Metric(name, None, "", 0, "", reason="HINT3 is not there") for name in names)
        return
    progress("the same machinery on a mattress shop's real shoppers")
    texts, labels = _hint3_split(folder / "train_sofmattress_train.csv")
    asked, wanted = _hint3_split(folder / "test_sofmattress_test.csv")
    inside = wanted != "NO_NODES_DETECTED"
    found = {}
    for name, width in (("both", WIDTH), ("letters", 0))[: 1 if quick else 2]:
        model = Intents.fit(texts, encoder(texts)[:, :width], list(labels))
        scores, near = model(asked, encoder(asked)[:, :width])
        found[name] = (np.array(model.names)[scores.argmax(1)] == wanted)[inside], near
    right, near = found["both"]
    baseline = {"rasa_published": RASA, "bert_published": BERT, "tf_idf_measured_before": WORDS}
    beside = {}
    if not quick:
        words_right, words_near = found["letters"]
        baseline["words_and_letters"] = round(float(words_right.mean()), 3)
        beside["words_and_letters"] = round(float(auroc(inside, words_near)), 3)
    value, ci = _bootstrap(lambda rows: float(right[rows].mean()), len(right))
    yield Metric(names[0], value, "share right, in scope", len(right), "HINT3 SOFMattress", ci, baseline, SEED)
    value, ci = _bootstrap(lambda rows: auroc(inside[rows], near[rows]), len(inside))
    yield Metric(names[1], value, "AUROC", len(inside), "HINT3 SOFMattress", ci, beside, SEED)


def _entities(path: Path | None) -> Metric:
    if path is None or not path.is_file():
        return Metric("chat.entity_f1", None, "", 0, "", reason="the retail shop of tau2 is not there")
    progress("what messages name, in a shop that nobody tuned for")
    counts = entity_counts(json.loads(path.read_text(encoding="utf-8")), SEED)
    value, ci = _bootstrap(lambda rows: float(2 * counts[rows, 0].sum() / counts[rows, 1:].sum()), len(counts))
    return Metric("chat.entity_f1", value, "F1", len(counts), "tau2_retail's products", ci, None, SEED)


def trained(out: Path) -> tuple[Intents, dict[str, Neighbours], float]:
    """Return the classifier of the trained dialogue, what other languages add to it, and how near a message must lie to be in scope."""
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(train(out)) as archive:
        for member in archive.getmembers():
            name, language = Path(member.name).name, Path(member.name).parent.name
            if name not in {"intents.npz", "intents.json", "neighbours.npz", "neighbours.json"}:
                continue
            folder = Path(scratch) / (language if name.startswith("neighbours") else "")
            folder.mkdir(exist_ok=True)
            packed = archive.extractfile(member)
            (folder / name).write_bytes(packed.read() if packed else b"")
        found = [code for code in available() if (Path(scratch) / code / "neighbours.json").exists()]
        others = {code: Neighbours.load(Path(scratch) / code) for code in found}
        return Intents.load(Path(scratch)), others, _setting("least_scope")


def _setting(name: str) -> float:
    config = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))
    return float(next(part[name] for part in config["pipeline"] if name in part))


def held_out(language: str = DEFAULT) -> tuple[list[str], NDArray[np.str_]]:
    """Return the held-out messages of a language and their intents."""
    return read_set(HELD_OUT if language == DEFAULT else HELD_OUT / language)


def read_set(folder: Path) -> tuple[list[str], NDArray[np.str_]]:
    """Return the held-out messages of a folder and their intents."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yml"))]
    pairs = [(str(text), intent) for file in files for intent, texts in file.items() for text in texts]
    return [text for text, _ in pairs], np.array([intent for _, intent in pairs])


def examples() -> tuple[list[str], list[str]]:
    """Return the English training examples and their intents; those of other languages are beside them and not among them."""
    files = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((PROJECT / "data" / "nlu").glob("*.yml"))
    ]
    pairs = [
        (line.removeprefix("- ").strip(), entry["intent"])
        for file in files
        for entry in file["nlu"]
        for line in entry["examples"].splitlines()
    ]
    return [text for text, _ in pairs], [intent for _, intent in pairs]


def _letters_only() -> Callable[[Texts], NDArray[np.str_]]:
    """Return a classifier by words and letters alone."""
    known, intents = examples()
    model = Intents.fit(known, np.zeros((len(known), 0), np.float32), intents, reject=[REJECT])
    names = np.array(model.names)
    return lambda texts: names[model(texts, np.zeros((len(texts), 0), np.float32))[0].argmax(1)]


def _hint3_split(path: Path) -> tuple[list[str], NDArray[np.str_]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row[0] for row in rows], np.array([row[1].strip() for row in rows])


def _macro(wanted: NDArray[np.str_], said: NDArray[np.str_]) -> float:
    return _macro_score(wanted, said)(np.arange(len(wanted)))


def _macro_score(wanted: NDArray[np.str_], said: NDArray[np.str_]) -> Callable[[NDArray[np.int_]], float]:
    """Return the macro F1 of some rows, over the intents that these want; counted, for a bootstrap asks a thousand times."""
    names, codes = np.unique(np.concatenate([wanted, said]), return_inverse=True)
    truth, guess = codes[: len(wanted)], codes[len(wanted) :]

    def score(rows: NDArray[np.int_]) -> float:
        there, told = (np.bincount(one[rows], minlength=len(names)) for one in (truth, guess))
        right = np.bincount(truth[rows][truth[rows] == guess[rows]], minlength=len(names))
        return float((2 * right / np.maximum(there + told, 1))[there > 0].mean())

    return score


def _bootstrap(score: object, rows: int) -> tuple[float, tuple[float, float]]:
    """Return a score of all rows and its 95 % interval over resampled rows."""
    assert callable(score)
    rng = np.random.default_rng(SEED)
    draws = [score(rng.integers(rows, size=rows)) for _ in range(RESAMPLES)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return round(float(score(np.arange(rows))), 3), (round(float(low), 3), round(float(high), 3))
