"""`manage.py createsuperuser`: Django's command, with Faldeck's rules for names."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from requests_app.models import Account


class Command(createsuperuser.Command):
    """Create a user from the shell; refused when another user has the name in another spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.UserModel = Account
