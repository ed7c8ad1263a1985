"""The cache in Redis, and one of this process while Redis does not answer.

What is kept here is small and short-lived (how often somebody has tried): for a while each process may count for
itself. What must not happen is that nobody can sign in or join because a cache is away.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
AGAIN_SECONDS = 5.0  # after a failure Redis is not asked for so long: one request waits, not each of them

_away_until = 0.0  # of this process, by the monotonic clock


class SharedOrOwnCache(BaseCache):
    """Django's Redis cache; each call that Redis fails is done by a cache in memory instead."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = RedisCache(server, params)
        # Redis takes what its client takes as options; a cache in memory has none of these.
        self._own = LocMemCache("while Redis is away", params | {"OPTIONS": {}})

    def _do(self, name: str, *args: Any, **kwargs: Any) -> Any:
        global _away_until
        if time.monotonic() >= _away_until:
            try:
                return getattr(self._shared, name)(*args, **kwargs)
            except RedisError as error:
                _away_until = time.monotonic() + AGAIN_SECONDS
                log.warning("the shared cache does not answer (%s); counting alone", type(error).__name__)
        return getattr(self._own, name)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._do("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._do("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._do("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._do("touch", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._do("delete", *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> int:
        return self._do("incr", *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._do("has_key", *args, **kwargs)

    def clear(self) -> None:
        self._do("clear")
