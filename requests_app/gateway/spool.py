"""Entries on disk while the database is away or slow: files of one or many, up to a number of bytes and files.

All processes share the folder. Two that read the same file store it once, for an entry has its row's
public id.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec

from requests_app.gateway.entries import CallEntry

MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 20_000
COUNTED_EVERY_S = 5.0
WAITING = ".call"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[CallEntry]).decode


class SpoolFull(Exception):
    """No further entry fits."""


class Spool:
    """The folder; it is made with its first entry. Blocking."""

    def __init__(self, folder: Path, *, bytes_: int = MOST_BYTES, files: int = MOST_FILES) -> None:
        self.folder, self._bytes, self._files = folder, bytes_, files
        self._there = self._held = 0  # files and bytes, at the last count
        self._counted_until = 0.0

    def put(self, entries: Sequence[CallEntry]) -> None:
        """Write entries into one file: all of them or none. Raises SpoolFull or OSError."""
        data = _encode(entries)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._count_again()
        if self._there >= self._files or self._held + len(data) > self._bytes:
            raise SpoolFull
        name = f"{entries[0].sent_at:017.6f}-{uuid4()}"
        half = self.folder / f"{name}.half"
        half.write_bytes(data)
        half.rename(self.folder / f"{name}{WAITING}")  # whole, or not there
        self._there, self._held = self._there + 1, self._held + len(data)

    def _count_again(self) -> None:
        """Count what is there, also of other processes; between two counts only what is put is added."""
        if time.monotonic() < self._counted_until:
            return
        sizes = [file.stat().st_size for file in self._waiting() if file.exists()]
        self._there, self._held = len(sizes), sum(sizes)
        self._counted_until = time.monotonic() + COUNTED_EVERY_S

    def files(self) -> Iterator[tuple[Path, list[CallEntry] | None]]:
        """Yield what waits, file by file, oldest first; None for what cannot be read."""
        for file in sorted(self._waiting()):
            try:
                yield file, _decode(file.read_bytes())
            except FileNotFoundError:  # another process was first
                continue
            except (msgspec.DecodeError, OSError):
                yield file, None

    def is_used(self) -> bool:
        """Return whether anything waits."""
        return any(self.folder.glob(f"*{WAITING}"))

    def remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)

    def set_aside(self, file: Path) -> None:
        """Keep what cannot be stored, out of the way."""
        file.rename(file.with_suffix(".unreadable"))

    def _waiting(self) -> list[Path]:
        return list(self.folder.glob(f"*{WAITING}"))
