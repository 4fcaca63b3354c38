"""`manage.py restore FILE`: restore everything as it was when the backup was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from requests_app.copies.store import StoreProblem
from requests_app.upkeep import backup
from requests_app.upkeep.dumps import DumpError


class Command(BaseCommand):
    """Restore while no server or worker runs."""

    help = "Put a backup back; every server and worker must have been stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--replace", action="store_true", help="drop what is in the database now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, and report what the operator has to check."""
        try:
            back = backup.restore(options["file"], replace=options["replace"])
        except (DumpError, StoreProblem, OSError, DatabaseError) as error:
            raise CommandError(f"The restore failed: {error}") from error
        self.stdout.write(f"{back.requests} requests are back as of {back.made_at}.")
        if back.pending:
            self.stdout.write(
                f"{back.pending} of them waited to be sent. They are uncertain now: whether they "
                "were sent after the backup is not known here."
            )
        if not back.secret_key:
            self.stdout.write("The backup has no secret key: set SECRET_KEY as it was before.")
