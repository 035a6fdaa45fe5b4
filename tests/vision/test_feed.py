"""What an agent knows of people's consent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import numpy as np
import pytest

from vision.agent import Agent
from vision.errors import AgentError
from vision.feed import Feed
from vision.observation import Observation
from vision.outbox import Outbox


def test_permissions_of_a_frame_are_as_old_as_its_gallery() -> None:
    told = {"model": "m", "threshold": 0.4, "templates": [], "expression_notice": False, "staff": []}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=told)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api") as client:
        feed = Feed(client, "entrance", "m", lambda: 10.0)
        feed.refresh()
        feed.for_frame(10.0)
        told["expression_notice"] = True
        feed.refresh()
        assert not feed.may_read(None), (
            "news in the middle of a frame would pair it with a gallery that lacks the staff"
        )
        feed.for_frame(10.0)
        assert feed.may_read(None)


def test_zones_that_the_api_told_hold_while_it_is_away_or_refuses() -> None:
    zone = [[0.0, 0.0], [0.3, 0.0], [0.3, 1.0]]
    told = {"model": "m", "threshold": 0.4, "templates": [], "expression_notice": False, "excluded": [zone]}
    status = [200]
    with httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(status[0], json=told)), base_url="http://api"
    ) as client:
        feed = Feed(client, "entrance", "m", lambda: 10.0)
        feed.refresh()
        status[0] = 403
        with pytest.raises(httpx.HTTPStatusError):
            feed.refresh()
        assert feed.at(10.0).etag == "", "nobody is known any more"
        assert [[list(corner) for corner in one] for one in feed.excluded] == [zone]
        status[0], told["excluded"] = 200, []
        feed.refresh()
        assert list(feed.excluded) == []


def test_an_agent_looks_at_nobody_in_the_zones_of_its_kiosk_and_in_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    zone, own = [(0.0, 0.0), (0.3, 0.0), (0.3, 1.0)], [(0.7, 0.0), (1.0, 0.0), (1.0, 1.0)]
    told = {"model": "m", "threshold": 0.4, "templates": [], "expression_notice": False, "excluded": [zone]}
    with answering(status_code=200, json=told) as client:
        agent = Agent(client, "door", Fake(), None, excluded=[own])  # type: ignore[arg-type]
        agent.connect()
        left_out: list[object] = []
        monkeypatch.setattr(agent._pipeline, "exclude", left_out.append)
        monkeypatch.setattr(agent._pipeline, "observe", lambda *_given, **_more: Observation())
        agent.look(np.zeros((9, 9, 3), np.uint8), 0.0, lambda *_: None)
    assert left_out == [[own, zone]]


def answering(**more: object) -> httpx.Client:
    """A client whose api always says this."""
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(**more)), base_url="http://api")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [{"text": "<html>a hotel's login page</html>"}, {"json": []}, {"json": {}}, {"json": {"model": "m", "threshold": 1, "templates": 7}}],
    ids=str,
)  # fmt: skip
def test_what_is_not_the_api_is_told_in_words_and_stops_no_camera_later(said: dict[str, object]) -> None:
    with answering(status_code=200, **said) as client:
        with pytest.raises(AgentError, match="is not the api"):
            Feed(client, "door", "m").connect()
        agent = Agent(client, "door", Fake(), None)  # type: ignore[arg-type]
        waits = iter([False, False, True])
        agent._stopped.wait = lambda _s=None: next(waits)  # type: ignore[method-assign,assignment]
        agent._keep_refreshing()
        assert agent.trouble is None


class Fake:
    """An engine that is only named."""

    name = "m"


def test_a_refusal_that_is_no_problem_document_is_told_too() -> None:
    with answering(status_code=403, json=["no"]) as client, pytest.raises(AgentError, match="refused: 403"):
        Feed(client, "door", "m").connect()


@pytest.mark.parametrize(("behind_s", "corrected"), [(60, True), (1, False)])
def test_what_is_seen_carries_the_apis_time_where_this_machines_is_wrong(behind_s: int, corrected: bool) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=behind_s), usegmt=True)
    told = {"model": "m", "threshold": 0.4, "templates": [], "expression_notice": False}
    with answering(status_code=200, json=told, headers={"date": date}) as client:
        agent = Agent(client, "door", Fake(), None)  # type: ignore[arg-type]
        agent.connect()
        agent.outbox.put([])
        [seen] = agent.outbox._waiting
    ahead = (datetime.fromisoformat(seen["at"]) - datetime.now(UTC)).total_seconds()
    assert (ahead > 30) == corrected
    assert abs(ahead) < 62
    assert Outbox(lambda _seen: None)._ahead_s() == 0.0
