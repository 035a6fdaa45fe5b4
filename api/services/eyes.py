"""The vision pipeline inside the api, for a kiosk page that uses the browser's camera. Frames are never stored."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import cv2
import numpy as np
import structlog
from PIL import Image

from api.errors import ProblemError
from api.wiring import Services
from personalization.types import MemberId, Purpose
from stores.kiosks import Kiosk
from stores.switches import Use
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
from vision.pipeline import EMPTY, Pipeline

log = structlog.get_logger(__name__)
LARGEST_SIDE = 4096


@dataclass(slots=True)
class _Watching:
    """One kiosk's pipeline, and what its store has switched on as of the last frame."""

    pipeline: Pipeline
    uses: frozenset[Use] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Galleries:
    """The consenting members with the staff, the staff alone, and who agreed that their expression is read, too."""

    state: tuple[int, datetime | None]  # of the gallery (`SqlTemplates.state`)
    everybody: Gallery
    adapting: Gallery
    staff: Gallery
    readable: frozenset[MemberId]

    def of(self, uses: frozenset[Use]) -> Gallery:
        """Return whom a camera may know where these uses are switched on."""
        if Use.RECOGNITION not in uses:
            return self.staff if uses else EMPTY
        return self.adapting if Use.ADAPTATION in uses else self.everybody


class Eyes:
    """One pipeline per kiosk, one gallery for all, reloaded when it changes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._watching: dict[str, _Watching] = {}
        self._guard, self._loading = threading.Lock(), threading.Lock()
        self._galleries: Galleries | None = None

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

    def galleries(self) -> Galleries:
        """Return whom cameras may know, as of now."""
        with self._loading:  # one builds it, the others wait
            return self._newest()

    def _newest(self) -> Galleries:
        services, state = self._services, self._services.templates.state()
        if self._galleries is None or self._galleries.state != state:
            name = self.engine.name
            staff = services.staff.templates(name)
            everybody = Gallery(services.templates.gallery(name), self.threshold, staff=staff)
            self._galleries = Galleries(
                state,
                everybody=everybody,
                adapting=everybody.adapting() if services.settings.vision_adaptive else everybody,
                staff=Gallery([], self.threshold, staff=staff),
                readable=services.consents.members_with(Purpose.EXPRESSION),
            )
        return self._galleries

    def observe(self, kiosk: Kiosk, jpeg: bytes) -> Observation | None:
        """Return what the frame shows; None when the one before is still being looked at (the newer will come)."""
        frame = decode(jpeg)
        watching = self._pipeline(kiosk)
        if not watching.lock.acquire(blocking=False):
            return None
        try:
            watching.uses = self._services.switches.uses(kiosk.store_id)
            gallery = self.galleries().of(watching.uses)
            watching.pipeline.exclude(kiosk.excluded)
            return watching.pipeline.observe(frame, gallery, at=time.monotonic())
        finally:
            watching.lock.release()

    def coach(self, jpeg: bytes) -> str:
        """Return what somebody who wants to be enrolled should change, or "" when the picture is good. It is not kept."""
        return advise(self.engine, decode(jpeg))[1]

    def template(self, jpegs: Sequence[bytes]) -> Template:
        """Return the template of the one person in the pictures; EnrolmentError says what is wrong."""
        return make_template(self.engine, [decode(jpeg) for jpeg in jpegs])

    def _pipeline(self, kiosk: Kiosk) -> _Watching:
        with self._guard:
            if kiosk.kiosk_id not in self._watching:

                def may_read(member_id: str | None) -> bool:
                    if Use.EXPRESSION not in self._watching[kiosk.kiosk_id].uses:
                        return False
                    return member_id is None or member_id in self.galleries().readable

                liveness = make_liveness(self._services.settings.vision_liveness, self._services.models_dir)
                pipeline = Pipeline(self.engine, self.expression, may_read, liveness=liveness)
                self._watching[kiosk.kiosk_id] = _Watching(pipeline)
            return self._watching[kiosk.kiosk_id]


def missing_names(services: Services) -> list[str]:
    """Return the names of model files that are not there."""
    return [file.name for file in missing(services.models_dir, vision_files())]


def decode(jpeg: bytes) -> Frame:
    """Return the picture as BGR; ProblemError 415 when it is none."""
    frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if _of_sane_size(jpeg) else None
    if frame is None:
        raise ProblemError(415, "not-a-picture", "Send one JPEG or PNG picture of 16 to 4096 pixels a side.")
    return np.asarray(frame, np.uint8)


def _of_sane_size(jpeg: bytes) -> bool:
    """Whether its head tells of a picture of 16 to LARGEST_SIDE pixels a side: a small file may hold a huge one, so that is asked before decoding."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG", "PNG"]) as head:
            return min(head.size) >= 16 and max(head.size) <= LARGEST_SIDE
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
