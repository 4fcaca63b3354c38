"""`manage.py create_token --user USERNAME --team NAME`: print a new Bearer token."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from requests_app.models import Account, ApiToken, Membership


class Command(BaseCommand):
    """Create an API token of one user for one team."""

    help = "Print a new API token (it is stored hashed and cannot be shown again)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="an existing user name")
        parser.add_argument("--team", required=True, help="the name of a team of that user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print only the token to standard output, so that a script can store it."""
        user = Account.objects.find(options["user"])
        mine = Membership.objects.select_related("user", "team").filter(user=user)
        membership = mine.filter(team__name=options["team"]).first()
        if membership is None:
            raise CommandError(
                f"There is no member {options['user']!r} in a team {options['team']!r}. "
                "Check both names; manage.py create_team makes a team with its owner."
            )
        if not membership.user.is_active:
            raise CommandError(f"The user {options['user']!r} is not active.")
        self.stdout.write(ApiToken.issue(membership.user, membership.team))
