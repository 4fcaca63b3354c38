"""One call to fal, before it is made. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One call. ``headers`` are the caller's own (``x-…`` only); ``idle_s`` None: only the deadline
    counts.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    params: Mapping[str, str] | None = None
    accept: str = "application/json"
    idle_s: float | None = None

    @property
    def is_paid(self) -> bool:
        """Whether it may start paid work: every POST; GET, PUT (cancel) and DELETE may be repeated freely."""
        return self.method == "POST"
