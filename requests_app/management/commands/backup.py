"""`manage.py backup FILE`: write everything that is stored into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from requests_app.upkeep import backup, health_report
from requests_app.upkeep.dumps import DumpError


class Command(BaseCommand):
    """Back up while the server runs."""

    help = "Write database, secret key and sandbox state to one file; the server may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="a new file; as much space again is used on the way"
        )

        parser.add_argument(
            "--without-copies", action="store_true", help="leave out own copies of media"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Back up and report the contents."""
        file = options["file"].absolute()
        try:
            made = backup.make(file, with_copies=not options["without_copies"])
        except (DumpError, OSError, DatabaseError) as error:
            raise CommandError(f"There is no backup: {error}") from error
        health_report.note_backup(timezone.now())
        secret = "with" if made.secret_key else "without (it is in the environment: keep it too)"
        self.stdout.write(
            f"{file}: {made.requests} requests, {file.stat().st_size} bytes, "
            f"{secret} the secret key, {'with' if made.sandbox else 'without'} the sandbox's state, "
            f"{made.copies} own copies of media."
        )
