"""Give memory back to the system once a large body has been answered.

glibc keeps what is freed: it learns from the first 30 MB body to take the next one from its heaps, and
keeps a heap for each of many threads. Eight such bodies left a process with 300 MB more for good.
"""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress
from typing import Any

# Names and numbers of glibc's malloc.h.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8

OF_ITS_OWN = 1024 * 1024  # bytes; from here on a block is the system's again when it is freed
HEAPS = 4
TRIM_EVERY_S = 30.0


def return_what_is_freed() -> None:
    """Set it up for this process, before its threads start; does nothing without glibc."""
    libc = _glibc()
    if libc is None:
        return
    libc.mallopt(M_MMAP_THRESHOLD, OF_ITS_OWN)
    libc.mallopt(M_ARENA_MAX, HEAPS)
    threading.Thread(target=_trim_often, args=[libc], name="memory-trim", daemon=True).start()


def _glibc() -> Any:
    """Return the C library, None for another one than glibc."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        if libc.mallopt and libc.malloc_trim:
            return libc
    return None


def _trim_often(libc: Any) -> None:
    while True:
        time.sleep(TRIM_EVERY_S)
        libc.malloc_trim(0)  # without Python's lock: the rest of the process goes on
