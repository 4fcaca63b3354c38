"""`manage.py user_data USER`: what is kept about a user; with `--delete` the account is deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from requests_app.models import Account
from requests_app.teams.erasing import erase
from requests_app.teams.people import TeamChangeRefused
from requests_app.teams.personal_data import pieces_of


class Command(BaseCommand):
    """Write what is kept about a user as JSON, or delete the account."""

    help = "Write what is kept about a user as JSON to standard output, or delete the account (--delete)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--delete", action="store_true", help="delete the account")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or delete, or report why not."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None or Account.objects.find(options["user"]) is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if not options["delete"]:
            for piece in pieces_of(user):
                self.stdout.write(piece.decode(), ending="")
            return
        if (
            not options["yes"]
            and input(f"Type {user.username} to delete the account: ") != user.username
        ):
            raise CommandError("Nothing was deleted.")
        try:
            former = erase(user, by=None)
        except TeamChangeRefused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"The account is deleted. Its requests stay under {former!r}.")
