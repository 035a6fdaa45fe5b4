"""Results that follow from a member's purchases alone, kept while the purchases are the same object."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from personalization.types import Purchase

T = TypeVar("T")


class PurchaseMemo(Generic[T]):
    """Remembers the result for the last `size` histories; a history that changed is another object, and is computed anew."""

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._kept: OrderedDict[int, tuple[Sequence[Purchase], T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, purchases: Sequence[Purchase], compute: Callable[[], T]) -> T:
        """Return the result for `purchases`, computed at most once per object."""
        with self._lock:
            found = self._kept.get(id(purchases))
            if found is not None and found[0] is purchases:  # the id of a dead object may come again
                self._kept.move_to_end(id(purchases))
                return found[1]
        result = compute()
        with self._lock:
            self._kept[id(purchases)] = (purchases, result)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return result
