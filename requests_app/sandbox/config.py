"""What can be set about the sandbox. Every time is in seconds, every size in bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_KEY = "sandbox:sandbox"


@dataclass(frozen=True)
class Tuning:
    """fal's own figures by default; tests shorten them."""

    log_window_s: float = 300.0
    retention_s: float = 3600.0
    large_retention_s: float = 360.0
    large_bytes: int = 10 * 1024
    ping_s: float = 15.0
    realtime_idle_s: float = 10.0
    retry_gap_s: float = 1.0
    """First pause before a queued request whose runner was lost starts again; it doubles."""
    webhook_scale: float = 1.0
    """Multiplies the gaps between webhook attempts (1, 2, 4 ... 300 s)."""
    pace: float = 1.0
    """Multiplies the time that made-up work takes."""
    capacity: Mapping[str, int] = field(default_factory=dict)
    """How many requests of an endpoint run at once, where it shall differ from its own figure."""


@dataclass(frozen=True)
class Settings:
    """`base_url` is where callers reach this server; every URL in a reply starts with it."""

    base_url: str
    keys: frozenset[str] = frozenset({DEFAULT_KEY})
    tuning: Tuning = Tuning()
    trusted: Path | None = None  # authorities of the servers that take webhooks

    def user_of(self, key: str) -> str | None:
        """The user id of a key, or None when the key is not ours."""
        if key not in self.keys:
            return None
        return "sandbox|" + hashlib.sha256(key.encode()).hexdigest()[:24]
