"""A camera's process, watched from outside: no picture leaves its memory, and nothing of who did not agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.vision_trace import THIS_MACHINE, traced


@pytest.mark.parametrize("preview", [False, True], ids=["as it runs in a shop", "while an installer looks"])
def test_no_picture_leaves_a_cameras_process_and_nothing_of_who_did_not_agree(models_dir: Path, preview: bool) -> None:
    trace = traced(models_dir.resolve(), seconds=3, preview=preview)
    assert trace["frames"] >= 20
    assert trace["seen"] == 3
    assert trace["observations"] > 0
    assert trace["file_bytes"] < 1_000, "the kernel counted bytes that went to a file"
    assert trace["other_bytes"] == 0
    assert trace["peers"] == [trace["api"]]
    assert trace["machines"] == [THIS_MACHINE]
    assert trace["answered"] == ([trace["preview"]] if preview else []), (
        "nobody can call it but the installer's browser"
    )
    assert trace["pictures"] > 1 if preview else trace["pictures"] == 0
    assert trace["largest"] < 2_000 < trace["frame_bytes"]
    people = [person for body in trace["bodies"] for person in json.loads(body)["people"]]
    assert {person["member_id"] for person in people} == {None, "member-1"}
    strangers = [person for person in people if person["member_id"] is None]
    told = {name for person in strangers for name, value in person.items() if value is not None}
    assert told == {"track_id", "dwell_ms"}
