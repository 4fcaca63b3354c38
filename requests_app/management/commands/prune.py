"""`manage.py prune`: delete what is past the teams' retention."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from requests_app.copies.files import remove_given_up
from requests_app.copies.store import StoreProblem
from requests_app.models import Team
from requests_app.upkeep import retention


class Command(BaseCommand):
    """Delete what is older than set_retention allows; run it once a day."""

    help = "Remove what is older than the teams keep it (manage.py set_retention)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", help="this team alone, by its name")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, keep it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per team and kind."""
        teams = _teams(options["team"])
        act = retention.plan if options["dry_run"] else retention.prune
        verb = "would go" if options["dry_run"] else "removed"
        lines = [
            f"{share.team.name}: {share.kind} of {share.count:,} {share.what} "
            f"({filesizeformat(share.size)}), ended more than {share.days} days ago: {verb}"
            f"{_at_fal(share)}"
            for share in act(timezone.now(), teams)
            if share.count
        ]
        if not options["dry_run"]:
            _remove_files()
        self.stdout.write("\n".join(lines) or "Nothing is past its time.")


def _at_fal(share: retention.Share) -> str:
    return f", of {share.at_fal:,} at fal too (a worker asks)" if share.at_fal else ""


def _remove_files() -> None:
    """Remove files that nothing needs any more; a worker tries again what fails here."""
    try:
        remove_given_up(timezone.now())
    except StoreProblem as problem:
        raise CommandError(f"Files are left in the store: {problem}") from problem


def _teams(name: str | None) -> list[Team]:
    teams = Team.objects.all() if name is None else Team.objects.filter(name=name)
    if name is not None and not teams:
        raise CommandError(f"There is no team {name!r}.")
    return list(teams)
