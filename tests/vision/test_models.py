"""Model files come from whoever has the identical bytes, and from nobody else."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vision.errors import ModelError
from vision.models import ModelFile, manifest, missing, pull

CONTENT = bytes(range(256)) * 2000


class Server(ThreadingHTTPServer):
    """Serves CONTENT under /good (with ranges), other bytes of that size under /bad; remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        if self.path == "/absent":
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        body = (CONTENT if self.path == "/good" else CONTENT[::-1])[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def model(server: Server, *names: str) -> ModelFile:
    sources = [{"kind": "https", "url": server.url(name)} for name in names]
    return ModelFile("m.onnx", "test", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "MIT", sources)


def quiet(_name: str, _done: int, _total: int) -> None:
    """Show no progress."""


def test_a_source_with_other_bytes_is_passed_over(server: Server, tmp_path: Path) -> None:
    file = model(server, "absent", "bad", "good")
    pull(tmp_path, progress=quiet, files=[file])
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert missing(tmp_path, [file]) == []
    assert [path for path, _ in server.asked] == ["/absent", "/bad", "/good"]


def test_an_interrupted_download_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    (tmp_path / "m.onnx.part").write_bytes(CONTENT[:300_000])
    pull(tmp_path, progress=quiet, files=[model(server, "good")])
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert server.asked == [("/good", "bytes=300000-")]


def test_when_nobody_has_it_every_source_is_named_and_nothing_is_left(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as told:
        pull(tmp_path, progress=quiet, files=[model(server, "absent", "bad")])
    assert server.url("absent") in str(told.value)
    assert f"{server.url('bad')}: not the file that the manifest names" in str(told.value)
    assert not (tmp_path / "m.onnx").exists()


def test_a_file_that_was_changed_is_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(CONTENT[::-1])
    assert pull(tmp_path, progress=quiet, files=[model(server, "good")])
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_the_progress_ends_at_the_whole_size(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    pull(tmp_path, progress=lambda _name, done, total: told.append((done, total)), files=[model(server, "good")])
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_every_default_model_has_a_licence_and_several_sources() -> None:
    for file in manifest():
        assert file.licence in {"MIT", "Apache-2.0"}, file.name
        assert len(file.sources) >= 2, file.name
        assert any(source["kind"] == "https" for source in file.sources), file.name
