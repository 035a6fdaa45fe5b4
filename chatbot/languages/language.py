"""What a language's folder says of it: its names, how money and days are written, and how people are addressed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
DEFAULT = "en"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONEY = re.compile(
    r"(?P<sign>-?)(?P<symbol>[$€£])(?P<before>\d[\d,]*\.\d\d)|(?P<after>\d[\d,]*\.\d\d) (?P<code>[A-Z]{3})\b"
)
_DAY = re.compile(rf"\b(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)})(?: (?P<year>\d{{4}}))?\b")


class LanguageError(ValueError):
    """A language's files are not sound; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language; an empty `money` or `day` leaves them as English writes them."""

    code: str
    name: str
    own_name: str
    money: str = ""
    decimal: str = "."
    thousands: str = ","
    day: str = ""
    day_without_year: str = ""
    months: tuple[str, ...] = ()
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def written(self, text: str) -> str:
        """Return a text with its amounts of money and its days as this language writes them."""
        if self.money:
            text = _MONEY.sub(self._money, text)
        return _DAY.sub(self._day, text) if self.day else text

    def _money(self, match: re.Match[str]) -> str:
        whole, _, cents = (match["before"] or match["after"]).partition(".")
        amount = f"{match['sign'] or ''}{whole.replace(',', self.thousands)}{self.decimal}{cents}"
        return self.money.format(amount=amount, symbol=match["symbol"] or match["code"])

    def _day(self, match: re.Match[str]) -> str:
        month = self.months[_MONTHS.index(match["month"])]
        form = self.day if match["year"] else self.day_without_year
        return form.format(day=int(match["day"]), month=month, year=match["year"])


@cache
def available() -> tuple[str, ...]:
    """Return the codes of the languages that Aisle comes with, the default first."""
    codes = sorted(path.parent.name for path in FOLDER.glob("*/language.yml"))
    return (DEFAULT, *(code for code in codes if code != DEFAULT))


@cache
def load_language(code: str) -> Language:
    """Return a language; LanguageError when there is none of that code, or its file is not sound."""
    path = FOLDER / code / "language.yml"
    if not path.exists():
        raise LanguageError(f"there is no language {code}; there are {', '.join(available())}")
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        addresses = {str(way): tuple(words) for way, words in read.pop("addresses", {}).items()}
        made = Language(code, months=tuple(read.pop("months", ())), addresses=addresses, **read)
    except (TypeError, AttributeError) as error:
        raise LanguageError(f"{path}: {error}") from error
    if made.day and len(made.months) != len(_MONTHS):
        raise LanguageError(f"{path}: twelve months are expected")
    return made
