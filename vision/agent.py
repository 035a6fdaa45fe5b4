"""The agent beside a camera: pixels stay here, the api only hears who (of the consenting) is there and how they seem."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import httpx
import structlog

from vision.adapt import Sample
from vision.agent_metrics import AgentMetrics
from vision.capture import Capture
from vision.engines import FaceEngine
from vision.errors import AgentError
from vision.expression import ExpressionModel
from vision.faces import Frame
from vision.feed import Feed
from vision.graph import Stage
from vision.liveness import Liveness
from vision.observation import Observation
from vision.outbox import Outbox
from vision.pipeline import Pipeline
from vision.stages.detect import Zone

log = structlog.get_logger(__name__)
GALLERY_EVERY_S = 2.0
HEARTBEAT_S = 1.0
MOST_SAMPLES = 8
"""Templates that wait to be offered. They are of use only while their member is greeted, so those that fail are not sent again."""
Seen = Callable[[Frame, Observation], None]


class Agent:
    """Watches one camera for one kiosk. `client` carries the device key.

    `excluded`: zones in which nobody is looked at, beside those that the api knows for the kiosk. `after`: stages behind all
    others, such as a preview. `clock` counts seconds.
    """

    def __init__(
        self,
        client: httpx.Client,
        kiosk: str,
        engine: FaceEngine,
        expression: ExpressionModel | None,
        *,
        liveness: Liveness | None = None,
        excluded: Sequence[Zone] = (),
        after: Sequence[Stage] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._kiosk, self._clock = client, kiosk, clock
        self.feed = Feed(client, kiosk, engine.name, clock)
        self._excluded = excluded
        self._pipeline = Pipeline(engine, expression, self.feed.may_read, liveness=liveness, after=after)
        self.outbox = Outbox(self._send, self.feed.ahead_s)
        self.metrics = AgentMetrics(self.outbox, lambda: self.feed.age(clock()))
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        self._told: tuple[Any, ...] | None = None
        self._told_at = float("-inf")
        self._stopped = threading.Event()
        self.trouble: AgentError | None = None

    def connect(self) -> None:
        """Fetch the gallery once; AgentError when the api refuses or cannot be reached."""
        self.feed.connect()

    def run(self, capture: Capture, *, fps: float, on_seen: Seen) -> None:
        """Watch until the capture ends or `stop` is called. The api may be away meanwhile: what was seen is told when it is back."""
        self.metrics.follow(capture)
        refresher = threading.Thread(target=self._keep_refreshing, daemon=True, name="gallery")
        refresher.start()
        with self.outbox:
            while not capture.ended and not self._stopped.is_set():
                started = self._clock()
                shot = capture.newest()
                if shot is not None:
                    self.look(shot.frame, shot.at, on_seen)
                    self._stopped.wait(max(0.0, 1.0 / fps - (self._clock() - started)))
            self.outbox.put([])
        self._stopped.set()
        refresher.join()
        if self.trouble is not None:
            raise self.trouble

    def stop(self) -> None:
        """End `run` after the frame at hand."""
        self._stopped.set()

    def look(self, frame: Frame, at: float, on_seen: Seen) -> None:
        """Take one frame, of the time `at`, through the pipeline, and tell the api if there is news."""
        self._pipeline.exclude([*self._excluded, *self.feed.excluded])
        seen = self._pipeline.observe(frame, self.feed.for_frame(at), at=at)
        on_seen(frame, seen)
        state = tuple((one.track_id, one.member_id, one.expression) for one in seen.people)
        if state != self._told or at - self._told_at >= HEARTBEAT_S:
            self._told, self._told_at = state, at
            self.outbox.put([asdict(person) for person in seen.people])
        self._samples.extend(seen.samples)
        self.metrics.looked(seen, age_s=self._clock() - at)

    def _send(self, observation: dict[str, Any]) -> None:
        self._client.post(f"/v1/kiosks/{self._kiosk}/observations", json=observation).raise_for_status()

    def _keep_refreshing(self) -> None:
        while not self._stopped.wait(GALLERY_EVERY_S):
            try:
                self.feed.refresh()
                while self._samples:
                    self.feed.offer(self._samples.popleft())
            except AgentError as error:
                self.trouble = error
                self._stopped.set()
            except Exception as error:  # noqa: BLE001  no answer, or that of something between: the camera goes on, and asks again
                log.warning("the gallery is not fresh", cause=type(error).__name__)
