"""Cameras and files as a stream of the newest frame: a slow reader skips frames and never falls behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from vision.errors import CaptureError
from vision.faces import Frame

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
ANSWER_WITHIN_MS = 5_000
"""A camera in the network that is silent for so long is lost; FFmpeg alone would wait for half a minute."""
BROKEN_READS = 5
"""So many broken pictures in a row mean that the camera is gone; fewer are passed over."""
_USUAL_RATE = 25.0


class Shot(NamedTuple):
    """A frame, and when the camera gave it, in seconds of the capture's clock."""

    frame: Frame
    at: float


class Video(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's name
        """Whether there is a camera."""
        ...

    def read(self) -> tuple[bool, Any]:
        """Return whether there was a frame, and the frame."""
        ...

    def get(self, _prop: int, /) -> float:
        """Return a property, 0 when it is not known."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


def open_video(source: str) -> Video:
    """Return the camera with this number, or what is at this address or path."""
    if source.isdigit():
        return cv2.VideoCapture(int(source))
    if "://" in source:
        patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, ANSWER_WITHIN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, ANSWER_WITHIN_MS]
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG, patience)
    return cv2.VideoCapture(source)


class Newest:
    """Room for one frame: a newer one takes the place of one that nobody has looked at."""

    def __init__(self) -> None:
        self._shot: Shot | None = None
        self._changed = threading.Condition()
        self._ended = False
        self.given = self.skipped = 0

    def __len__(self) -> int:
        return int(self._shot is not None)

    def put(self, frame: Frame, at: float) -> None:
        """Make this the newest frame."""
        with self._changed:
            self.given += 1
            self.skipped += len(self)
            self._shot = Shot(frame, at)
            self._changed.notify()

    def take(self, timeout_s: float) -> Shot | None:
        """Return the frame, waiting for one; None at the end or after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self._ended, timeout_s)
            shot, self._shot = self._shot, None
            return shot

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """Whether no more will come, and none is left."""
        return self._ended and self._shot is None


class Capture:
    """Reads `source` (a camera's number, an rtsp:// address or a file) on a thread; a lost camera is opened again with back-off.

    `opener`, `clock` (seconds) and `wait` (seconds) stand for OpenCV and time; `wait` returns early when the capture is closed.
    """

    def __init__(
        self,
        source: str,
        *,
        loop: bool = False,
        on_trouble: Callable[[str], None] = lambda _text: None,
        opener: Callable[[str], Video] = open_video,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._source, self._loop, self._on_trouble, self._opener = source, loop, on_trouble, opener
        self._closing, self._clock = threading.Event(), clock
        self._wait = wait or self._closing.wait
        self.is_file = "://" not in source and not source.isdigit()
        if self.is_file and not Path(source).exists():
            raise CaptureError(
                f"{source} does not exist; give a camera's number (0), an rtsp:// address or a video file"
            )
        self._video = opener(source)
        if not self._video.isOpened():
            raise CaptureError(f"{source} cannot be opened; is the camera connected, and does no other program use it?")
        self._newest = Newest()
        self.broken = self.reconnects = 0
        self._thread = threading.Thread(target=self._read, daemon=True, name="capture")
        self._thread.start()

    @property
    def given(self) -> int:
        """How many frames the camera gave."""
        return self._newest.given

    @property
    def skipped(self) -> int:
        """How many of them were too old to be looked at when there was time: newer ones had come."""
        return self._newest.skipped

    def newest(self, timeout_s: float = 5.0) -> Shot | None:
        """Return the newest frame that was not returned before, waiting for one; None at the end or after `timeout_s`."""
        return self._newest.take(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether the file is at its end."""
        return self._newest.ended

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        self._newest.end()
        self._thread.join(timeout=2)
        if not self._thread.is_alive():  # else the camera hangs in its driver, and letting go of it would crash
            self._video.release()

    def _read(self) -> None:
        interval = 1.0 / (self._video.get(cv2.CAP_PROP_FPS) or _USUAL_RATE) if self.is_file else 0.0
        pause, given_before = FIRST_PAUSE_S, 0
        while not self._closing.is_set():
            started = self._clock()
            frame = self._picture()
            if frame is not None:
                pause = FIRST_PAUSE_S
                self._newest.put(frame, self._clock())
                if interval:
                    self._wait(max(0.0, interval - (self._clock() - started)))
            elif self.is_file:
                if not self._loop or self.given == given_before:  # a file without a single picture would spin
                    break
                given_before = self.given
                self._open_again()
            else:
                self._on_trouble(f"{self._source} gives no picture; trying again in {pause:.0f} s")
                self._wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                self._open_again()
                self.reconnects += 1
        self._newest.end()

    def _open_again(self) -> None:
        self._video.release()
        self._video = self._opener(self._source)

    def _picture(self) -> Frame | None:
        """Return the next good frame; None when there is none: the camera is lost, or the file at its end."""
        for passed_over in range(BROKEN_READS):
            try:
                good, frame = self._video.read()
            except cv2.error:
                good, frame = False, None
            if good and frame is not None and frame.ndim in {2, 3} and frame.size:
                self.broken += passed_over
                return np.asarray(frame, np.uint8)
            if not self._video.isOpened() or self._closing.is_set():
                break
        return None
