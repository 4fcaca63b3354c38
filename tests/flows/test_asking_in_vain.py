"""fal denies a request, or does not answer for a while: what is believed, and what a page tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status
from requests_app.rules.paid_result import DENIALS_OF_RESULT
from requests_app.worker.polls import (
    DENIALS_AFTER_CANCEL,
    DENIALS_BEFORE_LOST,
)
from tests.fal.peer import says
from tests.worker.conftest import PeerThread, look

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = {"detail": "Request not found"}


def notes(row: FalRequest, *kinds: str) -> list[str]:
    """What was told of such observations, oldest first."""
    return list(
        row.observations.filter(kind__in=kinds).values_list("note", flat=True).order_by("id")
    )


BUSY, FINE = says(503, {}), says(202, {"status": "IN_QUEUE", "queue_position": 3})


def test_one_404_for_an_old_live_request_means_nothing(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(sent_at=timezone.now() - timedelta(hours=2))
    peer.will(says(404, UNKNOWN), says(202, {"status": "IN_PROGRESS"}))
    assert look(loop, queued).status == Status.IN_QUEUE
    assert look(loop, queued).status == Status.IN_PROGRESS


def test_fal_is_believed_when_it_denies_a_request_for_long(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(sent_at=timezone.now() - timedelta(hours=2))
    peer.will(*[says(404, UNKNOWN)] * (DENIALS_BEFORE_LOST + 1))
    for _ in range(DENIALS_BEFORE_LOST):
        assert not look(loop, queued).is_ended
    row = look(loop, queued)
    assert (row.status, row.error_type) == (Status.FAILED, "lost_at_fal")


def test_failures_of_another_kind_are_no_denials(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    """One counter for both had a single 404 after a long outage end a request that fal was running."""
    long_ago = timezone.now() - timedelta(hours=2)
    FalRequest.objects.filter(pk=queued.pk).update(sent_at=long_ago, tries=DENIALS_BEFORE_LOST)
    peer.will(says(404, UNKNOWN), FINE)
    assert not look(loop, queued).is_ended
    assert not look(loop, queued).is_ended


def test_denials_count_anew_once_fal_knows_the_request_again(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(sent_at=timezone.now() - timedelta(hours=2))
    denied = says(404, UNKNOWN)
    peer.will(*[denied] * DENIALS_BEFORE_LOST, FINE, *[denied] * DENIALS_BEFORE_LOST)
    for _ in range(2 * DENIALS_BEFORE_LOST + 1):
        assert not look(loop, queued).is_ended
    assert "fal answers again." in notes(queued, "answered")


def test_a_404_for_a_result_after_other_failures_is_no_expiry(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    done = says(200, {"status": "COMPLETED"})
    FalRequest.objects.filter(pk=queued.pk).update(tries=DENIALS_OF_RESULT + 1)
    peer.will(done, says(404, UNKNOWN), done, says(200, {"text": "here"}))
    assert look(loop, queued).status == Status.IN_PROGRESS
    assert look(loop, queued).status == Status.COMPLETED


def test_a_page_tells_once_that_fal_does_not_answer_and_once_that_it_does_again(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[says(401, {"detail": "invalid key"})] * 6, FINE, FINE, BUSY, FINE)
    for _ in range(10):
        row = look(loop, queued)
    assert not row.is_ended
    assert notes(row, "unanswered", "answered") == [
        "fal refused (401): invalid key. It is asked again; nothing is lost meanwhile.",
        "fal answers again.",
    ]


def test_a_404_after_an_unclear_cancel_ends_nothing(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    lifecycle.ask_cancel(queued.pk, person=owner, now=timezone.now())
    peer.will(says(404, {"status": "NOT_FOUND"}), *[says(404, UNKNOWN)] * 6)
    for _ in range(6):
        row = look(loop, queued)
    assert (row.cancel_answer, row.status) == ("not_found", Status.IN_QUEUE)


def test_a_request_fal_forgot_after_taking_the_cancellation_is_cancelled(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    lifecycle.ask_cancel(queued.pk, person=owner, now=timezone.now())
    peer.will(says(200, {"status": "OK"}), *[says(404, UNKNOWN)] * (DENIALS_AFTER_CANCEL + 1))
    assert not look(loop, queued).is_ended
    for _ in range(DENIALS_AFTER_CANCEL):
        row = look(loop, queued)
    assert row.status == Status.CANCELLED


def test_one_404_for_a_result_is_asked_again(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    done = says(200, {"status": "COMPLETED"})
    peer.will(done, says(404, UNKNOWN), done, says(200, {"text": "here"}))
    assert look(loop, queued).status == Status.IN_PROGRESS
    assert look(loop, queued).status == Status.COMPLETED
