"""Outcomes of experiments that take long to gather are kept for a minute, and not beyond a withdrawal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from api.services import measured
from api.services.measured import Measured

NOW = datetime.now(UTC)


class Units:
    """Keeps nothing, or what it is given."""

    def __init__(self, kept: pl.DataFrame | None = None) -> None:
        self._kept = kept

    def kept(self, _experiment_id: str, *, at: datetime) -> pl.DataFrame | None:
        return self._kept if at == NOW else None


NOTHING: Any = Units()


class Slow:
    """Experiments whose outcomes count how often they were gathered."""

    def __init__(self) -> None:
        self.gathered = 0

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        self.gathered += 1
        return pl.DataFrame({"experiment": [experiment_id], "n": [self.gathered]})


def _of(found: Measured, name: str = "a") -> int:
    return int(found.outcomes(name, at=NOW)["n"][0])


def test_what_takes_long_is_kept_until_somebody_withdraws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "LONG_S", -1.0)
    slow: Any = Slow()
    found = Measured(slow, NOTHING)
    assert [_of(found), _of(found), _of(found, "b"), _of(found)] == [1, 1, 2, 1]
    found.forget()
    assert _of(found) == 3


def test_what_is_quick_is_always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "LONG_S", 3_600.0)
    slow: Any = Slow()
    found = Measured(slow, NOTHING)
    assert [_of(found), _of(found)] == [1, 2]


def test_no_more_than_a_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "LONG_S", -1.0)
    slow: Any = Slow()
    found = Measured(slow, NOTHING)
    for number in range(measured.MOST + 1):
        _of(found, str(number))
    assert _of(found, str(measured.MOST)) == measured.MOST + 1
    assert _of(found, "0") == measured.MOST + 2


def test_what_the_worker_gathered_is_not_gathered_again() -> None:
    slow: Any = Slow()
    ahead: Any = Units(pl.DataFrame({"n": [7]}))
    assert _of(Measured(slow, ahead)) == 7
    assert slow.gathered == 0
