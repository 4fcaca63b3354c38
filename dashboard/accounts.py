"""Who may have an account: people who were invited, nobody else."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InviteOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Log-in and password change are allauth's; open sign-up is shut."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts are made by the setup link, an invitation or an operator's command."""
        return False
