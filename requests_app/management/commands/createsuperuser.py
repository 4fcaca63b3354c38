"""`manage.py createsuperuser`: Django's command, with Faldeck's rules for names."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from requests_app.accounts.trail import note_account
from requests_app.models import Account, AuditAct


class Command(createsuperuser.Command):
    """Create a user from the shell; refused when another user has the name in another spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.UserModel = Account

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Create the user, and note it."""
        with transaction.atomic():
            said = super().handle(*args, **options)
            made = Account.objects.order_by("-pk").first()
            note_account(AuditAct.ACCOUNT_MADE, made, how="command")
        return said
