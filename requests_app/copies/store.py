"""Where the bytes of kept files are: the store that the settings name under STORAGES."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from django.conf import settings
from django.core.files.storage import storages

ALIAS = "copies"


class StoreProblem(Exception):
    """The store cannot do it at present; the message is a sentence for users."""


class MissingFile(StoreProblem):
    """The store does not have this file."""


class Bytes(Protocol):
    """What is read piece by piece."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class CopyStore(Protocol):
    """What a store of copies can do. Every method may block, and raises StoreProblem."""

    def put(self, name: str, path: Path) -> None:
        """Take over a file, whole or not at all; the path may be gone afterwards."""

    def opened_at(self, name: str, first: int, last: int) -> Bytes:
        """Open a file for reading from the first to the last byte. Raises MissingFile."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""


def copy_store() -> CopyStore:
    """Return the store of this installation."""
    return cast(CopyStore, storages[ALIAS])


def parts_folder() -> Path:
    """Return the folder of files that are still coming; on the disk of the local store."""
    folder: Path = settings.DATA_DIR / "copies" / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
