"""A team is deleted: every way into it ends at once; `upkeep.team_deletion` removes what it had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Sum

from requests_app import audit, lifecycle
from requests_app.export import job_files
from requests_app.models import (
    AT_FAL,
    ApiToken,
    AuditAct,
    Batch,
    BulkAction,
    Export,
    FalKey,
    FalRequest,
    ForwardDestination,
    Invitation,
    KeptFile,
    Membership,
    NoticeChannel,
    Preset,
    Role,
    Status,
    Team,
)
from requests_app.teams.people import TeamChangeRefused, locked_people


@dataclass(frozen=True)
class TeamContents:
    """What goes with a team."""

    requests: int
    open_at_fal: int
    files: int
    file_bytes: int
    keys: int
    tokens: int
    people: int
    batches: int
    presets: int
    waiting_at_fal: int  # deletions


def contents_of(team: Team, now: datetime) -> TeamContents:
    """Count what goes with the team."""
    files = KeptFile.objects.filter(team=team, removed_at=None)
    mine = FalRequest.objects.filter(team=team)
    return TeamContents(
        requests=mine.count(),
        open_at_fal=mine.filter(status__in=AT_FAL).count(),
        files=files.count(),
        file_bytes=files.aggregate(sum=Sum("size"))["sum"] or 0,
        keys=FalKey.objects.filter(team=team, removed_at=None).count(),
        tokens=ApiToken.objects.live(now).filter(team=team).count(),
        people=Membership.objects.filter(team=team, is_service=False).count(),
        batches=Batch.objects.filter(team=team).count(),
        presets=Preset.objects.filter(team=team).count(),
        waiting_at_fal=lifecycle.waiting_fal_deletions(team.pk, now).count(),
    )


def begin(by: Membership, typed: str, *, cancels: bool, now: datetime) -> None:
    """Take the team from everyone, for good. Raises TeamChangeRefused."""
    with locked_people(by.team_id) as people:
        team = Team.objects.get(pk=by.team_id)
        _check(people.get(by.user_id), team, typed)
        told = {**vars(contents_of(team, now)), "cancels": cancels}
        on = audit.Noted("team", str(team.pk), team.name, told)
        audit.note(AuditAct.TEAM_DELETING, on, team_id=team.pk, by=by.user)
        _take_away(team, now)
        Team.objects.filter(pk=team.pk).update(
            # Another team may have the name at once.
            name=f"{team.name[:50]} (deleted, {team.pk})",
            deleting_at=now,
            deleting_by_id=by.user_id,
            deletion_cancels=cancels,
        )


def _check(member: Membership | None, team: Team, typed: str) -> None:
    if member is None or member.role != Role.OWNER:
        raise TeamChangeRefused("Only an owner may delete the team.")
    if typed.strip() != team.name:
        raise TeamChangeRefused("The name is not the team's: type it as it stands above.")
    if why := why_kept(team):
        raise TeamChangeRefused(why)


def why_kept(team: Team) -> str:
    """Why the team cannot be deleted by any of its owners; empty when it can."""
    if Team.objects.filter(deleting_at=None).exclude(pk=team.pk).exists():
        return ""
    return "It is this installation's only team: without one, no one could create another."


def _take_away(team: Team, now: datetime) -> None:
    """End every way into the team, and all work that has not begun."""
    Membership.objects.filter(team=team, is_service=False).delete()
    ApiToken.objects.filter(team=team).delete()
    Invitation.objects.live(now).filter(team=team).withdraw(now)
    NoticeChannel.objects.filter(team=team).delete()
    ForwardDestination.objects.filter(team=team).update(is_on=False, encrypted="")
    for work in (Batch, BulkAction):
        work._default_manager.filter(team=team).update(due_at=None)
    FalRequest.objects.filter(team=team, status=Status.PENDING).update(due_at=None)
    exports = Export.objects.filter(team=team)
    files = list(exports.values_list("public_id", flat=True))
    exports.delete()
    for public_id in files:
        transaction.on_commit(partial(job_files.remove, public_id))
