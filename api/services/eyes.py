"""The vision pipeline inside the api, for a kiosk page that uses the browser's camera. Frames are never stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
import structlog

from api.errors import ProblemError
from api.wiring import Services
from personalization.types import MemberId, Purpose
from stores.kiosks import Kiosk
from vision.calibration import shipped
from vision.engines import FaceEngine, make_engine
from vision.enrol import advise, make_template
from vision.errors import ModelError
from vision.expression import ExpressionModel
from vision.faces import Frame, Template
from vision.gallery import Gallery
from vision.liveness import make_liveness
from vision.models import missing, vision_files
from vision.observation import Observation
from vision.pipeline import Pipeline

log = structlog.get_logger(__name__)
LARGEST_SIDE = 4096


class Eyes:
    """One pipeline per kiosk, one gallery for all, reloaded when it changes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pipelines: dict[str, tuple[threading.Lock, Pipeline]] = {}
        self._guard = threading.Lock()
        self._gallery: tuple[int, Gallery, frozenset[MemberId]] | None = None

    @property
    def available(self) -> bool:
        """Whether the default engine's models are there."""
        return self._services.settings.vision_engine != "opencv" or not missing_names(self._services)

    @cached_property
    def engine(self) -> FaceEngine:
        """The engine of the settings; ModelError when its files are missing."""
        return make_engine(
            self._services.settings.vision_engine, self._services.models_dir, self._services.settings.vision_pack
        )

    @cached_property
    def expression(self) -> ExpressionModel | None:
        """The expression model, or None when it is missing: nobody's expression is read then."""
        try:
            return ExpressionModel(self._services.models_dir)
        except ModelError as error:
            log.warning("no expressions are read", reason=str(error))
            return None

    @property
    def threshold(self) -> float:
        """The least similarity of a match: the operator's, or the engine's own."""
        given = self._services.settings.vision_match_threshold
        return given if given is not None else shipped().threshold(self.engine.name)

    def gallery(self) -> tuple[Gallery, frozenset[MemberId]]:
        """Return the consenting members' gallery, and who also agreed to expression."""
        version = self._services.templates.version()
        if self._gallery is None or self._gallery[0] != version:
            name = self.engine.name
            gallery = Gallery(self._services.templates.gallery(name), self.threshold)
            self._gallery = (version, gallery, self._services.consents.members_with(Purpose.EXPRESSION))
        return self._gallery[1], self._gallery[2]

    def observe(self, kiosk: Kiosk, jpeg: bytes) -> Observation | None:
        """Return what the frame shows; None when the one before is still being looked at (the newer will come)."""
        frame = decode(jpeg)
        lock, pipeline = self._pipeline(kiosk)
        if not lock.acquire(blocking=False):
            return None
        try:
            gallery, _ = self.gallery()
            return pipeline.observe(frame, gallery, at=time.monotonic())
        finally:
            lock.release()

    def coach(self, jpeg: bytes) -> str:
        """Return what somebody who wants to be enrolled should change, or "" when the picture is good. It is not kept."""
        return advise(self.engine, decode(jpeg))[1]

    def template(self, jpegs: Sequence[bytes]) -> Template:
        """Return the template of the one person in the pictures; EnrolmentError says what is wrong."""
        return make_template(self.engine, [decode(jpeg) for jpeg in jpegs])

    def _pipeline(self, kiosk: Kiosk) -> tuple[threading.Lock, Pipeline]:
        with self._guard:
            if kiosk.kiosk_id not in self._pipelines:

                def may_read(member_id: str | None) -> bool:
                    return kiosk.expression_notice if member_id is None else member_id in self.gallery()[1]

                liveness = make_liveness(self._services.settings.vision_liveness, self._services.models_dir)
                pipeline = Pipeline(self.engine, self.expression, may_read, liveness=liveness)
                self._pipelines[kiosk.kiosk_id] = threading.Lock(), pipeline
            return self._pipelines[kiosk.kiosk_id]


def missing_names(services: Services) -> list[str]:
    """Return the names of model files that are not there."""
    return [file.name for file in missing(services.models_dir, vision_files())]


def decode(jpeg: bytes) -> Frame:
    """Return the picture as BGR; ProblemError 415 when it is none."""
    frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if frame is None or max(frame.shape[:2]) > LARGEST_SIDE or min(frame.shape[:2]) < 16:
        raise ProblemError(415, "not-a-picture", "Send one JPEG or PNG picture of 16 to 4096 pixels a side.")
    return np.asarray(frame, np.uint8)
