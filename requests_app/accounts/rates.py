"""How often one caller may come: a bucket of calls for each, in this process.

The calls of a minute flow in evenly; a full bucket may be emptied at once.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

PERIOD_S = 60.0
MOST_BUCKETS = 10_000  # remembered at once; the longest unused is full again anyhow


class TooManyCalls(Exception):
    """The caller's bucket is empty; `retry_after_s` until there is room for one call."""

    def __init__(self, who: str, most: int, retry_after_s: float) -> None:
        super().__init__(f"{who} may make {most:,} calls in a minute. Try again shortly.")
        self.retry_after_s = retry_after_s

    @property
    def retry_after(self) -> str:
        """The header's value: whole seconds."""
        return str(max(1, math.ceil(self.retry_after_s)))


@dataclass(frozen=True)
class Left:
    """A bucket after a call."""

    most: int
    calls: float

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft and most services name them."""
        reset_s = (self.most - self.calls) * PERIOD_S / self.most
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(0, math.floor(self.calls))),
            "RateLimit-Reset": str(math.ceil(reset_s)),
        }


class Buckets:
    """A token bucket per key. Thread-safe. `who` a key stands for: "A token", for the sentence."""

    def __init__(self, who: str = "A token") -> None:
        self._who = who
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, most: int, *, now: float) -> Left:
        """Take one call out. Raises TooManyCalls, and takes nothing."""
        with self._lock:
            calls, at = self._left.pop(key, (float(most), now))
            calls = min(float(most), calls + (now - at) * most / PERIOD_S)
            is_refused = calls < 1
            self._left[key] = (calls if is_refused else calls - 1, now)
            while len(self._left) > MOST_BUCKETS:
                self._left.popitem(last=False)
        if is_refused:
            raise TooManyCalls(self._who, most, (1 - calls) * PERIOD_S / most)
        return Left(most, calls - 1)

    def forget(self) -> None:
        """Fill every bucket again."""
        with self._lock:
            self._left.clear()
