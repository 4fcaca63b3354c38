"""Retention as the worker runs it: once a day for each team that has days, in pieces, and when a user asks.

Everything is in the database, so that a run goes on after a crash: its lease ends, and the next worker
takes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q

from requests_app import audit
from requests_app.models import AuditAct, RetentionRun, Team
from requests_app.upkeep import retention
from requests_app.upkeep.retention import RetentionKind

EVERY = timedelta(days=1)
LEASE = timedelta(minutes=2)  # of one piece
KEPT_RUNS = 30  # of a team


def begin(team: Team, now: datetime, *, person: AbstractBaseUser | None = None) -> bool:
    """Start a run; False while one is under way."""
    try:
        with transaction.atomic():
            RetentionRun.objects.create(
                team=team, began_at=now, person_id=person.pk if person else None
            )
    except IntegrityError:
        return False
    return True


def begin_due(now: datetime) -> None:
    """Start the day's run of each team that has days and has had none for a day."""
    has_days = Q(*[(f"{kind}_days__isnull", False) for kind in RetentionKind], _connector=Q.OR)
    recent = RetentionRun.objects.filter(team=OuterRef("pk")).filter(
        Q(ended_at=None) | Q(began_at__gt=now - EVERY)
    )
    for team in Team.objects.filter(has_days, ~Exists(recent), deleting_at=None):
        begin(team, now)


def run_piece(now: datetime) -> bool:
    """Remove some of what is due in one run; False when no run waits."""
    open_runs = RetentionRun.objects.filter(ended_at=None, team__deleting_at=None)
    free = open_runs.filter(Q(leased_until=None) | Q(leased_until__lt=now))
    run = free.select_related("team").order_by(F("leased_until").asc(nulls_first=True)).first()
    if run is None or not free.filter(pk=run.pk).update(leased_until=now + LEASE):
        return False
    piece = retention.remove_piece(run.team, run.began_at, run.reached)
    if piece is None:
        _end(run, now)
    else:
        counted = run.removed.setdefault(piece.kind, {"count": 0, "size": 0})
        counted["count"] += piece.count
        counted["size"] += piece.size
        if piece.at_fal:
            counted["at_fal"] = counted.get("at_fal", 0) + piece.at_fal
        run.leased_until = None
        run.save(update_fields=["removed", "reached", "leased_until"])
    return True


def _end(run: RetentionRun, now: datetime) -> None:
    with transaction.atomic():
        run.ended_at, run.leased_until = now, None
        run.save(update_fields=["ended_at", "leased_until", "reached"])
        if any(one["count"] for one in run.removed.values()):
            audit.note(
                AuditAct.PRUNED,
                audit.Noted("retention", str(run.pk), ", ".join(run.removed), run.removed),
                team_id=run.team_id,
                by=run.person,
            )
        mine = RetentionRun.objects.filter(team=run.team_id).order_by("-began_at")
        old = list(mine.values_list("pk", flat=True)[KEPT_RUNS:])
        RetentionRun.objects.filter(pk__in=old).delete()
