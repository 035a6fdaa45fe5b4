"""What experiments' units did: as the worker has gathered it, else gathered now and kept for a minute where that takes long."""

from __future__ import annotations

import threading
import time
from datetime import datetime

import polars as pl

from stores.experiment_units import SqlExperimentUnits
from stores.experiments import SqlExperiments

KEPT_S, LONG_S, MOST = 60.0, 0.3, 8


class Measured:
    """Outcomes by experiment. What is gathered quickly is always fresh; whoever asks while another gathers waits for the same."""

    def __init__(self, experiments: SqlExperiments, units: SqlExperimentUnits) -> None:
        self._experiments, self._units, self._lock = experiments, units, threading.Lock()
        self._kept: dict[str, tuple[float, pl.DataFrame]] = {}
        self._told = 0
        self._turns: dict[str, threading.Lock] = {}

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        """Return what `SqlExperiments.outcomes` does, a minute or two old at most."""
        ahead = self._units.kept(experiment_id, at=at)
        if ahead is not None:
            return ahead
        with self._lock:
            turn = self._turns.setdefault(experiment_id, threading.Lock())
        with turn:
            found = self._kept.get(experiment_id)
            if found is not None and time.monotonic() - found[0] < KEPT_S:
                return found[1]
            started, told = time.monotonic(), self._told
            units = self._experiments.outcomes(experiment_id, at=at)
            with self._lock:
                self._kept.pop(experiment_id, None)
                if time.monotonic() - started > LONG_S and told == self._told:
                    self._kept[experiment_id] = (time.monotonic(), units)
                    for oldest in list(self._kept)[:-MOST]:
                        del self._kept[oldest]
            return units

    def forget(self) -> None:
        """Gather everything anew: somebody was erased, or does not agree any more."""
        with self._lock:
            self._told += 1  # what is being gathered now may have seen them
            self._kept.clear()
