"""Files by name in a folder that never holds more than so many bytes: who was used longest ago goes first."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class FileCache:
    """Keeps files. Several threads and processes may share a folder: files appear whole, and one that is gone is made again."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._lock = threading.Lock()
        self._making: dict[str, tuple[threading.Lock, int]] = {}  # with how many wait for it

    def get(self, name: str) -> bytes | None:
        """Return a file that is there, and note that it was used."""
        path = self._folder / name
        try:
            found = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return found

    def made(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a file, made and kept if it is not there; of several who ask at once, one makes it."""
        if (found := self.get(name)) is not None:
            return found
        with self._alone(name):
            if (found := self.get(name)) is None:
                found = make()
                self.put(name, found)
        return found

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._making.get(name, (threading.Lock(), 0))
            self._making[name] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._making[name]
                if waiting > 1:
                    self._making[name] = lock, waiting - 1
                else:
                    del self._making[name]

    def put(self, name: str, content: bytes) -> None:
        """Keep a file, unless it is larger than all that may be kept."""
        if len(content) > self._most:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as fresh:
            fresh.write(content)
        Path(fresh.name).replace(self._folder / name)
        with self._lock:
            self._make_room()

    def _make_room(self) -> None:
        found = []
        for path in self._folder.iterdir():
            try:
                if not path.name.startswith("."):
                    told = path.stat()
                    found.append((told.st_mtime_ns, told.st_size, path))
            except OSError:
                continue  # another process took it away
        over = sum(size for _, size, _ in found) - self._most
        for _, size, path in sorted(found):
            if over <= 0:
                return
            path.unlink(missing_ok=True)
            over -= size
