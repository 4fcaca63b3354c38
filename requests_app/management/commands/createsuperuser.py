"""`manage.py createsuperuser`: Django's, with the names that Faldeck takes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from requests_app.models import Account


class Command(createsuperuser.Command):
    """Make a user from the shell; refused when another one has the name in another spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.UserModel = Account
