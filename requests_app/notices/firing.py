"""Turn what rules have found into messages. An event and its message are one transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F, Max

from requests_app.models import (
    Notice,
    NoticeEvent,
    NoticeHours,
    NoticeRule,
    NoticeState,
    RuleEvent,
)
from requests_app.notices.finding import AT_ONCE, FoundEvent, find, is_over
from requests_app.notices.hours import QuietHours, leaves_at
from requests_app.notices.words import rule_in_words

OVERLAP = timedelta(minutes=10)  # looked at again: an end may be stored late
LONGEST = timedelta(hours=24)  # what happened before a worker stood still for longer is not told
NOTED_EVERY = timedelta(minutes=1)

logger = logging.getLogger(__name__)


def look(now: datetime) -> int:
    """Look for events of all rules that are on; return how many are new."""
    rules = NoticeRule.objects.filter(is_on=True).select_related("team", "channel", "only_of")
    by_team: dict[int, list[NoticeRule]] = {}
    for rule in rules:
        by_team.setdefault(rule.team_id, []).append(rule)
    return sum(_look_at(team_id, mine, now) for team_id, mine in by_team.items())


def _look_at(team_id: int, rules: list[NoticeRule], now: datetime) -> int:
    hours = NoticeHours.objects.filter(team=team_id).first()
    looked_at = hours.looked_at if hours and hours.looked_at else now
    since = max(looked_at - OVERLAP, now - LONGEST)
    counts = [_of_rule(rule, since, now, quiet_of(hours)) for rule in rules]
    is_complete = all(count is not None and count < AT_ONCE for count in counts)
    if is_complete and (hours is None or now - looked_at >= NOTED_EVERY or not hours.looked_at):
        NoticeHours.objects.update_or_create(team_id=team_id, defaults={"looked_at": now})
    return sum(count or 0 for count in counts)


def quiet_of(hours: NoticeHours | None) -> QuietHours | None:
    """Return the team's quiet hours; None without any."""
    if hours is None or hours.quiet_from is None or hours.quiet_to is None:
        return None
    return QuietHours(hours.zone, hours.quiet_from, hours.quiet_to)


def _of_rule(
    rule: NoticeRule, since: datetime, now: datetime, quiet: QuietHours | None
) -> int | None:
    """Return how many events are new; None when the look failed: the trouble of one is not the others'."""
    try:
        if rule.is_alarmed and not is_over(rule, now)[0]:
            NoticeRule.objects.filter(pk=rule.pk).update(is_alarmed=False)
            return 0
        found = find(rule, since, now)
        return fire(rule, found, now, None if rule.in_quiet else quiet) if found else 0
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Rule %s of the notices could not be looked at.", rule.pk)
        return None


@transaction.atomic
def fire(rule: NoticeRule, found: list[FoundEvent], now: datetime, quiet: QuietHours | None) -> int:
    """Store the events that are new, with the message that waits or one that is begun."""
    held = NoticeRule.objects.select_for_update().filter(pk=rule.pk, is_on=True).first()
    if held is None or (rule.event == RuleEvent.RATE and held.is_alarmed):
        return 0  # removed, switched off, or another process was first
    known = NoticeEvent.objects.filter(rule=rule, key__in=[one.key for one in found])
    told = set(known.values_list("key", flat=True))
    fresh = [one for one in found if one.key not in told]
    if not fresh:
        return 0
    notice = _waiting(rule) or _begun(rule, now, quiet)
    NoticeEvent.objects.bulk_create(
        NoticeEvent(
            rule=rule, notice=notice, key=one.key, request_id=one.request_id, at=one.at,
            line=one.line[:600], path=one.path,
        )
        for one in fresh
    )  # fmt: skip
    Notice.objects.filter(pk=notice.pk).update(count=F("count") + len(fresh))
    if rule.event == RuleEvent.RATE:
        NoticeRule.objects.filter(pk=rule.pk).update(is_alarmed=True)
    return len(fresh)


def _waiting(rule: NoticeRule) -> Notice | None:
    waiting = Notice.objects.filter(rule=rule, state=NoticeState.WAITING, tries=0)
    return waiting.select_for_update().first()


def _begun(rule: NoticeRule, now: datetime, quiet: QuietHours | None) -> Notice:
    last = Notice.objects.filter(rule=rule).aggregate(at=Max("created_at"))["at"]
    cooldown = timedelta(minutes=rule.cooldown_minutes)
    return Notice.objects.create(
        team_id=rule.team_id, rule=rule, channel_id=rule.channel_id, rule_words=rule_in_words(rule),
        channel_name=rule.channel.name, created_at=now,
        due_at=leaves_at(now, last=last, cooldown=cooldown, quiet=quiet),
    )  # fmt: skip
