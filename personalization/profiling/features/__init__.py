"""Features of members: defined once, computed over tables and from live state."""

from personalization.profiling.features.batch import LINE_COLUMNS, batch, category_shares, signal_features
from personalization.profiling.features.definitions import FEATURES, SIGNALS, WINDOW

__all__ = ["FEATURES", "LINE_COLUMNS", "SIGNALS", "WINDOW", "batch", "category_shares", "signal_features"]
