"""Redis as far as it answers at once: who asks it waits a moment, and while it is away nobody does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S, AWAY_S = 1.0, 2.0
T = TypeVar("T")


class PatientRedis:
    """A client for threads. After a failure it is left alone for AWAY_S: else each who asks a Redis that hangs would wait PATIENCE_S."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),  # a connection of before a restart
        )  # fmt: skip
        self._away_until = float("-inf")

    def do(self, work: Callable[[redis.Redis], T]) -> T:
        """Return what `work` returns; RedisError when Redis does not answer, at once where it did not just before."""
        if time.monotonic() < self._away_until:
            raise redis.ConnectionError("away")
        try:
            return work(self._redis)
        except redis.RedisError:
            self._away_until = time.monotonic() + AWAY_S
            raise
