"""Exports in the background: asked for, stopped, removed. The worker writes them: see `background`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.export import job_files
from requests_app.export.filtered import WITHOUT_PAYLOADS
from requests_app.models import HIDDEN, Export, ExportState, Team

BEYOND = 10_000  # requests: more are written in the background, unless a program asks
MOST = 10  # exports of a team that wait, are written or are kept
PAYLOAD_DELETED = "Inputs or outputs of the team were deleted, so the file was, too. Export again."
EXPIRED = "Its time was over."
DELETED = "A member deleted it."


class ExportRefused(ValueError):
    """No export was begun; the message is a sentence for users."""


def ask_export(
    *,
    team: Team,
    person: AbstractBaseUser,
    search: str,
    format: str,
    token: str,
    sees: bool,
    now: datetime,
) -> Export:
    """Store an export for the worker. The same token again returns the same one. Raises ExportRefused.

    For a person who may not see inputs and outputs the file has rows without them.
    """
    if not sees and format not in WITHOUT_PAYLOADS:
        raise ExportRefused(HIDDEN)
    found: Export | None = Export.objects.filter(team=team, token=token).first()
    if found:
        return found
    try:
        with transaction.atomic():
            # Of two calls at once the second counts the first one's.
            Team.objects.select_for_update(no_key=True).get(pk=team.pk)
            mine = Export.objects.filter(team=team).holding()
            if mine.count() >= MOST:
                raise ExportRefused(
                    f"Your team has {MOST} exports already. Delete one, or wait until one expires."
                )
            if bytes_of(team.pk) >= settings.EXPORT_LIMIT_BYTES:
                raise ExportRefused(TOO_LARGE)
            audit.note_export("requests", search, format, team_id=team.pk)
            return Export.objects.create(
                team=team, person_id=person.pk, search=search, format=format, token=token,
                created_at=now, due_at=now, marked_at=now, without_payloads=not sees,
            )  # fmt: skip
    except IntegrityError:  # sent twice at once
        return Export.objects.get(team=team, token=token)


TOO_LARGE = (
    "All exports of your team together are as large as they may be. Delete one, or wait until one "
    "expires; a narrower search makes a smaller file."
)


def bytes_of(team_pk: int, *, besides: int = 0) -> int:
    """Return the bytes that the team's exports have on disk."""
    mine = Export.objects.filter(team=team_pk).holding().exclude(pk=besides)
    return sum(mine.values_list("size", flat=True))


def stop(export: Export, *, now: datetime) -> bool:
    """End an export that is being written; what there is of its file goes."""
    running = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING)
    return bool(running.update(state=ExportState.STOPPED, ended_at=now, due_at=None, size=0))


def delete(export: Export) -> bool:
    """Remove a file before its time."""
    kept = Export.objects.filter(pk=export.pk, state=ExportState.FINISHED)
    is_deleted = bool(kept.update(state=ExportState.GONE, note=DELETED, size=0))
    if is_deleted:
        job_files.remove(export.public_id)
    return is_deleted


def withdraw(team_pk: int) -> None:
    """Close every file of a team whose inputs or outputs are being deleted; `remove_old` unlinks them.

    An export that is being written begins anew: it may have read what is deleted.
    """
    mine = Export.objects.filter(team=team_pk)
    closed = mine.filter(state=ExportState.FINISHED)
    closed.update(state=ExportState.GONE, note=PAYLOAD_DELETED, size=0)
    mine.filter(state=ExportState.RUNNING).exclude(lease=None).update(lease=None, leased_until=None)


def remove_old(now: datetime) -> None:
    """Close files whose time is over, remove files that belong to no open export, and forget old ones."""
    over = Export.objects.filter(state=ExportState.FINISHED, expires_at__lte=now)
    over.update(state=ExportState.GONE, note=EXPIRED, size=0)
    kept = Export.objects.holding().values_list("public_id", flat=True)
    job_files.remove_all_but(set(kept))
    ended = Export.objects.exclude(pk__in=Export.objects.holding().values("pk"))
    ended.filter(created_at__lt=now - KEPT_FOR).delete()


KEPT_FOR = timedelta(days=30)  # the record of an export, after which the list no longer has it
