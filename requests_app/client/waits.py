"""How long a caller still waits."""

from __future__ import annotations

import time

from .errors import FalClientTimeoutError

LEAST_S = 0.001


class Deadline:
    """A moment after which waiting raises FalClientTimeoutError; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._at = None if seconds is None else time.monotonic() + seconds

    def check(self) -> None:
        """Raise FalClientTimeoutError when the time is over."""
        if self._at is not None and time.monotonic() >= self._at:
            raise FalClientTimeoutError(self._seconds or 0)

    def at_most(self, seconds: float) -> float:
        """Return what is left of the seconds. Raises FalClientTimeoutError when that is nothing."""
        self.check()
        if self._at is None:
            return seconds
        return max(LEAST_S, min(seconds, self._at - time.monotonic()))
