"""What the model learns from: GoEmotions, service messages written for it, and texts that the teachers label."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from chatbot.emotion.labels import EKMAN, GROUPS, LABELS, OUTPUTS, STATE_OF, STATES, WIDTH
from chatbot.emotion.text import encode
from chatbot.emotion.training.noise import switched, typos
from personalization.ranking.sentences.wordpiece import WordPiece

SERVICE = Path(__file__).with_name("service.yaml")
DIALOGUE = Path(__file__).parents[2] / "rasa" / "data" / "nlu"
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
"""Intents whose examples are plain shop requests: every second one is neutral training text, the others are held out."""
KINDS = ("train", "dev", "test", "service", "plain", "noisy", "unlabelled")
FILLED = 5  # copies of a written line that has slots
CONVERSED, TYPED, SWITCHED, CALM = 110_000, 24_000, 14_000, 2_500
TELLS: dict[str, dict[str, float]] = {
    "impatient": {"annoyance": 0.7}, "frustrated": {"annoyance": 0.9, "disappointment": 0.5}, "angry": {"anger": 1.0},
    "confused": {"confusion": 1.0}, "anxious": {"nervousness": 0.9, "fear": 0.4}, "sad": {"sadness": 0.9, "disappointment": 0.4},
    "grateful": {"gratitude": 1.0}, "excited": {"excitement": 1.0, "joy": 0.4}, "content": {"approval": 0.7, "joy": 0.3, "admiration": 0.3},
    "neutral": {"neutral": 1.0},
}  # fmt: skip
"""What a written message of a state teaches the labels."""
UNMET = {"impatient": 0.9, "frustrated": 1.0, "angry": 1.0, "confused": 0.7, "anxious": 0.5, "sad": 0.6}

Matrix = NDArray[np.float32]


@dataclass
class Rows:
    """Texts with their targets (rows, WIDTH), and the weight of the three losses: labels, state, unmet."""

    texts: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    targets: list[Matrix] = field(default_factory=list)
    weights: list[tuple[float, float, float]] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def add(self, kind: str, text: str, target: Matrix, weight: tuple[float, float, float], origin: int = -1) -> None:
        """Append one text; `origin` is the row whose teachers' word it borrows."""
        self.texts.append(text)
        self.kinds.append(KINDS.index(kind))
        self.targets.append(target)
        self.weights.append(weight)
        self.origins.append(origin)


def gather(shared: Path, conversations: Path | None, seed: int) -> Rows:
    """Return all rows. `shared` has goemotions/ and dialogue/; `conversations` is the JSON file of the package chitchat-dataset."""
    rows, draw = Rows(), random.Random(seed)  # noqa: S311 - not a secret
    for split in ("train", "dev", "test"):
        for text, target in goemotions(shared / "goemotions" / f"{split}.tsv"):
            rows.add(split, text, target, (1.0, 1.0, 0.0))
    for text, target, weight in service(draw):
        rows.add("service", text, target, weight)
    neutral, calm = target_of({"neutral": 1.0}, "neutral", 0.0), list(dict.fromkeys(requests(shared)))
    draw.shuffle(calm)
    plain = shop_requests()[::2]
    for text in plain + calm[:CALM]:
        rows.add("plain", text, neutral, (1.0, 1.0, 0.0))
    talk = [] if conversations is None else chitchat(conversations)
    draw.shuffle(talk)
    for text in calm[CALM:] + talk[:CONVERSED]:
        rows.add("unlabelled", text, np.zeros(WIDTH, np.float32), (0.0, 0.0, 0.0))
    _add_noisy(rows, np.random.default_rng(seed))
    return rows


def _add_noisy(rows: Rows, rng: np.random.Generator) -> None:
    clean = [at for at, kind in enumerate(rows.kinds) if KINDS[kind] in {"train", "service", "plain"}]
    for change, count in ((typos, TYPED), (switched, SWITCHED)):
        done = 0
        for at in rng.permutation(clean):
            text = change(rows.texts[at], rng)
            if text == rows.texts[at] or done >= count:
                continue
            rows.add("noisy", text, rows.targets[at], rows.weights[at], int(at))
            done += 1


def target_of(labels: dict[str, float], state: str | None, unmet: float) -> Matrix:
    """Return the target of a message: its labels, the coarser labels that follow, its state, whether its need is unmet."""
    fine = np.array([labels.get(label, 0.0) for label in LABELS], np.float32)
    coarse = [
        max(labels.get(label, 0.0) for label in members)
        for taxonomy in (EKMAN, GROUPS)
        for members in taxonomy.values()
    ]
    if state is None:
        shares = [sum(STATE_OF[label].get(one, 0.0) * chance for label, chance in labels.items()) for one in STATES]
        shares = [share / sum(labels.values()) for share in shares]
    else:
        shares = [float(one == state) for one in STATES]
    return np.array([*fine, *coarse, *shares, unmet], np.float32)


def goemotions(path: Path) -> Iterator[tuple[str, Matrix]]:
    """Yield the messages of a split."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line:
            text, numbers, *_ = line.split("\t")
            yield text, target_of({LABELS[int(number)]: 1.0 for number in numbers.split(",")}, None, 0.0)


def service(draw: random.Random) -> Iterator[tuple[str, Matrix, tuple[float, float, float]]]:
    """Yield the written service messages, lines with slots FILLED times."""
    written = yaml.safe_load(SERVICE.read_text(encoding="utf-8"))

    def filled(line: str) -> list[str]:
        names = [name for name in written["slots"] if f"{{{name}}}" in line]
        every = [
            dict(zip(names, values, strict=True)) for values in product(*(written["slots"][name] for name in names))
        ]
        return [line.format(**values) for values in draw.sample(every, min(FILLED, len(every)))]

    for state, lines in written["states"].items():
        target = target_of(TELLS[state], state, UNMET.get(state, 0.0))
        for line in lines:
            for text in filled(line):
                yield text, target, (1.0, 1.0, 1.0)
    for name in ("unmet", "met"):
        for line in written[name]:
            for text in filled(line):
                yield text, np.array([0.0] * (WIDTH - 1) + [float(name == "unmet")], np.float32), (0.0, 0.0, 1.0)


def shop_requests() -> list[str]:
    """Return what shoppers ask for in a plain way, from the dialogue's own examples."""
    found = []
    for path in sorted(DIALOGUE.glob("*.yml")):
        for one in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or []:
            if one.get("intent") in PLAIN:
                found += [line.removeprefix("- ").strip() for line in one["examples"].splitlines()]
    return found


def requests(shared: Path) -> list[str]:
    """Return what people ask banks, assistants and shops for: clinc150, banking77, bitext."""
    dialogue = shared / "dialogue"
    clinc = json.loads((dialogue / "clinc" / "data_full.json").read_text(encoding="utf-8"))
    found = [
        text
        for text, intent in clinc["train"]
        if intent not in {"thank_you", "yes", "no", "maybe", "goodbye", "greeting"}
    ]
    with (dialogue / "banking" / "train.csv").open(encoding="utf-8") as file:
        found += [row["text"] for row in csv.DictReader(file)]
    with next((dialogue / "bitext").glob("*Training*.csv")).open(encoding="utf-8") as file:
        found += [row["utterance"] for row in csv.DictReader(file)]
    return found


def chitchat(path: Path) -> list[str]:
    """Return the messages of three words and more, each once."""
    found: dict[str, None] = {}
    for conversation in json.loads(path.read_text(encoding="utf-8")).values():
        for turn in conversation["messages"]:
            found.update((one["text"].strip(), None) for one in turn if 3 <= len(one["text"].split()) <= 40)
    return list(found)


def arrays(rows: Rows, wordpiece: WordPiece) -> dict[str, NDArray[Any]]:
    """Return the rows as arrays: `tokens` flat, with their `lengths`."""
    tokens = [encode(wordpiece, text) for text in rows.texts]
    return {
        "tokens": np.concatenate([np.array(one, np.uint16) for one in tokens]),
        "lengths": np.array([len(one) for one in tokens], np.uint8),
        "kinds": np.array(rows.kinds, np.uint8),
        "targets": np.array(rows.targets, np.float16),
        "weights": np.array(rows.weights, np.float16),
        "origins": np.array(rows.origins, np.int32),
    }


def digest(texts: Sequence[str]) -> str:
    """Return the SHA-256 of texts in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def split_outputs(outputs: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Return the columns of the labels, of the states, and of unmet."""
    return outputs[:, :OUTPUTS], outputs[:, OUTPUTS:-1], outputs[:, -1:]
