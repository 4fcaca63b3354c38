"""A message is sent under a lease, again for a day until it is accepted, and never for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from requests_app.forwarding import keeping
from requests_app.forwarding.keeping import ForwardRefused
from requests_app.forwarding.outbox import (
    FIRST_PAUSE_S,
    FOR,
    JITTER,
    KEPT,
    LEASE,
    LEAST_FAILURES,
    LONGEST_PAUSE_S,
    MOST_ATTEMPTS,
    PER_DESTINATION,
    ForwardAnswer,
    TakenForward,
    keep,
    pause_after,
    remove_old,
    take_due,
)
from requests_app.forwarding.sealed import unseal
from requests_app.models import ForwardAttempt, ForwardDestination, ForwardMessage, Team
from tests.builders import make_person
from tests.forwarding.scene import make_destination, make_message

OK, BUSY = ForwardAnswer(5, 200, answer="ok"), ForwardAnswer(5, 503, answer="busy")
MOMENT = timedelta(seconds=1)


@pytest.fixture
def destination(team: Team) -> ForwardDestination:
    return make_destination(team)


def take(now: datetime, **running: int) -> TakenForward | None:
    found = take_due(now, 10, running={int(pk): count for pk, count in running.items()})
    assert len(found) <= 1
    return found[0] if found else None


def must_take(now: datetime) -> TakenForward:
    found = take(now)
    assert found
    return found


def test_a_message_is_leased_to_one_worker_and_a_dead_ones_goes_to_another_with_the_same_id(
    destination: ForwardDestination,
) -> None:
    now = timezone.now()
    message = make_message(destination, now=now)
    dead = must_take(now)
    assert take(now + LEASE - MOMENT) is None
    second = must_take(now + LEASE + MOMENT)
    assert second.message_id == dead.message_id == message.message_id
    # The first comes back after all: its attempt is kept, and the message stays the second's.
    keep(dead, OK, now + LEASE + MOMENT)
    assert ForwardMessage.objects.get().state == "sending"
    keep(second, OK, now + LEASE + MOMENT)
    ended = ForwardMessage.objects.get()
    assert (ended.state, ended.due_at, ended.attempts.count()) == ("sent", None, 2)
    assert take(now + timedelta(days=2)) is None


def test_a_failed_message_waits_longer_each_time_and_is_given_up_after_a_day(
    destination: ForwardDestination,
) -> None:
    now = begun = timezone.now()
    message = make_message(destination, now=now)
    for tries in range(1, 40):
        ForwardDestination.objects.update(paused_until=None)
        keep(must_take(now), BUSY, now)
        message.refresh_from_db()
        if message.due_at is None:
            break
        usual = min(FIRST_PAUSE_S * 3 ** (tries - 1), LONGEST_PAUSE_S)
        pause_s = (message.due_at - now).total_seconds()
        assert usual * (1 - JITTER) - 1 <= pause_s <= usual * (1 + JITTER) + 1
        now = message.due_at
    assert (message.state, message.tries) == ("failed", message.attempts.count())
    assert FOR - timedelta(hours=4) < now - begun <= FOR
    assert 10 <= message.tries <= 25
    off = ForwardDestination.objects.get()
    assert not off.is_on and off.disabled_at == now
    assert off.disabled_why.endswith("The last answer: HTTP 503")


def test_retry_after_of_the_receiver_is_kept_to(destination: ForwardDestination) -> None:
    now = timezone.now()
    make_message(destination, now=now)
    keep(must_take(now), ForwardAnswer(5, 429, retry_after_s=3600), now)
    assert ForwardMessage.objects.get().due_at == now + timedelta(hours=1)
    assert pause_after(30) <= timedelta(seconds=LONGEST_PAUSE_S * (1 + JITTER))


def test_a_destination_that_fails_rests_as_a_whole_and_has_one_attempt_at_a_time(
    destination: ForwardDestination,
) -> None:
    now = timezone.now()
    for _ in range(8):
        make_message(destination, now=now)
    some = [found for _ in range(PER_DESTINATION) if (found := take(now))]
    assert len(some) == PER_DESTINATION
    assert take(now, **{str(destination.pk): PER_DESTINATION}) is None
    for one in some:
        keep(one, BUSY, now)
    destination.refresh_from_db()
    assert destination.failures == PER_DESTINATION and destination.failing_since == now
    assert take(now + MOMENT) is None  # it rests
    assert destination.paused_until
    later = destination.paused_until + MOMENT
    assert take(later, **{str(destination.pk): 1}) is None
    keep(must_take(later), OK, later)
    destination.refresh_from_db()
    assert (destination.failures, destination.paused_until) == (0, None)
    assert take(later)


def test_a_receiver_that_says_gone_is_switched_off_at_once_and_on_again_by_hand(
    destination: ForwardDestination,
) -> None:
    now = timezone.now()
    for _ in range(3):
        make_message(destination, now=now)
    keep(must_take(now), ForwardAnswer(5, 410), now)
    destination.refresh_from_db()
    assert (destination.is_on, destination.disabled_why) == (False, "It answered HTTP 410: gone.")
    assert {one.state for one in ForwardMessage.objects.all()} == {"failed"}
    assert take(now + timedelta(hours=1)) is None
    with pytest.raises(ForwardRefused):
        keeping.resend(ForwardMessage.objects.select_related("destination")[0], now)
    keeping.switch(destination, is_on=True, now=now)
    destination.refresh_from_db()
    assert (destination.is_on, destination.disabled_why, destination.since) == (True, "", now)
    message = ForwardMessage.objects.select_related("destination")[0]
    keeping.resend(message, now)
    assert must_take(now).message_id == message.message_id
    with pytest.raises(ForwardRefused):
        keeping.resend(message, now)


def test_one_message_that_is_never_taken_does_not_switch_off_a_destination_that_takes_others(
    destination: ForwardDestination,
) -> None:
    now = timezone.now()
    old = make_message(destination, now=now - FOR)
    ForwardDestination.objects.update(last_ok_at=now - MOMENT, failures=LEAST_FAILURES)
    keep(must_take(now), BUSY, now)
    old.refresh_from_db()
    assert old.state == "failed"
    assert ForwardDestination.objects.get().is_on


def test_attempts_and_messages_do_not_grow_for_ever(destination: ForwardDestination) -> None:
    now = timezone.now()
    message = make_message(destination, now=now)
    taken = must_take(now)
    for _ in range(MOST_ATTEMPTS + 5):
        keep(taken, BUSY, now)
    assert message.attempts.count() == MOST_ATTEMPTS
    ForwardMessage.objects.update(state="failed", due_at=None, ended_at=now - KEPT + MOMENT)
    remove_old(now)
    assert ForwardMessage.objects.count() == 1
    remove_old(now + 2 * MOMENT)
    assert not ForwardMessage.objects.exists() and not ForwardAttempt.objects.exists()


def test_a_removed_destination_sends_nothing_more_and_its_rows_go_in_pieces(
    destination: ForwardDestination, team: Team
) -> None:
    now = timezone.now()
    make_message(destination, now=now)
    keeping.remove(destination, now)
    assert take(now) is None
    assert ForwardDestination.objects.get().encrypted == ""
    make_destination(team)  # its name is free
    remove_old(now)
    remove_old(now)
    assert ForwardDestination.objects.get().removed_at is None
    assert not ForwardMessage.objects.exists()


def test_a_new_secret_is_valid_at_once_and_the_one_before_for_a_day(
    destination: ForwardDestination,
) -> None:
    now = timezone.now()
    make_message(destination, now=now)
    old = unseal(destination).secrets[0]
    new = keeping.rotate(destination, now)
    assert must_take(now).secrets == [new, old]
    assert must_take(now + timedelta(hours=25)).secrets == [new]
    assert old not in ForwardDestination.objects.get().encrypted


def test_a_changed_key_of_the_installation_fails_the_message_with_the_reason(
    destination: ForwardDestination, settings: object
) -> None:
    settings.ENCRYPTION_KEYS = ["another long random text of the operator"]  # type: ignore[attr-defined]
    make_message(destination)
    assert take(timezone.now()) is None
    assert "ENCRYPTION_KEYS has changed" in ForwardMessage.objects.get().why


def test_only_names_of_a_team_meet(destination: ForwardDestination, team: Team) -> None:
    owner = make_person("olaf", team=team, role="owner")
    wanted = keeping.WantedDestination(
        "crm", keeping.ChannelAddress("https://a.example/", "a"), "", True, True, True, True
    )
    with pytest.raises(ForwardRefused, match="already"):
        keeping.add(team, wanted, by=owner, now=timezone.now())
    other = Team.objects.create(name="Other")
    assert keeping.add(other, wanted, by=owner, now=timezone.now())[0].team == other
