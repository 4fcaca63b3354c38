"""`manage.py create_team NAME --owner USERNAME`: create a team without a browser."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from requests_app.models import Account, Role, Team, fault_of
from requests_app.teams import members


class Command(BaseCommand):
    """Create a team with its first owner."""

    help = "Create a team with its first owner (who is created by createsuperuser)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the team's name, up to 80 characters")
        parser.add_argument("--owner", required=True, help="an existing user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create both rows or none; an existing name is an error."""
        team = Team(name=options["name"].strip())
        owner = Account.objects.find(options["owner"])
        if owner is None:
            raise CommandError(
                f"There is no user {options['owner']!r}. Make one with manage.py createsuperuser."
            )
        _refuse_bad_name(team)
        try:
            with transaction.atomic():
                team.save()
                members.join(team, owner, Role.OWNER)
        except IntegrityError:
            raise CommandError(_exists(team.name)) from None
        self.stdout.write(f"Team {team.name!r} is owned by {owner.get_username()}.")


def _refuse_bad_name(team: Team) -> None:
    if Team.objects.all().is_taken(team.name):
        raise CommandError(_exists(team.name))
    if fault := fault_of(team.name):
        raise CommandError(fault)
    try:
        team.clean_fields()
    except ValidationError as error:
        raise CommandError(f"The name cannot be used: {' '.join(error.messages)}") from None


def _exists(name: str) -> str:
    return (
        f"There is a team {name!r} already, or one whose name looks like it; nothing was changed."
    )
