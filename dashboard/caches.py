"""The shared cache of several processes. Redis carries it, and nobody depends on Redis."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError, TimeoutError

T = TypeVar("T")
logger = logging.getLogger(__name__)


class RedisOrMemory(RedisCache):
    """Redis' cache, and while Redis is away one in this process's memory.

    It holds the counts of log-in attempts: without Redis each process counts for itself, which is
    still a limit, and better than that nobody can log in.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("without redis", params)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """As every cache's."""
        return self._either(super().get, self._own.get, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        """As every cache's."""
        self._either(super().set, self._own.set, *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """As every cache's."""
        return self._either(super().add, self._own.add, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        """As every cache's."""
        return self._either(super().delete, self._own.delete, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> int:
        """As every cache's."""
        return self._either(super().incr, self._own.incr, *args, **kwargs)

    def _either(
        self, shared: Callable[..., T], own: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        try:
            return shared(*args, **kwargs)
        except (ConnectionError, TimeoutError) as error:
            logger.warning("The shared cache is away: %s", error)
            return own(*args, **kwargs)
