"""The members of the console's large shop: who they are, what they agreed to, their features, labels and folded profiles."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zlib import crc32

import numpy as np
import polars as pl
from sqlalchemy import Table

from personalization.profiling.features.definitions import FEATURES, SIGNALS
from personalization.profiling.state import Order, ProfileState, encode, micros
from stores.insight_tables import member_features
from stores.member_features import SAMPLES
from stores.tables import consents, labels, members, profiles

SEGMENTS = 4
TEMPLATES = 200  # different histories that profiles are made from
_FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gina",
    "Hugo",
    "Ida",
    "Jon",
    "Kim",
    "Leo",
    "Mia",
    "Noa",
    "Ole",
    "Pia",
)
_LAST = (
    "Ash",
    "Birch",
    "Cedar",
    "Dale",
    "Elm",
    "Fern",
    "Grove",
    "Hill",
    "Isle",
    "Jade",
    "Knoll",
    "Lake",
    "Moor",
    "North",
)
_PURPOSES = {"profiling": 0.85, "marketing": 0.6, "expression": 0.15}


def people(ids: pl.Series, rng: np.random.Generator, now: datetime) -> dict[Table, pl.DataFrame]:
    """Return members, what they agreed to, their features and their profiles."""
    n = len(ids)
    names = [
        f"{_FIRST[a]} {_LAST[b]}"
        for a, b in zip(rng.integers(0, len(_FIRST), n), rng.integers(0, len(_LAST), n), strict=True)
    ]
    since = pl.Series([now - timedelta(days=400)] * n).dt.replace_time_zone(None)
    known = pl.DataFrame(
        {
            "member_id": ids,
            "external_id": [f"m{k}" for k in range(n)],
            "display_name": names,
            "name_is_synthetic": True,
            "created_at": since,
        }
    )
    agreed = pl.concat([
        pl.DataFrame({
            "consent_id": pl.select(pl.lit(f"c{k}") + ids.str.slice(2)).to_series(), "member_id": ids, "purpose": purpose, "granted": rng.random(n) < share,
            "at": since, "channel": "widget", "text_version": "made-1",
        }) for k, (purpose, share) in enumerate(_PURPOSES.items())
    ])  # fmt: skip
    return {
        members: known,
        consents: agreed,
        member_features: _features(ids, rng, now),
        profiles: _profiles(ids, rng, now),
    }


def labels_of(ids: pl.Series, rng: np.random.Generator, now: datetime) -> dict[Table, pl.DataFrame]:
    """Return labels: a segment, a risk, an expected spend and a rhythm for everybody, others for some."""
    n = len(ids)
    risk = rng.beta(1.2, 4, n)
    spend = np.round(rng.lognormal(9.5, 1.0, n))
    segment = rng.integers(0, SEGMENTS, n)
    level = np.select([risk >= 0.6, risk >= 0.3], ['"high"', '"medium"'], '"low"')
    every = {
        "segment": ([f'"Segment {k + 1}"' for k in segment], [json.dumps({"segment_id": f"s{k + 1}"}) for k in segment]),
        "lapse_risk": (level, [json.dumps({"probability": round(float(p), 3), "horizon_days": 28}) for p in risk]),
        "expected_spend": ([str(value) for value in spend], [json.dumps({"low_minor": int(v * 0.5), "high_minor": int(v * 2)}) for v in spend]),
        "shopping_rhythm": (np.array(['"weekly"', '"occasional"', '"every few days"'])[rng.integers(0, 3, n)], ["{}"] * n),
        "promotion_seeker": (np.where(rng.random(n) < 0.3, "true", ""), ["{}"] * n),
        "weekend_shopper": (np.where(rng.random(n) < 0.25, "true", ""), ["{}"] * n),
    }  # fmt: skip
    at = pl.Series([now] * n).dt.replace_time_zone(None)
    frames = [
        pl.DataFrame({
            "member_id": ids, "name": name, "value": value, "confidence": 0.8, "sentence": "Made for a benchmark.", "evidence": evidence, "source": "rule",
            "purpose": "profiling", "created_at": at, "expires_at": at + timedelta(days=30),
        }).filter(pl.col("value") != "")
        for name, (value, evidence) in every.items()
    ]  # fmt: skip
    return {labels: pl.concat(frames)}


def _features(ids: pl.Series, rng: np.random.Generator, now: datetime) -> pl.DataFrame:
    n = len(ids)
    segment = rng.integers(0, SEGMENTS, n)
    centre = np.array([[-2.0, -1.0], [-1.0, 1.5], [1.5, 1.0], [2.0, -1.2]])[segment]
    place = centre + rng.normal(0, 0.6, (n, 2))
    shares = {name: rng.beta(2, 3, n).round(4) for name in (*FEATURES, *SIGNALS)}
    orders = rng.poisson(8 + 6 * segment).astype(float)
    told = {
        "recency_days": rng.exponential(14, n).round(1), "tenure_days": rng.uniform(50, 800, n).round(1), "orders": orders,
        "spent": (orders * rng.lognormal(8, 0.4, n)).round(), "orders_28d": (orders / 6).round(), "orders_84d": (orders / 2).round(),
        "basket_value": rng.lognormal(8, 0.4, n).round(), "gap_mean_days": (180 / np.maximum(orders, 1)).round(2), "store_count": rng.integers(1, 5, n).astype(float),
        "category_count": rng.integers(1, 60, n).astype(float), "views_28d": rng.poisson(5, n).astype(float), "clicks_28d": rng.poisson(2, n).astype(float),
    }  # fmt: skip
    return pl.DataFrame({
        "member_id": ids, "at": pl.Series([now] * n).dt.replace_time_zone(None), "segment_id": [f"s{k + 1}" for k in segment],
        "sample": [crc32(one.encode()) % SAMPLES for one in ids], "map_x": place[:, 0].round(4), "map_y": place[:, 1].round(4), **shares, **told,
    })  # fmt: skip


def _profiles(ids: pl.Series, rng: np.random.Generator, now: datetime) -> pl.DataFrame:
    """Return profiles, as many different ones as TEMPLATES: only their size and shape matter here."""
    made = []
    for one in range(TEMPLATES):
        state = ProfileState()
        for k in range(int(rng.integers(3, 30))):
            at = micros(now - timedelta(days=float(rng.uniform(0, 180))))
            state.orders[f"o{one}-{k}"] = Order(
                at, int(rng.integers(500, 9_000)), 0, 0, 0, 4, 4_000, "s1", "store", (("Category 1", 500),)
            )
        made.append(f"\\x{encode(state).hex()}")
    drawn = pl.Series(made).gather(rng.integers(0, TEMPLATES, len(ids)))
    since = pl.Series([now] * len(ids)).dt.replace_time_zone(None)
    return pl.DataFrame({"member_id": ids, "state": drawn, "seq": 0, "segment_id": "s1", "updated_at": since})
