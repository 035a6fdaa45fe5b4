"""Features of members: defined once, computed over tables (`tables`, for everybody) and from live state (`live`, for one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalization.profiling.features.definitions import FEATURES, SIGNALS, WINDOW

if TYPE_CHECKING:
    from personalization.profiling.features.tables import (
        LINE_COLUMNS,
        batch,
        category_shares,
        signal_features,
        snapshot,
    )

__all__ = ["FEATURES", "LINE_COLUMNS", "SIGNALS", "WINDOW", "batch", "category_shares", "signal_features", "snapshot"]


def __getattr__(name: str) -> Any:
    """Import Ibis when tables are wanted: serving does not need it."""
    if name not in __all__:
        raise AttributeError(name)
    from personalization.profiling.features import tables  # noqa: PLC0415

    return getattr(tables, name)
