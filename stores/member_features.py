"""Members' features as columns, so that a segment is counted and chosen by the database; kept with consent to profiling only.

They are as old as the member's labels: made anew with each event, and within FRESH_FOR of the worker without one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete

from personalization.profiling.features.definitions import FEATURES, SIGNALS
from personalization.profiling.labels import MemberView
from personalization.types import Label, MemberId
from stores.database import upsert
from stores.insight_tables import member_features

SAMPLES = 1_000
Plane = Callable[[Sequence[MemberView]], NDArray[np.float64]]
Named = Mapping[str, Label]


def put(
    connection: Connection, seen: Sequence[MemberView], found: Mapping[MemberId, Named], plane: Plane | None
) -> None:
    """Keep the features of members; `found` are their labels, which name the segment."""
    if not seen:
        return
    places = plane(seen) if plane is not None else np.full((len(seen), 2), np.nan)
    upsert(
        connection,
        member_features,
        [
            {
                "member_id": one.member_id, "at": one.at, "segment_id": segment_of(found.get(one.member_id, {})),
                "sample": sample_of(one.member_id), "map_x": _finite(x), "map_y": _finite(y),
                **{name: _finite(one.features[name]) for name in (*FEATURES, *SIGNALS)},
            }
            for one, (x, y) in zip(seen, places.tolist(), strict=True)
        ],
    )  # fmt: skip


def clear(connection: Connection, members: Collection[str]) -> None:
    """Delete the members' features."""
    if members:
        connection.execute(delete(member_features).where(member_features.c.member_id.in_(members)))


def sample_of(member_id: str) -> int:
    """Return the member's fixed number below SAMPLES."""
    return crc32(member_id.encode()) % SAMPLES


def segment_of(labels: Named) -> str | None:
    """Return the id of the trained segment that the labels name."""
    label = labels.get("segment")
    return None if label is None else str(label.evidence.get("segment_id") or "") or None


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
