"""What each verb of lifecycle writes to the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent, Refused
from requests_app.lifecycle import Attempt, Effect
from requests_app.models import FalRequest, LogLine, Observation, Source, Status, Team, digest
from tests.builders import (
    fresh,
    hear,
    make_draft,
    make_log,
    make_receipt,
    make_request,
    make_result,
    make_status,
    make_webhook,
)


def claimed(row: FalRequest, now: datetime) -> Attempt:
    attempt = lifecycle.start_attempt(row.pk, now=now)
    assert attempt is not None
    return attempt


def kinds(row: FalRequest) -> list[str]:
    return list(row.observations.order_by("id").values_list("kind", flat=True))


# --- create and claim


def test_a_new_row_is_pending_due_and_observed(row: FalRequest) -> None:
    row = fresh(row)
    assert row.status == Status.PENDING
    assert row.due_at is not None
    assert row.seq == row.observations.get().pk
    assert row.summary == "a sunset over mountains"


def test_only_the_first_claim_gets_the_right_to_send(row: FalRequest) -> None:
    now = timezone.now()
    assert lifecycle.start_attempt(row.pk, now=now) is not None
    assert lifecycle.start_attempt(row.pk, now=now) is None
    assert fresh(row).status == Status.SUBMITTING


def test_the_webhook_secret_is_kept_only_as_a_digest(row: FalRequest) -> None:
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    assert attempt is not None
    assert fresh(row).webhook_digest == digest(attempt.webhook_secret)
    assert attempt.webhook_secret not in str(FalRequest.objects.filter(pk=row.pk).values())


def test_the_same_key_and_body_mean_the_same_row(team: Team, owner: User) -> None:
    call: dict[str, Any] = {
        "team": team, "person": owner, "now": timezone.now(), "key": "k", "body_digest": "b",
    }  # fmt: skip
    first, made = lifecycle.create_once(make_draft(), **call)
    second, made_again = lifecycle.create_once(make_draft(), **call)
    assert (made, made_again) == (True, False)
    assert first.pk == second.pk
    with pytest.raises(lifecycle.KeyReused):
        lifecycle.create_once(make_draft(), **(call | {"body_digest": "other"}))


# --- the answer to a submit


def test_a_receipt_brings_identity_and_position(queued: FalRequest) -> None:
    assert queued.status == Status.IN_QUEUE
    assert queued.fal_request_id == "req-1"
    assert queued.queue_position == 3
    assert queued.accepted_at is not None
    assert queued.lease is None


def test_nothing_left_means_pending_again_later(row: FalRequest) -> None:
    now = timezone.now()
    attempt = claimed(row, now)
    lifecycle.note_not_sent(row.pk, NotSent("refused"), lease=attempt.lease, now=now)
    row = fresh(row)
    assert row.status == Status.PENDING
    assert row.due_at and row.due_at > now
    assert row.tries == 1
    assert row.sent_at is None


def test_too_many_requests_waits_as_long_as_fal_asked(row: FalRequest) -> None:
    now = timezone.now()
    attempt = claimed(row, now)
    error = Refused("busy", status_code=429, retry_after_s=30)
    lifecycle.note_refused(row.pk, error, lease=attempt.lease, now=now)
    assert fresh(row).due_at == now + timedelta(seconds=30)
    assert fresh(row).status == Status.PENDING


def test_a_refusal_fails_with_fals_words(row: FalRequest) -> None:
    now = timezone.now()
    attempt = claimed(row, now)
    body = b'{"detail": "User is locked. Reason: Exhausted balance."}'
    lifecycle.note_refused(
        row.pk, Refused("no", status_code=403, body=body), lease=attempt.lease, now=now
    )
    row = fresh(row)
    assert row.status == Status.FAILED
    assert row.error_code == 403
    assert bytes(row.output or b"") == body
    assert "Exhausted balance" in row.observations.last().note  # type: ignore[union-attr]


def test_an_unknown_outcome_stays_uncertain_and_is_never_sent_again(row: FalRequest) -> None:
    now = timezone.now()
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.mark_uncertain(row.pk, "the connection was reset", now=now)
    row = fresh(row)
    assert row.status == Status.UNCERTAIN
    assert row.due_at == now + timedelta(seconds=2)  # to be looked for in fal's list
    assert lifecycle.start_attempt(row.pk, now=now + timedelta(days=1)) is None


def test_a_sender_that_died_leaves_the_row_uncertain(row: FalRequest) -> None:
    now = timezone.now()
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.expire_lease(row.pk, now=now)
    assert fresh(row).status == Status.SUBMITTING  # its lease still runs
    lifecycle.expire_lease(row.pk, now=now + timedelta(minutes=5))
    assert fresh(row).status == Status.UNCERTAIN


def test_a_direct_call_whose_process_died_is_interrupted(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner, mode="stream")
    now = timezone.now()
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.note_opened(row.pk, "req-7", now=now)
    lifecycle.expire_lease(row.pk, now=now + timedelta(minutes=5))
    row = fresh(row)
    assert (row.status, row.error_type) == (Status.FAILED, "interrupted")


def test_a_stream_goes_on_whose_request_id_another_row_has(team: Team, owner: User) -> None:
    rows = [make_request(team=team, person=owner, mode="stream") for _ in range(2)]
    now = timezone.now()
    for row in rows:
        lifecycle.start_attempt(row.pk, now=now)
        lifecycle.note_opened(row.pk, "req-7", now=now)
    first, second = map(fresh, rows)
    assert first.status == second.status == Status.IN_PROGRESS
    assert (first.fal_request_id, second.fal_request_id) == ("req-7", "")
    assert second.observations.filter(kind="status").count() == 1


def test_it_keeps_the_receipt_when_the_webhook_was_first(row: FalRequest) -> None:
    lifecycle.start_attempt(row.pk, now=timezone.now())
    hear(row, make_webhook("req-1"), source=Source.WEBHOOK)
    assert fresh(row).status == Status.COMPLETED
    hear(row, make_receipt("req-1"), source=Source.SUBMIT_REPLY)
    row = fresh(row)
    assert row.status == Status.COMPLETED
    assert row.status_url.endswith("/req-1/status")


# --- news


def test_polls_move_the_row_and_leave_one_observation_each(queued: FalRequest) -> None:
    assert hear(queued, make_status("IN_QUEUE", queue_position=3)) == Effect.KNOWN
    assert hear(queued, make_status("IN_QUEUE", queue_position=1)) == Effect.NEWS
    assert hear(queued, make_status("IN_PROGRESS")) == Effect.NEWS
    assert hear(queued, make_status("COMPLETED", metrics={"inference_time": 2.0})) == Effect.NEWS
    assert hear(queued, make_result(output={"images": []})) == Effect.NEWS
    row = fresh(queued)
    assert row.status == Status.COMPLETED
    assert row.metrics == {"inference_time": 2.0}
    assert bytes(row.output or b"") == b'{"images": []}'
    assert row.started_at and row.finished_at and row.ended_at
    assert kinds(row)[-4:] == ["status", "status", "finished", "ended"]
    assert row.seq == row.observations.last().pk  # type: ignore[union-attr]


def test_a_slow_poll_does_not_undo_a_newer_one(queued: FalRequest) -> None:
    now = timezone.now()
    hear(queued, make_status("IN_PROGRESS"), asked_at=now)
    late = now - timedelta(seconds=5)
    assert hear(queued, make_status("IN_QUEUE", queue_position=1), asked_at=late) == Effect.KNOWN
    assert fresh(queued).status == Status.IN_PROGRESS


def test_fal_may_put_a_running_request_back(queued: FalRequest) -> None:
    hear(queued, make_status("IN_PROGRESS"))
    hear(queued, make_status("IN_QUEUE", queue_position=0))
    assert fresh(queued).status == Status.IN_QUEUE


def test_the_first_end_stays_and_another_is_kept_as_a_contradiction(queued: FalRequest) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    before = fresh(queued)
    assert hear(queued, make_result(code=500, error="oops")) == Effect.CONTRADICTION
    after = fresh(queued)
    assert (after.status, after.output, after.ended_at) == (
        before.status, before.output, before.ended_at,
    )  # fmt: skip
    assert kinds(after)[-1] == "contradiction"


def test_an_end_by_webhook_is_followed_by_one_look_for_logs_and_metrics(
    queued: FalRequest,
) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    assert fresh(queued).due_at is not None
    news = make_status("COMPLETED", metrics={"inference_time": 1.5}, logs=(make_log("late"),))
    hear(queued, news)
    row = fresh(queued)
    assert row.metrics == {"inference_time": 1.5}
    assert row.log_lines.get().message == "late"


def test_log_windows_become_one_history_without_repeats(queued: FalRequest) -> None:
    a, b, c = (make_log(text, timestamp=f"2026-01-01T00:00:0{i}") for i, text in enumerate("abc"))
    hear(queued, make_status("IN_PROGRESS", logs=(a, b)))
    hear(queued, make_status("IN_PROGRESS", logs=(b, c)))
    hear(queued, make_status("IN_PROGRESS", logs=(b, c)))
    assert [line.message for line in queued.log_lines.order_by("id")] == ["a", "b", "c"]


def test_equal_lines_of_one_moment_are_all_kept(queued: FalRequest) -> None:
    twice = (make_log("tick"), make_log("tick"))
    hear(queued, make_status("IN_PROGRESS", logs=twice))
    hear(queued, make_status("IN_PROGRESS", logs=twice))
    assert LogLine.objects.filter(request=queued).count() == 2


def test_a_log_line_with_nul_and_half_a_surrogate_is_stored(queued: FalRequest) -> None:
    hear(queued, make_status("IN_PROGRESS", logs=(make_log("a\0b\ud800c"),)))
    assert queued.log_lines.get().message == "a\ufffdb\ufffdc"


# --- cancel


def test_a_request_that_was_never_sent_is_cancelled_at_once(row: FalRequest, owner: User) -> None:
    assert lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now()) == "cancelled"
    assert fresh(row).status == Status.CANCELLED
    assert lifecycle.start_attempt(row.pk, now=timezone.now()) is None


def test_asking_to_cancel_does_not_end_a_request_at_fal(queued: FalRequest, owner: User) -> None:
    now = timezone.now()
    assert lifecycle.ask_cancel(queued.pk, person=owner, now=now) == "asked"
    lifecycle.note_cancel_answer(queued.pk, "requested", now=now)
    row = fresh(queued)
    assert row.status == Status.IN_QUEUE
    assert row.is_cancelling
    assert row.cancel_answer == "requested"


def test_cancelling_twice_leaves_one_wish(queued: FalRequest, owner: User) -> None:
    now = timezone.now()
    lifecycle.ask_cancel(queued.pk, person=owner, now=now)
    lifecycle.ask_cancel(queued.pk, person=owner, now=now)
    assert kinds(queued).count("cancel_asked") == 1


def test_there_is_nothing_to_cancel_after_the_end(queued: FalRequest, owner: User) -> None:
    hear(queued, make_result())
    assert lifecycle.ask_cancel(queued.pk, person=owner, now=timezone.now()) == "ended"


def test_a_cancel_while_the_submit_could_not_connect_ends_it(row: FalRequest, owner: User) -> None:
    now = timezone.now()
    attempt = claimed(row, now)
    lifecycle.ask_cancel(row.pk, person=owner, now=now)
    lifecycle.note_not_sent(row.pk, NotSent("no route"), lease=attempt.lease, now=now)
    assert fresh(row).status == Status.CANCELLED


def test_only_an_uncertain_request_can_be_given_up(row: FalRequest, owner: User) -> None:
    now = timezone.now()
    assert lifecycle.give_up(row.pk, person=owner, now=now) is False
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.mark_uncertain(row.pk, "reset", now=now)
    assert lifecycle.give_up(row.pk, person=owner, now=now) is True
    assert fresh(row).error_type == "given_up"


# --- work


def test_a_lease_keeps_others_away_until_it_lapses(queued: FalRequest) -> None:
    later = timezone.now() + timedelta(seconds=5)
    first = FalRequest.objects.take_lease(queued.pk, later, timedelta(seconds=10))
    assert first is not None
    assert FalRequest.objects.take_lease(queued.pk, later, timedelta(seconds=10)) is None
    after = later + timedelta(seconds=11)
    assert FalRequest.objects.take_lease(queued.pk, after, timedelta(seconds=10)) is not None


def test_a_lost_lease_releases_nothing(queued: FalRequest) -> None:
    later = timezone.now() + timedelta(seconds=5)
    old = FalRequest.objects.take_lease(queued.pk, later, timedelta(seconds=1))
    new = FalRequest.objects.take_lease(
        queued.pk, later + timedelta(seconds=2), timedelta(minutes=1)
    )
    assert old and new
    lifecycle.release(lifecycle.Release(queued.pk, old, later))
    assert fresh(queued).lease == new


def test_a_restart_makes_every_live_row_due_but_what_is_not_looked_for(
    queued: FalRequest, team: Team, owner: User
) -> None:
    sought, unsought = (make_request(team=team, person=owner) for _ in range(2))
    for lost in (sought, unsought):
        lifecycle.start_attempt(lost.pk, now=timezone.now())
        lifecycle.mark_uncertain(lost.pk, "reset", now=timezone.now())
    FalRequest.objects.filter(pk=unsought.pk).update(due_at=None)
    now = timezone.now() + timedelta(seconds=1)
    assert lifecycle.resume(now=now, alone=True) == 2
    assert fresh(queued).due_at == fresh(sought).due_at == now
    assert fresh(unsought).due_at is None


def test_every_status_change_leaves_exactly_one_observation(queued: FalRequest) -> None:
    hear(queued, make_status("IN_PROGRESS"))
    hear(queued, make_result())
    told = list(
        Observation.objects.filter(request=queued).order_by("id").values_list("status", flat=True)
    )
    assert told == ["pending", "submitting", "in_queue", "in_progress", "completed"]


def test_a_wish_during_a_look_is_kept_when_the_row_is_given_back(queued: FalRequest) -> None:
    later = timezone.now() + timedelta(seconds=5)
    for wished in (False, True):
        FalRequest.objects.filter(pk=queued.pk).update(due_at=later)
        lease = FalRequest.objects.take_lease(queued.pk, later, timedelta(minutes=1))
        assert lease
        if wished:
            lifecycle.make_due(queued.pk, now=later)
        lifecycle.release(lifecycle.Release(queued.pk, lease, later + timedelta(seconds=30)))
        due_at = fresh(queued).due_at
        assert due_at == (later if wished else later + timedelta(seconds=30))


def test_a_webhook_that_was_first_frees_the_row_of_a_lost_reply(row: FalRequest) -> None:
    lifecycle.start_attempt(row.pk, now=timezone.now())
    hear(row, make_webhook(payload_bytes=None), source=Source.WEBHOOK)
    lifecycle.mark_uncertain(row.pk, "reset", now=timezone.now())
    row = fresh(row)
    assert (row.status, row.lease, row.leased_until) == (Status.IN_PROGRESS, None, None)
    assert FalRequest.objects.due(timezone.now()).filter(pk=row.pk).exists()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 10_000])
def test_no_text_of_fals_keeps_a_row_from_ending(text: str, queued: FalRequest) -> None:
    metrics = {text: [text, {"deep": text}]}
    hear(queued, make_status("COMPLETED", metrics=metrics, error=text, error_type=text))
    result = make_result(code=500, error="e")
    error = replace(result.error, detail=text, error_type=text)  # type: ignore[type-var]
    hear(queued, replace(result, error=error, content_type=text))
    row = fresh(queued)
    assert row.status == Status.FAILED
    assert len(row.error) <= 4000
    assert row.metrics


def test_a_place_in_the_queue_that_no_database_takes_is_left_out(row: FalRequest) -> None:
    lifecycle.start_attempt(row.pk, now=timezone.now())
    hear(row, make_receipt(position=2**70), source=Source.SUBMIT_REPLY)
    hear(row, make_status("IN_QUEUE", queue_position=2**40))
    assert (fresh(row).status, fresh(row).queue_position) == (Status.IN_QUEUE, None)
