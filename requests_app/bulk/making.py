"""Store a confirmed action with its requests; the worker begins at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.bulk.qualify import MOST, Act, preview, qualifying
from requests_app.models import (
    FOR_MANAGERS,
    AuditAct,
    BulkAction,
    BulkItem,
    BulkState,
    BulkVerb,
    Team,
)
from requests_app.models.request import FalRequestQuerySet

AT_ONCE = 2000  # items stored in one transaction: others wait for it on SQLite
FORGOTTEN_AFTER = timedelta(hours=1)


class TooMany(ValueError):
    """More requests than one action takes."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"These are {count:,} requests; one action takes up to {MOST:,}. Narrow the search."
        )


@dataclass(frozen=True)
class Order:
    """What a user confirmed. `rows` are of one team; `search` says in words which, unless ticked by hand."""

    verb: BulkVerb
    rows: FalRequestQuerySet
    search: str
    by_hand: bool
    reason: str
    token: str
    body_digest: str = ""
    tags: tuple[str, ...] = ()
    at_fal: bool = False  # of deletions


def make(order: Order, *, team: Team, person: AbstractBaseUser, now: datetime) -> BulkAction:
    """Store the action and start it. The same token again returns the same action. Raises TooMany.

    The items are written in short transactions. Until the last is stored the state is `storing`, from which
    nothing leads on: an action that a crash cut short does nothing, and is forgotten after an hour.
    """
    act = Act(order.verb, order.tags, person.pk)
    seen = preview(order.rows, act)
    if seen.eligible > MOST:
        raise TooMany(seen.eligible)
    bulk = _begin(order, seen.left_out, team, person, now)
    if bulk is None:
        return BulkAction.objects.get(team=team, token=order.token)
    total = _store_items(bulk, order, act)
    is_empty = total == 0
    BulkAction.objects.filter(pk=bulk.pk).update(
        state=BulkState.FINISHED if is_empty else BulkState.RUNNING,
        total=total,
        waiting=total,
        marked_at=now,
        due_at=None if is_empty else now,
        ended_at=now if is_empty else None,
    )
    bulk.refresh_from_db()
    return bulk


def _begin(
    order: Order,
    left_out: list[tuple[str, int]],
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
) -> BulkAction | None:
    try:
        with transaction.atomic():
            bulk = BulkAction.objects.create(
                team=team,
                person_id=person.pk,
                token=order.token,
                body_digest=order.body_digest,
                verb=order.verb,
                tags=",".join(order.tags),
                search=order.search,
                at_fal=order.at_fal and order.verb in FOR_MANAGERS,
                by_hand=order.by_hand,
                reason=order.reason,
                left_out=left_out,
                created_at=now,
            )
            told: dict[str, object] = {
                "verb": order.verb,
                "search": order.search,
                "why": order.reason,
            }
            if bulk.at_fal:
                told["at_fal"] = True
            on = audit.Noted("bulk", str(bulk.public_id), bulk.get_verb_display(), told)
            audit.note(AuditAct.BULK_STARTED, on, team_id=team.pk, by=person)
            return bulk
    except IntegrityError:  # the page was sent twice
        return None


def _store_items(bulk: BulkAction, order: Order, act: Act) -> int:
    """Store an item for each request that qualifies, oldest first; return how many."""
    keys = qualifying(order.rows, act).order_by("pk").values_list("pk", flat=True)
    # Read first: a result that is still open would hold up the writes on SQLite.
    found = iter(list(keys[:MOST]))
    total = 0
    while some := list(islice(found, AT_ONCE)):
        BulkItem.objects.bulk_create([BulkItem(bulk=bulk, request_id=key) for key in some])
        total += len(some)
    return total


def remove_cut_short(now: datetime) -> None:
    """Delete actions that a crash cut short while they were stored."""
    old = BulkAction.objects.filter(created_at__lt=now - FORGOTTEN_AFTER, state=BulkState.STORING)
    for bulk in old[:10]:
        bulk.delete()
