"""Prices as people write them, and whether the one before was truly higher."""

from __future__ import annotations

import re
from decimal import Decimal

from personalization.creative.errors import CreativeError

_PRICE = re.compile(r"(\D*?)\s*(\d[\d.,'\u2019\u00a0\u202f ]*)\s*(\D*)")


def read_price(written: str) -> tuple[Decimal, str] | None:
    """Return the amount of a written price ("$2.79", "1.299,00 €") and what else stands there; None for what is none.

    Of the separators the last one is the decimal one where one or two digits follow it, and no other is like it.
    """
    match = _PRICE.fullmatch(written.strip())
    if match is None:
        return None
    before, number, after = match.groups()
    *whole, last = re.split(r"[^\d]", number.strip(" .,'"))
    marks = re.findall(r"[^\d]", number.strip(" .,'"))
    decimals = bool(whole) and len(last) in {1, 2} and marks.count(marks[-1]) == 1
    if any(len(part) != 3 for part in (whole[1:] if decimals else [*whole[1:], last] if whole else [])):
        return None
    amount = "".join(whole) + "." + last if decimals else "".join([*whole, last])
    return Decimal(amount), f"{before}{after}".strip().casefold()


def check_before(price: str, was: str) -> None:
    """Raise CreativeError unless `was` is empty or a price that is truly higher than `price`, in the same currency."""
    if not was.strip():
        return
    now, before = read_price(price), read_price(was)
    if now is None or before is None:
        wrong = f"{was!r}" if before is None else f"{price!r}" if price else "no price"
        raise CreativeError("bad-was", f"A price before needs a price now, and both as numbers; {wrong} is not one.")
    if now[1] != before[1]:
        raise CreativeError("bad-was", f"{was!r} and {price!r} are not in the same currency.")
    if before[0] <= now[0]:
        raise CreativeError("bad-was", f"The price before, {was!r}, is not higher than {price!r}.")
