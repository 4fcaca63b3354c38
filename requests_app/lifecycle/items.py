"""Make the requests of a batch's rows: request and row change in one transaction, so that none is made twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from requests_app.lifecycle.open_limits import open_count_for
from requests_app.lifecycle.person import derived_columns, store
from requests_app.models import Batch, BatchItem, BatchState, FalRequest, ItemState, RequestOrigin
from requests_app.request_input import Draft

WAITS = "The next rows wait"  # for the limits of what is open; the beginning of a batch's note


@dataclass(frozen=True)
class Turn:
    """A row whose turn has come: its draft, and the failed request that it repeats."""

    item_pk: int
    draft: Draft
    again_of: FalRequest | None = None


def create_for_items(
    batch_pk: int, turns: Sequence[Turn], *, person: AbstractBaseUser, now: datetime
) -> int:
    """Create a request for each row that still waits, and mark the row; return how many were created.

    The batch is locked first: after a pause or cancel has been stored no request follows. Of two processes
    that take the same row, the second finds it marked and undoes its own request.
    """
    derived = [derived_columns(turn.draft) for turn in turns]
    with transaction.atomic():
        running = Batch.objects.select_for_update().filter(pk=batch_pk, state=BatchState.RUNNING)
        batch = running.select_related("team").first()
        if batch is None:
            return 0
        free = max(batch.concurrency - batch.open, 0)  # another process may have filled places
        count = open_count_for(batch.team_id, person.pk, len(turns))
        if count.room < min(free, len(turns)):
            free = max(count.room, 0)
            if not free and not batch.note:
                Batch.objects.filter(pk=batch_pk).update(note=f"{WAITS}: {count.sentence}"[:300])
        elif batch.note.startswith(WAITS):
            Batch.objects.filter(pk=batch_pk).update(note="")
        made = 0
        for turn, columns in zip(turns, derived, strict=True):
            if made < free:
                made += _create(turn, columns, batch, person, now)
        Batch.objects.filter(pk=batch_pk).update(waiting=F("waiting") - made, open=F("open") + made)
    return made


def _create(
    turn: Turn,
    derived: dict[str, str | None],
    batch: Batch,
    person: AbstractBaseUser,
    now: datetime,
) -> bool:
    with transaction.atomic():
        waiting = BatchItem.objects.select_for_update()
        if not waiting.filter(pk=turn.item_pk, state=ItemState.WAITING).exists():
            return False
        row = store(
            turn.draft, derived, batch.team, person, now, turn.again_of, RequestOrigin.BATCH
        )
        BatchItem.objects.filter(pk=turn.item_pk).update(state=ItemState.OPEN, request=row)
    return True
