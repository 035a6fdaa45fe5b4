"""What a ranker is worth on simulated requests: shards to train it on, and metrics, logged and counterfactual."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from personalization.ranking.emer.data import Shard, ShardWriter
from personalization.ranking.emer.tokens import Tokenizer
from personalization.ranking.metrics import group_auc
from personalization.ranking.simulation.requests import (
    BINARY,
    FEEDBACKS,
    FORMULA,
    INTERACTION,
    OBJECTIVES,
    Floats,
    Requests,
)

SHARD_REQUESTS = 500
LEAST_WATCH = 1.0  # seconds that an interaction is divided by at least
SWIPE = 1.0  # seconds from one item to the next
BUDGET = 90.0  # seconds of a session


def shards(
    requests: Requests, folder: Path, seed: int, *, use_ranks: bool = True, tokenizer: Tokenizer | None = None
) -> Tokenizer:
    """Write the requests as `emer.training.train` reads them, in random order, and return the tokenizer that made them.

    The unit time is the predicted seconds of watching; a `tokenizer` that is given is used instead of a new one.
    """
    rng = np.random.default_rng(seed)
    if tokenizer is None:
        sample = rng.permutation(len(requests.item))[:200_000]
        tokenizer = Tokenizer.fit(requests.features[sample], requests.pxtr[sample], BINARY, use_ranks=use_ranks)
    writer, order = ShardWriter(folder), rng.permutation(len(requests))
    for first in range(0, len(order), SHARD_REQUESTS):
        chosen = order[first : first + SHARD_REQUESTS]
        rows = (requests.starts[chosen][:, None] + np.arange(requests.candidates)).ravel()
        starts = np.arange(len(chosen) + 1, dtype=np.int64) * requests.candidates
        tokens = tokenizer.tokens(requests.features[rows], requests.pxtr[rows], starts)
        writer.write(
            Shard(
                starts, tokens.astype(np.float16), requests.pxtr[rows].astype(np.float32), requests.unit[rows].astype(np.float32),
                requests.satisfaction[rows], requests.shown[rows],
            )
        )  # fmt: skip
    return tokenizer


def formula(requests: Requests, weights: Floats = FORMULA) -> Floats:
    """Return the hand formula's scores, (rows,): the log of a product of powers of the predictions."""
    return np.log(requests.pxtr) @ weights


def objective_auc(scores: Floats, requests: Requests) -> dict[str, Floats]:
    """Return for each objective the group AUC over what was shown, (requests,), nan where no pair differs."""
    return _aucs(scores, requests, np.column_stack([requests.feedback, requests.watch]))


def per_unit_time_auc(scores: Floats, requests: Requests) -> dict[str, Floats]:
    """Return for each feedback the group AUC with feedback per second watched as the target, (requests,) (EMER's IPUT)."""
    return _aucs(scores, requests, requests.feedback / np.maximum(requests.watch, LEAST_WATCH)[:, None])


def counterfactual(
    scores: Floats, requests: Requests, *, budget: float = BUDGET, k: int = 10, swipe: float = SWIPE
) -> dict[str, Floats]:
    """Return what a session is expected to bring when the first k by `scores` are shown in their order, (requests,).

    A viewer goes through them until the budget, in seconds, is used up; the item that it ends within counts for the part
    of its time that is left, and so do its feedbacks. Time passes as expected, not as drawn. Keys: every feedback,
    `interactions` (all but click and long view), `watch` (seconds) and `views`. Raises ValueError for k < 1.
    """
    if k < 1:
        raise ValueError("at least one item must be shown")
    order = np.argsort(-scores.reshape(-1, requests.candidates), axis=1, kind="stable")[:, :k]
    found = requests.expected[order + requests.starts[:-1, None]]
    time = found[:, :, -1] + swipe
    part = np.clip((budget - (np.cumsum(time, axis=1) - time)) / time, 0.0, 1.0)
    total = (found * part[:, :, None]).sum(axis=1)
    by_name = {name: total[:, number] for number, name in enumerate(OBJECTIVES)}
    return {**by_name, "interactions": total[:, INTERACTION].sum(axis=1), "views": part.sum(axis=1)}


def _aucs(scores: Floats, requests: Requests, targets: Floats) -> dict[str, Floats]:
    rows = np.flatnonzero(requests.shown)
    starts = np.searchsorted(rows, requests.starts)
    names = (*FEEDBACKS, "watch")[: targets.shape[1]]
    return {
        name: group_auc(scores[rows], targets[rows, number].astype(np.float64), starts)
        for number, name in enumerate(names)
    }
