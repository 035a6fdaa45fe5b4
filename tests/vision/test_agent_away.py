"""An agent whose api goes away for minutes, whose camera sends strange frames: on a clock of the test's own, without threads."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest

from vision.agent import GALLERY_EVERY_S, Agent
from vision.errors import AgentError
from vision.faces import Face, Frame, Template
from vision.feed import GOOD_FOR_S
from vision.outbox import LONGEST_PAUSE_S, MOST
from vision.pipeline import MOST_PEOPLE

MEMBER = "member-1"
FPS = 5.0
ROOM = (480, 640)


class Heads:
    """An engine for made-up frames: the first pixel says how many people stand there, the second who; all look alike otherwise."""

    name = "opencv-sface"

    def detect(self, frame: Frame) -> list[Face]:
        count = int(frame[0, 0, 0]) % 64
        return [self._face(number, frame.shape[1]) for number in range(count)]

    def embed(self, frame: Frame, face: Face) -> Template:
        return member() if frame[0, 1, 0] == 1 and face.box[0] < 60 else stranger()

    @staticmethod
    def _face(number: int, width: int) -> Face:
        left, top = 20.0 + 75 * (number % 8), 40.0 + 85 * (number // 8)
        left *= width / 640
        points = np.array([[20, 25], [45, 25], [32, 40], [22, 55], [43, 55]], np.float32)
        return Face((left, top, 65.0, 80.0), points + np.array([left, top], np.float32), 0.95, None)


def member() -> Template:
    return np.eye(128, dtype=np.float32)[0]


def stranger() -> Template:
    return np.eye(128, dtype=np.float32)[1]


def room(people: int, *, known: bool = False, size: tuple[int, int] = ROOM) -> Frame:
    """A textured room, so that the quality gate lets faces through."""
    rows, columns = np.indices(size, np.uint16)
    frame = np.repeat(((rows // 4 + columns // 4) % 2 * 90 + 80).astype(np.uint8)[..., None], 3, axis=2)
    frame[0, 0], frame[0, 1] = people, int(known)
    return frame


class World:
    """A camera, an agent and an api on one simulated clock."""

    def __init__(self, *, away: Callable[[float], bool] = lambda _now: False, fps: float = FPS) -> None:
        self.now, self.away, self.fps = 0.0, away, fps
        self.received: list[dict[str, Any]] = []
        self.lose_answers = False
        self.gallery_status, self.model = 200, Heads.name
        self.tries: list[float] = []
        self.most_buffered = 0
        self._due = self._refresh_at = 0.0
        client = httpx.Client(base_url="http://api", transport=httpx.MockTransport(self._answer))
        self.agent = Agent(client, "door", Heads(), None, clock=lambda: self.now)
        self.agent.connect()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away(self.now):
            self.tries.append(self.now)
            raise httpx.ConnectError("nobody there")
        if request.method == "GET":
            one = {"member_id": MEMBER, "vector": base64.b64encode(member().tobytes()).decode(), "expression": False}
            body = {"model": self.model, "threshold": 0.45, "expression_notice": False, "templates": [one]}
            return httpx.Response(self.gallery_status, json=body)
        self.received.append(json.loads(request.content))
        if self.lose_answers and len(self.received) % 3 == 0:
            raise httpx.ReadTimeout("it was written down, but nobody heard so")
        return httpx.Response(202, json={"changed": False})

    def see(self, frame: Frame) -> list[str | None]:
        """Let the camera see this now, and a moment pass; return who is there."""
        told: list[str | None] = []
        self.agent.look(frame, self.now, lambda _frame, seen: told.extend(one.member_id for one in seen.people))
        self.most_buffered = max(self.most_buffered, len(self.agent.outbox))
        self.now += 1 / self.fps
        if self.now >= self._refresh_at:
            self._refresh_at = self.now + GALLERY_EVERY_S
            with suppress(httpx.HTTPError):
                self.agent.feed.refresh()
        self.send()
        return told

    def send(self) -> None:
        while len(self.agent.outbox) and self.now >= self._due:
            self._due = self.now + self.agent.outbox.step()

    def visits(self, seconds: float) -> None:
        """People come and go, the member among them."""
        rng, until = np.random.default_rng(4), self.now + seconds
        while self.now < until:
            frame = room(int(rng.integers(0, 4)), known=bool(rng.integers(2)))
            for _ in range(int(rng.integers(5, 40))):
                if self.now < until:
                    self.see(frame)

    def ids(self) -> list[str]:
        return [one["observation_id"] for one in self.received]


def two_minutes_from(start: float) -> Callable[[float], bool]:
    return lambda now: start <= now < start + 120


def test_what_was_seen_while_the_api_was_away_for_two_minutes_arrives_once_and_in_order() -> None:
    world = World(away=two_minutes_from(20))
    world.visits(20)
    before = len(world.received)
    world.visits(120)
    assert len(world.received) == before
    world.visits(20)
    ids = world.ids()
    assert len(ids) - before > 120
    assert ids == sorted(set(ids)), "ids are in the order of time"
    outbox = world.agent.outbox
    assert (outbox.accepted, outbox.sent, outbox.lost, outbox.merged, len(outbox)) == (len(ids), len(ids), 0, 0, 0)
    assert [one["at"] for one in world.received] == sorted(one["at"] for one in world.received)
    assert {person["member_id"] for one in world.received for person in one["people"]} == {MEMBER, None}
    gaps = np.diff([at for at in world.tries if at >= 20])
    assert gaps.max() <= LONGEST_PAUSE_S + 1 / FPS
    assert len(world.tries) < 120, "it does not hammer at a closed door"


def test_an_answer_that_got_lost_makes_no_second_observation_under_another_name() -> None:
    world = World()
    world.lose_answers = True
    world.visits(60)
    world.lose_answers = False
    world.visits(15)
    told = list(dict.fromkeys(world.ids()))
    assert len(told) < len(world.ids()), "some were sent twice"
    assert len(told) == world.agent.outbox.accepted
    assert told == sorted(told)


def test_forty_minutes_without_the_api_stays_within_bounds_and_keeps_until_when_each_was_there() -> None:
    world = World(away=lambda now: 1 <= now < 2400, fps=1.0)
    frames = [room(people) for people in (0, 1, 2)]
    while world.now < 2400:
        world.see(frames[round(world.now) // 50 % 3])
    assert world.most_buffered == MOST
    while world.now < 2430:
        world.see(frames[0])
    outbox, ids = world.agent.outbox, world.ids()
    assert (len(outbox), outbox.lost) == (0, 0)
    assert outbox.accepted == outbox.sent + outbox.merged == len(ids) + outbox.merged
    assert ids == sorted(set(ids))
    counts = [len(one["people"]) for one in world.received]
    assert sum(now == 0 < before for before, now in pairwise(counts)) == 16, "every departure is known"


def test_who_has_not_been_confirmed_for_five_minutes_is_nobody() -> None:
    world, frame = World(away=lambda now: now >= 10), room(1, known=True)
    while world.now < 10:
        seen = world.see(frame)
    assert seen == [MEMBER]
    while world.now < 10 + GOOD_FOR_S - GALLERY_EVERY_S - 1:
        seen = world.see(frame)
    assert seen == [MEMBER]
    while world.now < 10 + GOOD_FOR_S + 1:
        seen = world.see(frame)
    assert seen == [None]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_agent_that_is_told_that_it_may_know_nobody_forgets_at_once(status: int) -> None:
    world, frame = World(), room(1, known=True)
    for _ in range(20):
        seen = world.see(frame)
    assert seen == [MEMBER]
    world.gallery_status = status
    for _ in range(round(GALLERY_EVERY_S * FPS) + 2):
        seen = world.see(frame)
    assert seen == [None]


def test_an_agent_with_other_templates_than_the_apis_says_so() -> None:
    world = World()
    world.model = "insightface-buffalo_l"
    with pytest.raises(AgentError, match="AISLE_VISION_ENGINE"):
        world.agent.feed.refresh()


def strange_frames() -> Iterator[Frame]:
    big = np.repeat(np.repeat(room(3), 9, axis=0), 12, axis=1)  # 8K
    rng = np.random.default_rng(9)
    for count in range(41):
        yield room(count)
    yield np.zeros((*ROOM, 3), np.uint8)
    yield big
    yield rng.integers(0, 256, (*ROOM, 3), np.uint8)
    yield np.zeros((1, 2, 3), np.uint8)
    yield room(2)[:, :, 0]


def test_strange_frames_while_the_api_is_away_stop_nothing_and_lose_nothing() -> None:
    world = World(away=two_minutes_from(5))
    world.visits(5)
    for frame in strange_frames():
        for _ in range(4):
            assert len(world.see(frame)) <= MOST_PEOPLE
    world.visits(120)
    world.visits(20)
    outbox = world.agent.outbox
    assert (outbox.lost, len(outbox), len(set(world.ids()))) == (0, 0, outbox.accepted)
    assert {len(one["people"]) for one in world.received} >= {0, 1, MOST_PEOPLE}


def figures(world: World) -> dict[str, float]:
    from prometheus_client.parser import text_string_to_metric_families

    families = text_string_to_metric_families(world.agent.metrics.text().decode())
    return {
        sample.name + "".join(sample.labels.get("stage", "")): sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }


def test_the_figures_for_prometheus_tell_what_waits_what_was_told_and_how_old_the_gallery_is() -> None:
    world = World(away=two_minutes_from(10))
    world.visits(10)
    while world.now < 40:
        world.see(room(2))
    told, outbox = figures(world), world.agent.outbox
    assert told["aisle_camera_observations_buffered"] == len(outbox) > 0
    assert told["aisle_camera_observations_sent_total"] == len(world.received)
    assert told["aisle_camera_observations_lost_total"] == 0
    assert 28 <= told["aisle_camera_gallery_age_seconds"] <= 34
    assert told["aisle_camera_people"] == 2
    assert told["aisle_camera_stage_seconds_countdetect"] == told["aisle_camera_frames_seen_total"] > 100
    assert told["aisle_camera_faces_total"] > told["aisle_camera_frames_seen_total"]
    while world.now < 150:
        world.see(room(0))
    later = figures(world)
    assert later["aisle_camera_observations_buffered"] == 0
    assert later["aisle_camera_observations_sent_total"] == later["aisle_camera_observations_accepted_total"]
    assert later["aisle_camera_gallery_age_seconds"] <= GALLERY_EVERY_S + 1
