"""Encryption at rest: AES-256-GCM, one data key per purpose, each wrapped by the master key (envelope encryption).

Sealed bytes are nonce (12) + ciphertext + tag (16). The associated data binds a value to its row, so that a value
copied into another row does not open. NIST SP 800-38D.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import shlex
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stores.errors import KeyMaterialError

KEY_BYTES = 32
NONCE_BYTES = 12


class Cipher:
    """Seals and opens bytes with one 256-bit key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyMaterialError(f"a key has {KEY_BYTES} bytes, this one has {len(key)}")
        self._aead = AESGCM(key)

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Return `plain` encrypted; it opens only with the same `bound_to`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """Return what was sealed; KeyMaterialError when key, row or bytes are not the ones it was sealed with."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
        except InvalidTag as error:
            raise KeyMaterialError(
                "a sealed value does not open: is this the master key that the database was made with?"
            ) from error


class KeyRing:
    """The master keys that count, newest first: the first one wraps, each of them opens.

    `read` is asked again where none of them opens: the key may have been rotated by another process meanwhile.
    """

    def __init__(self, read: Callable[[], Sequence[bytes]]) -> None:
        self._read = read
        self._ciphers = self._load()

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Return `plain` wrapped by the newest key."""
        return self._ciphers[0].seal(plain, bound_to)

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """Return what any of the keys wrapped; KeyMaterialError when none did."""
        try:
            return self._open(sealed, bound_to)
        except KeyMaterialError:
            self._ciphers = self._load()
            return self._open(sealed, bound_to)

    def reload(self) -> None:
        """Read the keys again, after this process has changed them."""
        self._ciphers = self._load()

    def _open(self, sealed: bytes, bound_to: str) -> bytes:
        for cipher in self._ciphers[1:]:
            with suppress(KeyMaterialError):
                return cipher.open(sealed, bound_to)
        return self._ciphers[0].open(sealed, bound_to)

    def _load(self) -> list[Cipher]:
        found = [Cipher(key) for key in self._read()]
        if not found:
            raise KeyMaterialError("there is no master key; make one with `openssl rand -base64 32`")
        return found


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def decode_key(text: str) -> bytes:
    """Return the key that `text` (base64 of 32 bytes) holds."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyMaterialError("the master key is not base64; make one with `openssl rand -base64 32`") from error
    if len(key) != KEY_BYTES:
        raise KeyMaterialError("the master key is not 32 bytes long; make one with `openssl rand -base64 32`")
    return key


def decode_keys(text: str) -> list[bytes]:
    """Return the keys that `text` holds, newest first, separated by commas or line ends."""
    return [decode_key(one) for one in text.replace(",", "\n").split()]


def load_or_create_master_keys(path: Path) -> list[bytes]:
    """Return the keys in `path`, one a line, newest first; one is made (readable by its owner only) when it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return decode_keys(path.read_text())
    key = new_key()
    os.close(descriptor)
    _write_through(path, [key])
    _settle(path.parent)
    return [key]


def load_or_create_master_key(path: Path) -> bytes:
    """Return the newest key in `path`."""
    return load_or_create_master_keys(path)[0]


def write_master_keys(path: Path, keys: Sequence[bytes]) -> None:
    """Replace the keys in `path` at once, newest first. They are on the disk when this returns: what they wrap soon is, too."""
    beside = path.with_suffix(".new")
    beside.touch(0o600)
    _write_through(beside, keys)
    beside.replace(path)
    _settle(path.parent)


def _write_through(path: Path, keys: Sequence[bytes]) -> None:
    with path.open("w") as file:
        file.write("".join(base64.b64encode(key).decode() + "\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have the folder's entries on the disk, not only what the files hold."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keys_of_command(command: str) -> list[bytes]:
    """Return the keys that `command` prints, such as one that asks a KMS to unwrap them.

    Raises KeyMaterialError when it fails; what it printed is not repeated.
    """
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - the operator's own
    if done.returncode != 0:
        raise KeyMaterialError(f"the command of AISLE_MASTER_KEY_COMMAND ended with status {done.returncode}")
    return decode_keys(done.stdout)
