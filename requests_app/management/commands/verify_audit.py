"""`manage.py verify_audit`: check the audit trail's hash chains."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from requests_app.audit import NO_TEAM, sealing
from requests_app.models import AuditSeal, Team


class Command(BaseCommand):
    """Compute every chain anew, compare, and print the heads."""

    help = "Check that no entry of the audit trail was changed, added or removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", help="this team alone, by its name")
        parser.add_argument(
            "--head",
            help="a digest noted earlier: it must still be a seal of the chain (with --team)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per chain; exit with an error when one is broken."""
        chains = [_team(options["team"]).pk] if options["team"] else sealing.chains()
        names = dict(Team.objects.values_list("pk", "name")) | {NO_TEAM: "the installation"}
        heads = {head.chain: head for head in sealing.heads()}
        broken = 0
        for chain in chains:
            faults = list(sealing.verify(chain))
            broken += len(faults)
            head, name = heads.get(chain), names.get(chain, f"team {chain}")
            state = "broken" if faults else "intact"
            told = f"{head.number} seals, head {head.digest}" if head else "nothing sealed yet"
            self.stdout.write("\n  ".join([f"{name}: {state}, {told}", *faults]))
        if waiting := sealing.unsealed():
            self.stdout.write(f"{waiting} new entries are not sealed yet.")
        if options["head"] and not _is_sealed(options["head"], chains):
            raise CommandError("The head noted earlier is no seal of the chain: it was made anew.")
        if broken:
            raise CommandError("The audit trail was changed outside Faldeck.")


def _is_sealed(digest: str, chains: list[int]) -> bool:
    return AuditSeal.objects.filter(chain__in=chains, digest=digest.strip()).exists()


def _team(name: str) -> Team:
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise CommandError(f"There is no team {name!r}.")
    return team
