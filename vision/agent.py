"""The agent beside a camera: pixels stay here, the api only hears who (of the consenting) is there and how they seem."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import numpy as np
import structlog

from vision.capture import Capture
from vision.engines import FaceEngine
from vision.errors import AgentError
from vision.expression import ExpressionModel
from vision.gallery import Gallery
from vision.pipeline import Observation, Pipeline

log = structlog.get_logger(__name__)
GALLERY_EVERY_S = 2.0
HEARTBEAT_S = 1.0
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class _Known:
    """What the api told about consent."""

    gallery: Gallery
    expression_members: frozenset[str]
    expression_notice: bool
    etag: str


class Agent:
    """Watches one camera for one kiosk."""

    def __init__(
        self, client: httpx.Client, kiosk: str, engine: FaceEngine, expression: ExpressionModel | None
    ) -> None:
        self._client, self._kiosk, self._engine = client, kiosk, engine
        self._known = _Known(Gallery([], 1.0), frozenset(), False, "")
        self._pipeline = Pipeline(engine, expression, self._may_read_expression)
        self._next_gallery = self._pause = 0.0
        self._told: tuple[Any, ...] = ()
        self._told_at = self._next_try = 0.0

    def connect(self) -> None:
        """Fetch the gallery once; AgentError when the api refuses or cannot be reached."""
        try:
            self._refresh_gallery()
        except httpx.HTTPStatusError as error:
            detail = (
                error.response.json().get("detail", "")
                if "json" in error.response.headers.get("content-type", "")
                else ""
            )
            raise AgentError(
                f"the api refused: {error.response.status_code} {detail} Check --kiosk and --key"
            ) from error
        except httpx.HTTPError as error:
            raise AgentError(
                f"the api at {self._client.base_url} cannot be reached ({type(error).__name__}); is it running?"
            ) from error

    def run(self, capture: Capture, *, fps: float, on_observation: Callable[[Observation], None]) -> None:
        """Watch until the capture ends; a lost connection is retried with back-off, and the camera is watched meanwhile."""
        while not capture.ended:
            started = time.monotonic()
            frame = capture.newest()
            if frame is None:
                continue
            if started >= self._next_gallery:
                self._guarded(self._refresh_gallery)
            seen = self._pipeline.observe(frame, self._known.gallery, at=started)
            on_observation(seen)
            if self._news(seen, started):
                self._guarded(partial(self._tell, seen))
            time.sleep(max(0.0, 1.0 / fps - (time.monotonic() - started)))
        self._guarded(lambda: self._tell(Observation(False)))

    def _news(self, seen: Observation, at: float) -> bool:
        state = (seen.present, seen.track_id, seen.member_id, seen.expression)
        if state == self._told and at - self._told_at < HEARTBEAT_S:
            return False
        self._told, self._told_at = state, at
        return True

    def _tell(self, seen: Observation) -> None:
        body = {"present": seen.present, "track_id": seen.track_id, "member_id": seen.member_id, "similarity": seen.similarity,
                "expression": seen.expression, "valence": seen.valence, "dwell_ms": seen.dwell_ms, "at": datetime.now(UTC).isoformat()}  # fmt: skip
        self._client.post(f"/v1/kiosks/{self._kiosk}/observations", json=body).raise_for_status()

    def _refresh_gallery(self) -> None:
        self._next_gallery = time.monotonic() + GALLERY_EVERY_S
        answer = self._client.get(f"/v1/kiosks/{self._kiosk}/gallery", headers={"If-None-Match": self._known.etag})
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return
        answer.raise_for_status()
        body = answer.json()
        if body["model"] != self._engine.name:
            raise AgentError(
                f"the api's templates are of {body['model']}, this agent's engine is {self._engine.name}; set AISLE_VISION_ENGINE alike"
            )
        entries = [(t["member_id"], np.frombuffer(base64.b64decode(t["vector"]), "<f4")) for t in body["templates"]]
        allowed = frozenset(t["member_id"] for t in body["templates"] if t["expression"])
        self._known = _Known(
            Gallery(entries, body["threshold"]), allowed, body["expression_notice"], answer.headers.get("etag", "")
        )

    def _may_read_expression(self, member_id: str | None) -> bool:
        return self._known.expression_notice if member_id is None else member_id in self._known.expression_members

    def _guarded(self, call: Callable[[], None]) -> None:
        if time.monotonic() < self._next_try:
            return
        try:
            call()
            self._pause = 0.0
        except httpx.HTTPError as error:
            self._pause = min(max(self._pause * 2, 1.0), LONGEST_PAUSE_S)
            self._next_try = time.monotonic() + self._pause
            log.warning("the api does not answer", cause=type(error).__name__, next_try_s=self._pause)
