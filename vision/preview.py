"""What the camera sees and what the pipeline makes of it, for the person who sets the camera up. Off unless asked for.

Pictures go from memory to one browser on the same machine, through a link that works once, for half an hour; nothing is
drawn while nobody looks, and nothing is written anywhere.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from hmac import compare_digest

import cv2
import numpy as np

from vision.faces import Frame
from vision.graph import Look
from vision.local_page import Page, Request
from vision.quality import LEAST
from vision.stages.detect import Zone
from vision.tracks import Track

FOR_S = 1_800.0
"""A preview that was forgotten ends by itself."""
LARGEST_SIDE, JPEG_QUALITY = 960, 80
MOST_WATCHERS = 4
_COOKIE, _PATIENCE_S = "aisle_preview", 2.0
_GREEN, _AMBER, _GREY, _WHITE = (80, 190, 60), (30, 160, 250), (190, 190, 190), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_USED = b"This link has been used, or its half hour is over. Start `aisle vision run --preview` again.\n"
_HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Camera preview: for setting up only</title>
<style>body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#111;color:#eee}
h1{font-size:18px;margin:0;padding:12px 20px;background:#b45309;color:#fff}
main{padding:20px;max-width:980px}img{max-width:100%;background:#000}li{margin:4px 0}</style>
<h1>For setting up only. Close it before customers come.</h1><main>
<p>This page shows people. It reaches this machine only, ends after half an hour, and keeps nothing: no picture is stored or sent on.</p>
<img src="/preview/frames" alt="What the camera sees now">
<ul><li>Green: good enough, and somebody the kiosk may know. Grey: good enough, a stranger.</li>
<li>Orange: not recognised yet, and why. The number is the track; <em>quality</em> must reach LEAST.</li>
<li>“staff” and hatched zones: left out before anything else is looked at.</li></ul></main></html>
""".replace("LEAST", f"{LEAST:.2f}")


class Preview:
    """The last stage of a pipeline, and the pages that show what came by. `clock` counts seconds."""

    name = "preview"

    def __init__(
        self, *, excluded: Sequence[Zone] = (), liveness: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._excluded, self._liveness, self._clock = excluded, liveness, clock
        self._until = clock() + FOR_S
        self.token, self._pass = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._used = False
        self._jpeg, self._number = b"", 0
        self._watchers = 0
        self._changed = threading.Condition()

    @property
    def pages(self) -> dict[str, Page]:
        """What to serve."""
        return {"/preview": self._page, "/preview/frames": self._frames}

    @property
    def watched(self) -> bool:
        """Whether somebody looks now, and still may."""
        return self._watchers > 0 and self._open

    def __call__(self, look: Look) -> None:
        """Draw the frame for who looks; without them do nothing."""
        if not self.watched:
            return
        good, jpeg = cv2.imencode(".jpg", self.draw(look), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if good:
            with self._changed:
                if self._watchers:  # the last one may have gone while it was drawn
                    self._jpeg, self._number = jpeg.tobytes(), self._number + 1
                    self._changed.notify_all()

    def draw(self, look: Look) -> Frame:
        """Return a copy of the frame with zones, boxes, and what the gates said."""
        factor = min(LARGEST_SIDE / max(look.frame.shape[:2]), 1.0)
        shown = np.asarray(cv2.resize(look.frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        shown = np.ascontiguousarray(shown)
        height, width = shown.shape[:2]
        for zone in self._excluded:
            _hatch(shown, (np.asarray(zone) * (width, height)).astype(np.int32))
        for track in look.tracks:
            if track.face is not None:
                text, colour = said(track, liveness=self._liveness)
                left, top, w, h = (round(value * factor) for value in track.face.box)
                cv2.rectangle(shown, (left, top), (left + w, top + h), colour, 2)
                _write(shown, text, (max(left, 2), max(top - 6, 32)), colour)
        cv2.rectangle(shown, (0, 0), (width, 18), (9, 83, 180), -1)
        _write(shown, "SETTING UP - NOTHING IS STORED", (6, 13), _WHITE)
        return shown

    @property
    def _open(self) -> bool:
        return self._clock() < self._until

    def _page(self, request: Request) -> None:
        token = request.asked("token")
        if token:
            with self._changed:
                good = not self._used and self._open and compare_digest(token.encode(), self.token.encode())
                self._used |= good
            if good:
                cookie = f"{_COOKIE}={self._pass}; Path=/preview; HttpOnly; SameSite=Strict"
                request.reply(303, "text/plain", b"", Location="/preview", Set_Cookie=cookie)
                return
        if self._may(request):
            request.reply(200, "text/html; charset=utf-8", _HTML.encode())
        else:
            request.reply(403, "text/plain", _USED)

    def _may(self, request: Request) -> bool:
        return self._open and compare_digest(request.cookie(_COOKIE).encode(), self._pass.encode())

    def _frames(self, request: Request) -> None:
        if not self._may(request):
            request.reply(403, "text/plain", _USED)
            return
        with self._changed:
            full = self._watchers >= MOST_WATCHERS
            self._watchers += not full
        if full:
            request.reply(429, "text/plain", b"It is open too often. Close another tab.\n")
            return
        try:
            request.begin(200, "multipart/x-mixed-replace; boundary=frame", Connection="close")
            shown = 0
            while self._open:
                with self._changed:
                    self._changed.wait_for(lambda: self._number != shown, _PATIENCE_S)  # noqa: B023  it waits here and now
                    jpeg, shown = self._jpeg, self._number
                if jpeg:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                    request.wfile.write(head + jpeg + b"\r\n")
        finally:
            with self._changed:
                self._jpeg = b"" if self._watchers == 1 else self._jpeg
                self._watchers -= 1


def said(track: Track, *, liveness: bool) -> tuple[str, tuple[int, int, int]]:
    """Return what the gates said of a track, in a few words, and its colour (BGR). Never who it is."""
    if track.staff:
        return "staff: left out", _GREY
    quality = track.quality
    if quality is None:
        return f"#{track.track_id}", _GREY
    text = f"#{track.track_id} quality {quality.score:.2f}"
    if track.member_id is not None:
        return f"{text}, known ({track.similarity or 0.0:.2f})", _GREEN
    not_yet = (
        (quality.score < LEAST, f": too little, by {quality.worst}"),
        (liveness and track.live is False, ": not alive"),
        (liveness and track.live is None, ": alive? turn your head"),
        (track.looks == 0, ": not looked at yet"),
    )
    told = next((words for holds, words in not_yet if holds), "")
    return (text + told, _AMBER) if told else (f"{text}, nobody known", _GREY)


def _write(frame: Frame, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(frame, text, at, _FONT, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(frame, text, at, _FONT, 0.45, colour, 1, cv2.LINE_AA)


def _hatch(frame: Frame, corners: np.ndarray) -> None:
    mask = np.zeros(frame.shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners], 255)
    rows, columns = np.indices(mask.shape)
    frame[(mask > 0) & ((rows + columns) % 12 < 3)] = _GREY
    cv2.polylines(frame, [corners], isClosed=True, color=_GREY, thickness=2)
