"""The worker's turns at bulk actions: a few requests at a time, each with its outcome.

The outcome is stored in the transaction that acts, so a process that is killed leaves each request either
done with its outcome, or waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from requests_app import lifecycle
from requests_app.bulk import control
from requests_app.bulk.qualify import act_of, qualifying, why_not
from requests_app.models import (
    FOR_MANAGERS,
    BulkAction,
    BulkItem,
    BulkState,
    BulkVerb,
    FalRequest,
    Membership,
    Outcome,
    Status,
)
from requests_app.request_input import InvalidDraft, parse_draft
from requests_app.rules.tag_names import BadTags

logger = logging.getLogger(__name__)

IDLE = ~Q(state=BulkState.RUNNING)
AT_ONCE = 20  # requests in one transaction: others wait for it on SQLite
MOST_PENDING = (
    50  # of the team, while an action makes requests: they go out at the worker's own rate
)


@dataclass(frozen=True)
class Done:
    """What came of one request."""

    outcome: Outcome
    note: str = ""
    repeat: FalRequest | None = None


def settle(pk: int, now: datetime) -> int:
    """Measure the rate, and end the action when nothing waits; return 0: it does no work itself."""
    BulkAction.objects.mark_rate(pk, now)
    over = BulkAction.objects.filter(pk=pk, waiting=0, state=BulkState.RUNNING)
    over.update(state=BulkState.FINISHED, ended_at=now, due_at=None)
    return 0


def refill(pk: int, now: datetime) -> int:
    """Act on the next requests; return how many."""
    bulk = BulkAction.objects.select_related("person", "team").get(pk=pk)
    if bulk.state != BulkState.RUNNING:
        return 0
    if not _may_act(bulk):
        note = "The user who started it may no longer do this. Another member can resume it."
        control.pause(bulk, now=now, note=note)
        return 0
    count = min(AT_ONCE, _free(bulk))
    return _act_on_next(bulk, count, now) if count > 0 else 0


def _may_act(bulk: BulkAction) -> bool:
    membership = Membership.objects.filter(
        team=bulk.team, user=bulk.person, user__is_active=True
    ).first()
    if membership is None or (bulk.verb in FOR_MANAGERS and not membership.may_manage):
        return False
    return membership.may_submit


def _free(bulk: BulkAction) -> int:
    """How many requests may be made now; any number when none are made."""
    if bulk.verb != BulkVerb.AGAIN:
        return AT_ONCE
    pending = FalRequest.objects.filter(team=bulk.team, status=Status.PENDING)
    return MOST_PENDING - pending.values("pk")[:MOST_PENDING].count()


def _act_on_next(bulk: BulkAction, count: int, now: datetime) -> int:
    with transaction.atomic():
        running = BulkAction.objects.select_for_update().filter(pk=bulk.pk, state=BulkState.RUNNING)
        if not running.exists():  # paused or stopped a moment ago
            return 0
        waiting = BulkItem.objects.filter(bulk=bulk, outcome=Outcome.WAITING)
        items = list(waiting.select_related("request").order_by("pk")[:count])
        asked = FalRequest.objects.filter(pk__in=[item.request_id for item in items])
        still = set(qualifying(asked, act_of(bulk)).values_list("pk", flat=True))
        counts = dict.fromkeys(("succeeded", "skipped", "failed"), 0)
        for item in items:
            done = _act(bulk, item, now) if item.request_id in still else _skipped(bulk, item)
            BulkItem.objects.filter(pk=item.pk).update(
                outcome=done.outcome, note=done.note[:300], repeat=done.repeat
            )
            counts[_COLUMN[done.outcome]] += 1
        changes = {column: F(column) + number for column, number in counts.items()}
        BulkAction.objects.filter(pk=bulk.pk).update(waiting=F("waiting") - len(items), **changes)
    return len(items)


_COLUMN = {Outcome.DONE: "succeeded", Outcome.SKIPPED: "skipped", Outcome.FAILED: "failed"}


def _skipped(bulk: BulkAction, item: BulkItem) -> Done:
    """Say why a request no longer qualifies."""
    if item.request is None:
        return Done(Outcome.SKIPPED, "It was deleted before.")
    return Done(Outcome.SKIPPED, why_not(item.request, act_of(bulk)))


def _act(bulk: BulkAction, item: BulkItem, now: datetime) -> Done:
    """Act on one request. An exception is its own failure, not that of the others."""
    try:
        with transaction.atomic():
            return _ACTIONS[BulkVerb(bulk.verb)](bulk, item.request, now)
    except DatabaseError:
        raise  # the whole turn is undone and given again
    except Exception:
        logger.exception("%s of request %s failed.", bulk.verb, item.request_id)
        return Done(Outcome.FAILED, "It failed here; the log of the server has the reason.")


def _cancel(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    answer = lifecycle.ask_cancel(row.pk, person=bulk.person, now=now)
    notes = {
        "cancelled": "Cancelled before it was sent.",
        "asked": "fal is asked to cancel it.",
        "ended": "It had already ended.",
    }
    return Done(Outcome.SKIPPED if answer == "ended" else Outcome.DONE, notes[answer])


def _again(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    try:
        draft = parse_draft(
            endpoint_id=row.endpoint_id, mode=row.mode, input=row.input_text, options=row.options
        )
    except InvalidDraft as error:  # the rules are stricter now
        return Done(Outcome.FAILED, str(error))
    try:
        repeat = lifecycle.create(draft, team=bulk.team, person=bulk.person, now=now, again_of=row)
    except lifecycle.TooManyOpen as error:
        return Done(Outcome.FAILED, str(error))
    return Done(Outcome.DONE, "Submitted again.", repeat)


def _give_up(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    if lifecycle.give_up(row.pk, person=bulk.person, now=now):
        return Done(Outcome.DONE, "Ended here as failed.")
    return Done(Outcome.SKIPPED, "It is not uncertain.")


def _reread(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    if lifecycle.reread(row.pk, person=bulk.person, now=now):
        return Done(Outcome.DONE, "fal is asked; what it adds is in the request's history.")
    return Done(Outcome.SKIPPED, "fal cannot be asked about it any more.")


def _tag(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    try:
        added = lifecycle.add_tags(row.pk, bulk.tag_names, person=bulk.person, now=now)
    except BadTags as error:
        return Done(Outcome.FAILED, str(error))
    return Done(Outcome.DONE, f"Tagged {', '.join(added)}.")


def _untag(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    taken = lifecycle.remove_tags(row.pk, bulk.tag_names, person=bulk.person, now=now)
    return Done(Outcome.DONE, f"Taken off: {', '.join(taken)}.")


def _star(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    lifecycle.set_star(row.pk, person=bulk.person, is_on=True)
    return Done(Outcome.DONE, "Starred.")


def _unstar(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    lifecycle.set_star(row.pk, person=bulk.person, is_on=False)
    return Done(Outcome.DONE, "The star is off.")


def _payload(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    if lifecycle.delete_payload(row.pk, person=bulk.person, now=now, at_fal=bulk.at_fal):
        return Done(Outcome.DONE, f"Its input and output are deleted here.{_at_fal(bulk, row)}")
    return Done(Outcome.SKIPPED, "It had none left.")


def _at_fal(bulk: BulkAction, row: FalRequest) -> str:
    if not bulk.at_fal:
        return ""
    why = lifecycle.why_not_at_fal(row)
    return f" fal is not asked: {why}" if why else " fal is asked to delete what it keeps."


def _delete(bulk: BulkAction, row: FalRequest, now: datetime) -> Done:
    if lifecycle.delete_request(row.pk, person=bulk.person, now=now, at_fal=bulk.at_fal):
        told = f"Deleted: {row.endpoint_id}, {row.public_id}.{_at_fal(bulk, row)}"
        return Done(Outcome.DONE, told)
    return Done(Outcome.SKIPPED, "Faldeck still asks fal about it.")


_ACTIONS: dict[BulkVerb, Callable[[BulkAction, FalRequest, datetime], Done]] = {
    BulkVerb.CANCEL: _cancel,
    BulkVerb.AGAIN: _again,
    BulkVerb.GIVE_UP: _give_up,
    BulkVerb.REREAD: _reread,
    BulkVerb.TAG: _tag,
    BulkVerb.UNTAG: _untag,
    BulkVerb.STAR: _star,
    BulkVerb.UNSTAR: _unstar,
    BulkVerb.PAYLOAD: _payload,
    BulkVerb.DELETE: _delete,
}
