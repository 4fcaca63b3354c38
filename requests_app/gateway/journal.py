"""Calls under way, in files of this process: what it takes with it when it is killed is stored from there.

A call is written down before it leaves for fal, and again with fal's answer before the end of that goes to the
caller. Each is one `write` of some microseconds into the system's memory, which outlives the process, though not
the machine. It is forgotten once the database or the spool has it.

A process holds a lock on each of its files, so a file that is not locked is of one that has ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import msgspec

from requests_app.gateway.entries import CallEntry

MOST_OF_ONE = 1024 * 1024  # bytes of a call; writing down a larger one would hold up the others
# Bytes; then the next file is begun, and this one goes when its last call is forgotten.
MOST_OF_A_FILE = 8 * 1024 * 1024
EMPTIED_AFTER_S = 1.0  # without a call under way
SUFFIX = ".journal"

_LENGTH = struct.Struct(">I")
_encode = msgspec.msgpack.Encoder().encode
# A call, or the public id of a forgotten one.
_decode = msgspec.msgpack.Decoder(CallEntry | str).decode

logger = logging.getLogger(__name__)


class _File:
    """One file, locked. Written at the end, by one `write` a frame."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{uuid4()}{SUFFIX}"
        half = self.path.with_suffix(".new")  # not found by its name before it is locked
        self._descriptor = os.open(half, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        half.rename(self.path)
        self.size, self.open = 0, set[str]()

    def write(self, data: bytes) -> None:
        """Raises OSError; then nothing is written."""
        written = os.write(self._descriptor, data)
        if written < len(data):
            os.ftruncate(self._descriptor, self.size)
            raise OSError("The disk is full.")
        self.size += written

    def empty(self) -> None:
        os.ftruncate(self._descriptor, 0)
        self.size = 0

    def close(self) -> None:
        """Let go of it; what is still open in it is for the next process."""
        if not self.open:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


class Journal:
    """Bound to one event loop. No method waits, and none fails: a call never does because of its record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: _File | None = None
        self._holders: dict[str, _File] = {}  # by public id
        self._emptying: asyncio.TimerHandle | None = None

    def note(self, entry: CallEntry) -> None:
        """Write a call down, in place of what was written of it before."""
        if entry.size > MOST_OF_ONE:
            return
        try:
            file = self._holders.get(entry.public_id) or self._current()
            file.write(_frame(entry))
        except OSError as error:
            logger.warning("A call through the gateway is under way unwritten: %s", error)
            return
        file.open.add(entry.public_id)
        self._holders[entry.public_id] = file

    def forget(self, public_id: str) -> None:
        """Note that the call is kept elsewhere, or is not to be kept."""
        file = self._holders.pop(public_id, None)
        if file is None:
            return
        file.open.discard(public_id)
        try:
            if file is not self._file:
                if not file.open:
                    file.close()
                return
            file.write(_frame(public_id))
        except OSError:  # it is read once more, and stored once: it has its row's public id
            return
        if not file.open and self._emptying is None:
            loop = asyncio.get_running_loop()
            self._emptying = loop.call_later(EMPTIED_AFTER_S, self._empty)

    def close(self) -> None:
        """Let go of the files."""
        if self._emptying:
            self._emptying.cancel()
        for file in {*self._holders.values(), *([self._file] if self._file else [])}:
            file.close()
        self._file, self._holders = None, {}

    def _current(self) -> _File:
        if self._file is None or self._file.size >= MOST_OF_A_FILE:
            if self._file and not self._file.open:
                self._file.close()
            self._file = _File(self._folder)
        return self._file

    def _empty(self) -> None:
        """Keep no input on the disk for longer than it takes."""
        self._emptying = None
        if self._file and not self._file.open:
            self._file.empty()


def left_by_others(folder: Path) -> Iterator[list[CallEntry]]:
    """Yield the calls of each process that has ended; its file goes when the next is asked for. Blocking."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            file = path.open("rb")
        except FileNotFoundError:  # another process was first
            continue
        with closing(file):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # its process runs
                continue
            if path.exists():
                yield list(_open_in(file.read()).values())
                path.unlink()


def _open_in(data: bytes) -> dict[str, CallEntry]:
    """Return the calls that were not forgotten, as they were written last."""
    found: dict[str, CallEntry] = {}
    at = 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        try:
            told = _decode(data[at : at + length])
        except msgspec.DecodeError:  # the process was killed while it wrote this one
            break
        if isinstance(told, str):
            found.pop(told, None)
        else:
            found[told.public_id] = told
        at += length
    return found


def _frame(told: CallEntry | str) -> bytes:
    data = _encode(told)
    return _LENGTH.pack(len(data)) + data
