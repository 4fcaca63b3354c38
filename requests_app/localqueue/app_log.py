"""What an app prints while a job lasts, from the file that its output goes to.

Locally an app does not say for which request it prints. With one request at a time a line is that one's; with more, a
line belongs to one of those at work, and its label says so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.local_apps import LocalApp

MOST_READ = 256 * 1024  # bytes at a time
MOST_LINE = 4000  # characters


class AppLog:
    """Reads on from where the file ended when it was made. Blocking."""

    def __init__(self, app: LocalApp) -> None:
        self._path: Path | None = app.log
        self._labels = {"shared": "true"} if app.at_once > 1 else {}
        self._at = self._size()
        self._half = b""

    def lines(self, *, is_last: bool = False) -> list[dict[str, Any]]:
        """Return the new lines as fal tells them; with `is_last` also one without its end."""
        pieces = (self._half + self._read()).split(b"\n")
        self._half = b"" if is_last else pieces.pop()[-MOST_READ:]
        texts = [piece.decode(errors="replace").rstrip("\r") for piece in pieces]
        stamp = datetime.now(UTC).replace(tzinfo=None).isoformat()
        return [
            {
                "timestamp": stamp, "message": text[:MOST_LINE].replace("\x00", "�"), "level": "STDOUT",
                "source": "USER", "labels": self._labels,
            }
            for text in texts if text.strip()
        ]  # fmt: skip

    def _read(self) -> bytes:
        size = self._size()
        if size < self._at:  # it was begun anew
            self._at = 0
        if self._path is None or size == self._at:
            return b""
        try:
            with self._path.open("rb") as file:
                file.seek(max(self._at, size - MOST_READ))
                piece = file.read(MOST_READ)
        except OSError:
            return b""
        self._at = size
        return piece

    def _size(self) -> int:
        try:
            return self._path.stat().st_size if self._path else 0
        except OSError:
            return 0
