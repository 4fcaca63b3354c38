"""What happened, in order: one JSON line for each beginning and each outcome."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Operation:
    """`type` is invoke, ok, fail (certainly without effect) or info (the outcome is unknown).

    `t` is Unix time in seconds; `what` holds small facts.
    """

    t: float
    who: str
    f: str
    type: str
    what: dict[str, Any] = field(default_factory=dict)


class History:
    """Appended to by every thread, read when all is over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, who: str, f: str, type: str, **what: Any) -> None:
        """Note it with the present time."""
        line = json.dumps(asdict(Operation(time.time(), who, f, type, what)))
        with self._lock:
            self._file.write(f"{line}\n")

    def close(self) -> None:
        """Nothing is noted any more."""
        self._file.close()


def read(path: Path) -> list[Operation]:
    """All operations, in the order in which they were noted."""
    with path.open(encoding="utf-8") as lines:
        return [Operation(**json.loads(line)) for line in lines]
