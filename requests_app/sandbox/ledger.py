"""Every accepted submit, run and stream, so that tests can prove "not submitted twice"."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import asdict, dataclass

from .store import Store


@dataclass(frozen=True)
class Entry:
    kind: str
    """submit, run or stream."""
    request_id: str
    endpoint_id: str
    accepted_at: float
    """Unix time, seconds."""
    body_sha256: str
    webhook_url: str | None = None


class Ledger:
    """Append-only, kept for good; `entries` may be read from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._entries = [Entry(**entry) for entry in store.ledger()]  # type: ignore[arg-type]

    @property
    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def add(
        self,
        kind: str,
        request_id: str,
        endpoint_id: str,
        body: bytes,
        webhook_url: str | None = None,
    ) -> None:
        digest = hashlib.sha256(body).hexdigest()
        entry = Entry(kind, request_id, endpoint_id, time.time(), digest, webhook_url)
        self._store.add_ledger(asdict(entry))
        with self._lock:
            self._entries.append(entry)
