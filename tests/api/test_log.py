"""Lines of the log: one each, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from api.log import configure


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("style", ["console", "json"])
def test_what_callers_send_neither_begins_a_line_nor_steers_a_terminal(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json" if style == "json" else "console")
    path = "/v1/x\n2026-11-27 [info] all is well\x1b[2J\u2028käse"
    structlog.get_logger("test").warning("request", path=path)
    said = capsys.readouterr().err
    assert len(said.rstrip("\n").splitlines()) == 1
    assert said.rstrip("\n").isprintable()
    if style == "json":
        assert json.loads(said)["path"] == path
    else:
        assert "\\n2026" in said
        assert "käse" in said
