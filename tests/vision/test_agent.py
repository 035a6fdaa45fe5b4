"""A camera's process, watched from outside: no picture leaves its memory, and nothing of who did not agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from bench.vision_trace import THIS_MACHINE, traced
from tests.vision.fake_camera import astronaut, visit, write_mjpeg
from vision import privacy
from vision.errors import AgentError


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


@pytest.mark.parametrize("slips", [0, 50_000], ids=["as it is", "with a picture in a file"])
def test_an_installer_is_told_whether_a_picture_leaves_the_process(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slips: int
) -> None:
    monkeypatch.setattr("api.cli.vision._models", lambda: models_dir)
    film = write_mjpeg(tmp_path / "film.mjpeg", visit(astronaut(), there_s=1, gone_s=0))
    count = privacy._wchar
    counted: list[int] = []

    def kernels(pid: int) -> int:
        counted.append(pid)
        return count(pid) + slips * (len(counted) - 1)

    monkeypatch.setattr(privacy, "_wchar", kernels)
    told = CliRunner().invoke(app, ["vision", "privacy", "--source", str(film), "--seconds", "1"])
    assert told.exit_code == (1 if slips else 0), told.output
    assert f"to files     {slips:,} bytes" in told.output
    assert "to sockets   0 bytes" in told.output
    assert "other machines  none" in told.output


def test_a_camera_that_gives_nothing_is_told_in_words(models_dir: Path, tmp_path: Path) -> None:
    watched = privacy.Watched(str(tmp_path / "none.avi"), str(models_dir.resolve()), 1)
    with pytest.raises(AgentError, match=r"none\.avi"):
        privacy.traced(watched, privacy.NOBODY | {"model": "opencv-sface"})
