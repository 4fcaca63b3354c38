"""A user's actions on a batch. Each is a conditional UPDATE: of two at once one wins, the other says so."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from requests_app import audit
from requests_app.models import AuditAct, Batch, BatchItem, BatchState, ErrorType, ItemState


def start(batch: Batch, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Start a batch that is ready; False when it is not."""
    with transaction.atomic():
        moved = _move(
            batch,
            BatchState.READY,
            to=BatchState.RUNNING,
            started_by_id=person.pk,
            started_at=now,
            marked_at=now,
            due_at=now,
        )
        if moved:
            _audit(AuditAct.BATCH_STARTED, batch, person, rows=batch.waiting)
    return moved


def pause(batch: Batch, *, now: datetime, note: str = "") -> bool:
    """Make no further requests; what is open goes on."""
    return _move(batch, BatchState.RUNNING, to=BatchState.PAUSED, note=note, due_at=now)


def resume(batch: Batch, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Go on in this user's name."""
    return _move(
        batch, BatchState.PAUSED, to=BatchState.RUNNING, started_by_id=person.pk, **_afresh(now)
    )


def cancel(batch: Batch, *, person: AbstractBaseUser, now: datetime) -> bool:
    """End all waiting rows now; the feeder asks fal to cancel the open requests."""
    with transaction.atomic():
        moved = any(
            _move(
                batch, state, to=BatchState.CANCELLING, started_by_id=person.pk, due_at=now, note=""
            )
            for state in (BatchState.RUNNING, BatchState.PAUSED)
        )
        if moved:
            waiting = BatchItem.objects.filter(batch=batch, state=ItemState.WAITING)
            ended = waiting.update(state=ItemState.CANCELLED)
            Batch.objects.filter(pk=batch.pk).update(
                waiting=F("waiting") - ended, cancelled=F("cancelled") + ended
            )
            _audit(AuditAct.BATCH_CANCELLED, batch, person, waiting=ended)
    return moved


def retry_failed(batch: Batch, *, person: AbstractBaseUser, now: datetime) -> int:
    """Make the failed rows wait again; return how many. A finished batch runs again, a paused one stays paused.

    Left as they are: rows whose values retention has removed, and those that were given up.
    """
    with transaction.atomic():
        locked = Batch.objects.select_for_update().get(pk=batch.pk)
        if locked.state not in (BatchState.RUNNING, BatchState.PAUSED, BatchState.FINISHED):
            return 0
        failed = BatchItem.objects.filter(batch=batch, state=ItemState.FAILED).exclude(values="")
        certain = failed.exclude(request__error_type=ErrorType.GIVEN_UP)
        count = certain.update(state=ItemState.WAITING)
        goes_on: dict[str, object] = {
            "state": BatchState.RUNNING,
            "started_by_id": person.pk,
            "ended_at": None,
            **_afresh(now, waiting_again=count),
        }
        if count:
            Batch.objects.filter(pk=batch.pk).update(
                failed=F("failed") - count,
                waiting=F("waiting") + count,
                **({} if locked.state == BatchState.PAUSED else goes_on),
            )
            _audit(AuditAct.BATCH_RETRIED, batch, person, rows=count)
    return count


def count_given_up(batch: Batch) -> int:
    """Count the failed rows that a retry leaves out: a user gave them up, and fal may have run them."""
    given_up = batch.items.filter(request__error_type=ErrorType.GIVEN_UP)
    return given_up.filter(state=ItemState.FAILED).count()


def set_concurrency(batch: Batch, concurrency: int, *, now: datetime) -> None:
    """Change how many requests are open at once."""
    Batch.objects.filter(pk=batch.pk).update(concurrency=concurrency)
    Batch.objects.filter(pk=batch.pk).exclude(due_at=None).update(due_at=now)


def _afresh(now: datetime, *, waiting_again: int = 0) -> dict[str, object]:
    """The columns of a batch that goes on: its rate is measured anew."""
    return {
        "due_at": now,
        "note": "",
        "failed_in_row": 0,
        "rate": 0.0,
        "marked_at": now,
        "marked_done": F("completed") + F("failed") + F("cancelled") - waiting_again,
    }


def _audit(act: AuditAct, batch: Batch, person: AbstractBaseUser, **details: object) -> None:
    on = audit.Noted("batch", str(batch.public_id), batch.name, details)
    audit.note(act, on, team_id=batch.team_id, by=person)


def _move(batch: Batch, state: str, *, to: str, **columns: object) -> bool:
    moved = Batch.objects.filter(pk=batch.pk, state=state)
    return bool(moved.update(state=to, **columns))
