"""What a shopper asked, as decisions keep it: sealed like the messages that it comes from. It stands under `query`, in the context and in reasons' facts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Protocol

PURPOSE = "messages"
UNREAD = "(sealed)"
"""What stands for the words where they are not opened: that something was asked can be learned from, what was asked cannot."""
_NAME, _MARK = "query", "sealed"


class Sealer(Protocol):
    """Seals and opens under a purpose's key, as `Database` does."""

    def seal(self, purpose: str, plain: bytes, bound_to: str) -> bytes:
        """Encrypt."""

    def open(self, purpose: str, sealed: bytes, bound_to: str) -> bytes:
        """Decrypt."""


def seal_words(keys: Sealer, decision_id: str, body: Any) -> Any:
    """Return a decision's `body` with what was asked sealed; what is sealed already stays as it is."""

    def seal(words: Any) -> Any:
        if not isinstance(words, str):
            return words
        return {_MARK: base64.b64encode(keys.seal(PURPOSE, words.encode(), decision_id)).decode()}

    return _changed(body, seal)


def open_words(keys: Sealer, decision_id: str, body: Any) -> Any:
    """Return a decision's `body` with what was asked in the clear."""

    def opened(words: Any) -> Any:
        return keys.open(PURPOSE, base64.b64decode(words[_MARK]), decision_id).decode() if _is_sealed(words) else words

    return _changed(body, opened)


def unread_words(body: Any) -> Any:
    """Return a decision's `body` with UNREAD for what is sealed."""
    return _changed(body, lambda words: UNREAD if _is_sealed(words) else words)


def without_words(body: Any) -> Any:
    """Return a decision's `body` without what was asked."""
    return _changed(body, lambda _: None)


def _is_sealed(words: Any) -> bool:
    return isinstance(words, dict) and words.keys() == {_MARK}


def _changed(told: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(told, list):
        return [_changed(one, change) for one in told]
    if not isinstance(told, dict):
        return told
    return {name: change(value) if name == _NAME else _changed(value, change) for name, value in told.items()}
