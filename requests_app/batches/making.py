"""Store a checked batch. Its rows wait; nothing is sent until a user starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app.batches import control
from requests_app.batches.checking import Checked, check
from requests_app.batches.sheet import BadSheet, Sheet
from requests_app.catalogue import store
from requests_app.lifecycle import KeyReused
from requests_app.models import UNSTARTED, Batch, BatchItem, BatchState, Preset, Team
from requests_app.presets.saving import MOST_CHARACTERS
from requests_app.presets.template import Template
from requests_app.request_input import Draft

AT_ONCE = 500  # rows written by one statement
MOST_CONCURRENT = 100
MOST_UNSTARTED = 20  # of a team: each may hold megabytes of rows
FORGOTTEN_AFTER = timedelta(days=2)  # a batch that was never started


class TooManyUnstarted(Exception):
    """The team has too many batches that were never started."""

    def __init__(self) -> None:
        super().__init__(
            f"The team has {MOST_UNSTARTED} batches that were not started: start or discard one first."
        )


@dataclass(frozen=True)
class Plan:
    """What a batch is made of. `draft.input_text` has the variables."""

    draft: Draft
    name: str = ""
    concurrency: int = 10
    preset: Preset | None = None


@dataclass(frozen=True)
class Once:
    """A caller's promise: the same key and body mean the same batch."""

    key: str
    body_digest: str


def made_before(team: Team, once: Once) -> Batch | None:
    """Return the batch that has this key. Raises KeyReused when it was made of another body."""
    found = Batch.objects.filter(team=team, idempotency_key=once.key).first()
    if found is not None and found.body_digest != once.body_digest:
        raise KeyReused(f"The key {once.key!r} was used before with another body.")
    return found


def check_rows(plan: Plan, sheet: Callable[[], Sheet], team: Team) -> Checked:
    """Read and check all rows. Raises BadSheet."""
    if len(plan.draft.input_text) > MOST_CHARACTERS:
        raise BadSheet(f"The input of a batch has at most {MOST_CHARACTERS // 1024} k characters.")
    entry = store.look_up(plan.draft.endpoint_id, team)
    validator = entry.known.validator if entry and entry.known else None
    return check(sheet(), Template(plan.draft.input_text), validator)


def make_once(
    plan: Plan,
    checked: Checked,
    once: Once | None,
    *,
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    is_started: bool,
) -> tuple[Batch, bool]:
    """Make it, and start it if asked; the flag says whether it is new. Raises KeyReused, TooManyUnstarted.

    Key, readiness and start are one transaction, after the rows: a call that was cut short leaves no key,
    and of two calls at once the unique constraint lets one through.
    """
    batch = _stored(plan, checked, team=team, person=person, now=now)
    try:
        with transaction.atomic():
            _mark_ready(batch, once)
            if is_started:
                control.start(batch, person=person, now=now)
    except IntegrityError:
        discard(batch)
        found = made_before(team, once) if once else None
        if found is None:
            raise
        return found, False
    return batch, True


def make(
    plan: Plan, checked: Checked, *, team: Team, person: AbstractBaseUser, now: datetime
) -> Batch:
    """Store the batch and its rows; it is ready to be started. Raises TooManyUnstarted."""
    batch = _stored(plan, checked, team=team, person=person, now=now)
    _mark_ready(batch, None)
    return batch


def _mark_ready(batch: Batch, once: Once | None) -> None:
    named = {"idempotency_key": once.key, "body_digest": once.body_digest} if once else {}
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.READY, **named)
    batch.state = BatchState.READY


def _stored(
    plan: Plan, checked: Checked, *, team: Team, person: AbstractBaseUser, now: datetime
) -> Batch:
    """Store the batch and its rows, in short transactions. Raises TooManyUnstarted.

    Until the last row is stored its state is `storing`, from which nothing leads on: a batch that a crash
    cut short is never started, and forgotten after two days.
    """
    if Batch.objects.filter(team=team, state__in=UNSTARTED).count() >= MOST_UNSTARTED:
        raise TooManyUnstarted
    draft, total = plan.draft, len(checked.rows)
    batch = Batch.objects.create(
        team=team,
        person_id=person.pk,
        name=plan.name,
        preset=plan.preset,
        preset_version=plan.preset.version if plan.preset else None,
        endpoint_id=draft.endpoint_id,
        mode=draft.mode,
        options=draft.options,
        text=draft.input_text,
        columns=checked.columns,
        concurrency=plan.concurrency,
        total=total,
        waiting=total,
        created_at=now,
    )
    items = (
        BatchItem(batch=batch, number=number, values=values, readings=readings)
        for number, (values, readings) in enumerate(checked.rows, 1)
    )
    while some := list(islice(items, AT_ONCE)):
        BatchItem.objects.bulk_create(some)
    return batch


def remove_forgotten(now: datetime) -> None:
    """Delete batches that were not started for two days."""
    old = Batch.objects.filter(created_at__lt=now - FORGOTTEN_AFTER, state__in=UNSTARTED)
    for batch in old[:10]:
        discard(batch)


def discard(batch: Batch) -> bool:
    """Delete a batch that was never started, with its rows; False when it was started meanwhile."""
    if not Batch.objects.filter(pk=batch.pk, state__in=UNSTARTED).update(state=BatchState.STORING):
        return False
    BatchItem.objects.filter(batch=batch).delete()
    Batch.objects.filter(pk=batch.pk).delete()
    return True
