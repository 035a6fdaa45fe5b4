"""P(convert | shopper, thing, discount): boosting that starts from a belief, calibrated, and never falling along a ladder.

In log-odds: the prior of the segment and the discount's depth, plus a ridge regression on FEATURES, plus trees on FEATURES,
discount and depth. With few rows the ridge and the trees stay at zero and the answer is the prior; as logs come they take
over. Log-odds are then calibrated on members that the trees had not seen (Platt 1999), the average at each rung is moved to
what the log proves (`log.doubly_robust`), and each shopper's curve is made monotone (`isotonic`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.calibration import log_odds, logistic, platt, sigmoid
from personalization.coupons.features import FEATURES
from personalization.coupons.isotonic import isotonic
from personalization.coupons.log import CouponLog, doubly_robust
from personalization.coupons.objective import DROP, learned_drop
from personalization.coupons.prior import PriorResponse, depth

Floats = NDArray[np.float64]
PARAMETERS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.03, "num_leaves": 8, "min_data_in_leaf": 40, "feature_fraction": 0.4,
    "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 20.0, "verbosity": -1, "num_threads": 1, "deterministic": True,
    "force_row_wise": True,
}  # fmt: skip
MOST_TREES, PATIENCE, FOLDS = 300, 25, 5
RIDGE = 300.0  # precision of the coefficients' normal prior, per standard deviation of a feature
LEAST = 50  # conversions, and as many of the other kind: with fewer, the prior answers alone
NAMES = (*FEATURES, "discount", "depth")


@dataclass(frozen=True)
class ResponseModel:
    """What `fit` learned. Without `booster_text` it is the prior.

    mean, scale, coefficients : (f,) of the ridge regression on squeezed features; intercept : its constant;
    slope, offset : the calibration; shifts : (discount, log-odds) pairs that move averages, interpolated between;
    drop : what a redeemed coupon takes from full-price purchases (`objective.worth`).
    """

    prior: PriorResponse
    booster_text: str | None = None
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    coefficients: tuple[float, ...] = ()
    intercept: float = 0.0
    slope: float = 1.0
    offset: float = 0.0
    shifts: tuple[tuple[float, float], ...] = ()
    rows: int = 0
    drop: float = DROP

    @cached_property
    def _booster(self) -> Any:
        import lightgbm  # noqa: PLC0415  it takes seconds to import, and a prior needs none

        return lightgbm.Booster(model_str=self.booster_text)

    @cached_property
    def _line(self) -> tuple[Floats, Floats, Floats]:
        return np.array(self.mean), np.array(self.scale), np.array(self.coefficients)

    @cached_property
    def _moved(self) -> Floats:
        return np.array(self.shifts).T

    def load(self) -> None:
        """Import LightGBM and read the trees now, so that the first shopper need not wait."""
        if self.booster_text is not None:
            _ = self._booster

    def curves(self, features: Floats, discount: Floats, segments: Sequence[str] | None = None) -> Floats:
        """Return `Response.curves`: (n, k), non-decreasing along the ladder."""
        return isotonic(self.before_isotonic(features, discount, segments))

    def before_isotonic(self, features: Floats, discount: Floats, segments: Sequence[str] | None = None) -> Floats:
        """Return the curves as the model draws them, which may fall here and there: the other half of an explanation."""
        if np.ndim(discount) == 1:
            discount = np.broadcast_to(np.asarray(discount, float), (len(features), len(discount)))
        found = self._calibrated(self.raw(features, discount, segments))
        if self.shifts:
            found += np.interp(discount, *self._moved)
        return sigmoid(found)

    def raw(self, features: Floats, discount: Floats, segments: Sequence[str] | None = None) -> Floats:
        """Return log-odds (n, k) before calibration; discount : (n, k)."""
        found = log_odds(self.prior.curves(features, discount, segments))
        if self.booster_text is None:
            return found
        mean, scale, coefficients = self._line
        found += (_scaled(features, mean, scale) @ coefficients + self.intercept)[:, None]
        trees = self._booster.predict(_table(features, discount), raw_score=True, num_threads=1)
        found += np.asarray(trees).reshape(discount.shape)
        return found

    def _calibrated(self, raw: Floats) -> Floats:
        return self.slope * raw + self.offset

    def as_json(self) -> str:
        """Return the model as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ResponseModel:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for something else."""
        parts: dict[str, Any] = json.loads(text)
        for name in ("mean", "scale", "coefficients"):
            parts[name] = tuple(parts[name])
        parts["shifts"] = tuple((float(at), float(by)) for at, by in parts["shifts"])
        return cls(**{**parts, "prior": PriorResponse(**parts["prior"])})


def added(curves: Floats) -> Floats:
    """Return what each rung adds to the conversion without a coupon, (n, k) >= 0: the uplift view of curves whose rung 0 is no coupon."""
    return curves - curves[:, :1]


def fit(log: CouponLog, *, seed: int, prior: PriorResponse | None = None, constrained: bool = False) -> ResponseModel:
    """Learn from a log. Too few conversions give the prior, moved as far as they go.

    constrained : trees that may only rise with the discount (LightGBM's monotone_constraints), for comparison.
    Folds are by member, so that what calibrates and what corrects the averages comes from models that never saw the member.
    """
    belief = (prior or PriorResponse()).learned(log)
    drop = learned_drop(log, log.features[:, FEATURES.index("price_minor")]) if len(log) else DROP
    if min(log.converted.sum(), len(log) - log.converted.sum()) < LEAST:
        return ResponseModel(belief, rows=len(log), drop=drop)
    ladder = np.unique(log.discount)
    fold = np.random.default_rng(seed).permutation(int(log.member.max()) + 1)[log.member] % FOLDS
    held, given, trees = np.zeros((len(log), len(ladder))), np.zeros(len(log)), []
    for number in range(FOLDS):
        out = np.flatnonzero(fold == number)
        model, best = _learn(log.where(fold != number), belief, seed, constrained, judge=log.where(out))
        asked = np.column_stack([np.broadcast_to(ladder, (len(out), len(ladder))), log.discount[out]])
        found = model.raw(log.features[out], asked, log.segment[out].tolist())
        held[out], given[out] = found[:, :-1], found[:, -1]
        trees.append(best)
    slope, offset = platt(given, log.converted, log.weights())
    model, _ = _learn(log, belief, seed, constrained, trees=max(round(np.mean(trees)), 1))
    shifts = _shifts(log, ladder, slope * held + offset) if len(ladder) > 1 else ()
    return replace(model, slope=slope, offset=offset, shifts=shifts, rows=len(log), drop=drop)


def _learn(
    log: CouponLog, prior: PriorResponse, seed: int, constrained: bool, *, trees: int = MOST_TREES, judge: CouponLog | None = None
) -> tuple[ResponseModel, int]:  # fmt: skip
    """Return a model without calibration, and its number of trees: `trees`, or those that suit `judge` best."""
    import lightgbm  # noqa: PLC0415

    squeezed = _squeezed(log.features)
    known = np.isfinite(squeezed)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, squeezed, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, squeezed - mean, 0.0) ** 2).sum(axis=0) / count) + 1e-9
    table = np.column_stack([_scaled(log.features, mean, scale), np.ones(len(log))])
    ridge = np.append(np.full(len(mean), RIDGE), 0.0)
    start = log_odds(prior.curves(log.features, log.discount[:, None], log.segment.tolist()))[:, 0]
    line = logistic(table, log.converted, log.weights(), start, ridge)
    plain = ResponseModel(prior, None, tuple(mean), tuple(scale), tuple(line[:-1]), float(line[-1]))
    data = _dataset(log, start + table @ line)
    rising = [0] * len(FEATURES) + [1, 1]
    settings = {**PARAMETERS, "seed": seed, **({"monotone_constraints": rising} if constrained else {})}
    stop: dict[str, Any] = {}
    if judge is not None:
        first = log_odds(prior.curves(judge.features, judge.discount[:, None], judge.segment.tolist()))[:, 0]
        from_here = first + _scaled(judge.features, mean, scale) @ line[:-1] + line[-1]
        stop = {"valid_sets": [_dataset(judge, from_here, data)], "callbacks": [lightgbm.early_stopping(PATIENCE, verbose=False)]}  # fmt: skip
    booster = lightgbm.train(settings, data, num_boost_round=trees, **stop)
    best = booster.best_iteration if judge is not None else trees
    text = booster.model_to_string(num_iteration=best)
    return replace(plain, booster_text=text), best


def _dataset(log: CouponLog, start: Floats, reference: Any = None) -> Any:
    import lightgbm  # noqa: PLC0415

    table = _table(log.features, log.discount[:, None])
    return lightgbm.Dataset(table, log.converted, weight=log.weights(), init_score=start, feature_name=list(NAMES), reference=reference)  # fmt: skip


def _shifts(log: CouponLog, ladder: Floats, said: Floats) -> tuple[tuple[float, float], ...]:
    """Return for each rung by how much to move log-odds so that its average is the doubly robust one.

    A gap within its standard error is noise: gaps are shrunk by (1 - (error / gap)^2), not below 0 (James & Stein 1961).
    """
    predicted = sigmoid(said)
    proven, error = doubly_robust(log, ladder, predicted)
    gap = proven - predicted.mean(axis=0)
    kept = gap * np.maximum(1.0 - (error / np.where(gap == 0, 1.0, gap)) ** 2, 0.0)
    # average responses do not fall either, so that the closest rising ones are nearer to the truth
    rising = isotonic((predicted.mean(axis=0) + kept)[None], 1.0 / np.maximum(error, 1e-9) ** 2)[0]
    aim = np.clip(rising, 1e-5, 1 - 1e-5)
    by = np.zeros(len(ladder))
    for _ in range(30):  # Newton's method, each rung its own
        p = sigmoid(said + by)
        by += np.clip((aim - p.mean(axis=0)) / np.maximum((p * (1 - p)).mean(axis=0), 1e-9), -1.0, 1.0)
    return tuple((float(at), float(move)) for at, move in zip(ladder, by, strict=True))


def _squeezed(features: Floats) -> Floats:
    found: Floats = np.copysign(np.log1p(np.abs(features)), features)
    return found


def _scaled(features: Floats, mean: Floats, scale: Floats) -> Floats:
    found = (_squeezed(features) - mean) / scale
    found[np.isnan(found)] = 0.0
    return found


def _table(features: Floats, discount: Floats) -> Floats:
    n, k = discount.shape
    table = np.empty((n, k, len(NAMES)))
    table[:, :, :-2] = features[:, None]
    table[:, :, -2] = discount
    table[:, :, -1] = depth(features, discount)
    return table.reshape(n * k, -1)
