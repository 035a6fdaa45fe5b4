"""Intents by linear models on meaning (MiniLM) and on letters at once, by the nearest example, and how far a message is from all of them.

Meaning generalises over words, letters over typos; what each knows alone the other misses (docs/models/nlu.md has the figures).
All intents are fitted against their rest at once, by L-BFGS, in seconds on one core.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

Floats = NDArray[np.float32]
Rows = Any  # a SciPy CSR matrix
LETTERS_WEIGHT = 0.8  # of the words and letters beside a meaning of length 1
STRENGTH = 20.0
NEAREST_WEIGHT = 8.0  # of the cosine to an intent's nearest example beside its log odds
SCORE_WEIGHT = 0.1  # of an intent's log odds beside a cosine, in how well a message lies within the scope
SHARPNESS = 1.0
MANY = 2000  # examples from which on a term has to stand in two of them
_WORD = re.compile(r"\w+|[^\w\s]")


class Letters:
    """TF-IDF of words, pairs of words and pieces of 2 to 5 letters; each half has length 1. Digits are all alike."""

    def __init__(self, vocabulary: dict[str, int], idf: Floats) -> None:
        self.vocabulary, self.idf = vocabulary, idf

    @classmethod
    def fit(cls, texts: Sequence[str], least: int = 1) -> Letters:
        """Learn the terms that `least` texts have, and how rare they are."""
        counts = Counter(term for text in texts for term in set(_terms(text)))
        kept = [term for term, count in counts.items() if count >= least]
        idf = np.array([np.log((1 + len(texts)) / (1 + counts[term])) + 1 for term in kept], np.float32)
        return cls({term: i for i, term in enumerate(kept)}, idf)

    def __call__(self, texts: Sequence[str]) -> Rows:
        """Return the features (texts, terms), each row of length 1."""
        values, columns, starts = [], [], [0]
        for text in texts:
            counts = Counter(_terms(text))
            halves: dict[bool, list[tuple[int, float]]] = {True: [], False: []}
            for term, count in counts.items():
                if (column := self.vocabulary.get(term)) is not None:
                    halves[term[0] == "#"].append((column, (1 + np.log(count)) * self.idf[column]))
            for half in halves.values():
                norm = np.sqrt(2 * sum(value * value for _, value in half)) or 1.0
                columns += [column for column, _ in half]
                values += [value / norm for _, value in half]
            starts.append(len(columns))
        shape = (len(texts), len(self.vocabulary))
        return sparse.csr_matrix((np.array(values, np.float32), np.array(columns, np.int32), starts), shape)


def _terms(text: str) -> Iterator[str]:
    """Yield words and pairs of words, the text's edges counting as words in these, then pieces of letters marked with #."""
    words = _WORD.findall(re.sub(r"\d", "0", text.lower().replace("’", "'")))
    yield from words
    yield from (f"{one} {other}" for one, other in pairwise(["<", *words, ">"]))
    for word in words:
        padded = f" {word} "
        for length in range(2, 6):
            yield from (f"#{padded[i : i + length]}" for i in range(max(len(padded) - length + 1, 1)))


@dataclass(frozen=True)
class Head:
    """Scores = meaning @ `dense` + letters @ `sparse` + `bias`, one column per class."""

    dense: Floats
    sparse: Floats
    bias: Floats

    def __call__(self, meaning: Floats, letters: Rows) -> Floats:
        """Return the scores (texts, classes)."""
        found: Floats = meaning @ self.dense + letters @ self.sparse + self.bias
        return found


def fit_head(
    meaning: Floats,
    letters: Rows,
    target: NDArray[np.intp],
    classes: int,
    *,
    strength: float,
    steps: int = 60,
) -> Head:
    """Fit every class against the rest, both sides weighing the same; `strength` is C, the inverse of the penalty."""
    rows, width, terms = len(target), meaning.shape[1], letters.shape[1]
    turned = letters.T.tocsr()
    truth = np.zeros((rows, classes), np.float32)
    truth[np.arange(rows), target] = 1
    share = np.maximum(truth.sum(0), 1)
    weight = (strength * np.where(truth == 1, rows / (2 * share), rows / (2 * np.maximum(rows - share, 1)))).astype(
        np.float32
    )

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = _unpack(flat.astype(np.float32), width, terms, classes)(meaning, letters)
        value = float((weight * (np.logaddexp(0, scores) - truth * scores)).sum())
        error = weight * (1 / (1 + np.exp(-np.clip(scores, -30, 30))) - truth)
        gradient = np.concatenate([(meaning.T @ error).ravel(), (turned @ error).ravel(), error.sum(0)]).astype(
            np.float64
        )
        weights = flat[:-classes]
        gradient[:-classes] += weights
        return value + 0.5 * float(weights @ weights), gradient

    start = np.zeros((width + terms + 1) * classes)
    options = {"maxiter": steps, "maxcor": 6, "ftol": 1e-5}
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return _unpack(found.x.astype(np.float32), width, terms, classes)


def _unpack(flat: Floats, width: int, terms: int, classes: int) -> Head:
    dense, rest = flat[: width * classes], flat[width * classes :]
    return Head(dense.reshape(width, classes), rest[: terms * classes].reshape(terms, classes), rest[terms * classes :])


@dataclass(frozen=True)
class Intents:
    """A trained model: which intent a message has, and how well it lies within what was trained."""

    names: tuple[str, ...]
    letters: Letters
    head: Head
    known: Floats
    """Meanings of the examples, one intent's after the other's, (examples, 384), or (examples, 0) without MiniLM."""
    counts: NDArray[np.intp]
    """How many examples each intent has, (intents,)."""
    in_scope: NDArray[np.bool_]

    @classmethod
    def fit(
        cls, texts: Sequence[str], meaning: Floats, labels: Sequence[str], *, reject: Sequence[str] = ()
    ) -> Intents:
        """Train on texts, their meanings (texts, 384) or (texts, 0), and their intents; `reject` names those that are out of scope."""
        names = tuple(sorted(set(labels)))
        numbers = {name: number for number, name in enumerate(names)}
        target = np.array([numbers[label] for label in labels])
        letters = Letters.fit(texts, least=1 if len(texts) < MANY else 2)
        features = letters(texts) * _weight(meaning)
        in_scope = np.array([name not in reject for name in names])
        head = fit_head(meaning, features, target, len(names), strength=STRENGTH)
        counts = np.bincount(target, minlength=len(names))
        return cls(names, letters, head, meaning[np.argsort(target, kind="stable")], counts, in_scope)

    def __call__(self, texts: Sequence[str], meaning: Floats) -> tuple[Floats, Floats]:
        """Return the scores (texts, intents), and how well each text lies within the scope: higher is nearer."""
        odds = self.head(meaning, self.letters(texts) * _weight(meaning))
        nearest = self._nearest(meaning)
        scope = SCORE_WEIGHT * odds[:, self.in_scope].max(1) + nearest[:, self.in_scope].max(1)
        return odds + NEAREST_WEIGHT * nearest, scope

    def _nearest(self, meaning: Floats) -> Floats:
        """Return the cosine to each intent's nearest example (texts, intents), 0 without MiniLM."""
        if not self.known.shape[1]:
            return np.zeros((len(meaning), len(self.names)), np.float32)
        starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        found: Floats = np.maximum.reduceat(meaning @ self.known.T, starts, axis=1)
        return found

    def save(self, folder: Path) -> None:
        """Write the model's files."""
        head = {part: getattr(self.head, part).astype(np.float16) for part in ("dense", "sparse", "bias")}
        known = self.known.astype(np.float16)
        np.savez_compressed(
            folder / "intents.npz",
            known=known,
            counts=self.counts,
            in_scope=self.in_scope,
            idf=self.letters.idf,
            **head,
        )
        (folder / "intents.json").write_text(json.dumps({"names": self.names, "terms": list(self.letters.vocabulary)}))

    @classmethod
    def load(cls, folder: Path) -> Intents:
        """Read what `save` wrote."""
        told: dict[str, Any] = json.loads((folder / "intents.json").read_text())
        with np.load(folder / "intents.npz") as arrays:
            head = Head(*(arrays[part].astype(np.float32) for part in ("dense", "sparse", "bias")))
            letters = Letters({term: number for number, term in enumerate(told["terms"])}, arrays["idf"])
            known = arrays["known"].astype(np.float32)
            return cls(tuple(told["names"]), letters, head, known, arrays["counts"], arrays["in_scope"])


def chances(scores: Floats, sharpness: float = SHARPNESS) -> Floats:
    """Return the chances of the intents (texts, intents) from their scores; `sharpness` calibrates them."""
    raised = np.exp(sharpness * (scores - scores.max(1, keepdims=True)))
    found: Floats = raised / raised.sum(1, keepdims=True)
    return found


def _weight(meaning: Floats) -> np.float32:
    return np.float32(LETTERS_WEIGHT if meaning.shape[1] else 1)
