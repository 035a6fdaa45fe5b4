"""The file of master keys: whatever the power does, it holds all of the keys before or all of those after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stores.crypto import load_or_create_master_keys, new_key, write_master_keys


def test_keys_are_on_the_disk_before_anything_is_wrapped_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, real = list[str](), os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda number: (settled.append(str(Path(f"/proc/self/fd/{number}").readlink())), real(number))[1]
    )
    path = tmp_path / "master.key"
    first = load_or_create_master_keys(path)
    assert settled == [str(path), str(tmp_path)]
    keys = [new_key(), *first]
    write_master_keys(path, keys)
    assert settled[2:] == [str(tmp_path / "master.new"), str(tmp_path)], "the file first, then its name"
    assert load_or_create_master_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
