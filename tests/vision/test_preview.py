"""The installer's preview and the page of figures: who may open them, what they show, and what they never tell."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import httpx
import numpy as np
import pytest

from tests.vision.fake_camera import shelf
from vision.errors import AgentError
from vision.faces import Face, Frame
from vision.graph import Look
from vision.local_page import LocalPages, figures
from vision.preview import FOR_S, Preview, said
from vision.quality import Quality
from vision.tracks import Track

PATIENCE_S = 10.0
GOOD = Quality(1.0, 1.0, 0.9, 0.9)
BLURRED = Quality(1.0, 0.1, 0.9, 0.9)
BOX = (200.0, 120.0, 160.0, 200.0)


def track(**more: object) -> Track:
    points = np.array([[250, 200], [310, 200], [280, 230], [255, 270], [305, 270]], np.float32)
    return Track(7, 0.0, 0.0, face=Face(BOX, points, 0.9, None), **{"quality": GOOD, "looks": 3, **more})  # type: ignore[arg-type]


def look(*tracks: Track) -> Look:
    return Look(shelf(), 1.0, tracks=list(tracks))


@contextmanager
def served(preview: Preview) -> Iterator[httpx.Client]:
    with LocalPages(0, preview.pages) as pages, httpx.Client(base_url=pages.url, timeout=PATIENCE_S) as browser:
        yield browser


def enter(browser: httpx.Client, preview: Preview) -> httpx.Response:
    return browser.get("/preview", params={"token": preview.token}, follow_redirects=True)


def next_picture(stream: httpx.Response) -> Frame:
    """The next whole JPEG of the stream."""
    got = b""
    for part in stream.iter_raw():
        got += part
        head, gap, rest = got.partition(b"\r\n\r\n")
        if gap:
            length = int(head.rpartition(b"Content-Length: ")[2])
            if len(rest) >= length:
                return np.asarray(cv2.imdecode(np.frombuffer(rest[:length], np.uint8), cv2.IMREAD_COLOR), np.uint8)
    raise AssertionError("the stream ended")


def test_the_link_works_once_and_for_the_browser_that_opened_it() -> None:
    preview = Preview()
    with served(preview) as installer, httpx.Client(base_url=installer.base_url) as somebody:
        assert somebody.get("/preview").status_code == 403
        assert somebody.get("/preview", params={"token": "guessed"}).status_code == 403
        page = enter(installer, preview)
        assert page.status_code == 200
        assert "For setting up only" in page.text
        assert preview.token not in str(page.url)
        assert installer.get("/preview").status_code == 200, "to look again is no second use"
        for path in ("/preview", "/preview/frames"):
            again = somebody.get(path, params={"token": preview.token})
            assert again.status_code == 403, path
        assert page.headers["cache-control"] == "no-store"


def test_it_shows_boxes_and_what_the_gates_said_while_somebody_looks_and_draws_nothing_before() -> None:
    preview = Preview(excluded=[[(0.0, 0.0), (0.2, 0.0), (0.2, 1.0), (0.0, 1.0)]])
    preview(look(track()))
    assert not preview.watched
    with served(preview) as browser:
        enter(browser, preview)
        with browser.stream("GET", "/preview/frames") as stream:
            shown: list[Frame] = []
            reader = threading.Thread(target=lambda: shown.append(next_picture(stream)))
            reader.start()
            while reader.is_alive():  # the first frame after somebody begins to look
                preview(look(track(quality=BLURRED), Track(8, 0.0, 0.0)))
                reader.join(0.01)
    [frame] = shown
    plain = shelf()
    left, top, width, height = (round(value) for value in BOX)
    assert frame.shape == plain.shape
    edge = frame[top + height // 2, left - 1 : left + 2].astype(int)
    assert (edge[:, 2] - edge[:, 0] > 100).any(), "an orange box: not recognised, and why"
    middle = (slice(top + 20, top + height - 20), slice(left + 20, left + width - 20))
    assert np.abs(frame[middle].astype(int) - plain[middle]).mean() < 8, "the person is seen"
    zone = (slice(60, 400), slice(10, 120))
    assert np.abs(frame[zone].astype(int) - plain[zone]).mean() > 8, "the excluded zone is hatched"


def test_a_picture_of_who_is_there_is_kept_no_longer_than_somebody_looks() -> None:
    preview = Preview()
    with served(preview) as browser:
        enter(browser, preview)
        with browser.stream("GET", "/preview/frames") as stream:
            reader = threading.Thread(target=lambda: next_picture(stream))
            reader.start()
            while reader.is_alive():
                preview(look(track()))
                reader.join(0.01)
        until = time.monotonic() + PATIENCE_S
        while preview.watched:  # the server notices at one of its next pictures that nobody takes them
            assert time.monotonic() < until
            preview(look(track()))
        assert preview._jpeg == b""


def test_a_forgotten_preview_ends_after_half_an_hour() -> None:
    now = [0.0]
    preview = Preview(clock=lambda: now[0])
    with served(preview) as browser:
        assert enter(browser, preview).status_code == 200
        now[0] = FOR_S + 1
        assert browser.get("/preview").status_code == 403
        assert browser.get("/preview/frames").status_code == 403
    late = Preview(clock=lambda: now[0])
    now[0] += FOR_S + 1
    with served(late) as browser:
        assert enter(browser, late).status_code == 403


def test_another_name_for_this_machine_is_refused() -> None:
    preview = Preview()
    with LocalPages(0, preview.pages) as pages:
        assert pages.server_address[0] == "127.0.0.1"
        connection = http.client.HTTPConnection("127.0.0.1", pages.server_port, timeout=PATIENCE_S)
        connection.request("GET", f"/preview?token={preview.token}", headers={"Host": "shop.example"})
        assert connection.getresponse().status == 403
        connection.close()
        assert httpx.get(f"http://localhost:{pages.server_port}/nothing").status_code == 404


@pytest.mark.parametrize(
    ("seen", "liveness", "words"),
    [
        (track(staff=True, member_id=None), False, "staff: left out"),
        (track(member_id="0190-anna", similarity=0.62), False, "#7 quality 0.81, known (0.62)"),
        (track(quality=BLURRED), False, "#7 quality 0.08: too little, by sharpness"),
        (track(live=None), True, "#7 quality 0.81: alive? turn your head"),
        (track(live=False), True, "#7 quality 0.81: not alive"),
        (track(looks=0), False, "#7 quality 0.81: not looked at yet"),
        (track(), False, "#7 quality 0.81, nobody known"),
    ],
    ids=["staff", "known", "blurred", "unsure whether alive", "a photograph", "new", "stranger"],
)
def test_it_says_in_a_few_words_what_the_gates_said_and_never_who_it_is(
    seen: Track, liveness: bool, words: str
) -> None:
    assert said(seen, liveness=liveness)[0] == words


def test_figures_are_served_to_this_machine_and_a_port_that_is_taken_is_named() -> None:
    with LocalPages(0, {"/metrics": figures(lambda: b"aisle_camera_people 1.0\n")}) as pages:
        answer = httpx.get(f"{pages.url}/metrics")
        assert answer.text == "aisle_camera_people 1.0\n"
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        with pytest.raises(AgentError, match=f"port {pages.server_port}"):
            LocalPages(pages.server_port, {})
