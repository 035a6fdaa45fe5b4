"""Coupon codes: unguessable, and with a check character that tells a typing error from a code that nobody has.

Twelve symbols of Crockford's base32 hold 60 random bits. The thirteenth makes the code's weighted sum in GF(32) zero
(weights are powers of a generator), so one wrong symbol, or any two that changed places, never pass. Crockford's own
check (modulo 37) needs symbols that neither a URL nor a QR code's alphanumeric mode holds.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 13
_LOOK_ALIKES = str.maketrans("OIL", "011")
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1 is primitive, so x generates the field's 31 units


class MistypedCodeError(ValueError):
    """The code cannot be one of ours: its check character does not fit."""


def new_code() -> str:
    """Return a new code of LENGTH symbols: 60 bits from the system's source of randomness, and the check character."""
    bits = secrets.randbits(5 * (LENGTH - 1))
    drawn = [bits >> 5 * place & 31 for place in range(LENGTH - 1)]
    return "".join(ALPHABET[symbol] for symbol in (*drawn, _check(drawn)))


def read_code(typed: str) -> str:
    """Return the code as it is stored: upper case, no blanks or hyphens, look-alikes (O, I, L) resolved.

    Codes of another length are older ones, or another system's, and have no check. Raises MistypedCodeError.
    """
    code = typed.upper().replace(" ", "").replace("-", "")
    if len(code) != LENGTH:
        return code
    code = code.translate(_LOOK_ALIKES)
    symbols = [ALPHABET.find(symbol) for symbol in code]
    if min(symbols) < 0 or _check(symbols[:-1]) != symbols[-1]:
        raise MistypedCodeError(f"{code} is mistyped: its last character does not fit the others")
    return code


def _check(symbols: list[int]) -> int:
    """Return the symbol c for which x^12 s1 + ... + x s12 + c = 0 in GF(32); Horner's rule."""
    total = 0
    for symbol in symbols:
        total = _times_x(total ^ symbol)
    return total


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 32 else value
