"""The journal of erasures: beside the database, so that a restored backup can be erased again.

A folder with two files: `journal.jsonl`, a line for each erasure with its receipt, its time, and keyed hashes (HMAC-SHA-256) of the
member's and their visitors' ids; and `journal.key`, its own key, wrapped by the master key. Without the key it names nobody, and
with it only whom somebody already knows. GDPR articles 5(1)(f) and 17; keep it out of the backups that it is for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from uuid_utils import uuid7

from stores.crypto import new_key

BOUND_TO = "erasure-journal"


class Master(Protocol):
    """What wraps the journal's key: the master key, or the ring of those that count."""

    def seal(self, plain: bytes, bound_to: str) -> bytes: ...  # noqa: D102

    def open(self, sealed: bytes, bound_to: str) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Journalled:
    """An erasure: `member` and `visitors` are keyed hashes in the file, ids when it is done again."""

    receipt_id: str
    member: str
    visitors: tuple[str, ...]


class ErasureJournal:
    """Appends erasures, before they are committed, and reads them back."""

    def __init__(self, folder: Path, master: Master) -> None:
        self._lines, self._wrapped, self._master = folder / "journal.jsonl", folder / "journal.key", master

    def add(self, member_id: str, visitors: Iterable[str], *, at: datetime) -> Journalled:
        """Write an erasure down, and wait until the disk has it."""
        line = Journalled(str(uuid7()), self.hashed(member_id), tuple(map(self.hashed, visitors)))
        told = {"receipt_id": line.receipt_id, "at": at.isoformat(), "member": line.member, "visitors": line.visitors}
        with self._lines.open("a") as file:
            file.write("\n" + json.dumps(told))  # what a crash cut off before it stays a line of its own
            file.flush()
            os.fsync(file.fileno())
        return line

    def lines(self) -> Iterator[Journalled]:
        """Yield every erasure, oldest first; a line that a crash cut off counts as not written."""
        if not self._lines.exists():
            return
        for text in self._lines.read_text().splitlines():
            try:
                told = json.loads(text)
            except ValueError:
                continue
            yield Journalled(told["receipt_id"], told["member"], tuple(told["visitors"]))

    def hashed(self, identifier: str) -> str:
        """Return the keyed hash that stands for an id."""
        return hmac.new(self._key, identifier.encode(), hashlib.sha256).hexdigest()

    def rewrap(self) -> None:
        """Wrap the journal's key anew, after the master key has changed."""
        if self._wrapped.exists():
            beside = self._wrapped.with_suffix(".new")
            beside.write_text(self._sealed(self._key))
            beside.chmod(0o600)
            beside.replace(self._wrapped)

    @cached_property
    def _key(self) -> bytes:
        self._wrapped.parent.mkdir(parents=True, exist_ok=True)
        key = new_key()
        own = self._wrapped.with_name(f"journal.{os.getpid()}.new")
        own.touch(0o600)
        own.write_text(self._sealed(key))
        try:
            self._wrapped.hardlink_to(own)  # all of it at once, and only where there is none
        except FileExistsError:
            key = self._master.open(base64.b64decode(self._wrapped.read_text()), BOUND_TO)
        finally:
            own.unlink()
        return key

    def _sealed(self, key: bytes) -> str:
        return base64.b64encode(self._master.seal(key, BOUND_TO)).decode() + "\n"
