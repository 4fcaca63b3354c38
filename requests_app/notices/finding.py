"""Find what a rule is about in the team's rows. What it has told already is left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse

from requests_app.models import (
    Batch,
    BulkAction,
    BulkState,
    FalKey,
    FalRequest,
    ForwardDestination,
    NoticeEvent,
    NoticeRule,
    RuleEvent,
    Status,
)
from requests_app.models.batch import OVER
from requests_app.models.request import FalRequestQuerySet
from requests_app.notices.words import MOST_ERROR

AT_ONCE = 200  # events of a rule in one look; the next look finds the others
BULK_OVER = (BulkState.FINISHED, BulkState.STOPPED)


class FoundEvent(NamedTuple):
    """An event. Its key is the same at every look."""

    key: str
    at: datetime
    line: str
    path: str
    request_id: int | None = None


def find(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    """Return what has happened since then, or is so now, oldest first."""
    found = _FINDERS[RuleEvent(rule.event)](rule, max(since, rule.since), now)
    if rule.event in _BY_REQUEST:
        return found
    known = NoticeEvent.objects.filter(rule=rule, key__in=[one.key for one in found])
    told = set(known.values_list("key", flat=True))
    return [one for one in found if one.key not in told]


def is_over(rule: NoticeRule, now: datetime) -> tuple[bool, str]:
    """Whether the rate of failures is over the rule's, and the figures in words."""
    window = timedelta(minutes=rule.minutes or 1)
    ended = FalRequest.objects.made_here().filter(team=rule.team_id, ended_at__gte=now - window)
    ended = ended.filter(_of_rule(rule), status__in=(Status.COMPLETED, Status.FAILED))
    counts = ended.aggregate(all=Count("pk"), failed=Count("pk", Q(status=Status.FAILED)))
    total, failed = counts["all"], counts["failed"]
    words = f"{failed:,} of {total:,} requests failed within {rule.minutes} min."
    return rate_is_over(failed, total, percent=rule.percent or 0, least=rule.least or 1), words


def rate_is_over(failed: int, total: int, *, percent: int, least: int) -> bool:
    """Whether more than so many percent failed, of at least so many."""
    return total >= least and failed * 100 > percent * total


def _of_rule(rule: NoticeRule) -> Q:
    """Return the rule's filters as a condition on requests."""
    wanted = Q()
    if rule.pattern.endswith("*"):
        wanted &= Q(endpoint_id__startswith=rule.pattern[:-1])
    elif rule.pattern:
        wanted &= Q(endpoint_id=rule.pattern)
    if rule.error_type:
        wanted &= Q(error_type=rule.error_type) | Q(status=Status.COMPLETED)
    if rule.only_of_id:
        wanted &= Q(person=rule.only_of_id)
    return wanted


def _rows(rule: NoticeRule, **conditions: Any) -> FalRequestQuerySet:
    told = NoticeEvent.objects.filter(rule=rule, request=OuterRef("pk"))
    rows = FalRequest.objects.made_here().filter(_of_rule(rule), team=rule.team_id, **conditions)
    return rows.exclude(Exists(told)).select_related("person").without_payload()


def _failed(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    rows = _rows(rule, status=Status.FAILED, ended_at__gte=since).order_by("ended_at")
    return [
        _of_request(row, row.ended_at or now, _error_of(row, rule), "failed")
        for row in rows[:AT_ONCE]
    ]


def _error_of(row: FalRequest, rule: NoticeRule) -> str:
    kind = f" ({row.error_type})" if row.error_type else ""
    error = f": {row.error[:MOST_ERROR]}" if rule.with_error and row.error else ""
    return f"{kind}{error}"


def _uncertain(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    before = now - timedelta(minutes=rule.minutes or 1)
    rows = _rows(rule, status=Status.UNCERTAIN, ended_at__isnull=True, sent_at__lt=before)
    return [_of_request(row, now, "", "uncertain") for row in rows.order_by("pk")[:AT_ONCE]]


def _queued(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    before = now - timedelta(minutes=rule.minutes or 1)
    rows = _rows(rule, status=Status.IN_QUEUE, ended_at__isnull=True, accepted_at__lt=before)
    return [_of_request(row, now, "", "queue") for row in rows.order_by("pk")[:AT_ONCE]]


def _of_request(row: FalRequest, at: datetime, more: str, word: str) -> FoundEvent:
    line = f"{row.endpoint_id}, by {row.person.get_username()}{more}"
    path = f"{reverse('requests:detail', args=[row.public_id])}?team={row.team_id}"
    return FoundEvent(f"{word}:{row.pk}", at, line[:600], path, row.pk)


def _rate(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    is_alarm, words = is_over(rule, now)
    if not is_alarm or rule.is_alarmed:
        return []
    path = f"{reverse('requests:list')}?team={rule.team_id}&q=status:failed"
    return [FoundEvent(f"rate:{now.isoformat()}", now, words, path)]


def _batches(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    rows = Batch.objects.filter(team=rule.team_id, state__in=OVER, ended_at__gte=since)
    rows = rows.filter(_of_rule_without_error(rule)).order_by("ended_at")
    return [
        FoundEvent(
            f"batch:{row.pk}:{row.ended_at}", row.ended_at or now,
            f"{row.name or row.endpoint_id}: {row.completed:,} completed, {row.failed:,} failed, "
            f"{row.cancelled:,} cancelled of {row.total:,}.",
            reverse("requests:batch", args=[row.public_id]),
        )
        for row in rows[:AT_ONCE]
    ]  # fmt: skip


def _of_rule_without_error(rule: NoticeRule) -> Q:
    return _of_rule(NoticeRule(pattern=rule.pattern, only_of_id=rule.only_of_id))


def _bulk(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    rows = BulkAction.objects.filter(team=rule.team_id, state__in=BULK_OVER, ended_at__gte=since)
    if rule.only_of_id:
        rows = rows.filter(person=rule.only_of_id)
    return [
        FoundEvent(
            f"bulk:{row.pk}:{row.ended_at}", row.ended_at or now,
            f"{row.get_verb_display()}: {row.succeeded:,} done, {row.skipped:,} skipped, "
            f"{row.failed:,} failed of {row.total:,}.",
            reverse("requests:bulk_action", args=[row.public_id]),
        )
        for row in rows.order_by("ended_at")[:AT_ONCE]
    ]  # fmt: skip


def _keys(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    rows = FalKey.objects.filter(team=rule.team_id, removed_at=None, last_error_at__gte=since)
    return [
        # Once a day: a refused key is noted anew every minute.
        FoundEvent(f"key:{row.pk}:{now:%F}", row.last_error_at or now, f"The key {row.name}.", reverse("requests:settings"))
        for row in rows.exclude(last_error="")[:AT_ONCE]
    ]  # fmt: skip


def _destinations(rule: NoticeRule, since: datetime, now: datetime) -> list[FoundEvent]:
    rows = ForwardDestination.objects.of_team(rule.team_id).filter(disabled_at__gte=since)
    return [
        FoundEvent(
            f"forward:{row.pk}:{row.disabled_at}", row.disabled_at or now,
            f"{row.name}: {row.disabled_why}"[:600],
            f"{reverse('requests:destination', args=[row.pk])}?team={rule.team_id}",
        )
        for row in rows.order_by("disabled_at")[:AT_ONCE]
    ]  # fmt: skip


_BY_REQUEST = frozenset({RuleEvent.FAILED, RuleEvent.UNCERTAIN, RuleEvent.QUEUE})
_FINDERS: dict[RuleEvent, Callable[[NoticeRule, datetime, datetime], list[FoundEvent]]] = {
    RuleEvent.FAILED: _failed,
    RuleEvent.UNCERTAIN: _uncertain,
    RuleEvent.QUEUE: _queued,
    RuleEvent.RATE: _rate,
    RuleEvent.BATCH: _batches,
    RuleEvent.BULK: _bulk,
    RuleEvent.KEY: _keys,
    RuleEvent.FORWARD: _destinations,
}
