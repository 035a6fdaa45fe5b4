"""Encryption at rest: AES-256-GCM, one data key per purpose, each wrapped by the master key (envelope encryption).

Sealed bytes are nonce (12) + ciphertext + tag (16). The associated data binds a value to its row, so that a value
copied into another row does not open. NIST SP 800-38D.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
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


def load_or_create_master_key(path: Path) -> bytes:
    """Return the key in `path`, which is made (readable by its owner only) when it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return decode_key(path.read_text().strip())
    key = new_key()
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(key).decode() + "\n")
    return key
