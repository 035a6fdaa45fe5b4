"""Cameras that are unplugged, send rubbish or are too quick: what the agent is given all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.vision.rtsp_camera import RtspCamera, grey
from vision.capture import BROKEN_READS, LONGEST_PAUSE_S, Capture, Newest
from vision.errors import CaptureError
from vision.faces import Frame

PATIENCE_S = 10.0


def picture(number: int) -> Frame:
    """A small picture that says which it is."""
    return np.full((48, 64, 3), number, np.uint8)


class Plug:
    """A camera that can be unplugged: each time it is opened it gives the next of its scripts, a picture whenever the test asks.

    In a script None is a read that fails, and an error one that OpenCV raises; a script that is None is no camera.
    """

    def __init__(self, *scripts: Sequence[Any] | None) -> None:
        self._scripts, self._now = list(scripts), iter(())
        self._asked, self._there = threading.Semaphore(0), False
        self.over = threading.Event()
        self.waited: list[float] = []
        self.waits = threading.Event()

    def open(self, _source: str) -> Plug:
        script = self._scripts.pop(0) if self._scripts else None
        self._there, self._now = script is not None, iter(script or ())
        return self

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's name
        return self._there

    def read(self) -> tuple[bool, Any]:
        given = next(self._now, None)
        if isinstance(given, np.ndarray) and given.size and given.ndim > 1:
            while not self._asked.acquire(timeout=0.02):
                if self.over.is_set():
                    return False, None
        if isinstance(given, cv2.error):
            raise given
        return given is not None, given

    def get(self, _prop: int) -> float:
        return 0.0

    def release(self) -> None:
        self._there = False

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.waits.set()
        if not self._scripts:
            self.over.wait(PATIENCE_S)

    def ask(self, pictures: int = 1) -> None:
        self._asked.release(pictures)

    def seen(self, capture: Capture) -> int | None:
        """The number of the next picture that comes."""
        self.ask()
        shot = capture.newest(PATIENCE_S)
        return None if shot is None else int(shot.frame.flat[0])


Plugged = Callable[..., tuple[Plug, Capture]]


@pytest.fixture
def plugged() -> Iterator[Plugged]:
    """Make cameras, and let go of them at the end."""
    made: list[tuple[Plug, Capture]] = []

    def plug_in(*scripts: Sequence[Any] | None, **more: Any) -> tuple[Plug, Capture]:
        plug = Plug(*scripts)
        made.append((plug, Capture("0", opener=plug.open, wait=plug.wait, **more)))
        return made[-1]

    yield plug_in
    for plug, capture in made:
        plug.over.set()
        capture.close()


def test_a_camera_that_is_unplugged_and_comes_back_goes_on(plugged: Plugged) -> None:
    told: list[str] = []
    plug, capture = plugged([picture(1), picture(2)], None, None, [], [picture(3), picture(4)], on_trouble=told.append)
    assert [plug.seen(capture) for _ in range(4)] == [1, 2, 3, 4]
    assert plug.waited[:4] == [1.0, 2.0, 4.0, 8.0], "it waits longer after each try"
    assert capture.reconnects == 4
    assert told[0] == "0 gives no picture; trying again in 1 s"
    assert not capture.ended


def test_the_pause_starts_small_again_after_a_good_picture_and_is_never_longer_than_half_a_minute(
    plugged: Plugged,
) -> None:
    plug, capture = plugged([picture(1)], *[None] * 8, [picture(2)], [picture(3)])
    assert [plug.seen(capture) for _ in range(3)] == [1, 2, 3]
    first, second = plug.waited[:9], plug.waited[9:10]
    assert first == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert second == [1]


def test_broken_pictures_are_passed_over_without_losing_the_camera(plugged: Plugged) -> None:
    broken = [None, cv2.error("a truncated frame"), np.zeros((0, 0, 3), np.uint8), np.zeros(7, np.uint8)]
    assert len(broken) < BROKEN_READS
    plug, capture = plugged([picture(1), *broken, picture(2), *broken, picture(3), picture(4)])
    assert [plug.seen(capture) for _ in range(3)] == [1, 2, 3]
    assert (capture.broken, capture.reconnects, plug.waited) == (2 * len(broken), 0, [])


def test_a_slow_reader_gets_the_newest_picture_and_no_older_one_after_it(plugged: Plugged) -> None:
    plug, capture = plugged([picture(number) for number in range(1, 51)], [picture(51)])
    plug.ask(50)
    assert plug.waits.wait(PATIENCE_S), "all fifty were given by now"
    shot = capture.newest(0)
    assert shot is not None
    assert int(shot.frame.flat[0]) == 50
    assert capture.newest(0) is None
    assert (capture.given, capture.skipped) == (50, 49)


def test_the_age_of_what_is_looked_at_stays_flat_however_slow_the_looking_is() -> None:
    camera_s, look_s = 1 / 30, 0.25  # seven times too slow
    newest, free_at, ages, waiting = Newest(), 0.0, [], []
    for number in range(30 * 120):
        at = number * camera_s
        newest.put(picture(number % 256), at)
        waiting.append(len(newest))
        if at >= free_at:
            shot = newest.take(0)
            assert shot is not None
            ages.append(at - shot.at)
            free_at = at + look_s
    assert max(waiting) == 1
    assert max(ages) == 0.0
    assert newest.given == len(ages) + newest.skipped + len(newest)


def test_closing_does_not_wait_for_a_camera_that_is_away() -> None:
    away = threading.Event()
    capture = Capture("0", opener=Plug([]).open, on_trouble=lambda _text: away.set())
    assert away.wait(PATIENCE_S), "from here on it waits a second, then two, then four"
    capture.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "capture"]
    assert capture.ended


def test_a_looped_file_without_a_picture_ends_instead_of_spinning(tmp_path: Path) -> None:
    (tmp_path / "empty.avi").write_bytes(b"no film")
    plug = Plug([], [])
    capture = Capture(str(tmp_path / "empty.avi"), loop=True, opener=plug.open)
    assert capture.newest(PATIENCE_S) is None
    assert capture.ended


@pytest.mark.parametrize(
    ("source", "word"), [("missing.mp4", "does not exist"), ("9", "cannot be opened")], ids=["file", "camera"]
)
def test_a_source_that_is_not_there_is_named(source: str, word: str) -> None:
    with pytest.raises(CaptureError, match=word):
        Capture(source, opener=Plug(None).open)


def test_a_camera_in_the_network_that_hangs_up_is_called_again() -> None:
    with RtspCamera(grey(90), pictures=30) as camera:
        thread = threading.Thread(target=camera.serve_forever)
        thread.start()
        capture = Capture(camera.url, wait=lambda _seconds: None)
        try:
            seen = [capture.newest(PATIENCE_S)]
            while camera.plays < 3:
                seen.append(capture.newest(PATIENCE_S))
                assert seen[-1] is not None
        finally:
            capture.close()
            camera.shutdown()
            thread.join()
    assert capture.reconnects >= 1
    assert {int(shot.frame.mean()) // 10 for shot in seen if shot is not None} <= {8, 9}
