"""A worker removes the data of a deleted team in batches.

The state is the database's alone (`Team.deleting_at`), so that a crash between two pieces loses nothing:
the next worker goes on. No request that waits is sent any more. What is open at fal goes on there, unless
the owner asked to cancel it: then the rows stay until fal has answered, at most for `CANCEL_FOR`. Deletions at fal
that were asked for before are carried out: the team's row and the keys that they need stay until they have ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from requests_app import audit, lifecycle
from requests_app.models import (
    AT_FAL,
    AuditAct,
    BatchItem,
    BulkItem,
    FalKey,
    FalRequest,
    ForwardMessage,
    KeptFile,
    Notice,
    RollUp,
    RollUpMark,
    Team,
)
from requests_app.models.request import FalRequestQuerySet
from requests_app.upkeep.retention import BATCH, remove_rows

CANCEL_FOR = timedelta(minutes=10)  # fal answers within seconds, unless it is away
AT_ONCE = 2000  # small rows in one transaction


def delete_piece(now: datetime) -> bool:
    """Delete the next batch of one team's rows or files. Return False when nothing can be deleted now."""
    for pk in Team.objects.filter(deleting_at__isnull=False).values_list("pk", flat=True):
        with transaction.atomic():
            rows = Team.objects.select_for_update(skip_locked=True).filter(pk=pk)
            team = rows.filter(deleting_at__isnull=False).first()
            if team and _piece(team, now):
                return True
    return False


def _piece(team: Team, now: datetime) -> bool:
    mine = FalRequest.objects.filter(team=team)
    if team.deletion_cancels and team.deleting_by and now < _cancelled_by(team):
        open_ = mine.filter(status__in=AT_FAL)
        unasked = open_.filter(cancel_asked_at=None).values_list("pk", flat=True)[:BATCH]
        for pk in list(unasked):
            lifecycle.ask_cancel(pk, person=team.deleting_by, now=now)
        if open_.exists():
            return bool(unasked)
    if keys := _free_rows(mine, team, now):
        remove_rows(keys, now)
        return True
    if mine.exists():
        return False  # a worker is at them
    if _remove_small(team):
        return True
    # The store removes files on its own: what is left of the rows waits for that.
    files = KeptFile.objects.filter(team=team)
    files.filter(removed_at=None).update(removed_at=now)
    if files.exists():
        return False
    waiting = lifecycle.waiting_fal_deletions(team.pk, now)
    # Requests are gone, so no other key is needed; programs cannot reach the team any more.
    needed = waiting.exclude(fal_key=None).values("fal_key_id")
    FalKey.objects.filter(team=team).exclude(pk__in=needed).delete()
    return False if waiting.exists() else _remove_team(team)


def _cancelled_by(team: Team) -> datetime:
    return (team.deleting_at or team.created_at) + CANCEL_FOR


def _free_rows(mine: FalRequestQuerySet, team: Team, now: datetime) -> list[int]:
    """Return rows that no worker has leased; in the end also those whose lease is renewed for hours."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    rows = mine if now >= _cancelled_by(team) else mine.filter(free)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _remove_small(team: Team) -> bool:
    for rows in (
        BatchItem.objects.filter(batch__team=team),
        BulkItem.objects.filter(bulk__team=team),
        RollUp.objects.filter(team=team),
        RollUpMark.objects.filter(team=team),
        Notice.objects.filter(team=team),
        ForwardMessage.objects.filter(team=team),
    ):
        some = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        if some:
            rows.model._default_manager.filter(pk__in=some).delete()
            return True
    return False


def _remove_team(team: Team) -> bool:
    services = list(team.memberships.filter(is_service=True).values_list("user_id", flat=True))
    on = audit.Noted("team", str(team.pk), team.name)
    audit.note(AuditAct.TEAM_DELETED, on, team_id=team.pk)
    team.delete()
    User.objects.filter(pk__in=services, memberships=None).delete()
    return True
