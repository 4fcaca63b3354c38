"""What is due is leased to one worker, and what came of its attempt is kept: retried with backoff for a day."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from requests_app.forwarding.sealed import Sealed, unseal
from requests_app.keys.encryption import Undecryptable
from requests_app.models import (
    Delivery,
    ForwardAttempt,
    ForwardDestination,
    ForwardEvent,
    ForwardMessage,
    ForwardState,
)

LEASE = timedelta(seconds=60)  # longer than any attempt may take
FOR = timedelta(hours=24)  # of attempts
FIRST_PAUSE_S, FACTOR, LONGEST_PAUSE_S = 10.0, 3.0, 3 * 3600.0
JITTER = 0.2  # of a pause, to both sides
# After so many failed attempts in a row a destination pauses as a whole, longer each time.
FAILURES_TO_PAUSE, FIRST_REST_S, LONGEST_REST_S = 3, 5.0, 600.0
KEPT = timedelta(days=30)
MOST_ATTEMPTS = 20  # kept of a message, the newest
AT_ONCE = 500  # messages that one sweep deletes
GONE = 410  # the receiver wants no more
PER_DESTINATION = 4  # attempts at once of a process; one while the last one failed
LEAST_FAILURES = 10  # attempts in a row, before a destination is switched off after a day
SWITCHED_OFF = "The destination was switched off."


@dataclass(frozen=True)
class TakenForward:
    """A message that this process sends. `headers`: what fal sent beside the body."""

    pk: int
    destination: int
    lease: uuid.UUID
    url: str
    secrets: list[str]
    message_id: str
    event: ForwardEvent
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class ForwardAnswer:
    """What came of an attempt: a status and the answer's beginning, or why there is none."""

    took_ms: int
    status: int | None = None
    words: str = ""
    answer: str = ""
    retry_after_s: float = 0.0

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def take_due(now: datetime, most: int, *, running: Mapping[int, int]) -> list[TakenForward]:
    """Lease due messages, of each destination the oldest. `running`: attempts under way here, by destination."""
    destinations = list(ForwardDestination.objects.sendable(now))
    random.shuffle(destinations)  # none is always the last
    found: list[TakenForward] = []
    for destination in destinations:
        if running.get(destination.pk, 0) >= (1 if destination.failures else PER_DESTINATION):
            continue
        due = ForwardMessage.objects.of(destination).due(now).order_by("due_at", "pk").first()
        if due and (taken := _take(due, destination, now)):
            found.append(taken)
        if len(found) >= most:
            break
    return found


def _take(
    message: ForwardMessage, destination: ForwardDestination, now: datetime
) -> TakenForward | None:
    try:
        sealed = unseal(destination)
        body, headers = _content(message)
    except (Undecryptable, _NotKept) as error:
        why = str(error) or "The address cannot be decrypted: ENCRYPTION_KEYS has changed."
        ForwardMessage.objects.due(now).filter(pk=message.pk).give_up(why, now)
        return None
    lease = message.take(now, now + LEASE)
    if lease is None:
        return None
    return TakenForward(
        message.pk, destination.pk, lease, sealed.url, _valid(sealed, destination, now),
        message.message_id, ForwardEvent(message.event), body, headers,
    )  # fmt: skip


class _NotKept(Exception):
    pass


def _content(message: ForwardMessage) -> tuple[bytes, dict[str, str]]:
    """Return the body, and the headers that belong to it."""
    if message.event != ForwardEvent.DELIVERY:
        return bytes(message.body), {"content-type": "application/json"}
    stored = Delivery.objects.filter(pk=message.delivery or 0, request=message.request_id).first()
    if stored is None or len(stored.body) < stored.body_size:
        raise _NotKept("The delivery is no longer kept.")
    headers = {name: value for name, value in stored.headers.items() if name != "user-agent"}
    return bytes(stored.body), headers


def _valid(sealed: Sealed, destination: ForwardDestination, now: datetime) -> list[str]:
    until = destination.old_secret_until
    return list(sealed.secrets if until and now < until else sealed.secrets[:1])


@transaction.atomic
def keep(taken: TakenForward, answer: ForwardAnswer, now: datetime) -> None:
    """Store an attempt; without the lease, which another worker took, the message stays as it is."""
    mine = ForwardMessage.objects.select_for_update().filter(pk=taken.pk)
    message = mine.first()
    if message is None:
        return
    ForwardAttempt.objects.create(
        message=message, at=now, took_ms=answer.took_ms, code=answer.status,
        words=answer.words[:300], answer=answer.answer,
    )  # fmt: skip
    older = message.attempts.values_list("pk", flat=True)[MOST_ATTEMPTS:]
    ForwardAttempt.objects.filter(pk__in=list(older)).delete()
    destination = ForwardDestination.objects.select_for_update().get(pk=taken.destination)
    if message.lease == taken.lease:
        _settle(message, destination, answer, now)
    _note(destination, answer, now)
    destination.save(update_fields=_HEALTH)


_HEALTH = (
    "is_on", "last_ok_at", "failures", "failing_since", "paused_until", "disabled_at", "disabled_why",
)  # fmt: skip


def _settle(
    message: ForwardMessage, destination: ForwardDestination, answer: ForwardAnswer, now: datetime
) -> None:
    message.lease = message.leased_until = None
    later = now + max(pause_after(message.tries), timedelta(seconds=answer.retry_after_s))
    if answer.is_ok:
        message.state, message.due_at, message.ended_at = ForwardState.SENT, None, now
    elif not destination.is_on or answer.status == GONE or later > message.begun_at + FOR:
        message.state, message.due_at, message.ended_at = ForwardState.FAILED, None, now
        _disable_if_dead(message, destination, answer, now)
    else:
        message.state, message.due_at = ForwardState.WAITING, later
    message.save(update_fields=["state", "due_at", "ended_at", "lease", "leased_until"])


def _disable_if_dead(
    message: ForwardMessage, destination: ForwardDestination, answer: ForwardAnswer, now: datetime
) -> None:
    """Switch a destination off that said so, or that has accepted nothing for the message's whole day."""
    last_ok, begun = destination.last_ok_at, message.begun_at
    is_dead = destination.failures >= LEAST_FAILURES and (last_ok is None or last_ok < begun)
    if not destination.is_on or not (answer.status == GONE or is_dead):
        return
    last = f"HTTP {answer.status}" if answer.status else answer.words
    why = f"It has accepted nothing for a day. The last answer: {last}"
    destination.is_on, destination.disabled_at = False, now
    destination.disabled_why = ("It answered HTTP 410: gone." if answer.status == GONE else why)[
        :300
    ]
    waiting = ForwardMessage.objects.of(destination).filter(state=ForwardState.WAITING)
    waiting.give_up(SWITCHED_OFF, now)


def _note(destination: ForwardDestination, answer: ForwardAnswer, now: datetime) -> None:
    if answer.is_ok:
        destination.last_ok_at = now
        destination.failures, destination.failing_since, destination.paused_until = 0, None, None
        return
    destination.failures += 1
    destination.failing_since = destination.failing_since or now
    beyond = destination.failures - FAILURES_TO_PAUSE
    if beyond >= 0:
        rest_s = min(FIRST_REST_S * 2.0 ** min(beyond, 20), LONGEST_REST_S)
        destination.paused_until = now + timedelta(seconds=_jittered(rest_s))


def pause_after(tries: int) -> timedelta:
    """Return how long a message waits after so many failed attempts."""
    pause_s = min(FIRST_PAUSE_S * FACTOR ** (min(tries, 20) - 1), LONGEST_PAUSE_S)
    return timedelta(seconds=_jittered(pause_s))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load, no secret)


def remove_old(now: datetime) -> None:
    """Delete some messages after their time, and some of a removed destination, in the end the destination."""
    old = ForwardMessage.objects.filter(ended_at__lt=now - KEPT).order_by("ended_at")
    _delete_some(old)
    for removed in ForwardDestination.objects.filter(removed_at__isnull=False)[:1]:
        if not _delete_some(ForwardMessage.objects.of(removed).order_by("-pk")):
            removed.delete()


def _delete_some(rows: QuerySet[ForwardMessage]) -> int:
    keys = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        ForwardMessage.objects.filter(pk__in=keys).delete()
    return len(keys)
