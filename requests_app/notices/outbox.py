"""What is due is leased to one sender, and what came of its try is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from requests_app.keys.encryption import Undecryptable, decrypt
from requests_app.models import (
    ChannelKind,
    Notice,
    NoticeChannel,
    NoticeEvent,
    NoticeHours,
    NoticeState,
)
from requests_app.notices.answers import NoticeMessage, TryAnswer, TryResult
from requests_app.notices.firing import quiet_of
from requests_app.notices.hours import after_quiet
from requests_app.notices.words import MOST_LINES, message_of

LEASE = timedelta(seconds=90)  # longer than any try may take
PAUSES = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3600))  # after so many tries
MOST_FAILURES = 5  # messages in a row, after which a channel is switched off
MOST_A_MINUTE = 10  # messages of a channel
KEPT = timedelta(days=30)
_AT_ONCE = 500


@dataclass(frozen=True)
class TakenNotice:
    """A message that this process sends."""

    pk: int
    lease: uuid.UUID
    kind: ChannelKind
    address: str
    message: NoticeMessage


def take_due(now: datetime, most: int) -> list[TakenNotice]:
    """Lease messages that are due. What cannot be sent at all has failed, and what is too early is put off."""
    due = (
        Notice.objects.due(now)
        .order_by("due_at")
        .select_related("team", "rule__only_of", "channel")
    )
    found = (_take(notice, now) for notice in due[:most])
    return [taken for taken in found if taken]


def _take(notice: Notice, now: datetime) -> TakenNotice | None:
    channel = notice.channel
    if channel is None or (notice.rule is None and not notice.is_test):
        _end(notice, "The rule or its channel was removed.", now)
        return None
    if channel.disabled_at and not notice.is_test:
        _end(notice, "The channel is switched off.", now)
        return None
    if later := _later(notice, channel, now):
        Notice.objects.due(now).filter(pk=notice.pk).update(due_at=later)
        return None
    try:
        address = decrypt(channel.encrypted, team_id=notice.team_id)
    except Undecryptable:
        _end(notice, "The address cannot be decrypted: ENCRYPTION_KEYS has changed.", now)
        return None
    lease = notice.take(now, now + LEASE)
    if lease is None:
        return None
    notice.refresh_from_db(fields=["is_unsure", "count"])
    events = list(NoticeEvent.objects.filter(notice=notice)[:MOST_LINES])
    message = message_of(notice, events)
    return TakenNotice(notice.pk, lease, ChannelKind(channel.kind), address, message)


def _later(notice: Notice, channel: NoticeChannel, now: datetime) -> datetime | None:
    """Return when to try instead: after the quiet hours, or when the channel has had fewer messages."""
    if notice.is_test or notice.rule is None:
        return None
    hours = NoticeHours.objects.filter(team=notice.team_id).first()
    quiet = None if notice.rule.in_quiet else quiet_of(hours)
    if (after := after_quiet(now, quiet)) > now:
        return after
    recent = Notice.objects.filter(channel=channel, ended_at__gt=now - timedelta(minutes=1))
    return now + timedelta(seconds=20) if recent.count() >= MOST_A_MINUTE else None


def _end(notice: Notice, why: str, now: datetime) -> None:
    Notice.objects.due(now).filter(pk=notice.pk).update(
        state=NoticeState.FAILED, answer=why, ended_at=now, due_at=None, lease=None
    )


def keep(taken: TakenNotice, answer: TryAnswer, now: datetime) -> None:
    """Store what came of a try; nothing when the lease was lost to another sender."""
    with transaction.atomic():
        mine = Notice.objects.select_for_update().filter(pk=taken.pk, lease=taken.lease)
        notice = mine.first()
        if notice is None:
            return
        notice.lease = notice.leased_until = None
        notice.answer = answer.words[:300]
        if answer.result == TryResult.SENT:
            _ended(notice, NoticeState.SENT, now)
        elif answer.result == TryResult.REFUSED or notice.is_test or notice.tries > len(PAUSES):
            _ended(notice, NoticeState.FAILED, now)
        else:
            notice.state = NoticeState.WAITING
            notice.due_at = now + PAUSES[notice.tries - 1]
            notice.is_unsure |= answer.result == TryResult.UNKNOWN
        notice.save()


def _ended(notice: Notice, state: NoticeState, now: datetime) -> None:
    notice.state, notice.ended_at, notice.due_at = state, now, None
    channel = NoticeChannel.objects.filter(pk=notice.channel_id or 0)
    if state == NoticeState.SENT:
        channel.update(failures=0, last_sent_at=now, disabled_at=None, disabled_why="")
        return
    if notice.is_test:
        return
    channel.update(failures=F("failures") + 1)
    why = f"Switched off after {MOST_FAILURES} messages in a row failed. The last answer: {notice.answer}"
    broken = channel.filter(failures__gte=MOST_FAILURES, disabled_at=None)
    broken.update(disabled_at=now, disabled_why=why[:300])


def remove_old(now: datetime) -> None:
    """Delete the log after its time, and events that no look can find again."""
    old = Notice.objects.filter(ended_at__lt=now - KEPT)
    Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_AT_ONCE])).delete()
