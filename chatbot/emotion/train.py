"""Train the emotion model: `python -m chatbot.emotion.train --data ../shared/data --student FILE --teacher FILE`.

Teachers (MPNet) learn GoEmotions and the written service messages; students (MiniLM) learn from the labels and from what the
teachers say of many more texts. The best student on dev is made int8; a linear model of words speaks beside it. Both together
are calibrated on dev and measured on test.
The weights that both start from are `model.safetensors` of all-mpnet-base-v2 and all-MiniLM-L6-v2 (Apache-2.0).
A GPU takes seven minutes, a CPU core a day; `--quick` runs everything on a few rows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.emotion.labels import LABELS
from chatbot.emotion.training import data
from chatbot.emotion.training.learn import Recipe, choose, distil, teach
from chatbot.emotion.training.wording import fit_wording
from personalization.ranking.sentences.wordpiece import WordPiece

SEED = 7
REPEATS = 10  # of a shop request in the linear model, beside 43,000 messages
TEACHERS = (
    Recipe(seed=1, rate=5e-5, epochs=4, batch=64, fading=0.9, seconds=150),
    Recipe(seed=2, rate=5e-5, epochs=4, batch=64, fading=0.9, masked=0.1, seconds=150),
    Recipe(seed=3, rate=8e-5, epochs=4, batch=64, fading=0.85, masked=0.1, seconds=150),
    Recipe(seed=4, rate=5e-5, epochs=5, batch=64, fading=0.85, masked=0.15, seconds=150),
    Recipe(seed=5, rate=1e-4, epochs=4, batch=128, fading=0.85, masked=0.1, seconds=150),
)
STUDENTS = (
    Recipe(seed=1, rate=3e-4, epochs=9, batch=256, hard=0.2, masked=0.05, train_repeats=2, seconds=170),
    Recipe(seed=2, rate=5e-4, epochs=9, batch=256, hard=0.2, masked=0.05, train_repeats=2, seconds=170),
    Recipe(seed=3, rate=4e-4, epochs=9, batch=256, hard=0.0, masked=0.05, train_repeats=2, seconds=170),
    Recipe(seed=4, rate=4e-4, epochs=9, batch=256, hard=0.4, masked=0.05, train_repeats=2, seconds=170),
    Recipe(seed=5, rate=4e-4, epochs=9, batch=256, hard=0.2, masked=0.1, train_repeats=4, seconds=170),
    Recipe(seed=6, rate=4e-4, epochs=7, batch=128, hard=0.1, masked=0.1, train_repeats=3, seconds=170),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stages that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with goemotions/ and dialogue/"
    )
    parser.add_argument("--conversations", type=Path, help="dataset.json of the package chitchat-dataset (MIT)")
    parser.add_argument("--student", type=Path, help="model.safetensors of all-MiniLM-L6-v2")
    parser.add_argument("--tokenizer", type=Path, help="its tokenizer.json")
    parser.add_argument("--teacher", type=Path, help="model.safetensors of all-mpnet-base-v2")
    parser.add_argument(
        "--work", type=Path, default=Path("var/emotion"), help="where rows, teachers and students are kept"
    )
    parser.add_argument("--stages", nargs="+", default=["prepare", "teach", "distil", "word", "ship"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=1, help="networks that are trained at the same time")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    if "prepare" in options.stages:
        prepare(options)
    if "teach" in options.stages:
        _train(options, teach, TEACHERS, "teacher", options.teacher)
    if "distil" in options.stages:
        _train(options, distil, STUDENTS, "student", options.student)
        choose(options.work)
    if "word" in options.stages:
        learn_wording(options)
    if "ship" in options.stages:
        from chatbot.emotion.training.ship import ship  # noqa: PLC0415 - its ONNX tools are not needed before

        ship(options.work, options.tokenizer, options.data)


def _train(
    options: argparse.Namespace, run: Callable[..., None], recipes: Sequence[Recipe], name: str, weights: Path
) -> None:
    chosen = [replace(one, epochs=0.02) for one in recipes[:2]] if options.quick else recipes
    tasks = [(options.work, weights, one, f"{name}-{at}", options.device) for at, one in enumerate(chosen)]
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        pool.starmap(run, tasks, chunksize=1)
    (options.work / f"{name}s.json").write_text(json.dumps([asdict(one) for one in chosen]))


def learn_wording(options: argparse.Namespace) -> None:
    """Fit the linear model on GoEmotions, and on the dialogue's plain requests as neutral."""
    rows = list(data.goemotions(options.data / "goemotions" / "train.tsv"))
    requests = data.shop_requests()[::2] * REPEATS
    neutral = data.target_of({"neutral": 1.0}, "neutral", 0.0)
    targets = np.array([target[: len(LABELS)] for _, target in rows] + [neutral[: len(LABELS)]] * len(requests))
    fit_wording([text for text, _ in rows] + requests, targets, options.work, SEED)


def prepare(options: argparse.Namespace) -> None:
    """Write the rows as arrays, and what they are made of."""
    rows = data.gather(options.data, options.conversations, SEED)
    if options.quick:
        few = [at for at in range(len(rows.texts)) if at % 40 == 0 and rows.origins[at] < 0]
        rows = data.Rows(
            [rows.texts[at] for at in few], [rows.kinds[at] for at in few], [rows.targets[at] for at in few],
            [rows.weights[at] for at in few], [-1] * len(few),
        )  # fmt: skip
    wordpiece = WordPiece.from_tokenizer_json(options.tokenizer.read_text(encoding="utf-8"))
    arrays: dict[str, Any] = dict(data.arrays(rows, wordpiece))
    np.savez_compressed(options.work / "rows.npz", **arrays)
    made_of = {}
    for number, kind in enumerate(data.KINDS):
        texts = [text for text, one in zip(rows.texts, rows.kinds, strict=True) if one == number]
        made_of[kind] = {"rows": len(texts), "sha256": data.digest(texts)}
    plain = [text for text, one in zip(rows.texts, rows.kinds, strict=True) if data.KINDS[one] == "plain"]
    (options.work / "plain.json").write_text(json.dumps(plain), encoding="utf-8")
    (options.work / "rows.json").write_text(json.dumps(made_of))
    print(json.dumps(made_of), file=sys.stderr)


if __name__ == "__main__":
    main()
