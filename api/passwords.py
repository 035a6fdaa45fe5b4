"""Passwords of staff: argon2id with OWASP's parameters, and what is refused because everybody tries it first (NIST SP 800-63B-4).

How many guesses a password takes is estimated by zxcvbn (Wheeler, USENIX Security 2016): 30,000 common passwords, names and words, and what people
make of them by rows of keys, repetition, dates, capitals and figures for letters.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 128
FAMOUS = frozenset({"correct horse battery staple", "correcthorsebatterystaple"})
"""What is well known, and takes many guesses by the estimate."""
LEAST_GUESSES = 10**9
"""A word, a year and an exclamation mark take fewer."""
_LOOKED_AT = 72  # characters; the estimate's time grows with their square
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


Reason = Literal["short", "long", "common", "owner"]


class WeakPasswordError(ValueError):
    """A password that is refused; the text says why, `reason` tells it to machines."""

    def __init__(self, reason: Reason, told: str) -> None:
        super().__init__(told)
        self.reason = reason


def accept(password: str, *, told: tuple[str, ...] = ()) -> str:
    """Return the hash of a new password; WeakPasswordError when it is too short, too long, or the first that anybody tries.

    `told`: what is known of its owner, such as name and address.
    """
    clean = _clean(password)
    plain = clean.casefold()
    if len(clean) < SHORTEST:
        few = f"A password has {SHORTEST} characters or more; a few words in a row are easy to keep."
        raise WeakPasswordError("short", few)
    if len(clean) > LONGEST:
        raise WeakPasswordError("long", f"A password has at most {LONGEST} characters.")
    known = [part for text in told for part in _words(text)]
    if any(len(plain.replace(part, "")) < SHORTEST // 2 for part in known):
        raise WeakPasswordError("owner", "This password is hardly more than your name or address; choose another.")
    if plain in FAMOUS or _guesses(clean, known) < LEAST_GUESSES:
        easy = (
            "This password is made of what is tried first: common passwords, names, rows of keys, repetitions and dates count for little,"
            " also with figures or signs behind them. Choose another, such as three or four words that have nothing to do with each other."
        )
        raise WeakPasswordError("common", easy)
    return _HASHER.hash(clean)


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password; where there is none to compare with, that takes as long."""
    try:
        found = _HASHER.verify(kept or _nobodys(), _clean(password)[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return found and kept is not None


def anew(password: str, kept: str) -> str | None:
    """Return a hash with today's parameters of a password that fits; None where `kept` has them."""
    return _HASHER.hash(_clean(password)) if _HASHER.check_needs_rehash(kept) else None


def _guesses(password: str, known: list[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415  its lists take a tenth of a second and some megabytes, which few processes need

    return float(zxcvbn(password[:_LOOKED_AT], user_inputs=known)["guesses"])


def _clean(password: str) -> str:
    """Return the same text for every keyboard (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [part for part in (plain, plain.partition("@")[0], "".join(plain.split()), *plain.split()) if len(part) >= 4]


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
