"""The files of exports: DATA_DIR/exports/<public id>, readable for the user who runs Faldeck alone."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

PIECE = 256 * 1024  # bytes of a file in memory
OLD_S = 3600.0  # an unfinished file that nothing has written to for so long is left over


def begin(public_id: UUID, lease: UUID) -> BinaryIO:
    """Open a new file for what one worker writes. Raises OSError."""
    path = _unfinished(public_id, lease)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")


def complete(public_id: UUID, lease: UUID) -> None:
    """Make what was written the export's file. Raises OSError."""
    _unfinished(public_id, lease).replace(place(public_id))


def discard(public_id: UUID, lease: UUID) -> None:
    """Remove what one worker has written."""
    with suppress(OSError):
        _unfinished(public_id, lease).unlink(missing_ok=True)


def remove(public_id: UUID) -> None:
    """Remove the file of an export; what is not there is fine."""
    with suppress(OSError):
        place(public_id).unlink(missing_ok=True)


def remove_all_but(kept: Collection[UUID]) -> None:
    """Remove files of other exports, and what a crash left unfinished."""
    names = {str(one) for one in kept}
    with suppress(OSError):
        for path in _folder().iterdir():
            is_old = time.time() - path.stat().st_mtime > OLD_S
            if is_old if path.suffix else path.name not in names:
                path.unlink(missing_ok=True)


def pieces(public_id: UUID) -> Iterator[bytes]:
    """Yield the file. Raises OSError."""
    with place(public_id).open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def place(public_id: UUID) -> Path:
    """Return where the file of an export is."""
    return _folder() / str(public_id)


def _unfinished(public_id: UUID, lease: UUID) -> Path:
    return _folder() / f"{public_id}.{lease.hex}"


def _folder() -> Path:
    folder: Path = settings.DATA_DIR / "exports"
    return folder
