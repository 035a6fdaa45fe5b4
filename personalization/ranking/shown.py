"""Learn from what was shown: predictors of clicks and baskets, and the ensemble's samples with several feedbacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.emer.data import Shard, ShardWriter
from personalization.ranking.emer.tokens import CONTEXT, Tokenizer
from personalization.ranking.logged import Block, Examples, Log
from personalization.ranking.objectives import NAMES, SHOWN, Predictors, fit_halves, halves, placed

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
WAIT = NAMES.index("wait")
CHUNK = 100_000  # rows that are predicted together
LEAST_HEARD = 50  # requests that tell of a part of the context, below which the ensemble is not told of it


@dataclass(frozen=True, slots=True)
class Shown:
    """What the log taught, and what the ensemble needs to learn from it.

    folds : the predictors of each half of the members; half : (members,) which half a member is in; calibration : name of
    an objective to its target and its out-of-fold predictions, (rows,) each.
    """

    log: Log
    predictors: Predictors
    folds: tuple[Predictors, Predictors]
    half: Ints
    calibration: dict[str, tuple[Floats32, Floats]]

    def unseen(self, features: Floats32, member: Ints) -> Floats:
        """Return predictions at the first place, (rows, objectives), by models that never saw the row's member."""
        found = np.empty((len(member), len(self.predictors.objectives)))
        for start in range(0, len(member), CHUNK):
            part = slice(start, start + CHUNK)
            for half, fold in enumerate(self.folds):
                rows = start + np.flatnonzero(self.half[member[part]] != half)
                found[rows] = fold.predict(features[rows], threads=2)
        return found

    def hear(self, tokenizer: Tokenizer) -> Tokenizer:
        """Return the tokenizer with the parts of the context switched on that enough requests tell of."""
        told = np.zeros(len(CONTEXT), np.int64)
        for block in self.log.blocks():
            told += (block.context[_with_predictions(block)] != 0).sum(axis=0)
        return replace(tokenizer, heard=told >= LEAST_HEARD)

    def write(self, writer: ShardWriter, tokenizer: Tokenizer, sign: Floats, horizon: float) -> None:
        """Write the logged requests as the ensemble reads them: predictions as they were made, feedback of what was seen.

        Predictions of clicks and baskets are by models that did not see the member, since none were made then, or by
        others. Requests that a fallback ranked have no predictions, and are left out. sign : (objectives,), see
        `learning.signs`; horizon : days that a `wait` of 1 stands for.
        """
        for block in self.log.blocks():
            lengths = np.diff(block.starts)
            kept = _with_predictions(block)
            if not kept.any():
                continue
            rows = np.repeat(kept, lengths)
            features, owner = block.features[rows], np.repeat(block.member[kept], lengths[kept])
            predictions = np.concatenate([block.predictions[rows], self.unseen(features, owner)], axis=1)
            starts = np.concatenate([[0], np.cumsum(lengths[kept])])
            context = np.repeat(block.context[kept], lengths[kept], axis=0)
            writer.write(
                Shard(
                    starts, tokenizer.tokens(features, predictions, starts, context).astype(np.float16),
                    (predictions * sign).astype(np.float32), (predictions[:, WAIT] * horizon).astype(np.float32),
                    block.feedback[rows].sum(axis=1), block.seen[rows],
                )
            )  # fmt: skip


def fit(
    log: Log, *, seed: int, scale: float, least_requests: int, least_positive: int
) -> tuple[Shown | None, dict[str, Any]]:
    """Return what the log teaches, None where it is too little, and a report of it.

    Each objective needs `least_positive` examples of both outcomes in `least_requests` requests.
    """
    examples = _examples(log)
    counts = {} if examples is None else {one.name: int(one.target(examples).sum()) for one in SHOWN}
    report = {"requests": log.requests, "seen": 0 if examples is None else len(examples.member), "positive": counts}
    wanted = [] if examples is None else [
        one for one in SHOWN
        if log.requests >= least_requests and least_positive <= counts[one.name] <= len(examples.member) - least_positive
    ]  # fmt: skip
    if examples is None or not wanted:
        note = f"too few logged requests to learn from: {least_requests} are needed, with {least_positive} positive"
        return None, report | {"learned": [], "note": note}
    half = halves(log.members, seed)
    found = fit_halves(wanted, examples, examples.features, half[examples.member], seed=seed, scale=scale)
    calibration = {one.name: (one.target(examples), found.unseen[:, k]) for k, one in enumerate(wanted)}
    shown = Shown(log, found.predictors, found.folds, half, calibration)
    return shown, report | {"learned": list(found.predictors.names), "sha256": log.sha256}


def _examples(log: Log) -> Examples | None:
    """Return what was seen in all requests: a handful of rows each."""
    parts = [
        (
            placed(b.features[b.seen], b.place[b.seen]),
            np.repeat(b.member, np.diff(b.starts))[b.seen],
            b.feedback[b.seen],
        )
        for b in log.blocks()
    ]
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else None


def _with_predictions(block: Block) -> NDArray[np.bool_]:
    """Return which requests have all predictions, (requests,)."""
    return np.asarray(~np.isnan(block.predictions[block.starts[:-1]]).any(axis=1))
