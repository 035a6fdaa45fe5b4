"""Scores a request's candidates, by the best stage that is there, works and is in time.

The ensemble (EMER) compares the most likely purchases; without it the predicted purchase scores; without that the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.deadline import Deadline
from personalization.ranking.emer.serving import Ensemble
from personalization.ranking.features import FEATURES
from personalization.ranking.objectives import Predictors
from personalization.ranking.shopper import Shopper
from personalization.types import Candidate, Channel, Context

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
SHORTLIST = 200  # likeliest purchases that the ensemble compares; what comes after them keeps its order behind them
SOURCE_WEIGHTS = {
    "repeat": 1.0,
    "taste": 0.15,
    "kind": 0.10,
    "popular": 0.10,
    "new": 0.02,
    "promoted": 0.05,
    "together": 0.05,
    "search": 2.0,
    "similar": 1.0,
}


@dataclass(frozen=True, slots=True)
class Models:
    """What training made for ranking; None where there was too little to learn from."""

    predictors: Predictors | None = None
    ensemble: Ensemble | None = None

    @property
    def best(self) -> str:
        """The best stage that there is."""
        return "sources" if self.predictors is None else "predictors" if self.ensemble is None else "emer"

    def warm_up(self) -> None:
        """Score nothing in particular once: the first request should not pay for what libraries do at their first call."""
        if self.predictors is None:
            return
        features = np.zeros((2, len(FEATURES)), np.float32)
        predictions = self.predictors.predict(features)
        if self.ensemble is not None:
            self.ensemble.score_request(features, predictions)


@dataclass(slots=True)
class Scored:
    """A request on its way; rows run over `candidates`.

    item : positions; features : (rows, FEATURES); score : larger is better; predictions : (rows, `objectives`), of the rows
    in `compared` only, which are those that the ensemble saw; stage, cause : see `Ranking`;
    shown : how often each was shown to anybody lately; told : what the ensemble heard of the request; model : the stage's own scores; spread : the scores' standard deviation before the question's match
    (`asked`, per row) and how shoppers respond lately (`liked`) were added, in units of it.
    """

    shopper: Shopper
    candidates: list[Candidate]
    item: Ints
    features: Floats32
    score: Floats
    predictions: Floats | None = None
    objectives: tuple[str, ...] = ()
    compared: Ints | None = None
    stage: str = "sources"
    cause: str | None = None
    shown: Floats = field(default_factory=lambda: np.zeros(0))
    told: Mapping[str, float] = field(default_factory=dict)
    model: Floats = field(default_factory=lambda: np.zeros(0))
    spread: float = 1.0
    asked: Floats = field(default_factory=lambda: np.zeros(0))
    liked: Floats = field(default_factory=lambda: np.zeros(0))


def told(context: Context) -> Mapping[str, float]:
    """Return what a token holds of the request (`tokens.CONTEXT`)."""
    affect = context.affect
    return {
        "widget": float(context.channel is Channel.WIDGET), "kiosk": float(context.channel is Channel.KIOSK),
        "query": float(bool(context.query)), "valence": affect.valence if affect else 0.0, "arousal": affect.arousal if affect else 0.0,
    }  # fmt: skip


def score(
    context: Context, shopper: Shopper, candidates: list[Candidate], models: Models, deadline: Deadline, started: float
) -> Scored:
    """Return the candidates, all known to the shopper's items, with their scores."""
    item = np.array([shopper.items.index[c.product_id] for c in candidates], np.int64)
    weighed = [sum(SOURCE_WEIGHTS.get(name, 0.0) * value for name, value in c.scores.items()) for c in candidates]
    scored = Scored(shopper, candidates, item, shopper.features(item), np.array(weighed))
    try:
        _stages(context, scored, models, deadline, started)
    except Exception as error:  # noqa: BLE001 - the stage before has an answer
        scored.cause = f"{type(error).__name__}: {error}"[:200]
    scored.model = scored.score
    return scored


def _stages(context: Context, scored: Scored, models: Models, deadline: Deadline, started: float) -> None:
    predictors, ensemble = models.predictors, models.ensemble
    if predictors is None:
        return
    if not deadline.allows("predictors", started):
        scored.cause = "no time for predictions"
        return
    likely = deadline.timed("predictors", lambda: predictors.predict(scored.features, only=0)[:, 0])
    scored.score, scored.stage = np.log(np.maximum(likely, 1e-9)), "predictors"
    if ensemble is None:
        return
    if not deadline.allows("ensemble", started):
        scored.cause = "no time for the ensemble"
        return
    rows, scored.told = np.sort(np.argsort(-likely, kind="stable")[:SHORTLIST]), told(context)
    predictions = np.zeros((len(likely), len(predictors.objectives)))

    def compare() -> Floats32:
        predictions[rows] = predictors.predict(scored.features[rows])
        return ensemble.score_request(scored.features[rows], predictions[rows], scored.told)

    y = deadline.timed("ensemble", compare)
    behind = float(y.min()) - 1.0 + scored.score - scored.score.max()  # what was not compared comes after what was
    behind[rows] = y
    scored.score, scored.predictions, scored.objectives = behind, predictions, predictors.names
    scored.compared, scored.stage = rows, "emer"
