"""`manage.py make_rows N`: fill a database with made-up requests, to see how it does with many."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from requests_app.lifecycle.made_up import make_up
from requests_app.models import FalRequest, Team

MOST = 10_000_000


class Command(BaseCommand):
    """The rows belong to the team and its members."""

    help = "Fill the database with made-up requests of one team, for measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("count", type=int, help="how many")
        parser.add_argument("--team", help="the team's name; needless where there is one alone")
        parser.add_argument(
            "--beside-real", action="store_true", help="also where there are requests already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = options["count"]
        if not 0 < count <= MOST:
            raise CommandError(f"The number is from 1 to {MOST:,}.")
        if FalRequest.objects.exists() and not options["beside_real"]:
            raise CommandError(
                "There are requests in this installation, and made-up ones cannot be told from them. "
                "Take an empty database, or --beside-real."
            )
        team = self._team(options["team"])
        people = list(get_user_model()._default_manager.filter(memberships__team=team))
        if not people:
            raise CommandError(f"The team {team.name!r} has no members.")
        for made in make_up(count, team=team, people=people, now=timezone.now()):
            if made % 50_000 == 0 or made == count:
                self.stdout.write(f"{made:,} of {count:,}")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _team(self, name: str | None) -> Team:
        teams = Team.objects.filter(name=name) if name else Team.objects.all()
        if len(found := list(teams[:2])) == 1:
            return found[0]
        raise CommandError(f"There is no team {name!r}." if name else "Name the team: --team NAME.")
