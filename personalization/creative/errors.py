"""What can be wrong with what a creative is made from."""

from __future__ import annotations


class CreativeError(ValueError):
    """A creative cannot be made from this; the message says what to change. `code` is stable, for problem documents."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
