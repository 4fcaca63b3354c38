"""Which outputs are to be searched for media: those that have just come, and, from the newest down, older ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import Medium, find_media
from requests_app.export.outputs import beginning_of_output
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.models import CopyLook, CopyRules, FalRequest, MediaCopy, Status

logger = logging.getLogger(__name__)

AT_ONCE = 50
AGAIN_AFTER = timedelta(hours=1)
_ADDRESS = b"http"


def may_have_media(output: bytes | None) -> bool:
    """Whether an output may name an address; most outputs of words do not."""
    return output is not None and output.find(_ADDRESS, 0, PARSE_LIMIT) >= 0


def note_outputs(teams: Mapping[int, int], now: datetime) -> None:
    """Note that these requests (key: team's key) have an output; called in the transaction that stores it."""
    if not teams:
        return
    rules = CopyRules.objects.filter(pk__in=set(teams.values()), is_on=True)
    on = set(rules.values_list("pk", flat=True))
    looks = [CopyLook(request_id=pk, due_at=now) for pk, team in teams.items() if team in on]
    if looks:
        CopyLook.objects.bulk_create(looks, ignore_conflicts=True)


def note_older(now: datetime) -> None:
    """Note some older requests of each team that has switched copies on, unless many wait already."""
    for rules in CopyRules.objects.filter(is_on=True, history_below__isnull=False):
        if _has_many_waiting(rules):
            continue
        older = FalRequest.objects.filter(team=rules.pk, status=Status.COMPLETED)
        older = older.filter(pk__lt=rules.history_below, payload_removed_at=None)
        pks = list(older.order_by("-pk").values_list("pk", flat=True)[:AT_ONCE])
        looks = [CopyLook(request_id=pk, due_at=now) for pk in pks]
        with transaction.atomic():
            mine = CopyRules.objects.filter(pk=rules.pk, history_below=rules.history_below)
            if mine.update(history_below=pks[-1] if pks else None):
                CopyLook.objects.bulk_create(looks, ignore_conflicts=True)


def _has_many_waiting(rules: CopyRules) -> bool:
    waiting = MediaCopy.objects.filter(team=rules.pk, due_at__isnull=False)
    looks = CopyLook.objects.filter(request__team=rules.pk)
    return waiting[AT_ONCE : AT_ONCE + 1].exists() or looks[AT_ONCE : AT_ONCE + 1].exists()


def look_at_due(now: datetime) -> int:
    """Search some outputs for media that the team keeps; return how many outputs. A second time is harmless."""
    due = CopyLook.objects.filter(due_at__lte=now).order_by("due_at")
    pks = list(due.values_list("pk", flat=True)[:AT_ONCE])
    for pk in pks:
        try:
            look_at(pk, now)
        except Exception:
            logger.exception("An output could not be searched for media.", extra={"row": pk})
            CopyLook.objects.filter(pk=pk).update(due_at=now + AGAIN_AFTER)
    return len(pks)


def look_at(pk: int, now: datetime) -> None:
    """Note a copy for each medium of the output that the team keeps."""
    row = FalRequest.objects.filter(pk=pk, payload_removed_at=None).only("team").first()
    rules = CopyRules.objects.filter(pk=row.team_id, is_on=True).first() if row else None
    found = _media_in(pk) if rules else []
    with transaction.atomic():
        # The request may have been emptied meanwhile; its row is locked as `lifecycle` does.
        still = FalRequest.objects.select_for_update().filter(pk=pk, payload_removed_at=None)
        if rules and still.only("pk").first():
            wanted = [
                _copy_of(pk, rules, number, medium, now)
                for number, medium in enumerate(found, 1)
                if rules.takes(medium.kind)
            ]
            MediaCopy.objects.bulk_create(wanted, ignore_conflicts=True)
        CopyLook.objects.filter(pk=pk).delete()


def _media_in(pk: int) -> list[Medium]:
    body = beginning_of_output(pk)
    if len(body) > PARSE_LIMIT or not may_have_media(body):
        return []
    try:
        media = find_media(parse_json(body), settings.FAL_MEDIA_HOSTS)
    except (NotJson, RecursionError):
        return []
    return [medium for medium in media if medium.is_remote]


def _copy_of(pk: int, rules: CopyRules, number: int, medium: Medium, now: datetime) -> MediaCopy:
    return MediaCopy(
        request_id=pk, team_id=rules.pk, number=number, url=medium.url, path=medium.path[:200],
        kind=medium.kind, name=medium.name[:200], content_type=medium.content_type[:200],
        changed_at=now, due_at=now,
    )  # fmt: skip
