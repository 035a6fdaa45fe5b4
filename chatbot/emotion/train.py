"""Train the emotion model on GoEmotions: `python -m chatbot.emotion.train ../shared/data/goemotions`.

Trains on train.tsv, fits a threshold per label on dev.tsv, and reports once on test.tsv (Demszky et al. 2020).

GoEmotions is Reddit, where "show me" is often said in anger. So what shoppers ask for in a plain way (examples of our own
dialogue) is added as neutral; every second example is held out, and the manifest tells how many of those count as trouble.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml
from scipy.sparse import hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier

from chatbot.affect import TROUBLED
from chatbot.emotion.model_ import MODEL, EmotionModel
from chatbot.emotion.vectorizer import letter_vectorizer, word_vectorizer

SEED = 7
REPEATS = 10  # of a shop request, beside 43,000 messages
DIALOGUE = Path(__file__).parent.parent / "rasa" / "data" / "nlu"
PLAIN = (
    "product_search",
    "recommend",
    "why",
    "coupon",
    "order_history",
    "store_hours",
    "kiosk_link",
    "what_do_you_know",
)


def shop_requests() -> list[str]:
    """Return what shoppers ask for in a plain way, from the dialogue's own examples."""
    files = sorted(DIALOGUE.glob("*.yml"))
    intents = [one for file in files for one in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]]
    lines = [line for one in intents if one["intent"] in PLAIN for line in one["examples"].splitlines()]
    return [line.removeprefix("- ").strip() for line in lines]


def read(path: Path, labels: int) -> tuple[list[str], np.ndarray]:
    """Return the texts of a split and its (n, labels) matrix of 0 and 1."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    target = np.zeros((len(rows), labels), np.int8)
    for row, fields in enumerate(rows):
        target[row, [int(number) for number in fields[1].split(",")]] = 1
    return [fields[0] for fields in rows], target


def main(folder: Path) -> None:
    """Write model/weights.npz, vocabulary.json and manifest.json."""
    labels = (folder / "labels.txt").read_text().split()
    texts, target = read(folder / "train.tsv", len(labels))
    messages, requests = len(texts), shop_requests()
    texts += requests[::2] * REPEATS
    plain = np.zeros((len(texts) - messages, len(labels)), np.int8)
    plain[:, labels.index("neutral")] = 1
    target = np.vstack([target, plain])
    words, letters = word_vectorizer(), letter_vectorizer()
    train = hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr()
    print(f"{train.shape[0]} messages, {train.shape[1]} features", file=sys.stderr)
    model = OneVsRestClassifier(LogisticRegression(C=3.0, solver="liblinear", random_state=SEED)).fit(train, target)
    weights = np.vstack([one.coef_[0] for one in model.estimators_]).astype(np.float32)
    bias = np.array([one.intercept_[0] for one in model.estimators_], np.float32)
    scale = np.abs(weights).max() / 127
    packed = np.round(weights / scale).astype(np.int8)

    def chances(name: str) -> tuple[np.ndarray, np.ndarray]:
        texts, target = read(folder / name, len(labels))
        features = hstack([words.transform(texts), letters.transform(texts)]).tocsr()
        return 1 / (1 + np.exp(-(features @ (packed * scale).T + bias))), target

    dev, dev_target = chances("dev.tsv")
    grid = np.linspace(0.05, 0.7, 27)
    scores = [[f1_score(dev_target[:, i], dev[:, i] > t, zero_division=0) for t in grid] for i in range(len(labels))]
    thresholds = grid[np.argmax(scores, axis=1)]
    test, test_target = chances("test.tsv")

    def f1(guess: np.ndarray) -> dict[str, float]:
        return {
            kind: round(float(f1_score(test_target, guess, average=kind, zero_division=0)), 4)
            for kind in ("macro", "micro")
        }

    MODEL.mkdir(exist_ok=True)
    idf = np.concatenate([words.idf_, letters.idf_]).astype(np.float16)
    np.savez_compressed(
        MODEL / "weights.npz", weights=packed, scale=np.float32(scale), bias=bias, idf=idf, labels=np.array(labels)
    )
    vocabulary = {
        name: sorted(v.vocabulary_, key=v.vocabulary_.get) for name, v in (("words", words), ("letters", letters))
    }
    (MODEL / "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    manifest = {
        "made_by": "python -m chatbot.emotion.train", "at": datetime.now(UTC).date().isoformat(), "seed": SEED,
        "data": "GoEmotions, official split, CC BY 4.0",
        "data_sha256": hashlib.sha256((folder / "train.tsv").read_bytes()).hexdigest(), "messages": messages,
        "shop_requests": len(requests[::2]),
        "features": train.shape[1], "test_f1_at_0.3": f1(test > 0.3), "test_f1_tuned_on_dev": f1(test > thresholds),
        "thresholds": dict(zip(labels, [round(float(t), 3) for t in thresholds], strict=True)),
    }  # fmt: skip
    held_out = [EmotionModel().predict(text).valence < TROUBLED for text in requests[1::2]]
    manifest["held_out_shop_requests"] = {"messages": len(held_out), "taken_for_trouble": sum(held_out)}
    (MODEL / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(
        json.dumps({key: manifest[key] for key in ("test_f1_at_0.3", "test_f1_tuned_on_dev", "held_out_shop_requests")})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
