"""What a trained segment is, in words: the bounds that its rule puts on features, and what its members like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor

from personalization.currencies import written
from personalization.profiling.segments import CLUSTERED

Bounds = Mapping[str, tuple[float | None, float | None]]
"""Least and most of each feature; None where it is not bounded."""
# money spent is orders times baskets: with it, a tree can cut across the two
RULED = (*CLUSTERED, "spent")
_WORDS = {
    "orders": "orders in 26 weeks",
    "basket_value": "a basket",
    "promo_share": "on promotion",
    "spent": "spent in all",
}


def in_words(bounds: Bounds | None, liked: Sequence[str], currency: str = "") -> str:
    """Return a segment's rule, and what its members like, as a sentence. bounds : None where no leaf of the tree is the segment's."""
    more = f" They spend more of it than others on {_listed(liked)}." if liked else ""
    return f"{'Between the other segments' if bounds is None else _sentence(bounds, currency)}.{more}"


def _sentence(bounds: Bounds, currency: str) -> str:
    parts = []
    for name in RULED:
        low, high = bounds.get(name, (None, None))
        least, most = _shown(name, low, currency, up=True), _shown(name, high, currency, up=False)
        if least and most:
            parts.append(f"{least} to {most} {_WORDS[name]}")
        elif least or most:
            parts.append(f"{'at least' if least else 'at most'} {least or most} {_WORDS[name]}")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] if text else "Everybody"


def _shown(name: str, value: float | None, currency: str, *, up: bool) -> str:
    """Return a bound as people write it; nothing for one that does not bound."""
    if value is None:
        return ""
    if name == "orders":
        return str(ceil(value) if up else floor(value))
    return f"{value:.0%}" if name == "promo_share" else written(value, currency)


def _listed(names: Sequence[str]) -> str:
    lowered = [name.lower() for name in names]
    return lowered[0] if len(lowered) == 1 else ", ".join(lowered[:-1]) + " and " + lowered[-1]
