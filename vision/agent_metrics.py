"""An agent's figures for Prometheus: how it keeps up, what it told, how fresh its gallery is. Nothing about anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vision.capture import Capture
from vision.observation import Observation
from vision.outbox import Outbox

STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.06, 0.12, 0.25, 0.5, 1.0)
AGE_BUCKETS = (0.02, 0.04, 0.06, 0.09, 0.12, 0.2, 0.4, 0.8, 2.0)


class AgentMetrics(Collector):
    """Counts while the agent looks, and asks outbox, gallery and capture when somebody reads."""

    def __init__(self, outbox: Outbox, gallery_age_s: Callable[[], float]) -> None:
        self._outbox, self._gallery_age_s = outbox, gallery_age_s
        self._capture: Capture | None = None
        self.registry = CollectorRegistry()
        self._stages = Histogram(
            "aisle_camera_stage_seconds", "Time of a stage of the pipeline for one frame.", ["stage"],
            buckets=STAGE_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._age = Histogram(
            "aisle_camera_frame_age_seconds", "From the camera's frame to its observation.", buckets=AGE_BUCKETS, registry=self.registry
        )  # fmt: skip
        self._failed = Counter(
            "aisle_camera_stage_failures", "Frames on which a stage failed.", ["stage"], registry=self.registry
        )
        self._seen = Counter("aisle_camera_frames_seen", "Frames that were looked at.", registry=self.registry)
        self._faces = Counter(
            "aisle_camera_faces", "Faces found, summed over the frames that were looked at.", registry=self.registry
        )
        self._people = Gauge("aisle_camera_people", "People in view, without staff.", registry=self.registry)
        self.registry.register(self)

    def follow(self, capture: Capture) -> None:
        """Tell of this camera, too."""
        self._capture = capture

    def looked(self, seen: Observation, *, age_s: float) -> None:
        """Count one frame, of so many seconds ago."""
        self._seen.inc()
        self._faces.inc(seen.faces)
        self._people.set(len(seen.people))
        self._age.observe(age_s)
        for stage, took_ms in seen.stages_ms.items():
            self._stages.labels(stage).observe(took_ms / 1000)
        for stage in seen.failed:
            self._failed.labels(stage).inc()

    def text(self) -> bytes:
        """Return the figures as Prometheus reads them."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        outbox = self._outbox
        counters = {
            "observations_accepted": ("Observations that were taken in.", outbox.accepted),
            "observations_sent": ("Observations that the api has.", outbox.sent),
            "observations_merged": ("Observations joined to a later one of the same people, since too many waited.", outbox.merged),
            "observations_lost": ("Observations given up: the api refused them, or too many waited.", outbox.lost),
        }  # fmt: skip
        if self._capture is not None:
            counters |= {
                "frames_given": ("Frames that the camera gave.", self._capture.given),
                "frames_dropped": ("Frames that a newer one replaced before there was time.", self._capture.skipped),
                "frames_broken": ("Reads that gave no good picture.", self._capture.broken),
                "reconnects": ("Times that the camera was opened again.", self._capture.reconnects),
            }
        for name, (about, value) in counters.items():
            yield CounterMetricFamily(f"aisle_camera_{name}", about, value=value)
        yield GaugeMetricFamily(
            "aisle_camera_observations_buffered", "Observations that wait for the api.", len(outbox)
        )
        age = "Seconds since the api last confirmed whom this camera may know."
        yield GaugeMetricFamily("aisle_camera_gallery_age_seconds", age, self._gallery_age_s())
