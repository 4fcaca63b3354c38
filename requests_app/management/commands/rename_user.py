"""`manage.py rename_user OLD NEW`: give a user another name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from requests_app.accounts.renaming import rename
from requests_app.models import Account


class Command(BaseCommand):
    """Rename a user."""

    help = "Give a user another name; password, teams, tokens and requests stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", help="the present user name")
        parser.add_argument("new", help="the new user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rename, or report why not."""
        user = Account.objects.filter(username=options["old"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['old']!r}.")
        try:
            rename(user, options["new"])
        except ValidationError as error:
            reason = " ".join(error.messages)
            raise CommandError(f"{options['old']!r} keeps the name. {reason}") from None
        self.stdout.write(f"{options['old']} is {user.username} now.")
