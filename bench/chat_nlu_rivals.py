"""Rasa's own classifiers beside ours: the same examples, the same held-out messages, through Rasa's whole reading of a message.

In Rasa's environment: `PYTHONPATH=chatbot/rasa:. AISLE_MODELS_DIR=var/models .venv-rasa/bin/python -m bench.chat_nlu_rivals [--epochs N] [--every N] [NAME …]`.
Takes seconds for the linear ones and many minutes for DIET; prints a line for each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.metrics import f1_score

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "chatbot" / "rasa"
SETS = ("intents_held_out", "intents_unseen")
SEED = 7
MEANING: list[dict[str, Any]] = [{"name": "components.minilm_featurizer.MiniLMFeaturizer"}]
LETTERS: list[dict[str, Any]] = [
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]


def pipelines(epochs: int) -> dict[str, list[dict[str, Any]]]:
    """Return the pipelines by name; the letters are those of Rasa's suggested configuration, without annotated entities."""
    diet = {"name": "DIETClassifier", "epochs": epochs, "entity_recognition": False, "random_seed": SEED}
    surface = [{"name": "RegexFeaturizer"}, {"name": "LexicalSyntacticFeaturizer"}, *LETTERS]
    regression = {"name": "LogisticRegressionClassifier", "random_state": SEED}
    return {
        "aisle": yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))["pipeline"][1:],
        "regression_letters": [*LETTERS, regression],
        "regression_minilm": [*MEANING, regression],
        "regression_both": [*MEANING, *LETTERS, regression],
        "diet_minilm": [{**MEANING[0], "tokens": True}, diet],
        "diet_letters": [*surface, diet],
        "diet_both": [{**MEANING[0], "tokens": True}, *surface, diet],
    }


def messages(folder: str) -> tuple[list[str], list[str]]:
    """Return the held-out messages of a folder of `tests/chatbot`, and their intents."""
    found = [
        (str(text), intent)
        for path in sorted((ROOT / "tests" / "chatbot" / folder).glob("*.yml"))
        for intent, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items()
        for text in texts
    ]
    return [text for text, _ in found], [intent for _, intent in found]


def examples(every: int, folder: Path) -> Path:
    """Write every so many-th training example of each intent; return the file."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (PROJECT / "data" / "nlu").glob("*.yml")]
    kept = [
        {"intent": entry["intent"], "examples": "\n".join(entry["examples"].splitlines()[::every])}
        for file in files
        for entry in file["nlu"]
    ]
    path = folder / "nlu.yml"
    path.write_text(yaml.safe_dump({"version": "3.1", "nlu": kept}, allow_unicode=True), encoding="utf-8")
    return path


def measured(name: str, pipeline: list[dict[str, Any]], known: Path, folder: Path) -> str:
    """Train a pipeline on the examples of a file and return the line of what it reached."""
    from rasa.core.agent import Agent  # seconds, not needed to print the help
    from rasa.model_training import train_nlu

    config = folder / f"{name}.yml"
    whole = {"recipe": "default.v1", "language": "en", "assistant_id": name, "pipeline": [{"name": "WhitespaceTokenizer"}, *pipeline]}  # fmt: skip
    config.write_text(yaml.safe_dump(whole), encoding="utf-8")
    start = time.perf_counter()
    model = train_nlu(str(config), str(known), str(folder), fixed_model_name=name)
    trained_s = time.perf_counter() - start
    agent = Agent.load(model)

    async def read(texts: list[str]) -> list[tuple[str, float]]:
        found = []
        for text in texts:
            at = time.perf_counter()
            parsed = await agent.parse_message(text)
            ranked = [one for one in parsed["intent_ranking"] if one["name"] != "nlu_fallback"]
            found.append((str(ranked[0]["name"]) if ranked else "", 1000 * (time.perf_counter() - at)))
        return found

    scores, took = [], []
    for which in SETS:
        texts, wanted = messages(which)
        said = asyncio.run(read(texts))
        scores.append(f1_score(wanted, [intent for intent, _ in said], labels=sorted(set(wanted)), average="macro", zero_division=0))  # fmt: skip
        took += [ms for _, ms in said]
    figures = ", ".join(f"{which} {score:.3f}" for which, score in zip(SETS, scores, strict=True))
    return f"{name}: macro F1 {figures}; {np.median(took):.1f} ms a message (median); trained in {trained_s:.0f} s"


def main() -> None:
    """Measure the named pipelines, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--epochs", type=int, default=100, help="of DIET (100 is what Rasa suggests)")
    parser.add_argument("--every", type=int, default=1, help="train on every so many-th example")
    given = parser.parse_args()
    os.environ.setdefault("RASA_MAX_CACHE_SIZE", "0")
    with tempfile.TemporaryDirectory() as scratch:
        known = examples(given.every, Path(scratch))
        for name, pipeline in pipelines(given.epochs).items():
            if not given.names or name in given.names:
                print(measured(name, pipeline, known, Path(scratch)), flush=True)


if __name__ == "__main__":
    main()
