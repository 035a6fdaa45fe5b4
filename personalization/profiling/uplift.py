"""What to do about a member: the action that is expected to change most, learned from an experiment, and nothing where none helps.

A T-learner (Künzel et al. 2019): one booster per arm of a randomised experiment; an action's uplift is its booster's prediction
less the control's. Risk alone says who may leave, not whom an offer would keep; without an experiment nothing is suggested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from personalization.profiling.labels import MemberView
from personalization.types import Label, Purpose

PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.03, "num_leaves": 8, "min_data_in_leaf": 100, "bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.6,
    "lambda_l2": 20.0, "verbosity": -1, "num_threads": 2, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
TREES, FOLDS, RESAMPLES = 120, 5, 300
LEAST_UNITS = 300  # of an arm
CLEAR = 1.64  # standard errors by which an action must be better than nothing: 95 %, one-sided
NOTHING = "nothing"
LABEL_DAYS = timedelta(days=14)
Floats = NDArray[np.float64]


class UpliftError(Exception):
    """There is too little to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well the model chooses, on units that it has not seen (cross-fitted), with 95 % bootstrap intervals.

    at_30 : effect of the action among the 30 % whose predicted uplift is largest; random : the effect among everybody.
    policy : mean outcome when each unit gets the suggested arm (inverse propensity); best_arm : when all get the best single arm.
    """

    at_30: Mapping[str, float]
    at_30_ci: Mapping[str, tuple[float, float]]
    random: Mapping[str, float]
    policy: float
    policy_ci: tuple[float, float]
    best_arm: float
    suggested: Mapping[str, float]


@dataclass(frozen=True)
class UpliftModel:
    """Boosters (LightGBM's text) by arm; the first arm is the control. `columns` are what they read, `outcome` what they predict.

    `costs` : what an arm costs per unit, in the outcome's unit. `errors` : standard error of a unit's uplift;
    an action is suggested where its uplift, less its cost, is CLEAR of them.
    """

    experiment_id: str
    outcome: str
    columns: tuple[str, ...]
    boosters: Mapping[str, str]
    costs: Mapping[str, float]
    errors: Mapping[str, float]
    evaluation: Evaluation | None = None

    @cached_property
    def _loaded(self) -> dict[str, Any]:
        import lightgbm  # noqa: PLC0415  it takes seconds to import; only the worker needs it

        return {arm: lightgbm.Booster(model_str=text) for arm, text in self.boosters.items()}

    @property
    def control(self) -> str:
        """The arm that the others are compared with."""
        return next(iter(self.boosters))

    def uplift(self, table: Floats) -> dict[str, Floats]:
        """Return each action's expected change of the outcome, less its cost, for rows of `columns` (n, k)."""
        found = {arm: np.asarray(booster.predict(table, num_threads=2)) for arm, booster in self._loaded.items()}
        return {
            arm: values - found[self.control] - self.costs.get(arm, 0.0)
            for arm, values in found.items()
            if arm != self.control
        }

    def choose(self, table: Floats) -> tuple[list[str], dict[str, Floats]]:
        """Return each row's action (NOTHING where no uplift is clear of its error), and the uplifts."""
        gains = self.uplift(table)
        names = list(gains)
        net = np.column_stack([gains[name] - CLEAR * self.errors[name] for name in names])
        best = net.argmax(axis=1)
        chosen = [names[at] if net[row, at] > 0 else NOTHING for row, at in enumerate(best)]
        return chosen, gains

    def as_json(self) -> str:
        """Return the model as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> UpliftModel:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for something else."""
        parts = json.loads(text)
        evaluation = parts.pop("evaluation")
        return cls(
            **{
                **parts,
                "columns": tuple(parts["columns"]),
                "evaluation": Evaluation(**evaluation) if evaluation else None,
            }
        )


def fit(
    table: Floats, arm: NDArray[Any], outcome: Floats, *, columns: Sequence[str], control: str, experiment_id: str, name: str, seed: int,
    costs: Mapping[str, float] | None = None,
) -> UpliftModel:  # fmt: skip
    """Learn from units of an experiment: table (n, k), arm (n,) of names, outcome (n,). Evaluated by cross-fitting.

    Raises UpliftError when an arm has fewer than LEAST_UNITS units, or one of them nobody among those whom an action suits best.
    """
    arms = [control, *sorted(set(arm.tolist()) - {control})]
    small = [one for one in arms if (arm == one).sum() < LEAST_UNITS]
    if small or len(arms) < 2:
        raise UpliftError(
            f"an uplift model needs {LEAST_UNITS} units in each of two arms; too few in: {', '.join(small) or 'the second'}"
        )
    part = np.random.default_rng(seed).integers(0, FOLDS, len(table))
    held = {one: np.zeros(len(table)) for one in arms}
    for fold in range(FOLDS):
        for one in arms:
            held[one][part == fold] = _boost(table[(part != fold) & (arm == one)], outcome[(part != fold) & (arm == one)], seed).predict(table[part == fold])  # fmt: skip
    model = UpliftModel(
        experiment_id, name, tuple(columns),
        {one: _boost(table[arm == one], outcome[arm == one], seed).model_to_string() for one in arms}, dict(costs or {}),
        _errors(table, arm, outcome, arms, seed),
    )  # fmt: skip
    return replace(model, evaluation=_evaluated(model, held, arm, outcome, seed))


def _errors(table: Floats, arm: NDArray[Any], outcome: Floats, arms: Sequence[str], seed: int) -> dict[str, float]:
    """Return the standard error of a unit's uplift: from how far models of two halves of the units disagree.

    A half's error is their difference's spread by √2, and that of all units by √2 again.
    """
    half = np.random.default_rng(seed + 1).permutation(len(table)) % 2 == 0
    said = [
        {one: _boost(table[part & (arm == one)], outcome[part & (arm == one)], seed).predict(table) for one in arms}
        for part in (half, ~half)
    ]
    gains = [{one: side[one] - side[arms[0]] for one in arms[1:]} for side in said]
    return {one: float(np.sqrt(np.mean((gains[0][one] - gains[1][one]) ** 2))) / 2 for one in arms[1:]}


def _boost(table: Floats, outcome: Floats, seed: int) -> Any:
    import lightgbm  # noqa: PLC0415

    binary = set(np.unique(outcome)) <= {0.0, 1.0}
    data = lightgbm.Dataset(table, outcome)
    return lightgbm.train(
        {**PARAMETERS, "objective": "binary" if binary else "regression", "seed": seed}, data, num_boost_round=TREES
    )


def _evaluated(
    model: UpliftModel, held: Mapping[str, Floats], arm: NDArray[Any], outcome: Floats, seed: int
) -> Evaluation:
    """Return the evaluation on held-out predictions; propensities are the arms' shares, since the experiment was randomised."""
    control, rng = model.control, np.random.default_rng(seed)
    actions = [one for one in held if one != control]
    gains = {one: held[one] - held[control] - model.costs.get(one, 0.0) for one in actions}
    net = np.column_stack([gains[one] - CLEAR * model.errors[one] for one in actions])
    chosen = np.where(net.max(axis=1) > 0, np.array(actions)[net.argmax(axis=1)], control)
    shares = {one: float((arm == one).mean()) for one in held}
    worth = outcome - np.array([model.costs.get(one, 0.0) for one in arm])
    weight = (arm == chosen) / np.array([shares[one] for one in arm])
    drawn = rng.integers(0, len(arm), (RESAMPLES, len(arm)))
    policies = [float((weight[i] * worth[i]).sum() / weight[i].sum()) if weight[i].any() else np.nan for i in drawn]
    top = {one: gains[one] >= np.quantile(gains[one], 0.7) for one in actions}
    effects = {one: [_effect(worth[i], arm[i], one, control, top[one][i]) for i in drawn] for one in actions}
    everybody = np.ones(len(arm), bool)
    at_30 = {one: _effect(worth, arm, one, control, top[one]) for one in actions}
    if np.isnan([*at_30.values()]).any() or not weight.any():
        raise UpliftError("too few units to tell what the actions do for those whom they suit best")
    return Evaluation(
        at_30, {one: _interval(effects[one]) for one in actions},
        {one: _effect(worth, arm, one, control, everybody) for one in actions}, float((weight * worth).sum() / weight.sum()),
        _interval(policies), max(float(worth[arm == one].mean()) for one in held),
        {one: float((chosen == one).mean()) for one in held},
    )  # fmt: skip


def _effect(outcome: Floats, arm: NDArray[Any], action: str, control: str, among: NDArray[np.bool_]) -> float:
    """Return the difference of means; NaN where `among` has nobody of one of the arms, as a resample of few units may."""
    treated, plain = outcome[among & (arm == action)], outcome[among & (arm == control)]
    return float(treated.mean() - plain.mean()) if len(treated) and len(plain) else np.nan


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


class ActionLabels:
    """The label "suggested_action": what is expected to help most, or nothing."""

    name = "uplift"

    def __init__(self, model: UpliftModel) -> None:
        self._model = model

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return one label for each member."""
        if not members:
            return []
        table = np.array([[member.features[name] for name in self._model.columns] for member in members])
        chosen, gains = self._model.choose(table)
        return [
            [self._label(member, chosen[n], {arm: float(values[n]) for arm, values in gains.items()})]
            for n, member in enumerate(members)
        ]

    def _label(self, member: MemberView, action: str, gains: Mapping[str, float]) -> Label:
        what, where = self._model.outcome, f"learned from the experiment {self._model.experiment_id}"
        if action == NOTHING:
            says = f"No action is expected to raise {what} clearly ({where})."
        else:
            says = (
                f"{action.replace('-', ' ').capitalize()} is expected to raise {what} by {gains[action]:.3g} ({where})."
            )
        clear = {arm: gain / max(self._model.errors[arm], 1e-12) for arm, gain in gains.items()}
        sure = float(ndtr(clear[action] if action in clear else -max(clear.values())))
        evidence = {f"uplift_{arm}": round(gain, 4) for arm, gain in gains.items()} | {
            "experiment": self._model.experiment_id
        }
        return Label(
            member.member_id, "suggested_action", action, round(sure, 3), says, evidence, self.name, Purpose.MARKETING,
            member.at, member.at + LABEL_DAYS,
        )  # fmt: skip
