"""Ways to foresee lapse, side by side on the same splits: rules, a tree, logistic regression, forests, boosting, hazard, the hybrid.

The hybrid reproduces the published cluster-then-classify study (Applied Sciences 12(18) 9355): k-medoids, then in each cluster
gradient boosting, a decision tree and a neural network, stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from personalization.profiling.churn.dataset import COLUMNS, matrix, origins, rows_at, training_rows
from personalization.profiling.churn.model import boost

SEED = 7
CLUSTERS, MEDOID_SAMPLE, FOLDS = 3, 1_500, 4
WEEK = timedelta(days=7)
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Scorer = Callable[[Floats], Floats]
Learner = Callable[[Floats, Flags, NDArray[Any]], Scorer]


@dataclass(frozen=True, slots=True)
class Judged:
    """One learner at one origin."""

    learner: str
    origin: str
    n: int
    auc: float
    ci: tuple[float, float]
    pr_auc: float


def _sklearn(model: Any) -> Learner:
    def learn(table: Floats, y: Flags, _: NDArray[Any]) -> Scorer:
        fitted = model().fit(table, y)
        return lambda asked: np.asarray(fitted.predict_proba(asked)[:, 1])

    return learn


def _imputed(last: Any, *, scale: bool = False) -> Any:
    return make_pipeline(SimpleImputer(), *([StandardScaler()] if scale else []), last)


def boosting(table: Floats, y: Flags, _: NDArray[Any]) -> Scorer:
    """Learn Aisle's own booster."""
    model = boost(table, y, SEED, names=[f"c{i}" for i in range(table.shape[1])])
    return lambda asked: np.asarray(model.predict(asked))


def hybrid(table: Floats, y: Flags, groups: NDArray[Any]) -> Scorer:
    """Learn the cluster-then-classify stack of the study."""
    prepare = _imputed(StandardScaler()).fit(table)
    points = prepare.transform(table)
    medoids = k_medoids(points, CLUSTERS, np.random.default_rng(SEED))
    cluster = _nearest(points, medoids)
    whole = _stack(points, y, groups)
    parts = {
        c: _stack(points[cluster == c], y[cluster == c], groups[cluster == c])
        for c in range(CLUSTERS)
        if min(y[cluster == c].sum(), (~y[cluster == c]).sum()) >= 10 * FOLDS
    }

    def score(asked: Floats) -> Floats:
        where, found = prepare.transform(asked), np.zeros(len(asked))
        mine = _nearest(where, medoids)
        for c in range(CLUSTERS):
            if (mine == c).any():
                found[mine == c] = parts.get(c, whole)(where[mine == c])
        return found

    return score


def _stack(table: Floats, y: Flags, groups: NDArray[Any]) -> Scorer:
    makers: list[Learner] = [
        boosting, _sklearn(lambda: DecisionTreeClassifier(max_depth=6, min_samples_leaf=50, random_state=SEED)),
        _sklearn(lambda: MLPClassifier((64, 32), alpha=1.0, early_stopping=True, random_state=SEED)),
    ]  # fmt: skip
    outside = np.zeros((len(table), len(makers)))
    for seen, unseen in GroupKFold(FOLDS).split(table, y, groups):
        for column, learn in enumerate(makers):
            outside[unseen, column] = learn(table[seen], y[seen], groups[seen])(table[unseen])
    last = LogisticRegression().fit(outside, y)
    fitted = [learn(table, y, groups) for learn in makers]
    return lambda asked: np.asarray(last.predict_proba(np.column_stack([one(asked) for one in fitted]))[:, 1])


def k_medoids(points: Floats, clusters: int, rng: np.random.Generator, rounds: int = 30) -> Floats:
    """Return medoids (clusters, d) by Voronoi iteration (Park and Jun 2009) on a sample."""
    sample = points[rng.permutation(len(points))[:MEDOID_SAMPLE]]
    distances = np.sqrt(np.maximum((sample**2).sum(1)[:, None] + (sample**2).sum(1) - 2 * sample @ sample.T, 0.0))
    chosen = np.argsort((distances / distances.sum(axis=0)).sum(axis=1))[:clusters]
    for _ in range(rounds):
        nearest = distances[:, chosen].argmin(axis=1)
        moved = np.array(
            [
                np.flatnonzero(nearest == c)[distances[np.ix_(nearest == c, nearest == c)].sum(axis=1).argmin()]
                for c in range(clusters)
            ]
        )
        if (moved == chosen).all():
            break
        chosen = moved
    found: Floats = sample[chosen]
    return found


def _nearest(points: Floats, medoids: Floats) -> NDArray[np.intp]:
    return ((points[:, None, :] - medoids) ** 2).sum(axis=2).argmin(axis=1)


LEARNERS: Mapping[str, Learner] = {
    "tree of depth 4": _sklearn(lambda: _imputed(DecisionTreeClassifier(max_depth=4, min_samples_leaf=100, random_state=SEED))),
    "logistic regression": _sklearn(lambda: _imputed(LogisticRegression(C=0.05, max_iter=2000), scale=True)),
    "random forest": _sklearn(lambda: _imputed(RandomForestClassifier(200, min_samples_leaf=20, n_jobs=2, random_state=SEED))),
    "histogram boosting": _sklearn(lambda: HistGradientBoostingClassifier(max_iter=150, learning_rate=0.04, random_state=SEED)),
    "cluster, then stack": hybrid,
    "LightGBM (Aisle)": boosting,
}  # fmt: skip


def study(
    lines: pl.DataFrame, horizon: timedelta, tests: list[datetime], *, every: timedelta = 2 * WEEK
) -> list[Judged]:
    """Return each learner at each of the `tests` origins, trained on origins whose horizon had ended, `every` so often."""
    found = []
    first = lines["at"].min()
    assert isinstance(first, datetime)
    for origin in tests:
        rows = training_rows(lines, origins(first, origin - horizon, every=every), horizon)
        table, y, groups = matrix(rows), rows["lapsed"].to_numpy(), rows["member_id"].to_numpy()
        asked = rows_at(lines, origin, horizon)
        wanted, truth = matrix(asked), asked["lapsed"].to_numpy()
        scores = {"visits in 84 days (a rule)": -asked["visits_84d"].to_numpy().astype(float)}
        scores["discrete hazard"] = _hazard(lines, origin, horizon, every)(wanted)
        scores |= {name: learn(table, y, groups)(wanted) for name, learn in LEARNERS.items()}
        found += [_judged(name, f"{origin:%Y-%m-%d}", truth, score) for name, score in scores.items()]
    return found


def _hazard(lines: pl.DataFrame, origin: datetime, horizon: timedelta, every: timedelta) -> Scorer:
    """Return the probability of no visit through a logistic hazard of coming in each week (Singer and Willett 1993)."""
    first = lines["at"].min()
    assert isinstance(first, datetime)
    weeks = horizon // WEEK
    tables, labels = [], []
    for past in origins(first, origin - horizon, every=every):
        alive = rows_at(lines, past, horizon).select("member_id", *COLUMNS)
        for week in range(weeks):
            came = lines.filter((pl.col("at") > past + week * WEEK) & (pl.col("at") <= past + (week + 1) * WEEK))[
                "member_id"
            ].unique()
            here = alive["member_id"].is_in(came.implode()).to_numpy()
            tables.append(np.column_stack([matrix(alive), np.full(len(alive), week)]))
            labels.append(here)
            alive = alive.filter(pl.Series(~here))
    model = _imputed(LogisticRegression(C=0.05, max_iter=2000), scale=True).fit(
        np.concatenate(tables), np.concatenate(labels)
    )

    def away(asked: Floats) -> Floats:
        stays = np.ones(len(asked))
        for week in range(weeks):
            stays *= 1 - model.predict_proba(np.column_stack([asked, np.full(len(asked), week)]))[:, 1]
        return stays

    return away


def telco_study(table: Floats, y: Flags) -> list[Judged]:
    """Return each learner's mean over five folds on Telco's customers; the interval is over folds."""
    from sklearn.model_selection import StratifiedKFold

    folds: dict[str, list[tuple[float, float]]] = {}
    for seen, unseen in StratifiedKFold(5, shuffle=True, random_state=SEED).split(table, y):
        for name, learn in LEARNERS.items():
            score = learn(table[seen], y[seen], np.arange(len(seen)))(table[unseen])
            folds.setdefault(name, []).append(
                (float(roc_auc_score(y[unseen], score)), float(average_precision_score(y[unseen], score)))
            )
    found = []
    for name, values in folds.items():
        auc, pr = np.array(values).T
        half = 1.96 * auc.std(ddof=1) / np.sqrt(len(auc))
        found.append(
            Judged(
                name,
                "Telco, 5 folds",
                len(y),
                float(auc.mean()),
                (float(auc.mean() - half), float(auc.mean() + half)),
                float(pr.mean()),
            )
        )
    return found


def _judged(name: str, origin: str, y: Flags, score: Floats) -> Judged:
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(300):
        i = rng.integers(0, len(y), len(y))
        drawn.append(roc_auc_score(y[i], score[i]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Judged(
        name,
        origin,
        len(y),
        float(roc_auc_score(y, score)),
        (float(low), float(high)),
        float(average_precision_score(y, score)),
    )


def as_markdown(title: str, found: list[Judged]) -> list[str]:
    """Return a table of learners by origin, AUC with its interval and PR-AUC."""
    columns = list(dict.fromkeys(one.origin for one in found))
    rows: dict[str, dict[str, Judged]] = {}
    for one in found:
        rows.setdefault(one.learner, {})[one.origin] = one
    head = [f"### {title}", "", f"| learner | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    cells = [
        f"| {name} | "
        + " | ".join(f"{one.auc:.3f} ({one.ci[0]:.3f} to {one.ci[1]:.3f}), PR {one.pr_auc:.3f}" for one in by.values())
        + " |"
        for name, by in rows.items()
    ]
    return [*head, *cells, ""]
