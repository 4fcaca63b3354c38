"""A file that is coming: written and hashed piece by piece, and gone when it is not kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from requests_app.copies.store import StoreProblem, parts_folder
from requests_app.display.output_media import HEAD


class Part:
    """A file in the folder of those that are coming. Every method may block."""

    def __init__(self) -> None:
        try:
            descriptor, name = tempfile.mkstemp(dir=parts_folder())
        except OSError as error:
            raise StoreProblem(f"The file could not be written: {error.strerror}.") from error
        self._file = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self.path = Path(name)
        self.size = 0
        self.head = b""

    def add(self, data: bytes) -> None:
        """Write the next bytes. Raises StoreProblem."""
        try:
            self._file.write(data)
        except OSError as error:
            raise StoreProblem(f"The file could not be written: {error.strerror}.") from error
        self._digest.update(data)
        self.size += len(data)
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]

    def finish(self) -> str:
        """Have it on the disk, whatever happens to the machine; return its SHA-256. Raises StoreProblem."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise StoreProblem(f"The file could not be written: {error.strerror}.") from error
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove it, if it is still there."""
        with suppress(OSError):  # what could not be written is not wanted
            self._file.close()
        self.path.unlink(missing_ok=True)
