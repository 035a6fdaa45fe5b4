"""Learn to rank from order lines: predictors, then the ensemble on what they say of members that they did not see."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from personalization.ranking import int8, objectives, shown
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.emer import serving
from personalization.ranking.emer.data import Recipe, Shard, ShardWriter
from personalization.ranking.emer.tokens import Tokenizer
from personalization.ranking.features import FEATURES
from personalization.ranking.history import History
from personalization.ranking.logged import Log
from personalization.ranking.objectives import OBJECTIVES, Objective, Predictors
from personalization.ranking.requests import Requests, requests_at
from personalization.ranking.scoring import SHORTLIST, Models
from personalization.ranking.shown import Shown

if TYPE_CHECKING:
    from personalization.ranking.emer.training import Trained

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WAIT = objectives.NAMES.index("wait")
LEAST_REQUESTS, LEAST_POSITIVES = 300, 1000
SHARD_REQUESTS = 500


def binary(of: Sequence[Objective]) -> NDArray[np.bool_]:
    """Return which objectives are probabilities, (objectives,)."""
    return np.array([objective.loss == "binary" for objective in of])


def signs(of: Sequence[Objective]) -> Floats:
    """Return 1 where larger is better and -1 elsewhere, (objectives,)."""
    return np.array([1.0 if objective.positive else -1.0 for objective in of])


BINARY, SIGN = binary(OBJECTIVES), signs(OBJECTIVES)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to learn from.

    horizon : days that an origin looks ahead; origins : days to learn at, the latest first, `every` days apart; members :
    at most so many per origin; trees : multiplies the predictors' trees; logged : the newest decisions that are looked at
    for what came of them; least_logged, least_positive : logged requests, and examples of either outcome in them, that an
    objective of what was shown needs: below, it is not learned.
    """

    horizon: float = 28.0
    origins: int = 4
    every: float = 14.0
    members: int = 10_000
    trees: float = 1.0
    recipe: Recipe = field(default_factory=lambda: Recipe(epochs=3))
    logged: int = 10_000
    least_logged: int = 500
    least_positive: int = 200


DEMO = Plan(origins=2, members=800, trees=0.35, recipe=Recipe(epochs=2), logged=2_000)
"""The `demo` profile."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What training made, and how it went. int8 : the quantised ensemble; curves : one dict per epoch."""

    models: Models
    onnx: bytes | None = None
    int8: bytes | None = None
    curves: Sequence[dict[str, float]] = ()
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def log_sha256(self) -> str:
        """The digest of the logged requests that were learned from, empty without."""
        return str(self.report.get("logged", {}).get("sha256", ""))


def learn(
    history: History, catalogue: Catalogue, members: int, until: float, plan: Plan, *, seed: int,
    checkpoint: Path | None = None, progress: Callable[[float], None] = lambda _share: None, log: Log | None = None,
) -> Learned:  # fmt: skip
    """Return models learned from what was bought before `until` (days since 1970), and from what was shown (`log`).

    The last origin's horizon ends at `until`. Where there are too few requests or purchases, models are missing. `progress`
    is told the share that is done. An interrupted ensemble training resumes from `checkpoint`.
    """
    started = time.monotonic()
    requests = gather(history, catalogue, members, until, plan, seed=seed)
    progress(0.15)
    if requests is None or len(requests) < LEAST_REQUESTS or int((requests.orders > 0).sum()) < LEAST_POSITIVES:
        return Learned(Models(), report={"note": "too little to learn a ranking from; the sources' scores rank"})
    gathered = time.monotonic()
    steps, done = 3 * len(OBJECTIVES), [0]

    def fitted() -> None:
        done[0] += 1
        progress(0.15 + 0.45 * done[0] / steps)

    predictors, unseen = objectives.fit(requests, seed=seed, scale=plan.trees, progress=fitted)
    told = {o.name: calibration(o, o.target(requests), unseen[:, k]) for k, o in enumerate(OBJECTIVES)}
    report: dict[str, Any] = {"requests": len(requests), "objectives": told}
    from_log = None
    if log is not None:
        from_log, report["logged"] = shown.fit(
            log, seed=seed, scale=plan.trees, least_requests=plan.least_logged, least_positive=plan.least_positive
        )
    if from_log is not None:
        predictors = predictors.joined(from_log.predictors)
        unseen = np.concatenate([unseen, from_log.unseen(requests.features, requests.member)], axis=1)
        told |= {o.name: calibration(o, *from_log.calibration[o.name]) for o in from_log.predictors.objectives}
    predicted = time.monotonic()
    if find_spec("torch") is None:
        note = "torch is not installed, so there is no ensemble; the predicted purchase ranks"
        return Learned(Models(predictors), report=report | {"note": note})
    ensemble, onnx, trained = fit_ensemble(
        requests,
        unseen,
        replace(plan.recipe, seed=seed),
        checkpoint=checkpoint,
        progress=lambda share: progress(0.6 + 0.4 * share),
        from_log=from_log,
    )
    ended = time.monotonic()
    report |= {
        "candidates": len(requests.item), "purchases": int((requests.orders > 0).sum()),
        "weights": dict(zip(predictors.names, trained.weights, strict=True)),
        "seconds": {"requests": round(gathered - started, 1), "predictors": round(predicted - gathered, 1),
                    "ensemble": round(ended - predicted, 1)},
    }  # fmt: skip
    return Learned(Models(predictors, ensemble), onnx, int8.quantize(onnx), trained.curves, report)


def fit_ensemble(
    requests: Requests, unseen: Floats, recipe: Recipe, *, checkpoint: Path | None = None,
    progress: Callable[[float], None] = lambda _share: None, from_log: Shown | None = None,
) -> tuple[serving.Ensemble, bytes, Trained]:  # fmt: skip
    """Return the ensemble learned from requests and out-of-fold predictions, as served, as ONNX and as trained.

    It starts as a formula: the purchase's log-odds, with a little of the other objectives. from_log : logged requests that
    are learned from too; `unseen` then has their objectives behind the others. Raises ImportError without torch.
    """
    from personalization.ranking.emer import training as emer  # noqa: PLC0415 - torch is for training only

    of = OBJECTIVES if from_log is None else OBJECTIVES + from_log.predictors.objectives
    start = np.array([objective.start for objective in of]) * signs(of)
    interactions = np.array([objective.interaction for objective in of])
    with tempfile.TemporaryDirectory(prefix="aisle-ranking-") as name:
        tokenizer = write_shards(
            Path(name), requests, unseen, seed=recipe.seed, use_ranks=recipe.parts.ranks, from_log=from_log
        )
        trained = emer.train(
            Path(name), tokenizer.width, interactions, recipe, checkpoint=checkpoint, start=tokenizer.formula(start),
            progress=lambda step, all_: progress(step / max(all_, 1)),
        )  # fmt: skip
    onnx = serving.export(trained.model, tokenizer.width)
    return serving.load(onnx, tokenizer), onnx, trained


def gather(
    history: History, catalogue: Catalogue, members: int, until: float, plan: Plan, *, seed: int
) -> Requests | None:
    """Return the requests of the plan's origins, of members who bought before and after each; None where there are none."""
    rng, parts = np.random.default_rng(seed), []
    first = float(history.at.min()) if len(history) else until
    for number in range(plan.origins):
        day = until - plan.horizon - number * plan.every
        if day - first < plan.horizon:
            break
        active = np.intersect1d(
            np.unique(history.before(day).member), np.unique(history.between(day, day + plan.horizon).member)
        )
        chosen = np.sort(rng.permutation(active)[: plan.members])
        if len(chosen):
            items = items_at(catalogue, history, members, day, seed=seed)
            parts += list(requests_at(history, items, chosen, day, plan.horizon))
    return Requests.joined(parts) if parts else None


def shortlists(requests: Requests, purchase: Floats) -> tuple[Ints, Ints]:
    """Return the rows of each request that serving would compare, and where each request begins."""
    rows = [
        start + np.sort(np.argsort(-purchase[start:end], kind="stable")[:SHORTLIST])
        for start, end in itertools.pairwise(requests.starts.tolist())
    ]
    return np.concatenate(rows), np.concatenate([[0], np.cumsum([len(kept) for kept in rows])])


def write_shards(
    folder: Path, requests: Requests, predictions: Floats, *, seed: int, use_ranks: bool = True, from_log: Shown | None = None,
) -> Tokenizer:  # fmt: skip
    """Write the requests as the ensemble reads them, in random order, and return the tokenizer that made them.

    Logged requests come behind them, in shards of their own.
    """
    of = OBJECTIVES if from_log is None else OBJECTIVES + from_log.predictors.objectives
    rng = np.random.default_rng(seed)
    rows, starts = shortlists(requests, predictions[:, 0])
    sample = rng.permutation(rows)[:200_000]
    tokenizer = Tokenizer.fit(requests.features[sample], predictions[sample], binary(of), use_ranks=use_ranks)
    if from_log is not None:
        tokenizer = from_log.hear(tokenizer)
    horizon = float(requests.wait.max())
    writer = ShardWriter(folder)
    order = rng.permutation(len(starts) - 1)
    for first in range(0, len(order), SHARD_REQUESTS):
        chosen = order[first : first + SHARD_REQUESTS]
        lengths = starts[chosen + 1] - starts[chosen]
        kept = rows[np.concatenate([np.arange(starts[r], starts[r + 1]) for r in chosen])]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        writer.write(
            Shard(
                begins, tokenizer.tokens(requests.features[kept], predictions[kept], begins).astype(np.float16),
                (predictions[kept] * signs(of)).astype(np.float32), (predictions[kept, WAIT] * horizon).astype(np.float32),
                requests.satisfaction[kept], np.ones(len(kept), bool),
            )
        )  # fmt: skip
    if from_log is not None:
        from_log.write(writer, tokenizer, signs(of), horizon)
    return tokenizer


def calibration(objective: Objective, outcome: NDArray[Any], predicted: Floats) -> dict[str, float]:
    """Return how an objective's out-of-fold predictions fit: base rate and expected calibration error, or the mean error."""
    target = outcome.astype(np.float64)
    if objective.loss != "binary":
        return {
            "mae": round(float(np.abs(predicted - target).mean()), 4),
            "mae_of_mean": round(float(np.abs(target.mean() - target).mean()), 4),
        }
    edges = np.quantile(predicted, np.linspace(0, 1, 21)[1:-1])
    place = np.searchsorted(edges, predicted)
    counts = np.bincount(place, minlength=20)
    gap = np.abs(np.bincount(place, weights=predicted - target, minlength=20))
    return {"base_rate": round(float(target.mean()), 5), "ece": round(float(gap.sum() / counts.sum()), 5)}


def write(folder: Path, learned: Learned) -> None:
    """Write the models beside the other artifacts."""
    models = learned.models
    if models.predictors is not None:
        names = models.predictors.names
        for name, text in zip(names, models.predictors.as_strings(), strict=True):
            (folder / f"predictor_{name}.txt").write_text(text)
        (folder / "predictors.json").write_text(
            json.dumps({"features": FEATURES, "objectives": names, "slopes": models.predictors.slopes.tolist()})
        )
    if models.ensemble is not None and learned.onnx is not None and learned.int8 is not None:
        (folder / "ensemble.onnx").write_bytes(learned.onnx)
        (folder / "ensemble.int8.onnx").write_bytes(learned.int8)
        (folder / "tokenizer.json").write_text(serving.dump_tokenizer(models.ensemble.tokenizer))
        with (folder / "ensemble_curves.jsonl").open("w") as lines:
            lines.writelines(json.dumps(curve) + "\n" for curve in learned.curves)


def read(folder: Path) -> Models:
    """Return the models in a folder of artifacts; those that are not there are None.

    Raises ValueError when they were made for other features or objectives.
    """
    if not (folder / "predictors.json").exists():
        return Models()
    told = json.loads((folder / "predictors.json").read_text())
    if tuple(told["features"]) != FEATURES:
        raise ValueError("the ranking models were trained for other features")
    texts = [(folder / f"predictor_{name}.txt").read_text() for name in told["objectives"]]
    predictors = Predictors.from_strings(texts, np.array(told["slopes"]), told["objectives"])
    if not (folder / "ensemble.onnx").exists():
        return Models(predictors)
    tokenizer = serving.load_tokenizer((folder / "tokenizer.json").read_text())
    return Models(predictors, serving.load((folder / "ensemble.onnx").read_bytes(), tokenizer))
