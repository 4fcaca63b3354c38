"""File modes: only the user who runs Faldeck can read its files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

_OTHERS = 0o077  # permissions of group and others


def hide_new_files() -> None:
    """Keep files that this process and its children create unreadable for other users.

    SQLite gives the files beside a database the database's own mode.
    """
    os.umask(_OTHERS)


def tighten(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Remove the permissions of other users; return what was changed, and what could not be."""
    changed: list[Path] = []
    failed: list[Path] = []
    for path in paths:
        try:
            if _tightened(path):
                changed.append(path)
        except FileNotFoundError:  # SQLite removes some when it closes
            continue
        except OSError:
            failed.append(path)
    return changed, failed


def kept_in(folder: Path) -> list[Path]:
    """Return the folder and its entries. Deeper ones are protected by the folder's mode."""
    return [folder, *folder.iterdir()]


def database_files(name: str) -> list[Path]:
    """Return an SQLite database and the files SQLite keeps beside it."""
    return [Path(name + end) for end in ("", "-wal", "-shm", "-journal")]


def _tightened(path: Path) -> bool:
    """Follow no link: its target may belong to others."""
    mode = path.lstat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)) or not mode & _OTHERS:
        return False
    path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    return True
