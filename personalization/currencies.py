"""How many digits after the point the amounts of a currency have (ISO 4217): none for yen, three for Kuwaiti dinars, else two."""

from __future__ import annotations

_WITHOUT = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_FOUR = frozenset({"CLF", "UYW"})
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def places(currency: str) -> int:
    """Return the digits after the point; two for a currency that is not known."""
    return 0 if currency in _WITHOUT else 3 if currency in _THREE else 4 if currency in _FOUR else 2


def minor_per_major(currency: str) -> int:
    """Return how many minor units one of the currency has."""
    return int(10 ** places(currency))


def written(minor_units: float, currency: str) -> str:
    """Return an amount of minor units as people write it: $1,234.50 or 1,235 JPY; without a currency the bare number."""
    digits, value = places(currency), minor_units / minor_per_major(currency)
    sign, amount = "-" if value < 0 else "", f"{abs(value):,.{digits}f}"
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}".rstrip()
