"""A user's actions on a bulk action. Each is a conditional UPDATE: of two at once one wins."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from requests_app import audit
from requests_app.models import AuditAct, BulkAction, BulkItem, BulkState, Outcome


def pause(bulk: BulkAction, *, now: datetime, note: str = "") -> bool:
    """Do nothing further until a member resumes it."""
    with transaction.atomic():
        moved = _move(bulk, BulkState.RUNNING, to=BulkState.PAUSED, note=note, due_at=None)
        if moved:
            _audit(AuditAct.BULK_PAUSED, bulk, why=note)
    return moved


def resume(bulk: BulkAction, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Go on in this user's name."""
    columns = {"person_id": person.pk, **_afresh(now)}
    with transaction.atomic():
        moved = _move(bulk, BulkState.PAUSED, to=BulkState.RUNNING, **columns)
        if moved:
            _audit(AuditAct.BULK_RESUMED, bulk)
    return moved


def stop(bulk: BulkAction, *, now: datetime) -> bool:
    """Leave what waits as it is, for good; what was done stays done."""
    with transaction.atomic():
        moved = any(
            _move(bulk, state, to=BulkState.STOPPED, ended_at=now, due_at=None, note="")
            for state in (BulkState.RUNNING, BulkState.PAUSED)
        )
        if moved:
            waiting = BulkItem.objects.filter(bulk=bulk, outcome=Outcome.WAITING)
            left = waiting.update(outcome=Outcome.SKIPPED, note="The action was stopped before.")
            BulkAction.objects.filter(pk=bulk.pk).update(waiting=0, skipped=F("skipped") + left)
            _audit(AuditAct.BULK_STOPPED, bulk, left=left)
    return moved


def retry_failed(bulk: BulkAction, *, person: AbstractBaseUser, now: datetime) -> int:
    """Let what failed wait for another turn; return how many. A finished action runs again."""
    with transaction.atomic():
        locked = BulkAction.objects.select_for_update().get(pk=bulk.pk)
        if locked.state == BulkState.STORING:
            return 0
        failed = BulkItem.objects.filter(bulk=bulk, outcome=Outcome.FAILED)
        count = failed.update(outcome=Outcome.WAITING, note="")
        if count:
            BulkAction.objects.filter(pk=bulk.pk).update(
                state=BulkState.RUNNING,
                person_id=person.pk,
                ended_at=None,
                failed=F("failed") - count,
                waiting=F("waiting") + count,
                **_afresh(now, waiting_again=count),
            )
            _audit(AuditAct.BULK_RETRIED, bulk, requests=count)
    return count


def _afresh(now: datetime, *, waiting_again: int = 0) -> dict[str, object]:
    """The columns of an action that goes on: its rate is measured anew."""
    return {
        "due_at": now,
        "note": "",
        "rate": 0.0,
        "marked_at": now,
        "marked_done": F("succeeded") + F("skipped") + F("failed") - waiting_again,
    }


def _audit(act: AuditAct, bulk: BulkAction, **details: object) -> None:
    on = audit.Noted("bulk", str(bulk.public_id), bulk.get_verb_display(), details)
    audit.note(act, on, team_id=bulk.team_id)


def _move(bulk: BulkAction, state: str, *, to: str, **columns: object) -> bool:
    moved = BulkAction.objects.filter(pk=bulk.pk, state=state)
    return bool(moved.update(state=to, **columns))
