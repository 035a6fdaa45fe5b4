"""What an item's score loses without each group of evidence: attribution by removal, so that reasons are faithful."""

from __future__ import annotations

import numpy as np

from personalization.ranking.objectives import Predictors
from personalization.ranking.reasons import GROUPS, present, without
from personalization.ranking.scoring import Models, Scored

BESIDE = 31  # strongest other candidates that an item is compared with when its reasons are weighed


def lost_without(scored: Scored, rows: list[int], models: Models) -> dict[int, dict[str, float]]:
    """Return, for each of `rows` that a model scored, by group what its ŷ loses when the group's evidence is taken away.

    Features and predictions are made anew without the evidence; the other candidates stay as they are.
    """
    predictors, ensemble = models.predictors, models.ensemble
    predictions, compared = scored.predictions, scored.compared
    if scored.stage == "predictors" and predictors is not None:
        return _likelihood_lost(scored, rows, predictors)
    if predictors is None or ensemble is None or predictions is None or compared is None:
        return {}
    rows = np.array(rows)[np.isin(rows, compared)].tolist()
    if not rows:
        return {}
    there = present(scored.features[rows])
    cases = [(row, group) for place, row in enumerate(rows) for group in GROUPS if there[group][place]]
    changed = np.concatenate([scored.features[rows], *(without(scored.features[[row]], group) for row, group in cases)])
    predicted = (
        np.concatenate([predictions[rows], predictors.predict(changed[len(rows) :])]) if cases else predictions[rows]
    )
    strongest = compared[np.argsort(-scored.score[compared], kind="stable")]
    size = min(BESIDE, len(compared) - 1)
    asked = [*rows, *(row for row, _ in cases)]
    beside = np.stack([strongest[strongest != row][:size] for row in asked])
    features = np.concatenate([changed[:, None], scored.features[beside]], axis=1)
    both = np.concatenate([predicted[:, None], predictions[beside]], axis=1)
    starts = np.arange(len(asked) + 1) * (size + 1)
    tokens = ensemble.tokenizer.tokens(
        features.reshape(-1, features.shape[2]), both.reshape(-1, both.shape[2]), starts, scored.told
    )
    y = ensemble.score(tokens.reshape(len(asked), size + 1, -1))[:, 0]
    whole = dict(zip(rows, y[: len(rows)].tolist(), strict=True))
    found: dict[int, dict[str, float]] = {row: {} for row in rows}
    for (row, group), without_it in zip(cases, y[len(rows) :].tolist(), strict=True):
        found[row][group] = whole[row] - without_it
    return found


def _likelihood_lost(scored: Scored, rows: list[int], predictors: Predictors) -> dict[int, dict[str, float]]:
    """Return the same where the predicted purchase alone scores: exact, since rows are not compared with each other."""
    there = present(scored.features[rows])
    cases = [(row, group) for place, row in enumerate(rows) for group in GROUPS if there[group][place]]
    found: dict[int, dict[str, float]] = {row: {} for row in rows}
    if not cases:
        return found
    changed = np.concatenate([without(scored.features[[row]], group) for row, group in cases])
    likely = np.log(np.maximum(predictors.predict(changed, only=0)[:, 0], 1e-9))
    for (row, group), without_it in zip(cases, likely.tolist(), strict=True):
        found[row][group] = float(scored.model[row]) - without_it
    return found
