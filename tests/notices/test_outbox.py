"""A message is sent by one worker, again only when it was not delivered, and never for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.keys.encryption import decrypt
from requests_app.models import Notice, NoticeChannel, NoticeEvent, NoticeState, Team
from requests_app.notices import keeping
from requests_app.notices.answers import TryAnswer, TryResult
from requests_app.notices.firing import look
from requests_app.notices.outbox import (
    LEASE,
    MOST_A_MINUTE,
    MOST_FAILURES,
    PAUSES,
    TakenNotice,
    keep,
    remove_old,
    take_due,
)
from requests_app.notices.words import UNSURE
from tests.notices.conftest import MakeRule
from tests.notices.test_firing import failed

SOON = timedelta(seconds=30)


@pytest.fixture
def due(make_rule: MakeRule, team: Team, owner: User, settings: object) -> Notice:
    """A message on one failure that may leave."""
    settings.PUBLIC_URL = "https://faldeck.example"  # type: ignore[attr-defined]
    make_rule("failed", with_error=True)
    failed(team, owner, error="It broke. " * 50)
    look(timezone.now())
    notice = Notice.objects.get()
    Notice.objects.update(due_at=timezone.now())
    return notice


def take(now: datetime) -> TakenNotice | None:
    found = take_due(now, 10)
    assert len(found) <= 1
    return found[0] if found else None


def test_a_message_says_what_where_and_nothing_of_input_and_output(due: Notice) -> None:
    taken = take(timezone.now())
    assert taken and taken.address == "ops@example.org"
    text = taken.message.text
    assert taken.message.title == "[Acme] A request failed"
    assert "acme/img, by olga (runner_error): It broke." in text
    assert text.count("It broke.") <= 20  # 200 characters of it
    assert "https://faldeck.example/requests/" in text
    assert "sunset" not in text  # of the input


def test_one_worker_has_a_message_and_its_answer_ends_it(due: Notice) -> None:
    now = timezone.now()
    taken = take(now)
    assert taken and take(now) is None
    keep(taken, TryAnswer(TryResult.SENT, "250 ok"), now)
    ended = Notice.objects.get()
    assert (ended.state, ended.answer, ended.due_at, ended.tries) == ("sent", "250 ok", None, 1)
    assert take(now + timedelta(days=1)) is None


def test_a_worker_that_died_leaves_its_message_to_another_which_says_that_it_may_be_a_repeat(
    due: Notice,
) -> None:
    now = timezone.now()
    dead = take(now)
    assert dead and UNSURE not in dead.message.text
    assert take(now + LEASE / 2) is None
    later = now + LEASE + SOON
    second = take(later)
    assert second and UNSURE in second.message.text
    assert second.message.values["may_be_a_repeat"] is True
    # The first one comes back after all: its word does not count.
    keep(dead, TryAnswer(TryResult.REFUSED, "too late"), later)
    assert Notice.objects.get().state == NoticeState.SENDING
    keep(second, TryAnswer(TryResult.SENT, "ok"), later)
    assert Notice.objects.get().state == NoticeState.SENT


def test_what_was_not_delivered_is_tried_again_with_growing_pauses_and_then_has_failed(
    due: Notice,
) -> None:
    now = timezone.now()
    for pause in PAUSES:
        taken = take(now)
        assert taken and UNSURE not in taken.message.text
        keep(taken, TryAnswer(TryResult.NOT_SENT, "HTTP 503"), now)
        assert take(now + pause - timedelta(seconds=1)) is None
        now += pause
    taken = take(now)
    assert taken
    keep(taken, TryAnswer(TryResult.NOT_SENT, "HTTP 503"), now)
    ended = Notice.objects.get()
    assert (ended.state, ended.answer, ended.tries) == ("failed", "HTTP 503", len(PAUSES) + 1)
    assert NoticeChannel.objects.get().failures == 1


def test_an_unknown_outcome_is_tried_again_with_a_word_and_a_refusal_is_final(due: Notice) -> None:
    now = timezone.now()
    taken = take(now)
    assert taken
    keep(taken, TryAnswer(TryResult.UNKNOWN, "broke off"), now)
    second = take(now + PAUSES[0])
    assert second and UNSURE in second.message.text
    keep(second, TryAnswer(TryResult.REFUSED, "HTTP 404"), now)
    assert Notice.objects.get().state == NoticeState.FAILED


def test_a_channel_is_switched_off_after_repeated_failures_and_on_again_by_a_test_that_arrives(
    due: Notice, channel: NoticeChannel
) -> None:
    now = timezone.now()
    NoticeChannel.objects.update(failures=MOST_FAILURES - 1)
    taken = take(now)
    assert taken
    keep(taken, TryAnswer(TryResult.REFUSED, "HTTP 410"), now)
    off = NoticeChannel.objects.get()
    assert off.disabled_at
    assert off.disabled_why.endswith("The last answer: HTTP 410")
    Notice.objects.update(state="waiting", due_at=now)
    assert take(now) is None
    assert Notice.objects.get().answer == "The channel is switched off."
    keeping.test_channel(channel, now)
    test = take(now)
    assert test and test.message.title == "[Acme] Test of the channel ops"
    keep(test, TryAnswer(TryResult.SENT, "ok"), now)
    assert NoticeChannel.objects.get().disabled_at is None


def test_a_channel_has_only_so_many_messages_a_minute(
    due: Notice, channel: NoticeChannel, team: Team
) -> None:
    now = timezone.now()
    Notice.objects.bulk_create(
        Notice(team=team, channel=channel, state="sent", created_at=now, ended_at=now)
        for _ in range(MOST_A_MINUTE)
    )
    assert take(now) is None
    assert take(now + timedelta(seconds=70)) is not None


def test_a_removed_rule_or_channel_ends_what_waits_for_it(
    due: Notice, channel: NoticeChannel
) -> None:
    keeping.remove_channel(channel)
    assert take(timezone.now()) is None
    assert Notice.objects.get().answer == "The rule or its channel was removed."


def test_the_address_is_stored_for_its_team_alone_and_the_log_goes_after_its_time(
    due: Notice, channel: NoticeChannel
) -> None:
    assert "ops@example.org" not in channel.encrypted
    assert decrypt(channel.encrypted, team_id=channel.team_id) == "ops@example.org"
    now = timezone.now()
    Notice.objects.update(state="sent", ended_at=now - timedelta(days=29))
    remove_old(now)
    assert Notice.objects.count() == 1
    remove_old(now + timedelta(days=2))
    assert not Notice.objects.exists()
    assert not NoticeEvent.objects.exists()
