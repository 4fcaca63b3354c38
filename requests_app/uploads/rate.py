"""Bound how often a user starts an upload, in this process: a loop in a page must not spend fal's rate limit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable

MOST = 120  # per user and period
PERIOD_S = 60.0
MOST_USERS = 10_000  # remembered at once


class Rate:
    """A sliding window per key. Thread-safe."""

    def __init__(self, most: int = MOST, period_s: float = PERIOD_S) -> None:
        self.most, self.period_s = most, period_s
        self._starts: dict[Hashable, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: Hashable, *, now: float) -> float:
        """Count one more and return 0, or return the seconds until there is room for one."""
        with self._lock:
            if len(self._starts) >= MOST_USERS:
                self._forget_idle(now)
            starts = self._starts.setdefault(key, deque())
            while starts and starts[0] <= now - self.period_s:
                starts.popleft()
            if len(starts) >= self.most:
                return starts[0] + self.period_s - now
            starts.append(now)
            return 0.0

    def _forget_idle(self, now: float) -> None:
        idle = [key for key, starts in self._starts.items() if starts[-1] <= now - self.period_s]
        for key in idle:
            del self._starts[key]
