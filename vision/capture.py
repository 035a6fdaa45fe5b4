"""Cameras and files as a stream of the newest frame: a slow reader skips frames and never falls behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vision.errors import CaptureError
from vision.faces import Frame

LONGEST_PAUSE_S = 30.0


class Capture:
    """Reads `source` (a camera's number, an rtsp:// address or a file) on a thread; a lost camera is opened again with back-off."""

    def __init__(
        self, source: str, *, loop: bool = False, on_trouble: Callable[[str], None] = lambda _text: None
    ) -> None:
        self._source, self._loop, self._on_trouble = source, loop, on_trouble
        self.is_file = "://" not in source and not source.isdigit()
        if self.is_file and not Path(source).exists():
            raise CaptureError(
                f"{source} does not exist; give a camera's number (0), an rtsp:// address or a video file"
            )
        self._video = self._open()
        if not self._video.isOpened():
            raise CaptureError(f"{source} cannot be opened; is the camera connected, and does no other program use it?")
        self._frame: Frame | None = None
        self._fresh = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True, name="capture")
        self._thread.start()

    def newest(self, timeout_s: float = 5.0) -> Frame | None:
        """Return the newest frame that was not returned before, waiting for one; None at the end or after `timeout_s`."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._frame is not None or self._ended, timeout_s)
            frame, self._frame = self._frame, None
            return frame

    @property
    def ended(self) -> bool:
        """Whether the file is at its end."""
        return self._ended and self._frame is None

    def close(self) -> None:
        """Stop reading."""
        self._ended = True
        self._thread.join(timeout=2)
        self._video.release()

    def _open(self) -> cv2.VideoCapture:
        return cv2.VideoCapture(int(self._source)) if self._source.isdigit() else cv2.VideoCapture(self._source)

    def _read(self) -> None:
        pause = 1.0
        interval = 1.0 / (self._video.get(cv2.CAP_PROP_FPS) or 25.0) if self.is_file else 0.0
        while not self._ended:
            started = time.monotonic()
            good, frame = self._video.read()
            if good:
                pause = 1.0
                with self._fresh:
                    self._frame = np.asarray(frame, np.uint8)
                    self._fresh.notify()
                if interval:
                    time.sleep(max(0.0, interval - (time.monotonic() - started)))
            elif self.is_file and not self._loop:
                break
            elif self.is_file:
                self._video = self._open()
            else:
                self._on_trouble(f"{self._source} gives no picture; trying again in {pause:.0f} s")
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                self._video.release()
                self._video = self._open()
        with self._fresh:
            self._ended = True
            self._fresh.notify()
