"""A frame's way through small stages, each timed, each free to fail without taking the others down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from vision.faces import Face, Frame
from vision.tracks import Track

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Look:
    """One frame, and what the stages found in it so far. `at` in seconds; it never goes back."""

    frame: Frame
    at: float
    faces: list[Face] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    stages_ms: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Stage(Protocol):
    """One step. It reads what the stages before it left in the look, and adds its own."""

    @property
    def name(self) -> str:
        """What its times are called."""
        ...

    def __call__(self, look: Look) -> None:
        """Do the work on one frame."""
        ...


class Graph:
    """Runs stages in order. `clock` counts seconds."""

    def __init__(self, stages: Sequence[Stage], clock: Callable[[], float] = time.perf_counter) -> None:
        self._stages, self._clock = tuple(stages), clock
        self._reported: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The stages, in order."""
        return tuple(stage.name for stage in self._stages)

    def run(self, look: Look) -> Look:
        """Pass `look` through every stage. One that fails is left out of this frame, and told of once."""
        for stage in self._stages:
            started = self._clock()
            try:
                stage(look)
            except Exception as error:  # noqa: BLE001  whatever a model throws at a strange frame, the camera goes on
                look.failed.append(stage.name)
                if stage.name not in self._reported:
                    self._reported.add(stage.name)
                    log.warning("a stage of the pipeline failed", stage=stage.name, cause=type(error).__name__)
            look.stages_ms[stage.name] = round((self._clock() - started) * 1000, 2)
        return look
