"""`manage.py rename_user OLD NEW`: give a user another name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from requests_app.accounts.trail import note_account
from requests_app.models import Account, AuditAct


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
        user.username = Account.normalize_username(options["new"])
        try:
            user.clean_fields()
            with transaction.atomic():
                user.save()
                told = {"before": options["old"], "after": user.username}
                note_account(AuditAct.ACCOUNT_RENAMED, user, **told)
        except ValidationError as error:
            reason = " ".join(error.messages)
            raise CommandError(f"{options['old']!r} keeps the name. {reason}") from None
        self.stdout.write(f"{options['old']} is {user.username} now.")
