"""Files on disk within a bound."""

from __future__ import annotations

import os
from pathlib import Path

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
