"""Bugs, to prove that the checkers find what they are there for. Each changes one thing at run time.

A plant is applied by `planted` in every process of ours; the product itself knows nothing of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections, transaction
from django.utils import timezone


@dataclass(frozen=True)
class Plant:
    """One bug, and the checkers of which at least one must object."""

    apply: Callable[[], None]
    found_by: frozenset[str]


PLANTS: dict[str, Plant] = {}


def plant(*found_by: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Name the function below as a bug."""

    def keep(apply: Callable[[], None]) -> Callable[[], None]:
        PLANTS[apply.__name__] = Plant(apply, frozenset(found_by))
        return apply

    return keep


@plant("at-most-once")
def submit_is_retried() -> None:
    """A submit without an answer is sent again at once, as the official clients do."""
    from requests_app.fal import FalClient
    from requests_app.fal.errors import Unanswered

    submit = FalClient.submit

    async def twice(*args: Any, **kwargs: Any) -> Any:
        try:
            return await submit(*args, **kwargs)
        except Unanswered:
            return await submit(*args, **kwargs)

    FalClient.submit = twice  # type: ignore[method-assign]


@plant("register", "effects")
def end_is_overwritten() -> None:
    """News about an ended row are applied as if it were live."""
    from requests_app.lifecycle import hearing
    from requests_app.lifecycle.writing import apply
    from requests_app.models import FalRequest
    from requests_app.rules.transitions import Picture, decide

    def overwrite(row: FalRequest, news: Any, *, source: str, asked_at: Any) -> Any:
        if change := decide(Picture(status="in_progress"), news):
            apply(row, change, source, at=asked_at)
        return hearing.Effect.NEWS

    hearing._after_the_end = overwrite


@plant("liveness")
def sweep_is_off() -> None:
    """Only messages move rows on."""
    from requests_app import tasks
    from requests_app.worker import clock, sweep
    from requests_app.worker.loop import pool

    async def nothing() -> int:
        await pool.in_database(sweep._beat, timezone.now())  # it looks alive
        return 0

    tasks.sweep_once = clock.sweep = nothing  # type: ignore[attr-defined]


@plant("acknowledged")
def webhook_is_acknowledged_early() -> None:
    """200 first, the work later in a thread."""
    from requests_app.webhooks import deliveries
    from requests_app.webhooks.deliveries import Match

    receive = deliveries.receive

    def later(*args: Any) -> Match:
        def work() -> None:
            time.sleep(8)
            try:
                receive(*args)
            finally:
                connections.close_all()  # back to the pool, which is small

        threading.Thread(target=work, daemon=True).start()
        return Match.ACCEPTED

    deliveries.receive = later  # type: ignore[assignment]


@plant("at-most-once")
def attempt_is_not_exclusive() -> None:
    """Whoever wants to send a row may, also when somebody is at it."""
    from requests_app import lifecycle
    from requests_app.models import FalRequest, Status

    start_attempts = lifecycle.start_attempts

    def anyone(pks: Any, *, now: Any) -> Any:
        time.sleep(0.3)
        taken = FalRequest.objects.filter(pk__in=pks, status=Status.SUBMITTING)
        taken.update(status=Status.PENDING, due_at=now)
        return start_attempts(pks, now=now)

    lifecycle.start_attempts = anyone


@plant("truth")
def cancel_is_painted() -> None:
    """A wish to cancel shows as cancelled at once, whatever fal does."""
    from requests_app import lifecycle
    from requests_app.lifecycle.writing import apply, locked
    from requests_app.models import Source, Status
    from requests_app.rules.transitions import Change

    def paint(pk: int, *, person: Any, now: Any) -> str:
        with transaction.atomic():
            row = locked(pk)
            if not row.is_ended:
                change = Change(Status.CANCELLED, "ended", "Cancelled.")
                apply(row, change, Source.PERSON, at=now)
        return "cancelled"

    lifecycle.ask_cancel = paint


@plant("set-full")
def key_is_ignored() -> None:
    """A repeated call makes another request."""
    from requests_app import lifecycle

    def always(draft: Any, *, key: str, body_digest: str, **who: Any) -> Any:
        return lifecycle.create(draft, **who), True

    lifecycle.create_once = always


@plant("effects")
def end_is_not_recorded() -> None:
    """Every fifth row ends without an observation."""
    from requests_app.lifecycle import writing
    from requests_app.models import ENDED, FalRequest

    record = writing.record

    def careless(row: FalRequest, status: str, kind: str, note: str, *args: Any, **kw: Any) -> None:
        if kind != "ended" or row.pk % 5:
            record(row, status, kind, note, *args, **kw)
            return
        columns = {name: kw[name] for name in kw if hasattr(row, name)}
        FalRequest.objects.filter(pk=row.pk).exclude(status__in=ENDED).update(
            status=status, **columns
        )

    writing.record = careless


@plant("at-most-once")
def uncertain_is_sent_again() -> None:
    """The sweep takes an uncertain row for one that was not sent."""
    from requests_app.models import FalRequest, Status
    from requests_app.worker import sweep

    due = sweep._due

    def generous(now: Any, **options: Any) -> list[int]:
        unsure = FalRequest.objects.filter(status=Status.UNCERTAIN)
        unsure.update(status=Status.PENDING, due_at=now)
        return due(now, **options)

    sweep._due = generous


@plant("liveness")
def restart_forgets() -> None:
    """A process that comes up takes open rows for another's business."""
    from requests_app import lifecycle
    from requests_app.models import FalRequest

    def forget(*, now: Any, alone: bool) -> int:
        return FalRequest.objects.live().update(due_at=None)

    lifecycle.resume = forget


@plant("set-full")
def acknowledged_from_memory() -> None:
    """Now and then a request is confirmed that never reaches the disk."""
    from requests_app import lifecycle
    from requests_app.models import FalRequest, IdempotencyKey, Observation

    create_once = lifecycle.create_once

    def forgetful(*args: Any, **kwargs: Any) -> Any:
        row, is_new = create_once(*args, **kwargs)
        if is_new and row.pk % 10 == 0:
            threading.Timer(0.5, _erase, [row.pk]).start()
        return row, is_new

    def _erase(pk: int) -> None:
        for model, column in ((Observation, "request"), (IdempotencyKey, "request")):
            model.objects.filter(**{column: pk}).delete()
        FalRequest.objects.filter(pk=pk)._raw_delete("default")
        connections.close_all()

    lifecycle.create_once = forgetful


@plant("at-most-once")
def expired_is_sent_again() -> None:
    """A row whose lease ran out is taken for one that was never sent; and no lease is renewed."""
    from requests_app import lifecycle
    from requests_app.fal.errors import NotSent
    from requests_app.lifecycle import sending
    from requests_app.models import FalRequest
    from requests_app.worker import direct_calls, leases

    def again(pk: int, *, now: Any) -> None:
        lease = FalRequest.objects.values_list("lease", flat=True).get(pk=pk)
        lifecycle.note_not_sent(pk, NotSent("The sender is gone."), lease=lease, now=now)

    def idle(rows: Any, *, now: Any) -> Any:
        return dict.fromkeys(rows, False)

    sending.LEASE = timedelta(seconds=1)
    direct_calls.ensure_not_expired = leases.ensure_not_expired = lambda attempt: None
    lifecycle.expire_lease = again
    lifecycle.renew_leases = idle
    leases.is_held_here = lambda pk: False


@plant("truth")
def unknown_is_failed() -> None:
    """A submit without an answer counts as failed."""
    from requests_app import lifecycle
    from requests_app.models import Source
    from requests_app.rules.transitions import CallEnded

    def fail(pk: int, reason: str, *, now: Any) -> None:
        lifecycle.observe(
            pk, CallEnded("failed", "unknown", reason), source=Source.US, asked_at=now
        )

    lifecycle.mark_uncertain = fail


@plant("truth")
def output_is_cut() -> None:
    """The result that a poll fetches loses its last bytes."""
    from dataclasses import replace

    from requests_app.fal import FalClient

    result = FalClient.result

    async def cut(*args: Any, **kwargs: Any) -> Any:
        whole = await result(*args, **kwargs)
        return replace(whole, body=whole.body[:-2])

    FalClient.result = cut  # type: ignore[method-assign]


@plant("truth", "recognition")
def first_that_fits_is_taken() -> None:
    """Of several listed requests that may be the lost one, one is taken all the same."""
    from requests_app.lifecycle import lost_submits
    from requests_app.rules.lost_submit import Match

    def hasty(found: Any, *, claimed: Any, has_twin: bool) -> Match:
        free = sorted(set(found) - set(claimed))
        return Match(free[0]) if free else Match()

    lost_submits.recognise = hasty


@plant("live-pages")
def pages_trust_messages() -> None:
    """An open list only shows what a message told it."""
    from requests_app.consumers.team_feed import TeamFeed

    async def nothing(self: Any) -> None:
        return

    TeamFeed._look_often = nothing  # type: ignore[method-assign]
