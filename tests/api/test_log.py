"""Lines of the log: one each, whatever is in them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from api.log import PlainFormatter, configure


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


class MishapError(Exception):
    """One that quotes what it was given, as many libraries' do."""


@pytest.mark.parametrize("style", ["console", "json"])
def test_an_unexpected_error_tells_no_locals_and_its_words_begin_no_line(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json" if style == "json" else "console")

    address = "ada@example.org"
    forged = "\n1999-01-01 [info] all is well\x1b[2J\r\u2028käse"

    def answer(text: str) -> None:
        try:
            raise KeyError(forged)
        except KeyError as cause:
            raise MishapError(str(len(text)) + forged) from cause

    try:
        answer(f"my e-mail is {address}")
    except MishapError:
        structlog.get_logger("test").exception("unexpected error", path="/v1/x\n2026", kind="MishapError")
    said = capsys.readouterr().err
    lines = said.rstrip("\n").split("\n")
    assert address not in said
    assert "in answer" in said, "where it was raised is told"
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith("1999")]
    if style == "json":
        assert len(lines) == 1
        assert "all is well" in json.loads(said)["exception"]
    else:
        assert lines[-1].endswith("MishapError: 28\\n1999-01-01 [info] all is well\\x1b[2J\\r\\u2028käse")


def test_what_the_server_says_of_an_unexpected_error_begins_no_line_either() -> None:
    forged = "\n1999-01-01 [info] all is well\x1b[2J"
    try:
        raise MishapError(forged)
    except MishapError:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "Exception in ASGI\n", (), sys.exc_info())
    said = PlainFormatter("%(levelname)s: %(message)s").format(record)
    assert "Exception in ASGI" in said
    assert not [line for line in said.split("\n") if line.startswith("1999") or not line.isprintable()]
