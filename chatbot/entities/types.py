"""The shape of what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "product", "category", "brand", "attribute", "size", "measure", "quantity", "exclusion", "money_max", "money_min", "ordinal",
    "order_number", "email", "phone", "postcode", "name",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that a message names, at text[start:end].

    `value` is its normal form: a name as the catalogue writes it, "5.00" for money, "2" or "-1" (the last) for an ordinal,
    "W123" for an order number. `id` is the product's id where just one fits, an attribute's name ("color"), or money's
    currency where it is said. `confidence` is in (0, 1]; below 0.75 a typo was mended or the thing was guessed from its form.
    """

    kind: Kind
    value: str
    start: int
    end: int
    confidence: float = 1.0
    id: str | None = None
