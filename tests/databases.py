"""The tests' database: on SQLite one test process migrates it and the others take a copy, 4 processor seconds each."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate
from django.test.utils import setup_databases

MIGRATED = "migrated.sqlite3"  # in the folder that the test processes share


def without_permissions() -> None:
    """Emptying the tables after a test does not write Django's own rights anew, which nothing here reads.

    They were four fifths of what that costs.
    """
    post_migrate.disconnect(
        create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions"
    )
    post_migrate.disconnect(create_contenttypes)


def set_up(folder: Path) -> list[tuple[Any, str, bool]]:
    """Make this process's database and connect to it; returns what Django's `teardown_databases` takes."""
    if connection.vendor != "sqlite":
        return _migrate()
    migrated = folder / MIGRATED
    with migrated.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not migrated.exists():
            made = _migrate()
            save(migrated)
            return made
    return _take(migrated)


def save(migrated: Path) -> None:
    """Write a copy of the database, whole or not at all."""
    unfinished = migrated.with_suffix(".unfinished")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(unfinished)])
    unfinished.rename(migrated)


def _migrate() -> list[tuple[Any, str, bool]]:
    made: list[tuple[Any, str, bool]] = setup_databases(
        verbosity=0, interactive=False, serialized_aliases=set()
    )
    return made


def _take(migrated: Path) -> list[tuple[Any, str, bool]]:
    before, name = connection.settings_dict["NAME"], str(connection.settings_dict["TEST"]["NAME"])
    connection.close()
    shutil.copyfile(migrated, name)
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    return [(connection, before, True)]
