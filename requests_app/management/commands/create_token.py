"""`manage.py create_token --user USERNAME --team NAME`: print a new Bearer token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from requests_app.models import Account, Membership, TokenScope
from requests_app.teams import tokens
from requests_app.teams.people import TeamChangeRefused

MOST_NAME = 60
MOST_DAYS = 3650


class Command(BaseCommand):
    """Create an API token of one user, or of the team, for one team."""

    help = "Print a new API token (it is stored hashed and cannot be shown again)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="an existing user name")
        parser.add_argument("--team", required=True, help="the name of a team of that user")
        parser.add_argument("--name", default="create_token", help="what it is for")
        parser.add_argument(
            "--scope",
            default=TokenScope.MANAGE,
            choices=TokenScope.values,
            help="what it may do at most",
        )
        parser.add_argument("--days", type=int, help="it expires after so many (never without)")
        parser.add_argument(
            "--service", action="store_true", help="it belongs to the team, not to the user"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print only the token to standard output, so that a script can store it."""
        name, days = options["name"].strip(), options["days"]
        if not 1 <= len(name) <= MOST_NAME:
            raise CommandError(f"--name has 1 to {MOST_NAME} characters.")
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days is a number from 1 to {MOST_DAYS}.")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        new = tokens.NewToken(name, TokenScope(options["scope"]), expires_at, options["service"])
        try:
            self.stdout.write(tokens.issue(_member(options), new))
        except TeamChangeRefused as refused:
            raise CommandError(str(refused)) from None


def _member(options: dict[str, Any]) -> Membership:
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
    return membership
