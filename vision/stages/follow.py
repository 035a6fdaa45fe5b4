"""Who in this frame is who of the frames before: ByteTrack (Zhang et al. 2022) from the `trackers` package."""

from __future__ import annotations

import numpy as np

from vision.graph import Look
from vision.tracks import Track

GONE_AFTER_S = 2.0
"""A face that is not found for so long has left; shorter, it was hidden or turned away."""
_SURE, _STARTS = 0.75, 0.8
_RATE, _BUFFER_RATE = 10.0, 30.0
"""Usual frames per second; those in which `trackers` counts how long a lost track is kept, whatever the camera's rate."""
_BUFFER = 0.6


class Follow:
    """Keeps the tracks.

    Faces are small and move fast at 5 to 10 frames a second, so boxes are widened before they are compared (buffered IoU,
    Yang et al. 2023), and the frames' own times are used, since a busy camera skips some.
    """

    name = "track"

    def __init__(self) -> None:
        # heavy to import: a process without a camera does without, and the first frame does not wait for it
        from supervision import Detections
        from trackers import BIoU, ByteTrackTracker

        self._detections = Detections
        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(GONE_AFTER_S * _BUFFER_RATE), frame_rate=_RATE, track_activation_threshold=_STARTS,
            high_conf_det_threshold=_SURE, minimum_consecutive_frames=2, minimum_iou_threshold=0.1, iou=BIoU(_BUFFER),
        )  # fmt: skip
        self._tracks: dict[int, Track] = {}
        self._last = -np.inf

    def __call__(self, look: Look) -> None:
        """Put everybody who is still there into the look, the nearest first."""
        if look.at <= self._last:  # a clock that stood still must not end a track
            look.at = self._last + 1e-3
        self._last = look.at
        boxes = np.array([face.box for face in look.faces], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        detections = self._detections(
            xyxy=boxes,
            confidence=np.array([face.score for face in look.faces], np.float32),
            class_id=np.arange(len(boxes)),  # which face it was: the tracker changes the order
        )
        found = self._tracker.update(detections, timestamp=look.at)
        hidden = {number for number, track in self._tracks.items() if track.face is None}
        for track in self._tracks.values():
            track.face = track.quality = None
        if len(found) and found.tracker_id is not None and found.class_id is not None:
            for number, index in zip(found.tracker_id, found.class_id, strict=True):
                if number >= 0:
                    track = self._tracks.setdefault(int(number), Track(int(number), look.at, look.at))
                    track.seen, track.face = look.at, look.faces[int(index)]
                    if number in hidden:
                        track.doubted = True
                        track.doubt()
        self._tracks = {n: track for n, track in self._tracks.items() if look.at - track.seen < GONE_AFTER_S}
        look.tracks = sorted(self._tracks.values(), key=lambda track: -track.area)
