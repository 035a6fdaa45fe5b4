"""Files on disk within a bound."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stores.file_cache import FileCache


def test_who_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "files", 100)
    for number, name in enumerate(("a", "b", "c")):
        kept.put(name, bytes(40))
        if name != "c":
            os.utime(tmp_path / "files" / name, (number, number))
    assert kept.get("a") is None
    assert kept.get("b") == bytes(40)
    os.utime(tmp_path / "files" / "c", (1, 1))
    kept.put("d", bytes(40))
    assert [name for name in "bcd" if kept.get(name)] == ["b", "d"]


def test_what_is_larger_than_all_is_not_kept_and_others_stay(tmp_path: Path) -> None:
    kept = FileCache(tmp_path, 100)
    kept.put("a", b"1")
    kept.put("large", bytes(101))
    assert (kept.get("a"), kept.get("large")) == (b"1", None)


def test_of_many_who_ask_at_once_one_makes_the_file_and_others_do_not_wait_for_it(tmp_path: Path) -> None:
    kept, made = FileCache(tmp_path, 1000), []
    begun, other = threading.Event(), threading.Event()

    def make() -> bytes:
        made.append(1)
        begun.set()
        assert other.wait(30)
        return b"drawn"

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(kept.made, "one", make) for _ in range(8)]
        assert begun.wait(30)
        assert kept.made("another", lambda: b"at once") == b"at once"
        other.set()
        assert [one.result() for one in asked] == [b"drawn"] * 8
    assert len(made) == 1
    assert kept._making == {}


def test_what_could_not_be_made_is_tried_by_the_next(tmp_path: Path) -> None:
    kept = FileCache(tmp_path, 1000)

    def broken() -> bytes:
        raise ValueError("no ink")

    with pytest.raises(ValueError, match="no ink"):
        kept.made("one", broken)
    assert kept.made("one", lambda: b"drawn") == b"drawn"
