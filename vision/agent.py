"""The agent beside a camera: pixels stay here, the api only hears who (of the consenting) is there and how they seem."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import numpy as np
import structlog

from vision.capture import Capture
from vision.engines import FaceEngine
from vision.errors import AgentError
from vision.expression import ExpressionModel
from vision.faces import Frame
from vision.gallery import Gallery
from vision.liveness import Liveness
from vision.observation import Observation
from vision.outbox import Outbox
from vision.pipeline import EMPTY, Pipeline
from vision.stages.detect import Zone

log = structlog.get_logger(__name__)
GALLERY_EVERY_S = 2.0
GALLERY_GOOD_FOR_S = 300.0
"""Whom the api has not confirmed for so long is nobody: a withdrawal may not wait for a broken network."""
HEARTBEAT_S = 1.0
Seen = Callable[[Frame, Observation], None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the api told about consent, and when."""

    gallery: Gallery
    expression_members: frozenset[str]
    expression_notice: bool
    etag: str
    at: float


NOBODY = _Known(EMPTY, frozenset(), expression_notice=False, etag="", at=float("-inf"))


class Agent:
    """Watches one camera for one kiosk. `client` carries the device key."""

    def __init__(
        self,
        client: httpx.Client,
        kiosk: str,
        engine: FaceEngine,
        expression: ExpressionModel | None,
        *,
        liveness: Liveness | None = None,
        excluded: Sequence[Zone] = (),
    ) -> None:
        self._client, self._kiosk, self._engine = client, kiosk, engine
        self._known = NOBODY
        self._pipeline = Pipeline(engine, expression, self._may_read_expression, liveness=liveness, excluded=excluded)
        self.outbox = Outbox(self._send)
        self._told: tuple[Any, ...] | None = None
        self._told_at = float("-inf")
        self._stopped = threading.Event()
        self.trouble: AgentError | None = None

    def connect(self) -> None:
        """Fetch the gallery once; AgentError when the api refuses or cannot be reached."""
        try:
            self._refresh()
        except httpx.HTTPStatusError as error:
            problem = error.response.json() if "json" in error.response.headers.get("content-type", "") else {}
            raise AgentError(
                f"the api refused: {error.response.status_code} {problem.get('detail', '')} Check --kiosk and --key"
            ) from error
        except httpx.HTTPError as error:
            raise AgentError(
                f"the api at {self._client.base_url} cannot be reached ({type(error).__name__}); is it running?"
            ) from error

    def run(self, capture: Capture, *, fps: float, on_seen: Seen) -> None:
        """Watch until the capture ends or `stop` is called. The api may be away meanwhile: what was seen is told when it is back."""
        refresher = threading.Thread(target=self._keep_refreshing, daemon=True, name="gallery")
        refresher.start()
        with self.outbox:
            while not capture.ended and not self._stopped.is_set():
                started = time.monotonic()
                frame = capture.newest()
                if frame is not None:
                    self.look(frame, started, on_seen)
                    time.sleep(max(0.0, 1.0 / fps - (time.monotonic() - started)))
            self.outbox.put([])
        self._stopped.set()
        refresher.join()
        if self.trouble is not None:
            raise self.trouble

    def stop(self) -> None:
        """End `run` after the frame at hand."""
        self._stopped.set()

    def look(self, frame: Frame, at: float, on_seen: Seen) -> None:
        """Take one frame through the pipeline, and tell the api if there is news."""
        known = self._known
        fresh = at - known.at < GALLERY_GOOD_FOR_S
        seen = self._pipeline.observe(frame, known.gallery if fresh else EMPTY, at=at)
        on_seen(frame, seen)
        state = tuple((one.track_id, one.member_id, one.expression) for one in seen.people)
        if state != self._told or at - self._told_at >= HEARTBEAT_S:
            self._told, self._told_at = state, at
            self.outbox.put([asdict(person) for person in seen.people])

    def _send(self, observation: dict[str, Any]) -> None:
        self._client.post(f"/v1/kiosks/{self._kiosk}/observations", json=observation).raise_for_status()

    def _keep_refreshing(self) -> None:
        while not self._stopped.wait(GALLERY_EVERY_S):
            try:
                self._refresh()
            except AgentError as error:
                self.trouble = error
                self._stopped.set()
            except httpx.HTTPError as error:
                log.warning("the gallery is not fresh", cause=type(error).__name__)

    def _refresh(self) -> None:
        known, now = self._known, time.monotonic()
        answer = self._client.get(f"/v1/kiosks/{self._kiosk}/gallery", headers={"If-None-Match": known.etag})
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            self._known = _Known(known.gallery, known.expression_members, known.expression_notice, known.etag, now)
            return
        answer.raise_for_status()
        body = answer.json()
        if body["model"] != self._engine.name:
            raise AgentError(
                f"the api's templates are of {body['model']}, this agent's engine is {self._engine.name}; set AISLE_VISION_ENGINE alike"
            )
        entries = [(one["member_id"], _vector(one["vector"])) for one in body["templates"]]
        allowed = frozenset(one["member_id"] for one in body["templates"] if one["expression"])
        gallery = Gallery(entries, body["threshold"])
        self._known = _Known(gallery, allowed, body["expression_notice"], answer.headers.get("etag", ""), now)

    def _may_read_expression(self, member_id: str | None) -> bool:
        return self._known.expression_notice if member_id is None else member_id in self._known.expression_members


def _vector(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")
