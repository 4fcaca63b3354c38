"""Add, change, rotate, switch, test and remove a team's destinations; what they may be is judged by the form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.forwarding.making import new_test
from requests_app.forwarding.outbox import SWITCHED_OFF
from requests_app.forwarding.sealed import Sealed, seal, unseal
from requests_app.forwarding.signing import new_secret
from requests_app.models import AuditAct, ForwardDestination, ForwardMessage, ForwardState, Team
from requests_app.notices.addresses import ChannelAddress

MOST_DESTINATIONS = 10  # of a team
OLD_SECRET = timedelta(hours=24)  # how long it stays valid beside a new one
MOST_SECRETS = 3
TEST_EVERY = timedelta(seconds=10)


class ForwardRefused(Exception):
    """A sentence for the user."""


@dataclass(frozen=True)
class WantedDestination:
    """What a user chose. `address` None: as it is."""

    name: str
    address: ChannelAddress | None
    pattern: str
    deliveries: bool
    completed: bool
    failed: bool
    cancelled: bool

    @property
    def columns(self) -> dict[str, Any]:
        """Return what is stored as it is."""
        return {
            "name": self.name, "pattern": self.pattern, "wants_deliveries": self.deliveries,
            "wants_completed": self.completed, "wants_failed": self.failed,
            "wants_cancelled": self.cancelled,
        }  # fmt: skip


def add(
    team: Team, wanted: WantedDestination, *, by: AbstractBaseUser, now: datetime
) -> tuple[ForwardDestination, str]:
    """Store a destination; return it and its secret. Raises ForwardRefused."""
    if wanted.address is None:
        raise ForwardRefused("No address was given.")
    if ForwardDestination.objects.of_team(team.pk).count() >= MOST_DESTINATIONS:
        raise ForwardRefused(f"A team has at most {MOST_DESTINATIONS} destinations.")
    secret = new_secret()
    try:
        with transaction.atomic():
            made = ForwardDestination.objects.create(
                team=team, shown=wanted.address.shown, made_by_id=by.pk, created_at=now, since=now,
                encrypted=seal(Sealed(wanted.address.secret, [secret]), team_id=team.pk),
                **wanted.columns,
            )  # fmt: skip
            _audit(made, None, in_words(made))
            return made, secret
    except IntegrityError:
        raise _taken(wanted.name) from None


def change(destination: ForwardDestination, wanted: WantedDestination) -> None:
    """Store another name, address or choice. Messages that wait go to the new address. Raises ForwardRefused."""
    try:
        with transaction.atomic():
            mine = ForwardDestination.objects.select_for_update()
            stored = mine.get(pk=destination.pk)
            before = in_words(stored)
            for name, value in wanted.columns.items():
                setattr(stored, name, value)
            if wanted.address:
                sealed = Sealed(wanted.address.secret, unseal(stored).secrets)
                stored.encrypted = seal(sealed, team_id=stored.team_id)
                stored.shown = wanted.address.shown
            stored.save(update_fields=[*wanted.columns, "encrypted", "shown"])
            _audit(stored, before, in_words(stored))
    except IntegrityError:
        raise _taken(wanted.name) from None


@transaction.atomic
def rotate(destination: ForwardDestination, now: datetime) -> str:
    """Return a new secret; those before stay valid beside it for a day."""
    stored = ForwardDestination.objects.select_for_update().get(pk=destination.pk)
    sealed = unseal(stored)
    secret = new_secret()
    secrets = [secret, *sealed.secrets[: MOST_SECRETS - 1]]
    stored.encrypted = seal(Sealed(sealed.url, secrets), team_id=stored.team_id)
    stored.old_secret_until = now + OLD_SECRET
    stored.save(update_fields=["encrypted", "old_secret_until"])
    _audit(stored, "a secret", "another secret")
    return secret


@transaction.atomic
def switch(destination: ForwardDestination, *, is_on: bool, now: datetime) -> None:
    """Switch it on or off. What happens while it is off is not sent later, and what waits has failed."""
    stored = ForwardDestination.objects.select_for_update().get(pk=destination.pk)
    if stored.is_on == is_on:
        return
    _audit(stored, "on" if stored.is_on else "off", "on" if is_on else "off")
    mine = ForwardDestination.objects.filter(pk=stored.pk)
    if not is_on:
        mine.update(is_on=False)
        waiting = ForwardMessage.objects.of(stored).filter(state=ForwardState.WAITING)
        waiting.give_up(SWITCHED_OFF, now)
        return
    mine.update(
        is_on=True, since=now, looked_at=None, failures=0, failing_since=None, paused_until=None,
        disabled_at=None, disabled_why="",
    )  # fmt: skip


def send_test(destination: ForwardDestination, now: datetime) -> None:
    """Have the worker send a test. Raises ForwardRefused."""
    if not destination.is_on:
        raise ForwardRefused("It is off: switch it on to test it.")
    recent = ForwardMessage.objects.of(destination).tests(now - TEST_EVERY)
    if recent.exists():
        raise ForwardRefused("A test was sent a moment ago: its answer is below.")
    new_test(destination, now).save()


def resend(message: ForwardMessage, now: datetime) -> None:
    """Send a message again, with its id, for another day. Raises ForwardRefused."""
    if not message.destination.is_on:
        raise ForwardRefused("The destination is off: switch it on, then send again.")
    ended = ForwardMessage.objects.filter(
        pk=message.pk, state__in=(ForwardState.SENT, ForwardState.FAILED)
    )
    taken = ended.update(
        state=ForwardState.WAITING, due_at=now, begun_at=now, tries=0, ended_at=None, why=""
    )
    if not taken:
        raise ForwardRefused("It is on its way already.")


@transaction.atomic
def remove(destination: ForwardDestination, now: datetime) -> None:
    """Forget address and secrets; what waits is not sent. The worker deletes its messages, which may be many."""
    _audit(destination, in_words(destination), None)
    ForwardDestination.objects.filter(pk=destination.pk).update(
        is_on=False, removed_at=now, encrypted=""
    )


def in_words(destination: ForwardDestination) -> str:
    """Say what is sent where, for the audit trail: no secret."""
    events = ", ".join(destination.events) or "nothing"
    of = f" of {destination.pattern}" if destination.pattern else ""
    return f"{events}{of} to {destination.shown}"


def _taken(name: str) -> ForwardRefused:
    return ForwardRefused(f"There is a destination “{name}” already.")


def _audit(destination: ForwardDestination, before: object, after: object) -> None:
    what = f"forwarding: {destination.name}"[:200]
    told = {"before": before, "after": after}
    noted = audit.Noted("setting", "", what, told)
    audit.note(AuditAct.SETTING_CHANGED, noted, team_id=destination.team_id)
