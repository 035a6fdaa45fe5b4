"""How private a fitted shop is: whether members it was made from are nearer to what it generates than others are.

The shop is fitted to a random half of the members. Distance to the closest record: generated members should be as near to
the other half. Membership inference: an attacker who holds a member's features guesses whether the member was in the half, by
the distance to the nearest generated member, alone or against the density of known others (after DOMIAS, van Breugel et al.
2023); an AUC of 0.5 is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from personalization.profiling.facts import feature_lines
from personalization.profiling.features import FEATURES, batch, category_shares
from personalization.synth.generate import Generator
from personalization.synth.shop import fit
from personalization.synth.traits import Floats

CATEGORIES, NEIGHBOURS, RESAMPLES = 30, 5, 500


@dataclass(frozen=True, slots=True)
class Privacy:
    """Figures with 95 % bootstrap intervals.

    nearer : share of generated members that are nearer to a fitted member than to one of the other half (0.5: no difference).
    closest, usual : median distance of generated, and of other, members to the nearest fitted one (in standard deviations).
    copies : generated members that equal a fitted one in every feature.
    """

    nearer: float
    nearer_ci: tuple[float, float]
    closest: float
    usual: float
    copies: int
    attack_auc: float
    attack_ci: tuple[float, float]
    density_attack_auc: float
    density_attack_ci: tuple[float, float]
    fitted: int
    others: int


def check(real: pl.DataFrame, products: pl.DataFrame, facts: pl.DataFrame, *, seed: int) -> dict[str, Any]:
    """Fit to half of the members, generate as many, and return `Privacy` as a dict. products : columns of `shop.fit`."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(real["member_id"].unique().sort().to_numpy())
    halves = [real.filter(pl.col("member_id").is_in(part.tolist())) for part in np.array_split(ids, 2)]
    end = real["at"].max()
    assert isinstance(end, datetime)  # noqa: S101  the column is a time
    model = fit(halves[0], products, seed=seed)
    count = halves[0]["member_id"].n_unique()
    made = pl.concat(Generator(model, seed=seed, until=end).lines(count))
    top = (
        real.join(facts, on="product_id")
        .filter(pl.col("category") != "")["category"]
        .value_counts(sort=True)["category"]
    )
    names = top.head(CATEGORIES).sort().to_list()
    inside, outside, generated = _points([*halves, made], facts, end, names)
    return asdict(_measured(inside, outside, generated, rng))


def _points(several: Sequence[pl.DataFrame], facts: pl.DataFrame, at: datetime, categories: list[str]) -> list[Floats]:
    """Return the members of each frame as standardised features and category shares."""
    raw = []
    for lines in several:
        known = feature_lines(lines, facts)
        both = batch(known, at).join(category_shares(known, at, categories), on="member_id").sort("member_id")
        raw.append(both.select(*FEATURES, *categories).to_numpy())
    together = np.concatenate(raw[:2])
    scale = together.std(axis=0)
    scale[scale < 1e-9] = 1.0
    return [(part - together.mean(axis=0)) / scale for part in raw]


def _measured(inside: Floats, outside: Floats, generated: Floats, rng: np.random.Generator) -> Privacy:
    same = min(len(inside), len(outside))  # distances to the nearest of more members are smaller
    to_inside, to_outside = (_nearest(generated, part[rng.permutation(len(part))[:same]]) for part in (inside, outside))
    nearer = (to_inside < to_outside).astype(float)
    reference, others = np.array_split(outside[rng.permutation(len(outside))], 2)
    asked = np.concatenate([inside, others])
    was_in = np.concatenate([np.ones(len(inside), bool), np.zeros(len(others), bool)])
    plain = -_nearest(asked, generated)
    density = np.log(_nearest(asked, reference, NEIGHBOURS) + 1e-9) - np.log(
        _nearest(asked, generated, NEIGHBOURS) + 1e-9
    )
    return Privacy(
        float(nearer.mean()), _interval(nearer, rng), float(np.median(to_inside)), float(np.median(_nearest(outside, inside))),
        int((to_inside < 1e-9).sum()), *_attack(was_in, plain, rng), *_attack(was_in, density, rng), len(inside), len(outside),
    )  # fmt: skip


def _nearest(points: Floats, others: Floats, neighbours: int = 1) -> Floats:
    found: Floats = NearestNeighbors(n_neighbors=neighbours).fit(others).kneighbors(points)[0].mean(axis=1)
    return found


def _interval(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    low, high = np.percentile(rng.choice(values, (RESAMPLES, len(values))).mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _attack(was_in: Any, score: Floats, rng: np.random.Generator) -> tuple[float, tuple[float, float]]:
    drawn = rng.integers(0, len(score), (RESAMPLES, len(score)))
    low, high = np.percentile([roc_auc_score(was_in[i], score[i]) for i in drawn], [2.5, 97.5])
    return float(roc_auc_score(was_in, score)), (float(low), float(high))
