"""The shared cache in Redis, with a fallback to a cache in memory while Redis is down (a circuit breaker).

The cache holds counters of rate limits: during an outage of Redis each process may count alone. An outage must never
keep people from signing in or joining.
"""

from __future__ import annotations

import logging
import time
from functools import partialmethod
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
RETRY_SECONDS = 5.0  # after a failure Redis is not tried for so long, so that one request waits and not each


class FallbackCache(BaseCache):
    """Django's Redis cache; a call that fails is answered by a cache in memory."""

    retry_at = 0.0  # monotonic time until which this process does not try Redis

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = RedisCache(server, params)
        # OPTIONS are those of the Redis client, which a cache in memory does not accept.
        self._local = LocMemCache("while Redis is away", params | {"OPTIONS": {}})

    def _do(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= FallbackCache.retry_at:
            try:
                return getattr(self._shared, name)(*args, **kwargs)
            except RedisError as error:
                FallbackCache.retry_at = time.monotonic() + RETRY_SECONDS
                log.warning("the shared cache does not answer (%s); counting alone", type(error).__name__)
        return getattr(self._local, name)(*args, **kwargs)

    add = partialmethod(_do, "add")
    get = partialmethod(_do, "get")
    set = partialmethod(_do, "set")
    touch = partialmethod(_do, "touch")
    delete = partialmethod(_do, "delete")
    incr = partialmethod(_do, "incr")
    has_key = partialmethod(_do, "has_key")
    clear = partialmethod(_do, "clear")
