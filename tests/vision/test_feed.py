"""What an agent knows of people's consent."""

from __future__ import annotations

import httpx

from vision.feed import Feed


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
