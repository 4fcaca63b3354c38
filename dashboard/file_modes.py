"""Files that only the user who runs Faldeck can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

_OTHERS = 0o077  # what group and others may do


def hide_new_files() -> None:
    """Nothing this process makes from now on, nor its children, can be read by other users.

    SQLite gives the files beside a database the database's own mode.
    """
    os.umask(_OTHERS)


def tighten(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Take from other users what they may do with these; what was changed, and what could not be."""
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
    """The folder and what lies in it. What lies deeper is behind a closed door with it."""
    return [folder, *folder.iterdir()]


def database_files(name: str) -> list[Path]:
    """An SQLite database and what SQLite keeps beside it."""
    return [Path(name + end) for end in ("", "-wal", "-shm", "-journal")]


def _tightened(path: Path) -> bool:
    """Not by way of a link: what it leads to may belong to others."""
    mode = path.lstat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)) or not mode & _OTHERS:
        return False
    path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    return True
