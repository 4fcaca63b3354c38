"""`manage.py set_retention TEAM`: set for how many days a team keeps what."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from requests_app.models import Team
from requests_app.upkeep.retention import RetentionKind, set_at_fal, set_days

FOR_EVER = "forever"
MOST_DAYS = 36_500


class Command(BaseCommand):
    """Change the given kinds, show all of them."""

    help = "Set and show for how many days after its end a team keeps a request."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's name")
        for kind in RetentionKind:
            parser.add_argument(f"--{kind}", type=_days, help=f"days, or {FOR_EVER!r}")
        parser.add_argument(
            "--at-fal",
            choices=("on", "off"),
            help="whether fal is asked to delete what it keeps of what is removed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Only set the days; prune deletes."""
        team = Team.objects.filter(name=options["team"]).first()
        if team is None:
            raise CommandError(f"There is no team {options['team']!r}.")
        given = {kind: options[kind] for kind in RetentionKind if options[kind] is not None}
        if given:
            set_days(
                team, {kind: None if days == FOR_EVER else days for kind, days in given.items()}
            )
        if options["at_fal"]:
            set_at_fal(team, is_on=options["at_fal"] == "on")
        team.refresh_from_db()
        for kind in RetentionKind:
            days = getattr(team, f"{kind}_days")
            self.stdout.write(f"{kind}: {FOR_EVER if days is None else f'{days} days'}")
        self.stdout.write(f"at fal: {'deleted too' if team.retention_at_fal else 'not touched'}")


def _days(text: str) -> int | str:
    if text == FOR_EVER:
        return text
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= MOST_DAYS):
        raise ArgumentTypeError(f"{text!r} is neither {FOR_EVER!r} nor 1 to {MOST_DAYS} days")
    return int(text)
