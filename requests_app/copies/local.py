"""The store on this machine's disk: DATA_DIR/copies, or what is mounted there."""

from __future__ import annotations

from pathlib import Path

from django.core.files.storage import FileSystemStorage

from requests_app.copies.store import Bytes, MissingFile, StoreProblem


class LocalStore(FileSystemStorage):
    """Files appear whole: what comes is written beside them first."""

    def put(self, name: str, path: Path) -> None:
        target = Path(self.path(name))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            raise StoreProblem(f"The file could not be stored: {error.strerror}.") from error

    def opened_at(self, name: str, first: int, last: int) -> Bytes:
        try:
            file = Path(self.path(name)).open("rb")  # noqa: SIM115  (the caller closes it)
            file.seek(first)
        except FileNotFoundError:
            raise MissingFile("The file is no longer in the store.") from None
        except OSError as error:
            raise StoreProblem(f"The file cannot be read: {error.strerror}.") from error
        return file

    def remove(self, name: str) -> None:
        try:
            Path(self.path(name)).unlink(missing_ok=True)
        except OSError as error:
            raise StoreProblem(f"The file could not be removed: {error.strerror}.") from error
