"""What each first start would make again in four seconds: an empty migrated database and the collected static files."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from tests.process.commands import Commands

COLLECT = """
from pathlib import Path
from django.conf import settings
from dashboard.static_files import prepare
prepare(settings.DATA_DIR / "static")
"""
# Each installation makes its own.
OWN = shutil.ignore_patterns("secret_key")


class Prepared:
    """A data folder, made by the first test process that needs it and copied by all."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        """`migrated`: where a database that a test process has migrated may lie."""
        self._folder = folder
        self._migrated = migrated

    def copy_to(self, data: Path) -> None:
        """Make `data`, which must not exist."""
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
            if not self._folder.exists():
                self._make()
        shutil.copytree(self._folder, data, ignore=OWN)

    def _make(self) -> None:
        unfinished = self._folder.with_suffix(".unfinished")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        commands = Commands({**kept, "DATA_DIR": str(unfinished)})
        try:
            if self._migrated.exists():
                unfinished.mkdir(mode=0o700)
                shutil.copyfile(self._migrated, unfinished / "faldeck.sqlite3")
            else:
                commands.run(["migrate", "--verbosity=0"], {})
            commands.run(["shell", "-c", COLLECT], {})
        finally:
            commands.close()
        unfinished.rename(self._folder)
