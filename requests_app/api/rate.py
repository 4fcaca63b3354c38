"""How many calls a token may make, and the headers that tell it: a bucket per token, in this process.

`RateLimit-Limit` calls a minute flow in evenly; `RateLimit-Remaining` are left, and after
`RateLimit-Reset` seconds the bucket is full again.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

PERIOD_S = 60.0
MOST_BUCKETS = 10_000  # remembered at once; the longest unused is full again anyhow


class TooManyCalls(Exception):
    """The token's bucket is empty; `retry_after_s` until there is room for one call."""

    def __init__(self, most: int, retry_after_s: float) -> None:
        super().__init__(f"A token may make {most:,} calls in a minute. Try again shortly.")
        self.retry_after_s = retry_after_s


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
    """A token bucket per key. Thread-safe."""

    def __init__(self) -> None:
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
            raise TooManyCalls(most, (1 - calls) * PERIOD_S / most)
        return Left(most, calls - 1)


buckets = Buckets()


def count(request: HttpRequest, token_pk: int) -> None:
    """Count the call for its token. Raises TooManyCalls."""
    most = settings.API_CALLS_PER_MINUTE
    request.rate_left = Left(most, 0)  # type: ignore[attr-defined]
    left = buckets.take(token_pk, most, now=time.monotonic())
    request.rate_left = left  # type: ignore[attr-defined]


def rate_headers(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: tell each call with a token how many are left."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        left: Left | None = getattr(request, "rate_left", None)
        if left:
            for name, value in left.headers.items():
                response.headers[name] = value
        return response

    return middleware
